"""Domains in their ordinary life: definitions, lists, states, events and what may be asked."""

import signal
import time

import domain_case
import guest
import harness
import rpc

DEFINED, UNDEFINED, STARTED, SUSPENDED, RESUMED, STOPPED, SHUTDOWN = range(7)
READ_ONLY_DENIED = 29
INVALID_ARG = 8


class LifeCase(domain_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_qemud()


@guest.needs_qemu
class Definition(LifeCase):
    def test_uuid_is_kept_with_the_name(self):
        self.define(uuid=domain_case.uuid_of(1))
        self.assertEqual(self.sh('domuuid', 'a'), domain_case.uuid_of(1))

    def test_uuid_is_made_when_none_is_given(self):
        self.define()
        first = self.sh('domuuid', 'a')
        self.define('b')
        self.assertNotEqual(first, self.sh('domuuid', 'b'))

    def test_name_of_another_uuid_is_refused(self):
        self.define(uuid=domain_case.uuid_of(1))
        self.assertIn('already exists with uuid',
                      self.fails('define', self.xml(uuid=domain_case.uuid_of(2))))

    def test_uuid_of_another_name_is_refused(self):
        self.define('a', uuid=domain_case.uuid_of(1))
        self.assertIn('already defined',
                      self.fails('define', self.xml('b', uuid=domain_case.uuid_of(1))))
        self.assertEqual(self.names(), ['a'])

    def test_new_definition_of_a_guest_waits_for_its_next_start(self):
        self.define_and_start(uuid=domain_case.uuid_of(1))
        self.define(uuid=domain_case.uuid_of(1), memory_mib=32)
        self.assertIn('<memory unit=\'KiB\'>16384<', self.sh('dumpxml', 'a'))
        self.assertIn('<memory unit=\'KiB\'>32768<', self.sh('dumpxml', 'a', '--inactive'))
        self.sh('destroy', 'a')
        self.sh('start', 'a', '--paused')
        self.assertIn('<memory unit=\'KiB\'>32768<', self.sh('dumpxml', 'a'))

    def test_transient_guest_becomes_persistent(self):
        self.sh('create', self.xml(uuid=domain_case.uuid_of(1)), '--paused')
        self.define(uuid=domain_case.uuid_of(1))
        self.assertEqual(self.names('--all', '--persistent'), ['a'])
        self.sh('destroy', 'a')
        self.assertEqual(self.names(), ['a'])

    def test_undefined_guest_becomes_transient(self):
        self.define_and_start()
        self.sh('undefine', 'a')
        self.assertEqual(self.names('--transient'), ['a'])
        self.sh('destroy', 'a')
        self.assertEqual(self.names(), [])
        self.check_gone()

    def test_undefine_of_a_transient_guest_is_refused(self):
        self.sh('create', self.xml(), '--paused')
        self.assertIn('transient', self.fails('undefine', 'a'))

    def test_definition_outlives_the_daemon(self):
        self.define()
        before = self.sh('dumpxml', 'a')
        self.qemud.restart()
        self.assertEqual(self.sh('dumpxml', 'a'), before)

    def test_undefine_outlives_the_daemon(self):
        self.define()
        self.sh('undefine', 'a')
        self.qemud.restart()
        self.assertEqual(self.names(), [])

    def test_definition_that_is_dumped_can_be_defined(self):
        self.define(devices="<serial type='pty'/><video><model type='vga'/></video>")
        text = self.sh('dumpxml', 'a')
        self.sh('define', self.write('again.xml', text))
        self.assertEqual(self.sh('dumpxml', 'a'), text)


@guest.needs_qemu
class Lists(LifeCase):
    def setUp(self):
        super().setUp()
        self.define('off')
        self.define_and_start('paused')
        self.sh('create', self.xml('transient'), '--paused')
        self.sh('resume', 'transient')

    def test_flags_choose(self):
        for flags, expected in (
                ([], ['paused', 'transient']),
                (['--all'], ['off', 'paused', 'transient']),
                (['--inactive'], ['off']),
                (['--persistent', '--all'], ['off', 'paused']),
                (['--transient', '--all'], ['transient']),
                (['--state-running'], ['transient']),
                (['--state-paused'], ['paused']),
                (['--state-shutoff', '--all'], ['off']),
                (['--all', '--autostart'], []),
                (['--all', '--no-autostart'], ['off', 'paused', 'transient']),
                (['--all', '--with-snapshot'], []),
                (['--all', '--without-managed-save'], ['off', 'paused', 'transient'])):
            with self.subTest(' '.join(flags)):
                self.assertEqual(self.names(*(flags or ['--state-running', '--state-paused'])), expected)

    def test_legacy_calls_agree(self):
        client = self.client()
        self.assertEqual(client.call('CONNECT_NUM_OF_DOMAINS')['num'], 2)
        ids = client.call('CONNECT_LIST_DOMAINS', maxids=10)['ids']
        self.assertEqual(sorted(ids), sorted(int(self.sh('domid', name))
                                             for name in ('paused', 'transient')))
        self.assertEqual(client.call('CONNECT_NUM_OF_DEFINED_DOMAINS')['num'], 1)
        self.assertEqual(client.call('CONNECT_LIST_DEFINED_DOMAINS', maxnames=10)['names'], ['off'])

    def test_look_ups_agree(self):
        client = self.client()
        by_name = self.domain(client, 'paused')
        self.assertEqual(client.call('DOMAIN_LOOKUP_BY_ID', id=by_name['id'])['dom'], by_name)
        self.assertEqual(client.call('DOMAIN_LOOKUP_BY_UUID', uuid=by_name['uuid'])['dom'], by_name)

    def test_strangers_are_not_found(self):
        for words in (('domstate', 'nobody'), ('domstate', domain_case.uuid_of(9)),
                      ('domname', '99')):
            with self.subTest(words):
                self.assertIn('failed to get domain', self.fails(*words))


@guest.needs_qemu
class Autostart(LifeCase):
    def boot_host(self):
        """As after a reboot of the host: /run is empty."""
        self.qemud.stop()
        for path in sorted(self.run_folder().rglob('*'), reverse=True):
            path.unlink() if not path.is_dir() else path.rmdir()
        self.qemud.start()

    def test_domain_starts_with_the_host(self):
        self.define()
        self.sh('autostart', 'a')
        self.boot_host()
        self.wait_state('running (booted)')

    def autostart_once(self, name='a', value=1):
        client = self.client()
        client.call('DOMAIN_SET_AUTOSTART_ONCE', dom=self.domain(client, name), autostart=value)

    def is_autostarted_once(self, name='a'):
        client = self.client()
        return client.call('DOMAIN_GET_AUTOSTART_ONCE', dom=self.domain(client, name))['autostart']

    def test_domain_starts_with_the_host_once(self):
        self.define()
        self.autostart_once()
        self.assertEqual(self.is_autostarted_once(), 1)
        self.boot_host()
        self.wait_state('running (booted)')
        self.assertEqual(self.is_autostarted_once(), 0)
        self.sh('destroy', 'a')
        self.define('b')
        self.sh('autostart', 'b')
        self.boot_host()
        self.wait_state('running (booted)', 'b')
        self.assertTrue(self.state('a').startswith('shut off'))

    def test_starting_once_can_be_taken_back(self):
        self.define()
        self.autostart_once()
        self.autostart_once(value=0)
        self.assertEqual(self.is_autostarted_once(), 0)
        self.assertEqual(list((self.config_folder() / 'autostart').iterdir()), [])

    def test_undefined_domain_leaves_no_link_to_start_once(self):
        self.define()
        self.autostart_once()
        self.sh('undefine', 'a')
        self.assertEqual(list((self.config_folder() / 'autostart').iterdir()), [])

    def test_other_domains_do_not(self):
        self.define()
        self.define('b')
        self.sh('autostart', 'a')
        self.boot_host()
        self.wait_state('running (booted)')
        self.assertTrue(self.state('b').startswith('shut off'))

    def test_restart_of_the_daemon_starts_nothing(self):
        self.define()
        self.sh('autostart', 'a')
        self.qemud.restart()
        self.define('b')
        self.assertTrue(self.state('a').startswith('shut off'))

    def cut_off_between_two(self, end):
        """The daemon ends when the first of two has been started, and destroyed; the next starts."""
        for name in ('a', 'b'):
            self.define(name)
            self.sh('autostart', name)
        conf = self.root / 'etc/libvirt/qemu.conf'
        conf.write_text('auto_start_delay = 3600000\n')
        self.boot_host()
        harness.wait_until(lambda: self.sh('list', '--name').strip(), 'the first is started')
        first = self.sh('list', '--name').strip()
        second = 'b' if first == 'a' else 'a'
        self.wait_state('running (booted)', first)
        self.sh('destroy', first)
        end()
        self.qemud.start()
        self.wait_state('running (booted)', second)
        self.qemud.restart()
        self.assertTrue(self.state(first).startswith('shut off'))
        self.sh('destroy', second)
        self.qemud.restart()
        self.define('c')
        self.assertEqual(self.sh('list', '--name').strip(), '')

    def test_daemon_that_is_killed_leaves_the_others_to_the_next(self):
        self.cut_off_between_two(self.qemud.kill)

    def test_daemon_that_is_stopped_leaves_the_others_to_the_next(self):
        self.cut_off_between_two(self.qemud.stop)

    def test_one_that_cannot_start_hinders_no_other(self):
        self.define('a', devices="<disk type='file'><source file='/none'/>"
                                 "<target dev='vda' bus='virtio'/></disk>")
        self.define('b')
        self.sh('autostart', 'a')
        self.sh('autostart', 'b')
        self.boot_host()
        self.wait_state('running (booted)', 'b')
        self.assertIn("domain 'a'", self.qemud.output())

    def test_disabled_domain_does_not_start(self):
        self.define()
        self.sh('autostart', 'a')
        self.sh('autostart', 'a', '--disable')
        self.define('b')
        self.sh('autostart', 'b')
        self.boot_host()
        self.wait_state('running (booted)', 'b')
        self.assertTrue(self.state('a').startswith('shut off'))

    def test_transient_guest_has_none(self):
        self.sh('create', self.xml(), '--paused')
        self.assertIn('transient', self.fails('autostart', 'a'))


@guest.needs_qemu
class Events(LifeCase):
    def setUp(self):
        super().setUp()
        self.watcher = self.client()

    def seen(self, n):
        return [self.next_lifecycle(self.watcher) for _ in range(n)]

    def test_define_and_undefine_are_told(self):
        self.watch(self.watcher)
        self.define(uuid=domain_case.uuid_of(1))
        self.define(uuid=domain_case.uuid_of(1), memory_mib=32)
        self.sh('undefine', 'a')
        self.assertEqual(self.seen(3), [(DEFINED, 0), (DEFINED, 1), (UNDEFINED, 0)])

    def test_start_is_told_in_order(self):
        self.define()
        self.watch(self.watcher)
        self.sh('start', 'a')
        self.assertEqual(self.seen(2), [(RESUMED, 0), (STARTED, 0)])

    def test_paused_start_is_told_in_order(self):
        self.define()
        self.watch(self.watcher)
        self.sh('start', 'a', '--paused')
        self.assertEqual(self.seen(2), [(STARTED, 0), (SUSPENDED, 0)])

    def test_suspend_and_resume_are_told(self):
        self.define_and_start()
        self.watch(self.watcher)
        self.sh('resume', 'a')
        self.sh('suspend', 'a')
        self.assertEqual(self.seen(2), [(RESUMED, 0), (SUSPENDED, 0)])

    def test_destroy_is_told(self):
        self.define_and_start()
        self.watch(self.watcher)
        self.sh('destroy', 'a')
        self.assertEqual(self.seen(2)[-1], (STOPPED, 1))

    def test_crash_is_told(self):
        self.define_and_start()
        self.watch(self.watcher)
        self.signal_qemu(signal.SIGKILL)
        self.assertEqual(self.seen(1), [(STOPPED, 5)])

    def test_legacy_form_tells_the_same(self):
        self.define()
        self.watcher.call('CONNECT_DOMAIN_EVENT_REGISTER')
        self.sh('start', 'a', '--paused')
        self.sh('destroy', 'a')
        events = []
        while STOPPED not in events:
            name, fields = self.watcher.next_event()
            self.assertEqual(name, 'DOMAIN_EVENT_LIFECYCLE')
            events.append(fields['event'])
        self.assertEqual(events[:2], [STARTED, SUSPENDED])

    def test_deregistered_client_hears_nothing(self):
        number = self.watch(self.watcher)
        self.watcher.call('CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY', callbackID=number)
        other = self.client()
        self.watch(other)
        self.define()
        self.next_lifecycle(other)
        self.watcher.call('CONNECT_GET_LIB_VERSION')
        self.assertEqual(self.watcher.others, [])

    def test_one_domains_events_are_not_anothers(self):
        self.define('a')
        self.define('b')
        self.watcher.call('CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY', eventID=0,
                          dom=self.domain(self.watcher, 'b'))
        self.sh('start', 'a', '--paused')
        self.sh('start', 'b', '--paused')
        _, fields = self.watcher.next_event()
        self.assertEqual(fields['msg']['dom']['name'], 'b')

    def test_change_of_metadata_is_told(self):
        self.define()
        self.watch(self.watcher, 23)
        self.sh('metadata', 'a', 'http://example.org/1', '--key', 'k', '--set', '<m/>')
        name, fields = self.watcher.next_event()
        self.assertEqual(name, 'DOMAIN_EVENT_CALLBACK_METADATA_CHANGE')
        self.assertEqual(fields['nsuri'], 'http://example.org/1')

    def test_reset_is_told_as_a_reboot(self):
        self.define_and_start()
        self.sh('resume', 'a')
        self.watch(self.watcher, 1)
        self.sh('reset', 'a')
        self.assertEqual(self.watcher.next_event()[0], 'DOMAIN_EVENT_CALLBACK_REBOOT')

    def test_monitor_events_are_told(self):
        self.define_and_start()
        self.watcher.call('CONNECT_DOMAIN_MONITOR_EVENT_REGISTER', program='QEMU', dom=None,
                          event=None, flags=0)
        self.sh('resume', 'a')
        name, fields = self.watcher.next_event('QEMU')
        self.assertEqual((name, fields['event']), ('DOMAIN_MONITOR_EVENT', 'RESUME'))


@guest.needs_qemu
class State(LifeCase):
    def test_calls_for_a_guest_are_refused_when_it_is_off(self):
        self.define()
        for words in (('suspend', 'a'), ('resume', 'a'), ('reset', 'a'), ('shutdown', 'a'),
                      ('reboot', 'a'), ('destroy', 'a'), ('console', 'a'), ('screenshot', 'a'),
                      ('qemu-monitor-command', 'a', '{"execute":"stop"}')):
            with self.subTest(words[0]):
                self.assertIn('domain is not running', self.fails(*words))

    def test_second_start_is_refused(self):
        self.define_and_start()
        self.assertIn('already', self.fails('start', 'a'))

    def test_resume_of_a_running_guest_is_refused(self):
        self.define_and_start()
        self.sh('resume', 'a')
        self.assertIn('already running', self.fails('resume', 'a'))

    def test_suspend_of_a_paused_guest_is_no_error(self):
        self.define_and_start()
        self.sh('suspend', 'a')
        self.assertEqual(self.state(), 'paused (user)')

    def test_graceful_destroy_ends_a_guest(self):
        self.define_and_start()
        self.sh('destroy', 'a', '--graceful')
        self.check_gone()

    def test_ids_go_up(self):
        self.define_and_start()
        first = int(self.sh('domid', 'a'))
        self.sh('destroy', 'a')
        self.sh('start', 'a', '--paused')
        self.assertEqual(int(self.sh('domid', 'a')), first + 1)

    def test_hundred_lives_leave_nothing(self):
        self.define_and_start()
        self.sh('destroy', 'a')
        client = self.client()
        domain = self.domain(client)
        with self.qemud.returns_to_base_line():
            for _ in range(100 if harness.IS_SOAK else 15):
                client.call('DOMAIN_CREATE_WITH_FLAGS', dom=domain, flags=1)
                client.call('DOMAIN_DESTROY', dom=domain)
        self.check_gone()

    def test_destroy_racing_with_start_leaves_nothing(self):
        self.define()
        client, other = self.client(), self.client()
        domain = self.domain(client)
        payload = rpc.TYPES.pack('remote_domain_create_with_flags_args', {'dom': domain, 'flags': 1})
        for i in range(200 if harness.IS_SOAK else 30):
            serial = client.send_call('REMOTE', 'DOMAIN_CREATE_WITH_FLAGS', payload)
            time.sleep(i % 30 * 0.001)
            for procedure, peer in (('DOMAIN_DESTROY', other), (None, client)):
                try:
                    if procedure:
                        peer.call(procedure, dom=domain)
                    else:
                        peer.result('REMOTE', 'DOMAIN_CREATE_WITH_FLAGS', peer.reply_to(serial))
                except rpc.Error as error:
                    self.assertNotEqual(error.code, domain_case.NO_DOMAIN)
            try:
                other.call('DOMAIN_DESTROY', dom=domain)
            except rpc.Error as error:
                self.assertEqual(error.code, domain_case.OPERATION_INVALID)
            self.assertEqual(self.leftovers(), [], f'round {i}')

    def test_two_starts_at_once_start_one_guest(self):
        self.define()
        clients = [self.client() for _ in range(8)]
        payload = rpc.TYPES.pack('remote_domain_create_with_flags_args',
                                 {'dom': self.domain(clients[0]), 'flags': 1})
        serials = [client.send_call('REMOTE', 'DOMAIN_CREATE_WITH_FLAGS', payload)
                   for client in clients]
        n_started = 0
        for client, serial in zip(clients, serials):
            n_started += client.reply_to(serial).status == rpc.OK
        self.assertEqual(n_started, 1)
        self.assertEqual(len(guest.guests_below(self.root)), 1)

    def test_undefine_racing_with_start_is_whole(self):
        client, other = self.client(), self.client()
        for i in range(0, 20, 1 if harness.IS_SOAK else 4):
            self.define()
            domain = self.domain(client)
            payload = rpc.TYPES.pack('remote_domain_create_with_flags_args',
                                     {'dom': domain, 'flags': 1})
            serial = client.send_call('REMOTE', 'DOMAIN_CREATE_WITH_FLAGS', payload)
            time.sleep(i * 0.001)
            other.call('DOMAIN_UNDEFINE', dom=domain)
            is_started = client.reply_to(serial).status == rpc.OK
            self.assertEqual(self.names(), ['a'] if is_started else [])
            if is_started:
                other.call('DOMAIN_DESTROY', dom=domain)
            self.assertEqual(self.names(), [])
            self.assertEqual(self.leftovers(), [])


@guest.needs_qemu
class Questions(LifeCase):
    def setUp(self):
        super().setUp()
        self.define_and_start(devices="<serial type='pty'/><video><model type='vga'/></video>")

    def test_info_tells_what_was_defined(self):
        text = self.sh('dominfo', 'a')
        for line in ('Max memory:     16384 KiB', 'CPU(s):         1', 'Persistent:     yes'):
            self.assertIn(line, text)

    def test_statistics_have_their_groups(self):
        text = self.sh('domstats', 'a', '--state', '--cpu-total', '--balloon', '--vcpu',
                       '--interface', '--block')
        for field in ('state.state=3', 'cpu.time=', 'balloon.maximum=16384', 'vcpu.maximum=1',
                      'net.count=0', 'block.count=0'):
            self.assertIn(field, text)

    def test_job_and_control_are_idle(self):
        self.assertIn('None', self.sh('domjobinfo', 'a'))
        self.assertEqual(self.sh('domcontrol', 'a'), 'ok')

    def test_screenshot_is_an_image(self):
        path = self.root / 'shot'
        self.sh('screenshot', 'a', path)
        self.assertIn(path.read_bytes()[:2], (b'P6', b'\x89P'))

    def test_monitor_command_answers(self):
        self.assertIn('"return"', self.sh('qemu-monitor-command', 'a', '{"execute":"query-name"}'))

    def test_human_monitor_command_answers(self):
        self.assertIn('paused', self.sh('qemu-monitor-command', 'a', '--hmp', 'info status'))

    def test_bad_monitor_command_is_answered_or_refused(self):
        for text in ('', 'x', '{', '[]', '{"execute":1}', '{"execute":"no-such"}', '"' * 1000):
            with self.subTest(text):
                self.sh('qemu-monitor-command', 'a', text, status=None)
                self.assertEqual(self.state(), 'paused (user)')

    def test_changes_are_refused_on_a_read_only_connection(self):
        client = self.client('ro', rpc.READ_ONLY)
        domain = self.domain(client)
        for procedure in ('DOMAIN_DESTROY', 'DOMAIN_SUSPEND', 'DOMAIN_RESUME', 'DOMAIN_CREATE',
                          'DOMAIN_UNDEFINE', 'DOMAIN_SHUTDOWN', 'DOMAIN_REBOOT', 'DOMAIN_RESET',
                          'DOMAIN_SET_AUTOSTART', 'DOMAIN_OPEN_CONSOLE', 'DOMAIN_SCREENSHOT',
                          'DOMAIN_DESTROY_FLAGS', 'DOMAIN_SET_METADATA'):
            with self.subTest(procedure):
                with self.assertRaises(rpc.Error) as caught:
                    client.call(procedure, dom=domain)
                self.assertEqual(caught.exception.code, READ_ONLY_DENIED)
        for procedure in ('DOMAIN_DEFINE_XML', 'DOMAIN_CREATE_XML'):
            with self.assertRaises(rpc.Error) as caught:
                client.call(procedure)
            self.assertEqual(caught.exception.code, READ_ONLY_DENIED)
        self.assertEqual(self.state(), 'paused (user)')

    def test_questions_are_answered_on_a_read_only_connection(self):
        self.assertIn('<domain', self.virsh(self.qemud, 'dumpxml', 'a', kind='ro'))
        self.assertIn('state.state', self.virsh(self.qemud, 'domstats', 'a', kind='ro'))

    def test_secrets_are_kept_from_a_read_only_connection(self):
        self.define('b', devices="<graphics type='vnc' passwd='geheim'/>")
        self.assertIn('geheim', self.sh('dumpxml', 'b', '--security-info'))
        self.assertNotIn('geheim', self.sh('dumpxml', 'b'))
        with self.assertRaises(AssertionError):
            self.virsh(self.qemud, 'dumpxml', 'b', '--security-info', kind='ro')

    def test_unknown_flags_are_refused(self):
        client = self.client()
        domain = self.domain(client)
        for procedure in ('DOMAIN_GET_XML_DESC', 'DOMAIN_CREATE_WITH_FLAGS', 'DOMAIN_GET_STATE',
                          'DOMAIN_DESTROY_FLAGS', 'DOMAIN_UNDEFINE_FLAGS', 'DOMAIN_RESET'):
            with self.subTest(procedure):
                with self.assertRaises(rpc.Error) as caught:
                    client.call(procedure, dom=domain, flags=1 << 30)
                self.assertEqual(caught.exception.code, INVALID_ARG)
