"""splitvirt status: what it says of daemons that run, have left, were killed, hang or are not
there, with a systemd and without."""

import json
import os
import re
import shutil
import signal
import socket

import guest
import harness
import json_schema
import private_bus
import tool_case
from tool_case import CLOSED, LEFT, LISTENING, MASKED

NAMES = tuple(harness.DAEMONS)
SOCKET = '/run/libvirt/virtqemud-sock'


def socket_of(daemon, kind='main'):
    return next(entry for entry in daemon['sockets'] if entry['kind'] == kind)


class WithoutSystemd(tool_case.TestCase):
    def system_daemon(self, name):
        return self.adopt(harness.SystemDaemon(name, self.root))

    def test_every_daemon_stopped_is_fine(self):
        self.install(*NAMES)
        daemons = self.status()
        self.assertEqual({daemon['state'] for daemon in daemons.values()}, {'stopped'})
        self.assertEqual({daemon['version']['installed'] for daemon in daemons.values()},
                         {'0.1.0'})

    def test_what_is_not_installed_is_absent(self):
        self.install('virtqemud')
        daemons = self.status()
        self.assertEqual(daemons['virtqemud']['state'], 'stopped')
        self.assertEqual(daemons['virtstoraged']['state'], 'absent')

    def test_running_daemon_is_asked(self):
        daemon = self.system_daemon('virtqemud')
        found = self.status()['virtqemud']
        self.assertEqual((found['state'], found['pid'], found['answers'], found['reason']),
                         ('running', daemon.pid, True, None))
        self.assertEqual(found['version']['protocol'], '11.3.0')
        self.assertEqual(found['guests'], {'running': 0, 'shut_off': 0, 'source': 'daemon'})

    def test_clients_are_counted(self):
        daemon = self.system_daemon('virtnetworkd')
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect('/run/libvirt/virtnetworkd-sock')
        harness.wait_until(
            lambda: self.status()['virtnetworkd']['clients'] == {'connected': 1, 'limit': 5000},
            'the client is seen')
        self.assertTrue(daemon.is_running())

    def test_sockets_are_shown_with_who_may_use_them(self):
        self.system_daemon('virtqemud')
        found = self.status()['virtqemud']
        self.assertEqual(socket_of(found, 'read-only'),
                         {'kind': 'read-only', 'path': SOCKET + '-ro', 'exists': True,
                          'accepts': True, 'owner': 'root', 'group': 'root', 'mode': '0777',
                          'unit': None})
        self.assertEqual(socket_of(found, 'admin')['mode'], '0700')

    def test_killed_daemon_has_failed(self):
        daemon = self.system_daemon('virtqemud')
        daemon.kill()
        found = self.status(status=1)['virtqemud']
        self.assertEqual(found['state'], 'failed')
        self.assertIn(f'nobody in this network namespace listens at {SOCKET}', found['reason'])
        self.assertEqual((socket_of(found)['exists'], socket_of(found)['accepts']), (True, False))

    def test_daemon_that_ended_in_order_has_not_failed(self):
        self.install('virtqemud')
        self.system_daemon('virtqemud').stop()
        self.assertEqual(self.status()['virtqemud']['state'], 'stopped')

    def test_pid_file_of_a_killed_daemon_tells(self):
        self.install('virtlogd')
        with open('/run/virtlogd.pid', 'w') as stream:
            stream.write('1\n')
        found = self.status(status=1)['virtlogd']
        self.assertEqual((found['state'], found['pid']), ('failed', None))
        self.assertIn('pid file', found['reason'])

    def test_daemon_in_the_background_is_found(self):
        self.run_command([harness.BUILD / 'virtlogd/virtlogd', '--daemon'])
        with open('/run/virtlogd.pid') as stream:
            pid = int(stream.read())
        self.addCleanup(lambda: harness.wait_until(lambda: not os.path.exists('/run/virtlogd.pid'),
                                                   'virtlogd has gone'))
        self.addCleanup(os.kill, pid, signal.SIGTERM)
        found = self.status()['virtlogd']
        self.assertEqual((found['state'], found['pid']), ('running', pid))

    def test_daemon_that_hangs_is_said_to(self):
        daemon = self.system_daemon('virtlogd')
        daemon.process.send_signal(signal.SIGSTOP)
        found = self.status(status=1)['virtlogd']
        self.assertEqual((found['state'], found['answers']), ('running', False))
        self.assertIn('it does not answer at /run/libvirt/virtlogd-admin-sock', found['notes'])

    def test_program_that_was_replaced_is_told(self):
        daemon = harness.SystemDaemon('virtlogd', self.root)
        daemon.program = self.root / 'virtlogd'
        shutil.copy(harness.BUILD / 'virtlogd/virtlogd', daemon.program)
        self.adopt(daemon)
        self.assertFalse(self.status()['virtlogd']['version']['outdated'])
        daemon.program.unlink()
        self.assertTrue(self.status()['virtlogd']['version']['outdated'])

    def test_wrong_configuration_is_told(self):
        with open('/etc/libvirt/virtlogd.conf', 'w') as stream:
            stream.write('max_clients = "many"\n')
        self.assertIn('/etc/libvirt/virtlogd.conf:1: max_clients',
                      ' '.join(self.status()['virtlogd']['notes']))

    def test_folder_of_the_configuration_is_looked_into(self):
        with open('/etc/libvirt/virtlogd.conf', 'w') as stream:
            stream.write('unix_sock_dir = "/run/elsewhere"\n')
        self.assertEqual(socket_of(self.status()['virtlogd'])['path'],
                         '/run/elsewhere/virtlogd-sock')

    def test_socket_of_the_single_daemon_is_not_taken_for_virtproxyd(self):
        self.install('virtproxyd')
        self.listen('/run/libvirt/libvirt-sock')
        self.assertEqual(self.status()['virtproxyd']['state'], 'stopped')

    def test_suite_below_a_root_is_another(self):
        self.daemon('virtsecretd')
        self.assertEqual(self.status()['virtsecretd']['state'], 'absent')
        self.assertEqual(self.status('--root', self.root)['virtsecretd']['state'], 'running')

    def test_ordinary_user_sees_what_may_be_seen(self):
        self.system_daemon('virtqemud')
        found = self.status(run=self.tool_as_nobody)['virtqemud']
        self.assertEqual((found['state'], found['clients']), ('running', None))
        self.assertEqual(found['guests']['source'], 'daemon')
        self.assertIn('Permission denied', ' '.join(found['notes']))

    def test_session_has_the_users_own_sockets(self):
        os.makedirs('/run/user/1/libvirt')
        found = json.loads(self.tool_as_nobody('status', '--json', '--session',
                                               XDG_RUNTIME_DIR='/run/user/1'))
        self.assertEqual(found['mode'], 'session')
        self.assertEqual([entry['path'] for entry in found['daemons'][0]['sockets']],
                         ['/run/user/1/libvirt/virtqemud-sock',
                          '/run/user/1/libvirt/virtqemud-admin-sock'])

    def test_text_has_a_line_for_each_daemon(self):
        self.install('virtqemud')
        words = [line.split()[:2] for line in self.tool('status').splitlines()]
        self.assertEqual(words[:2], [['virtqemud', 'stopped'], ['virtnetworkd', 'absent']])

    def test_unknown_words_are_refused(self):
        for words in ([], ['nonsense'], ['status', 'more'], ['status', '--foo']):
            with self.subTest(words):
                self.tool(*words, status=2)


