"""Files that the daemon finds at its start are whatever somebody left there: it starts, says what
it does not understand, and works with the rest."""

import os
import re

import domain_case
import guest
import harness
import rpc

BROKEN = {
    'empty': b'',
    'truncated': b"<domain type='qemu'>\n  <name>bad</name>\n  <uuid>00000000-",
    'binary': bytes(range(256)) * 64,
    'nul': b'\0' * 4096,
    'another kind': b'<network><name>bad</name></network>',
    'no domain': b'<domain/>',
    'not UTF-8': b"<domain type='qemu'><name>b\xff\xfed</name></domain>",
    'bad uuid': b"<domain type='qemu'><name>bad</name><uuid>none</uuid><memory>1</memory></domain>",
    'entity bomb': b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
                   b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><domain><name>&c;</name></domain>',
    'deep': b'<a>' * 100000,
}


class FilesCase(domain_case.TestCase):
    def prepare(self):
        """Two definitions, and a daemon that is not running."""
        self.start_qemud()
        self.define('good', uuid=domain_case.uuid_of(1))
        self.define('bad', uuid=domain_case.uuid_of(2))

    def check_good(self):
        self.assertIn('good', self.names())
        self.sh('start', 'good', '--paused')
        self.assertEqual(self.state('good'), 'paused (user)')
        self.sh('destroy', 'good')
        self.check_gone('good')


@guest.needs_qemu
class Definitions(FilesCase):
    def setUp(self):
        super().setUp()
        self.prepare()
        self.qemud.stop()
        self.file = self.config_folder() / 'bad.xml'

    def check_left_alone(self):
        """The daemon starts without it, says so, and works."""
        self.qemud.start()
        self.assertEqual(self.names(), ['good'])
        self.assertIn('bad.xml', self.qemud.output())
        self.check_good()

    def test_broken_content_is_left_alone(self):
        for kind, content in BROKEN.items():
            with self.subTest(kind):
                self.file.write_bytes(content)
                self.qemud.start()
                self.assertEqual(self.names(), ['good'])
                self.assertIn('bad.xml', self.qemud.output())
                self.qemud.stop()
                self.assertEqual(self.file.read_bytes(), content)
        self.qemud.start()
        self.check_good()

    def test_every_truncation_is_left_alone_or_whole(self):
        content = self.file.read_bytes()
        step = 7 if harness.IS_SOAK else 97
        for length in range(0, len(content), step):
            self.file.write_bytes(content[:length])
            self.qemud.start()
            self.assertIn('good', self.names())
            for name in self.names():
                self.sh('dominfo', name)
            self.qemud.stop()

    def test_wrong_name_inside(self):
        self.file.write_text(self.file.read_text().replace('<name>bad<', '<name>worse<'))
        self.check_left_alone()

    def test_name_of_another_inside(self):
        self.file.write_text(self.file.read_text().replace('<name>bad<', '<name>good<'))
        self.check_left_alone()

    def test_uuid_of_another_inside(self):
        self.file.write_text(self.file.read_text().replace(domain_case.uuid_of(2),
                                                           domain_case.uuid_of(1)))
        self.qemud.start()
        self.assertEqual(len(self.names()), 1)
        self.assertIn(domain_case.uuid_of(1), self.qemud.output())

    def test_folder_in_its_place(self):
        self.file.unlink()
        self.file.mkdir()
        self.check_left_alone()

    def test_fifo_in_its_place_does_not_hang(self):
        self.file.unlink()
        os.mkfifo(self.file)
        self.check_left_alone()

    def test_link_to_nothing(self):
        self.file.unlink()
        self.file.symlink_to('nothing')
        self.check_left_alone()

    def test_huge_file(self):
        with open(self.file, 'wb') as file:
            file.truncate(1 << 30)
        self.check_left_alone()

    def test_other_files_are_not_looked_at(self):
        for name in ('note.txt', '.hidden.xml', 'bad.xml~'):
            (self.config_folder() / name).write_text('mine')
        self.qemud.start()
        self.assertEqual(self.names(), ['bad', 'good'])
        self.assertEqual((self.config_folder() / '.hidden.xml').read_text(), 'mine')

    def test_definition_that_vanishes_while_the_daemon_runs_is_an_error(self):
        self.qemud.start()
        self.file.unlink()
        self.assertIn('bad', self.fails('start', 'bad'))
        self.check_good()

    def test_definition_that_is_broken_while_the_daemon_runs_is_an_error(self):
        self.qemud.start()
        self.file.write_bytes(BROKEN['truncated'])
        self.fails('start', 'bad')
        self.check_good()

    def test_it_can_be_defined_anew(self):
        self.file.write_bytes(BROKEN['binary'])
        self.qemud.start()
        self.define('bad')
        self.sh('start', 'bad', '--paused')

    def test_autostart_link_to_nothing_is_removed(self):
        folder = self.config_folder() / 'autostart'
        folder.mkdir(exist_ok=True)
        (folder / 'gone.xml').symlink_to(self.config_folder() / 'gone.xml')
        self.qemud.start()
        self.assertEqual(self.names(), ['bad', 'good'])
        self.assertFalse((folder / 'gone.xml').is_symlink())
        self.check_good()

    def test_file_in_place_of_the_autostart_folder(self):
        folder = self.config_folder() / 'autostart'
        if folder.exists():
            folder.rmdir()
        folder.write_text('')
        self.qemud.start(wait=False)
        # Either is an answer; a daemon that hangs or crashes is none.
        try:
            self.qemud.wait_ready()
        except AssertionError:
            self.assertGreater(self.qemud.wait(), 0)
            self.assertIn('autostart', self.qemud.output())


