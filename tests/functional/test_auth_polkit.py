"""Clients that are not root are let in by polkit, asked over a private bus."""

import os
import time
from pathlib import Path

import harness
import kit
import private_bus
import rpc

NOBODY = kit.NOBODY
AUTH_POLKIT = 2
AUTH_FAILED, AUTH_CANCELLED, AUTH_UNAVAILABLE = 45, 79, 94
CONFIG = {'auth_unix_rw': 'polkit', 'auth_unix_ro': 'polkit', 'unix_sock_rw_perms': '0777'}


@harness.needs_root
@private_bus.needs_bus
class AuthPolkit(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.bus = private_bus.PrivateBus(self)
        self.mode_path = self.root / 'mode'
        self.asked_path = self.root / 'asked'

    def start_bus(self):
        return self.bus.start()

    def start_authority(self, mode):
        self.mode_path.write_text(mode)
        return self.bus.start_service('polkit_authority.py', self.asked_path, self.mode_path)

    def asked(self):
        return self.asked_path.read_text()

    def polkit_daemon(self):
        return self.daemon('virtqemud', config=CONFIG,
                           env={'DBUS_SYSTEM_BUS_ADDRESS': self.bus.address})

    def connect(self, daemon, kind=''):
        path = Path(daemon.socket(kind))
        with kit.nobody(path.parent):
            client = rpc.Client(path.name)
        self.addCleanup(client.close)
        return client

    def check(self, mode, kind=''):
        """A client that asks to be let in while the authority is in this mode."""
        self.start_bus()
        self.start_authority(mode)
        client = self.connect(self.polkit_daemon(), kind)
        client.call('AUTH_POLKIT')
        return client

    def assert_refused(self, code, words, function, *args):
        with self.assertRaises(rpc.Error) as caught:
            function(*args)
        self.assertEqual(caught.exception.code, code)
        self.assertIn(words, caught.exception.message)

    def test_client_is_told_to_ask_polkit(self):
        client = self.connect(self.polkit_daemon())
        self.assertEqual(client.auth_list(), [AUTH_POLKIT])

    def test_root_needs_no_polkit(self):
        with rpc.Client(self.polkit_daemon().socket()) as client:
            self.assertEqual(client.auth_list(), [0])
            client.open()

    def test_service_that_speaks_for_its_clients_needs_no_polkit(self):
        daemon = self.daemon('virtqemud', config={**CONFIG, 'trusted_users': [NOBODY]},
                             env={'DBUS_SYSTEM_BUS_ADDRESS': self.bus.address})
        client = self.connect(daemon)
        self.assertEqual(client.auth_list(), [0])
        client.open()

    def test_nothing_works_before_authentication(self):
        client = self.connect(self.polkit_daemon())
        with self.assertRaises(rpc.Error):
            client.open()

    def test_allowed_client_may_open(self):
        self.check('allow').open()

    def test_allowed_client_sends_long_frames(self):
        client = self.check('allow')
        self.assertEqual(client.call_raw('REMOTE', 'CONNECT_GET_TYPE', bytes(1 << 20)).status,
                         rpc.ERROR)

    def test_polkit_is_asked_about_the_process_that_connected(self):
        self.check('allow')
        words = self.asked().split('CHECK ')[1].split()
        with open('/proc/self/stat') as stream:
            start_time = stream.read().rpartition(')')[2].split()[19]
        self.assertEqual(words[:6], ['unix-process', str(os.getpid()), start_time, str(NOBODY),
                                     'org.libvirt.unix.manage', '1'])

    def test_read_only_socket_asks_about_monitoring(self):
        self.check('allow', kind='ro')
        self.assertIn('org.libvirt.unix.monitor', self.asked())

    def test_refused_client_hears_of_the_policy(self):
        self.assert_refused(AUTH_FAILED, 'access denied by policy', self.check, 'refuse')

    def test_missing_agent_is_named(self):
        self.assert_refused(AUTH_UNAVAILABLE, 'no polkit agent available to authenticate action '
                            "'org.libvirt.unix.manage'", self.check, 'challenge')

    def test_dismissed_dialog_is_a_cancellation(self):
        self.assert_refused(AUTH_CANCELLED, 'user cancelled', self.check, 'dismiss')

    def test_cancelled_check_is_a_cancellation(self):
        self.assert_refused(AUTH_CANCELLED, 'user cancelled', self.check, 'Cancelled')

    def test_error_of_polkit_is_passed_on(self):
        self.assert_refused(AUTH_FAILED, 'told to fail', self.check, 'Failed')

    def test_refused_client_may_try_again(self):
        self.start_bus()
        self.start_authority('refuse')
        client = self.connect(self.polkit_daemon())
        self.assert_refused(AUTH_FAILED, 'access denied', client.call, 'AUTH_POLKIT')
        self.mode_path.write_text('allow')
        client.call('AUTH_POLKIT')
        client.open()

    def test_bus_without_polkit_is_unavailable(self):
        self.start_bus()
        client = self.connect(self.polkit_daemon())
        self.assert_refused(AUTH_UNAVAILABLE, 'polkit cannot be asked', client.call, 'AUTH_POLKIT')

    def test_absent_bus_is_said_once(self):
        daemon = self.polkit_daemon()
        for _ in range(3):
            client = self.connect(daemon)
            self.assert_refused(AUTH_UNAVAILABLE, 'no system bus', client.call, 'AUTH_POLKIT')
        self.assertEqual(daemon.output().count('Cannot connect to the system bus'), 1)

    def test_bus_that_comes_later_is_found(self):
        client = self.connect(self.polkit_daemon())
        self.assert_refused(AUTH_UNAVAILABLE, 'no system bus', client.call, 'AUTH_POLKIT')
        self.start_bus()
        self.start_authority('allow')
        client.call('AUTH_POLKIT')

    def test_bus_that_dies_while_a_person_is_asked_ends_the_check(self):
        bus = self.start_bus()
        self.start_authority('wait')
        client = self.connect(self.polkit_daemon())
        serial = client.send_call('REMOTE', 'AUTH_POLKIT')
        harness.wait_until(lambda: 'CHECK' in self.asked(), 'polkit is asked')
        bus.kill()
        self.assert_refused(AUTH_UNAVAILABLE, 'polkit cannot be asked', client.result, 'REMOTE',
                            'AUTH_POLKIT', client.reply_to(serial))

    def ask_a_person(self):
        """A daemon, and a client of it for whom polkit is being asked."""
        self.start_bus()
        self.start_authority('wait')
        daemon = self.polkit_daemon()
        client = self.connect(daemon)
        client.send_call('REMOTE', 'AUTH_POLKIT')
        harness.wait_until(lambda: 'CHECK' in self.asked(), 'polkit is asked')
        return daemon, client

    def test_client_that_goes_takes_its_question_back(self):
        _daemon, client = self.ask_a_person()
        number = self.asked().split('CHECK ')[1].split()[6]
        client.close()
        harness.wait_until(lambda: f'CANCEL {number}' in self.asked(), 'polkit is told')

    def test_waiting_for_a_person_holds_up_nobody(self):
        self.start_bus()
        self.start_authority('wait')
        daemon = self.polkit_daemon()
        # More of them than there are workers.
        waiting = [self.connect(daemon) for _ in range(16)]
        for client in waiting:
            client.send_call('REMOTE', 'AUTH_POLKIT')
        harness.wait_until(lambda: self.asked().count('CHECK') == len(waiting), 'all are asked')
        started = time.monotonic()
        with rpc.Client(daemon.socket()) as client:
            client.auth_list()
            client.open()
        self.assertLess(time.monotonic() - started, 2)

    def test_person_who_is_asked_may_take_longer_than_a_client_that_says_nothing(self):
        self.start_bus()
        self.start_authority('wait')
        client = self.connect(self.polkit_daemon())
        client.send_call('REMOTE', 'AUTH_POLKIT')
        client.socket.settimeout(32)
        with self.assertRaises(TimeoutError):
            client.receive()

    def test_daemon_ends_while_a_person_is_asked(self):
        daemon, _client = self.ask_a_person()
        started = time.monotonic()
        daemon.stop()
        self.assertLess(time.monotonic() - started, 5)


@harness.needs_private_namespaces
class WithoutBus(kit.TestCase):
    """Nobody can be asked: then the sockets' permissions decide, or nobody gets in."""

    def assert_strangers_stay_out(self, daemon):
        client = self.connect_as_nobody(daemon)
        self.assertEqual(client.auth_list(), [AUTH_POLKIT])
        with self.assertRaises(rpc.Error):
            client.open('network:///system')
        self.assert_serves(daemon)

    def test_socket_of_the_service_manager_is_not_open_to_all(self):
        daemon = kit.ActivatedKitd('virtnetworkd', self.root)
        self._adopt(daemon)
        daemon.listen()
        # As in the units: polkit is to decide.
        os.chmod(daemon.socket(), 0o666)
        daemon.start()
        self.assert_strangers_stay_out(daemon)

    def test_socket_that_anybody_may_connect_to_is_not_open_to_all(self):
        self.assert_strangers_stay_out(self.kitd(config={'unix_sock_rw_perms': '0777'}))

    def test_socket_of_a_group_is_open_to_it(self):
        daemon = self.kitd(config={'unix_sock_rw_perms': '0770', 'unix_sock_group': 'nogroup'})
        os.chown(daemon.socket(), NOBODY, -1)
        client = self.connect_as_nobody(daemon)
        self.assertEqual(client.auth_list(), [0])
        client.open('network:///system')
