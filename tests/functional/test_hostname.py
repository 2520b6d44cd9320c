"""The host's name: the kernel's, or the resolver's when that knows more."""

import socket
import time

import harness
import rpc

# In namespaces of its own: a name, a file of hosts, and a resolver's configuration.
WRAPPER = """
hostname "$1" && mount --bind "$2" /etc/hosts && mount --bind "$3" /etc/resolv.conf &&
mount --bind "$4" /etc/nsswitch.conf || exit 1
shift 4; exec "$@"
"""


@harness.needs_private_namespaces
class Hostname(harness.TestCase):
    def start_as(self, name, hosts='', services='files', server=''):
        """A daemon on a host with this name."""
        files = {'hosts': hosts, 'resolv': server, 'nsswitch': f'hosts: {services}\n'}
        for key, text in files.items():
            (self.root / key).write_text(text)
        wrapper = ['unshare', '-u', '-m', 'sh', '-c', WRAPPER, 'sh', name]
        wrapper += [str(self.root / key) for key in files]
        return self.daemon('virtsecretd', wrapper=wrapper)

    @staticmethod
    def ask(daemon):
        with rpc.Client(daemon.socket()) as client:
            client.auth_list()
            client.open('secret:///system')
            return client.call('CONNECT_GET_HOSTNAME')['hostname']

    def test_full_name_is_the_name(self):
        daemon = self.start_as('one.example', '10.1.1.1 other.example one.example\n')
        self.assertEqual(self.ask(daemon), 'one.example')

    def test_short_name_is_completed_by_the_resolver(self):
        self.assertEqual(self.ask(self.start_as('one', '10.1.1.1 one.example one\n')),
                         'one.example')

    def test_unknown_name_stays_short(self):
        self.assertEqual(self.ask(self.start_as('one')), 'one')

    def test_name_of_the_loopback_address_is_ignored(self):
        self.assertEqual(self.ask(self.start_as('one', '127.0.0.1 localhost.example one\n')), 'one')

    def test_silent_name_server_is_waited_for_two_seconds(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(('127.0.0.1', 53))
            daemon = self.start_as('one', services='dns', server='nameserver 127.0.0.1\n')
            started = time.monotonic()
            self.assertEqual(self.ask(daemon), 'one')
            waited = time.monotonic() - started
            self.assertGreater(waited, 1.5)
            self.assertLess(waited, 4)
            # Nobody waits for that look-up again, and the daemon's end does not either.
            started = time.monotonic()
            self.assertEqual(self.ask(daemon), 'one')
            self.assertLess(time.monotonic() - started, 1)
            daemon.stop(timeout_s=3)