@private_bus.needs_bus
class WithSystemd(tool_case.TestCase):
    def units(self, service, main, **more):
        """Units of virtqemud; its other sockets are as the main one."""
        return {'virtqemud.service': service, 'virtqemud.socket': main,
                'virtqemud-ro.socket': main, 'virtqemud-admin.socket': main, **more}

    def found(self, units, status=0):
        self.run_systemd(units)
        return self.status(status=status)['virtqemud']

    def test_daemon_that_left_when_idle_is_not_woken(self):
        listeners = [self.listen(SOCKET + end) for end in ('', '-ro')]
        listeners.append(self.listen('/run/libvirt/virtqemud-admin-sock'))
        found = self.found(self.units(LEFT, LISTENING))
        self.assertEqual((found['state'], found['starts_on_demand'], found['reason']),
                         ('stopped', True, 'starts when a client connects'))
        # Who holds the sockets is not the daemon.
        self.assertIsNone(found['pid'])
        self.assertTrue(socket_of(found)['accepts'])
        self.assertEqual(socket_of(found)['unit']['sub'], 'listening')
        for listener in listeners:
            self.assert_untouched(listener)

    def test_daemon_that_nothing_starts_is_told_apart(self):
        found = self.found(self.units(LEFT, CLOSED))
        self.assertEqual((found['state'], found['starts_on_demand'], found['reason']),
                         ('stopped', False, 'nothing starts it: virtqemud.socket is not active'))

    def test_failed_service_says_why(self):
        failed = ['loaded', 'failed', 'failed', 'exit-code', 'static', 0, 243]
        found = self.found(self.units(failed, LISTENING), status=1)
        self.assertEqual((found['state'], found['reason']),
                         ('failed', 'virtqemud.service has failed: exit-code, status 243'))

    def test_service_that_crashes_again_and_again_has_failed(self):
        crashing = ['loaded', 'activating', 'auto-restart', 'exit-code', 'static', 0, 1]
        found = self.found(self.units(crashing, LISTENING), status=1)
        self.assertEqual((found['state'], found['reason']),
                         ('failed', 'virtqemud.service fails each time that it is started again: '
                                    'exit-code, status 1'))

    def test_failed_socket_says_why(self):
        failed = ['loaded', 'failed', 'failed', 'trigger-limit-hit', 'enabled', 0, 0]
        found = self.found(self.units(LEFT, failed), status=1)
        self.assertEqual((found['state'], found['reason']),
                         ('failed', 'virtqemud.socket has failed: trigger-limit-hit'))

    def test_masked_service_is_told(self):
        found = self.found(self.units(MASKED, CLOSED))
        self.assertEqual(found['state'], 'masked')
        self.assertIn('systemctl unmask virtqemud.service', found['reason'])

    def test_running_service_is_asked(self):
        daemon = self.adopt(harness.SystemDaemon('virtqemud', self.root))
        running = ['loaded', 'active', 'running', 'success', 'static', daemon.pid, 0]
        found = self.found(self.units(running, LISTENING))
        self.assertEqual((found['state'], found['pid'], found['answers']),
                         ('running', daemon.pid, True))
        self.assertEqual(found['unit'], {'name': 'virtqemud.service', 'load': 'loaded',
                                         'active': 'active', 'sub': 'running',
                                         'result': 'success', 'enabled': 'static'})

    def test_network_sockets_are_shown_by_their_units(self):
        self.run_systemd({'virtproxyd-tls.socket': LISTENING})
        found = socket_of(self.status()['virtproxyd'], 'tls')
        self.assertEqual((found['path'], found['unit']['active']), (None, 'active'))

    def test_sockets_are_left_alone_when_systemd_cannot_be_asked(self):
        os.makedirs('/run/systemd/system')
        self.env['DBUS_SYSTEM_BUS_ADDRESS'] = 'unix:path=/run/no-bus'
        listener = self.listen('/run/libvirt/virtlogd-admin-sock', 0o777)
        found = self.status(run=self.tool_as_nobody)['virtlogd']
        self.assertEqual(found['state'], 'unknown')
        self.assert_untouched(listener)


@guest.needs_qemu
class Guests(guest.TestCase):
    def guests(self):
        value = json.loads(self.run_command([tool_case.TOOL, 'status', '--json', '--root',
                                             self.root]))
        return value['daemons'][0]['guests']

    def test_guests_are_counted_also_when_their_daemon_is_stopped(self):
        qemud = self.daemon('virtqemud')
        for name in ('a', 'b', 'c'):
            self.virsh(qemud, 'define', self.write(f'{name}.xml', guest.paused_xml(name)))
        self.virsh(qemud, 'start', 'a', '--paused')
        self.assertEqual(self.guests(), {'running': 1, 'shut_off': 2, 'source': 'daemon'})
        qemud.stop()
        self.assertEqual(self.guests(), {'running': 1, 'shut_off': 2, 'source': 'files'})


class Promise(harness.TestCase):
    def test_manual_page_names_every_member_of_the_json_form(self):
        page = (harness.TOP / 'docs/splitvirt.1.rst').read_text()
        words = set(re.findall(r'[\w-]+', page))
        self.assertEqual(json_schema.Schema(tool_case.SCHEMA).names() - words, set())
