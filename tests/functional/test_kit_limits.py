"""Clients over a limit are told so, and hold nobody up."""

import signal
import socket
import time

import harness
import kit
import rpc

MANY = 5000 if harness.IS_SOAK else 200


class Limits(kit.TestCase):
    timeout_s = 120

    def setUp(self):
        super().setUp()
        kit.raise_descriptor_limit()

    def refusal(self, daemon, procedure='AUTH_LIST', kind=''):
        """The error that a client gets as the answer to its first call, and then the end."""
        client = self.connect(daemon, kind)
        with self.assertRaises(rpc.Error) as caught:
            client.call(procedure)
        with self.assertRaises((rpc.Closed, ConnectionError)):
            client.receive()
        client.close()
        return str(caught.exception)

    def test_client_over_the_limit_is_told_limit_count_and_key(self):
        daemon = self.kitd(config={'max_clients': 3, 'max_anonymous_clients': 0})
        clients = [self.open(daemon) for _ in range(3)]
        text = self.refusal(daemon)
        self.assertIn('3 are connected', text)
        self.assertIn("'max_clients' allows 3", text)
        clients.pop().close()
        harness.wait_until(lambda: self.has_room(daemon), 'there is room again')

    def has_room(self, daemon):
        try:
            self.assert_serves(daemon)
        except rpc.Error:
            return False
        return True

    def test_any_first_call_gets_the_refusal(self):
        daemon = self.kitd(config={'max_clients': 1, 'max_anonymous_clients': 0})
        self.open(daemon)
        for procedure in ('CONNECT_OPEN', 'CONNECT_GET_TYPE', 'CONNECT_SUPPORTS_FEATURE'):
            self.assertIn('max_clients', self.refusal(daemon, procedure))

    def test_read_only_clients_count_too(self):
        daemon = self.kitd(config={'max_clients': 1, 'max_anonymous_clients': 0})
        self.open(daemon)
        self.assertIn('max_clients', self.refusal(daemon, kind='ro'))

    def test_admin_server_has_a_limit_of_its_own(self):
        daemon = self.kitd(config={'max_clients': 1, 'max_anonymous_clients': 0,
                                   'admin_max_clients': 1})
        self.open(daemon)
        path = self.root / 'run/libvirt/virtnetworkd-admin-sock'
        with rpc.Client(path) as client, rpc.Client(path) as second:
            client.call('CONNECT_OPEN', 'ADMIN')
            with self.assertRaises(rpc.Error) as caught:
                second.call('CONNECT_OPEN', 'ADMIN')
        self.assertIn('admin_max_clients', str(caught.exception))

    def crowd_of_strangers(self):
        """A daemon with as many clients that have not authenticated as there may be."""
        daemon = self.kitd(config={'max_clients': 100, 'max_anonymous_clients': 2,
                                   'auth_unix_rw': 'polkit'})
        self.strangers = [self.connect_as_nobody(daemon) for _ in range(2)]
        for stranger in self.strangers:
            stranger.auth_list()
        return daemon

    @harness.needs_root  # polkit lets root in, and asks about everybody else
    def test_clients_over_the_limit_of_the_anonymous_are_told(self):
        with self.assertRaises(rpc.Error) as caught:
            self.connect_as_nobody(self.crowd_of_strangers()).auth_list()
        self.assertIn('2 are connected', str(caught.exception))
        self.assertIn("'max_anonymous_clients' allows 2", str(caught.exception))

    @harness.needs_root
    def test_strangers_keep_nobody_out_who_is_trusted(self):
        daemon = self.crowd_of_strangers()
        self.assert_serves(daemon)
        # None of these count, whether they have said something or not.
        silent = [self.connect(daemon) for _ in range(3)]
        self.assert_serves(daemon)
        silent[0].auth_list()

    @harness.needs_root
    def test_strangers_who_do_not_authenticate_make_room_for_others(self):
        daemon = self.crowd_of_strangers()
        for stranger in self.strangers:
            stranger.socket.settimeout(90)
            with self.assertRaises((rpc.Closed, ConnectionError)):
                stranger.receive()
        self.connect_as_nobody(daemon).auth_list()

    def test_many_clients_over_the_limit_are_all_told(self):
        daemon = self.kitd(config={'max_clients': 10, 'max_anonymous_clients': 0})
        served = [self.open(daemon) for _ in range(10)]
        with daemon.returns_to_base_line(kib=4096):
            clients = [self.connect(daemon) for _ in range(MANY)]
            self.assertEqual(served[0].call('CONNECT_GET_TYPE')['type'], 'network')
            # All ask at once: if each had to wake the daemon of a busy machine, the last would
            # have been silent for as long as is allowed.
            daemon.process.send_signal(signal.SIGSTOP)
            serials = [client.send_call('REMOTE', 'AUTH_LIST') for client in clients]
            daemon.process.send_signal(signal.SIGCONT)
            for client, serial in zip(clients, serials):
                with self.assertRaises(rpc.Error):
                    client.result('REMOTE', 'AUTH_LIST', client.reply_to(serial))
                client.close()
        self.assertEqual(served[9].call('CONNECT_GET_TYPE')['type'], 'network')

    def test_silent_clients_over_the_limit_are_dropped(self):
        daemon = self.kitd(config={'max_clients': 1, 'max_anonymous_clients': 0})
        served = self.open(daemon)
        with daemon.returns_to_base_line():
            clients = [self.connect(daemon) for _ in range(50)]
            for client in clients:
                with self.assertRaises((rpc.Closed, ConnectionError)):
                    client.receive()
        self.assertEqual(served.call('CONNECT_GET_TYPE')['type'], 'network')

    def test_refused_client_that_vanishes_leaves_nothing_behind(self):
        daemon = self.kitd(config={'max_clients': 1, 'max_anonymous_clients': 0})
        self.open(daemon)
        with daemon.returns_to_base_line():
            for _ in range(100):
                client = self.connect(daemon)
                client.send_call('REMOTE', 'AUTH_LIST')
                client.close()

    def test_lack_of_descriptors_stops_neither_clients_nor_daemon(self):
        daemon = self.kitd(config={'max_clients': 5000},
                           wrapper=['prlimit', '--nofile=64:64'])
        served = self.open(daemon)
        crowd = []
        for _ in range(100):
            client = socket.socket(socket.AF_UNIX)
            client.connect(daemon.socket())
            crowd.append(client)
        cpu = self.cpu_ms(daemon)
        time.sleep(1)
        self.assertLess(self.cpu_ms(daemon) - cpu, 400)
        self.assertEqual(served.call('CONNECT_GET_TYPE')['type'], 'network')
        for client in crowd:
            client.close()
        harness.wait_until(lambda: self.is_served_again(daemon), 'new clients are served')

    def is_served_again(self, daemon):
        try:
            self.assert_serves(daemon)
        except (rpc.Closed, ConnectionError):
            return False
        return True

    @staticmethod
    def cpu_ms(daemon):
        with open(f'/proc/{daemon.pid}/stat', encoding='ascii') as stat:
            fields = stat.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) * 10

    def test_memory_of_many_clients_is_given_back(self):
        daemon = self.kitd(config={'max_clients': 6000})
        self.assert_serves(daemon)
        with daemon.returns_to_base_line():
            clients = [self.open(daemon) for _ in range(4000 if harness.IS_SOAK else 1000)]
            for client in clients:
                client.close()