@guest.needs_qemu
class Status(FilesCase):
    def setUp(self):
        super().setUp()
        self.prepare()
        self.sh('start', 'bad', '--paused')
        self.qemud.kill()
        self.file = self.run_folder() / 'bad.xml'
        self.text = self.file.read_text()

    def check_starts(self):
        self.qemud.start()
        self.assertIn('good', self.names())
        self.check_good()

    def check_found(self):
        """The guest is managed, whatever became of its state file; the other is in no danger."""
        pid = self.qemu_pid('bad')
        self.qemud.start()
        self.assertEqual(self.names('--state-running', '--state-paused'), ['bad'])
        self.wait_state('paused (user)', 'bad')
        self.assertEqual(self.qemu_pid('bad'), pid)
        self.assertIn('already active', self.fails('start', 'bad'))
        self.assertIn('state.state=3', self.sh('domstats', 'bad'))
        self.check_good()

    def check_can_be_ended(self):
        self.sh('destroy', 'bad')
        self.assertEqual(guest.guests_below(self.root), [])
        self.check_gone('bad')

    def test_guest_is_found_again_with_broken_content(self):
        for kind, content in BROKEN.items():
            with self.subTest(kind):
                self.file.write_bytes(content)
                self.check_found()
                self.assertIn('bad.xml', self.qemud.output())
                self.qemud.stop()
        self.qemud.start()
        self.check_can_be_ended()

    def test_guest_without_a_state_file_is_found_again(self):
        self.file.unlink()
        self.check_found()
        self.check_can_be_ended()

    def test_guest_with_the_state_file_of_another_is_found_again(self):
        self.qemud.start()
        self.sh('start', 'good', '--paused')
        self.qemud.kill()
        self.file.write_text((self.run_folder() / 'good.xml').read_text())
        self.qemud.start()
        self.assertEqual(self.names('--state-paused', '--state-running'), ['bad', 'good'])
        pids = {self.qemu_pid('bad'), self.qemu_pid('good')}
        self.assertEqual(set(guest.guests_below(self.root)), pids)
        self.check_can_be_ended_beside('good')

    def check_can_be_ended_beside(self, name):
        self.sh('destroy', 'bad')
        self.assertEqual(guest.guests_below(self.root), [self.qemu_pid(name)])

    def test_found_guest_has_a_state_file_again(self):
        self.file.write_bytes(b'')
        self.check_found()
        self.qemud.kill()
        self.assertIn("<name>bad</name>", self.file.read_text())
        (self.run_folder() / 'bad.pid').unlink()
        self.qemud.start()
        self.assertEqual(self.state('bad'), 'paused (user)')
        self.check_can_be_ended()

    def test_found_guest_goes_on_as_its_definition_says(self):
        self.file.write_bytes(b'')
        self.check_found()
        self.assertIn(domain_case.uuid_of(2), self.sh('dumpxml', 'bad'))
        self.sh('resume', 'bad')
        self.assertTrue(self.state('bad').startswith('running'))
        self.sh('suspend', 'bad')
        self.check_can_be_ended()

    def test_transient_guest_is_found_by_what_its_process_tells(self):
        self.qemud.start()
        self.sh('undefine', 'bad')
        memory = self.sh('dominfo', 'bad').split('Max memory:')[1].split()[0]
        identity = self.sh('domuuid', 'bad'), self.sh('domid', 'bad')
        self.qemud.kill()
        self.file.write_bytes(b'')
        self.check_found()
        self.assertEqual((self.sh('domuuid', 'bad'), self.sh('domid', 'bad')), identity)
        self.assertIn(memory, self.sh('dominfo', 'bad'))
        self.check_can_be_ended()
        self.assertEqual(self.names(), ['good'])

    def test_guest_without_a_monitor_can_be_ended(self):
        self.file.write_bytes(b'')
        folder, = (self.root / 'var/lib/libvirt/qemu').glob('domain-*-bad')
        (folder / 'monitor.sock').unlink()
        self.qemud.start()
        self.assertIn('bad', self.names('--state-running'))
        self.assertIn('already active', self.fails('start', 'bad'))
        self.check_can_be_ended()

    def test_guest_whose_name_another_domain_has_is_not_started_twice(self):
        self.file.write_bytes(b'')
        definition = self.config_folder() / 'bad.xml'
        definition.write_text(definition.read_text().replace(domain_case.uuid_of(2),
                                                             domain_case.uuid_of(3)))
        self.qemud.start()
        error = self.fails('start', 'bad')
        self.assertIn(f"guest 'bad' still runs as process {self.qemu_pid('bad')}", error)
        self.assertIn(str(self.file), error)
        self.sh('undefine', 'bad')
        error = self.fails('create', self.xml('bad', uuid=domain_case.uuid_of(4)))
        self.assertIn("guest 'bad' still runs as process", error)
        self.assertEqual(self.names(), ['good'])
        self.define('bad', uuid=domain_case.uuid_of(4))
        self.signal_qemu(9, 'bad')
        harness.wait_until(lambda: not guest.guests_below(self.root), 'it has ended')
        self.sh('start', 'bad', '--paused')

    def test_pid_file_of_another_process_is_no_guest(self):
        self.signal_qemu(9, 'bad')
        self.file.write_bytes(b'')
        (self.run_folder() / 'bad.pid').write_text(str(os.getpid()))
        self.check_starts()
        self.assertEqual(self.state('bad'), 'shut off (unknown)')
        self.sh('start', 'bad', '--paused')

    def test_state_file_that_does_not_say_when_the_process_began(self):
        """As existing daemons write it."""
        text = re.sub('<process[^>]*/>|<phase[^>]*/>|<nextNode[^>]*/>', '', self.text)
        self.assertNotEqual(text, self.text)
        self.file.write_text(text)
        self.check_found()
        self.check_can_be_ended()

    def test_folder_in_its_place(self):
        self.file.unlink()
        self.file.mkdir()
        self.check_starts()

    def test_fifo_in_its_place_does_not_hang(self):
        self.file.unlink()
        os.mkfifo(self.file)
        self.check_starts()

    def test_every_truncation_stops_nobody_else(self):
        step = 101 if harness.IS_SOAK else 499
        for length in range(0, len(self.text), step):
            self.file.write_text(self.text[:length])
            self.qemud.start()
            self.assertEqual(self.names(), ['bad', 'good'])
            self.qemud.kill()

    def test_status_of_an_unknown_state(self):
        self.file.write_text(self.text.replace("state='paused'", "state='dreaming'"))
        self.check_starts()

    def test_status_with_the_uuid_of_another(self):
        self.file.write_text(self.text.replace(domain_case.uuid_of(2), domain_case.uuid_of(1)))
        self.check_starts()

    def test_status_under_another_name(self):
        self.file.rename(self.run_folder() / 'other.xml')
        self.check_starts()

    def test_second_status_of_the_same_guest(self):
        (self.run_folder() / 'copy.xml').write_text(self.text)
        self.qemud.start()
        self.assertEqual(self.state('bad'), 'paused (user)')
        self.check_good()

    def test_status_with_a_folder_of_somebody_elses(self):
        """Paths in it are not trusted to be removed blindly: what is not the guest's stays."""
        outside = self.root / 'outside'
        outside.mkdir()
        (outside / 'precious').write_text('kept')
        folder, = (self.root / 'var/lib/libvirt/qemu').glob('domain-*-bad')
        self.file.write_text(self.text.replace(f"<libDir path='{folder}'",
                                               f"<libDir path='{outside}'"))
        self.signal_qemu(9, 'bad')
        self.qemud.start()
        harness.wait_until(lambda: self.state('bad').startswith('shut off'), 'it is off')
        self.assertEqual((outside / 'precious').read_text(), 'kept')
        self.check_good()

    def test_status_without_its_process_is_cleaned_up(self):
        self.signal_qemu(9, 'bad')
        self.qemud.start()
        harness.wait_until(lambda: self.state('bad').startswith('shut off'), 'it is off')
        self.check_gone('bad')


@guest.needs_qemu
class Requests(domain_case.TestCase):
    """Definitions that clients send."""

    def setUp(self):
        super().setUp()
        self.start_qemud()

    def test_broken_definitions_are_refused(self):
        client = self.client()
        for kind, content in BROKEN.items():
            with self.subTest(kind):
                with self.assertRaises(rpc.Error):
                    client.call('DOMAIN_DEFINE_XML',
                                xml=content.decode('latin-1').replace('\0', ' '))
        self.assertEqual(self.names(), [])
        self.assertEqual([path.name for path in self.config_folder().glob('*.xml')], [])

    def test_names_that_are_paths_are_refused(self):
        for name in ('../evil', '/etc/passwd', '.hidden', 'a/b', 'x' * 300, ''):
            with self.subTest(name):
                with self.assertRaises(rpc.Error):
                    self.client().call('DOMAIN_DEFINE_XML', xml=guest.paused_xml(name))
        self.assertEqual(self.names(), [])
