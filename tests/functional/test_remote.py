"""virtproxyd on the network: TLS and plain TCP, with Debian's virsh and with clients that do
what no library would."""

import os
import shutil
import socket
import ssl
import struct
import tempfile
import time
import unittest
from pathlib import Path

import harness
import rpc
from remote import Authority, TcpClient, TlsClient, free_port, passing, tcp_socket

TLS, FD_PASSING = 2, 8
GNUTLS_ERROR, INTERNAL, CONFIG_UNSUPPORTED, SYSTEM_ERROR = 69, 1, 67, 38
ALICE_DN = 'O=Example,CN=alice'
REFUSALS = (rpc.Closed, OSError, ssl.SSLError)

ours = alice = stranger = None
_folder = None


def setUpModule():
    global ours, alice, stranger, _folder
    if not shutil.which('certtool'):
        raise unittest.SkipTest('needs certtool')
    _folder = tempfile.TemporaryDirectory()
    top = Path(_folder.name)
    ours, theirs = Authority(top / 'ours'), Authority(top / 'theirs')
    ours.issue('server')
    alice = ours.issue_client('alice', top / 'alice')
    # Another CA has signed the certificate, but the client trusts our server.
    stranger = theirs.issue_client('alice', top / 'stranger')
    shutil.copy(ours.cert, stranger / 'cacert.pem')


def tearDownModule():
    if _folder:
        _folder.cleanup()


class Remote(harness.TestCase):
    def files(self, folder=None):
        folder = folder or ours.folder
        return {'ca_file': ours.cert, 'cert_file': folder / 'servercert.pem',
                'key_file': folder / 'serverkey.pem'}

    def proxy(self, names=('virtproxyd',), **config):
        self.tls_port, self.tcp_port = free_port(), free_port()
        config = {'tls_port': self.tls_port, 'tcp_port': self.tcp_port, **self.files(), **config}
        # Ports are strings, like all but numbers and lists.
        config = {key: value if isinstance(value, (int, list)) and 'port' not in key
                  else str(value) for key, value in config.items()}
        self.target = self.suite(names, {'virtproxyd': config})['virtproxyd']
        return self.target

    def routing_proxy(self, **config):
        """With a daemon behind it, which answers to the system's URI as root alone."""
        if not harness.IS_ROOT:
            self.skipTest('needs root')
        return self.proxy(('virtqemud', 'virtproxyd'), **config)

    def tls(self, pki=None, **options):
        client = TlsClient(self.tls_port, pki or alice, **options)
        self.addCleanup(client.close)
        return client

    def tcp(self, **options):
        client = TcpClient(self.tcp_port, **options)
        self.addCleanup(client.close)
        return client

    def raw(self, port=None):
        raw = tcp_socket(port or self.tls_port)
        self.addCleanup(raw.close)
        return raw

    def admin(self, procedure, **args):
        with rpc.Client(self.target.socket('admin')) as client:
            client.call('CONNECT_OPEN', program='ADMIN')
            return client.call(procedure, program='ADMIN', **args)

    def clients(self, server='virtproxyd'):
        return self.admin('SERVER_LIST_CLIENTS', need_results=1, srv={'name': server})['clients']

    def info(self, shown):
        found = self.admin('CLIENT_GET_INFO', clnt=shown)['params']
        return {param['field']: param['value'][1] for param in found}

    def limits(self):
        found = self.admin('SERVER_GET_CLIENT_LIMITS', srv={'name': 'virtproxyd'})['params']
        return {param['field']: param['value'][1] for param in found}

    def n_anonymous(self):
        return self.limits()['nclients_unauth']

    def update_tls(self, server='virtproxyd'):
        self.admin('SERVER_UPDATE_TLS_FILES', srv={'name': server})

    def assert_refused(self, connect):
        with self.assertRaises(REFUSALS):
            connect().auth_list()

    def assert_start_fails(self, words, **config):
        with self.assertRaises(AssertionError) as caught:
            self.proxy(**config)
        self.target = None
        for daemon in self.daemons:
            daemon.wait()
        self.assertIn(words, str(caught.exception))


class Tls(Remote):
    def test_client_with_certificate_is_let_in(self):
        self.proxy(listen_tls=1)
        self.assertEqual(self.tls().auth_list(), [0])

    def test_virsh_connects(self):
        self.routing_proxy(listen_tls=1)
        uri = f'qemu+tls://localhost:{self.tls_port}/system?pkipath={alice}'
        self.assertIn(os.uname().nodename, self.run_command(['virsh', '-q', '-c', uri, 'hostname']))

    def test_virsh_is_refused_by_the_list_of_names(self):
        # It checks its own certificate first: only the name is left for us to refuse.
        self.proxy(listen_tls=1, tls_allowed_dn_list=['CN=bob'])
        uri = f'qemu+tls://localhost:{self.tls_port}/system?pkipath={alice}'
        said = self.run_command(['virsh', '-q', '-c', uri, 'hostname'], status=1)
        self.assertIn('TLS', said)
        harness.wait_until(lambda: ALICE_DN in self.target.output(), 'the log names the client')

    def test_listen_option_opens_the_port(self):
        self.tls_port = free_port()
        config = {'tls_port': str(self.tls_port), **self.files()}
        self.daemon('virtproxyd', config=config, args=['--listen'])
        self.assertEqual(self.tls().auth_list(), [0])

    def test_library_is_not_loaded_for_nothing(self):
        self.proxy(listen_tcp=1, auth_tcp='none', ca_file='/nosuch', cert_file='/nosuch')
        self.assertEqual(self.tcp().auth_list(), [0])

    def test_connection_over_tls_is_secure(self):
        self.routing_proxy(listen_tls=1)
        client = self.tls()
        client.auth_list()
        client.open()
        self.assertEqual(client.call('CONNECT_IS_SECURE')['secure'], 1)

    def test_ipv6_works(self):
        self.proxy(listen_tls=1, listen_addr='::1')
        self.assertEqual(self.tls(host='::1').auth_list(), [0])

    def test_client_is_shown_with_its_name_and_address(self):
        self.proxy(listen_tls=1)
        client = self.tls()
        client.auth_list()
        shown, = self.clients()
        info = self.info(shown)
        local = client.socket.getsockname()
        self.assertEqual(shown['transport'], TLS)
        self.assertEqual(info['tls_x509_dname'], ALICE_DN)
        self.assertEqual(info['sock_addr'], f'{local[0]}:{local[1]}')

    def test_daemons_behind_learn_the_name(self):
        self.routing_proxy(listen_tls=1)
        client = self.tls()
        client.auth_list()
        client.open()
        self.target = self.daemons[0]
        shown = self.clients('virtqemud')[-1]
        self.assertEqual(self.info(shown)['tls_x509_dname'], ALICE_DN)

    def test_descriptors_are_not_offered(self):
        self.routing_proxy(listen_tls=1)
        client = self.tls()
        client.auth_list()
        client.open()
        self.assertFalse(client.supports(FD_PASSING))


class TlsRefusals(Remote):
    def test_client_of_another_authority_is_refused(self):
        self.proxy(listen_tls=1)
        self.assert_refused(lambda: self.tls(stranger))
        harness.wait_until(lambda: 'refused' in self.target.output(), 'the log says so')

    def test_client_without_certificate_is_refused(self):
        self.proxy(listen_tls=1)
        self.assert_refused(lambda: self.tls(with_certificate=False))

    def test_client_without_certificate_is_let_in_unverified(self):
        self.proxy(listen_tls=1, tls_no_verify_certificate=1)
        self.assertEqual(self.tls(with_certificate=False).auth_list(), [0])

    def test_name_on_the_list_is_let_in(self):
        self.proxy(listen_tls=1, tls_allowed_dn_list=['O=Example,CN=ali*'])
        self.assertEqual(self.tls().auth_list(), [0])

    def test_name_not_on_the_list_is_refused(self):
        self.proxy(listen_tls=1, tls_allowed_dn_list=['O=Example,CN=bob'])
        self.assert_refused(self.tls)
        harness.wait_until(lambda: ALICE_DN in self.target.output(), 'the log names the client')

    def test_revoked_client_is_refused(self):
        crl = self.root / 'crl.pem'
        ours.revoke(alice / 'clientcert.pem', crl)
        self.proxy(listen_tls=1, crl_file=crl)
        self.assert_refused(self.tls)

    def test_garbage_is_refused(self):
        self.proxy(listen_tls=1)
        for garbage in (b'GET / HTTP/1.0\r\n\r\n', b'\xff' * 5000, b'\x16\x03\x01\xff\xff' * 900,
                        b'\x16\x03\x01\0\x05\xff\0\0\1\1',
                        struct.pack('>IIIiIII', 28, 0x20008086, 1, 66, 0, 0, 0)):
            with self.subTest(garbage[:4]):
                raw = self.raw()
                raw.sendall(garbage)
                try:
                    while raw.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
        self.assertEqual(self.tls().auth_list(), [0])

    def test_plain_client_gets_nothing_of_the_tls_port(self):
        self.proxy(listen_tls=1)
        self.assert_refused(lambda: TcpClient(self.tls_port))

    def test_ends_within_handshakes_leave_nothing_behind(self):
        self.proxy(listen_tls=1)
        self.tls().close()
        with self.target.returns_to_base_line():
            for _ in range(30):
                raw = tcp_socket(self.tls_port)
                raw.sendall(b'\x16\x03\x01\x02\x00\x01')
                raw.close()
                self.assert_refused(lambda: self.tls(with_certificate=False))


class Stalled(Remote):
    def test_stalled_handshake_does_not_hold_others_up(self):
        self.proxy(listen_tls=1)
        for _ in range(5):
            self.raw().sendall(b'\x16\x03')
        started = time.monotonic()
        self.assertEqual(self.tls().auth_list(), [0])
        self.assertLess(time.monotonic() - started, 10)

    def test_clients_are_anonymous_until_they_speak(self):
        self.proxy(listen_tls=1, listen_tcp=1, auth_tcp='none')
        self.raw()
        harness.wait_until(lambda: self.n_anonymous() == 1, 'a TLS client is counted')
        self.raw(self.tcp_port)
        harness.wait_until(lambda: self.n_anonymous() == 2, 'a TCP client is counted')
        client = self.tls()
        harness.wait_until(lambda: self.n_anonymous() == 3, 'a silent client is counted')
        client.auth_list()
        self.assertEqual(self.n_anonymous(), 2)

    def timers(self, port):
        """What the kernel waits for on the daemon's connections: 02 is proc(5)'s for keepalive."""
        lines = Path('/proc/net/tcp').read_text().splitlines()[1:]
        fields = [line.split() for line in lines + Path('/proc/net/tcp6').read_text().splitlines()[1:]]
        return [words[5].split(':')[0] for words in fields
                if words[1].endswith(f':{port:04X}') and words[3] == '01']

    def test_host_that_vanishes_is_noticed_without_keepalive_of_the_client(self):
        self.proxy(listen_tls=1, listen_tcp=1, auth_tcp='none')
        clients = [self.tls(), self.tcp()]
        for client in clients:
            client.auth_list()
        for port in (self.tls_port, self.tcp_port):
            harness.wait_until(lambda: self.timers(port) == ['02'],
                               f'the kernel asks whether the client of port {port} is there')

    def test_anonymous_clients_are_bounded(self):
        self.proxy(listen_tls=1, max_anonymous_clients=2)
        stalled = [self.raw() for _ in range(2)]
        harness.wait_until(lambda: self.n_anonymous() == 2, 'they are counted')
        with self.assertRaises(rpc.Error) as caught:
            self.tls().auth_list()
        self.assertIn('max_anonymous_clients', caught.exception.message)
        stalled[0].close()
        harness.wait_until(lambda: self.n_anonymous() == 1, 'there is room again')
        self.assertEqual(self.tls().auth_list(), [0])

    def test_flood_of_connections_is_bounded(self):
        self.proxy(listen_tls=1, max_anonymous_clients=2)
        for _ in range(200):
            self.raw()
        harness.wait_until(lambda: len(self.target.fds()) < 150, 'most are closed at once')
        self.assertLessEqual(self.n_anonymous(), 2)

    def test_stalled_clients_are_dropped(self):
        self.proxy(listen_tls=1, listen_tcp=1, auth_tcp='none')
        pings = self.raw(self.tcp_port)
        silent = [self.raw(), self.raw(self.tcp_port), self.tls().socket, pings]
        talking = self.tls()
        talking.auth_list()
        pings.sendall(struct.pack('>IIIiIII', 28, rpc.program_number('KEEPALIVE'), 1, rpc.PING,
                                  2, 0, 0))
        pings.recv(28)
        for connection in silent:
            connection.settimeout(45)
            try:
                self.assertEqual(connection.recv(1), b'')
            except (ConnectionResetError, ssl.SSLError):
                pass
        talking.auth_list()
        self.assertEqual(self.n_anonymous(), 0)
    timeout_s = 120


class Reload(Remote):
    def setUp(self):
        super().setUp()
        self.own = ours.issue('server', folder=self.root / 'pki')
        self.proxy(listen_tls=1, **self.files(self.own))

    def shown_certificate(self):
        return self.tls().socket.getpeercert(binary_form=True)

    def on_disk(self):
        return ssl.PEM_cert_to_DER_cert((self.own / 'servercert.pem').read_text())

    def test_admin_call_loads_new_files(self):
        before = self.shown_certificate()
        ours.issue('server', folder=self.own)
        self.assertEqual(self.shown_certificate(), before)
        self.update_tls()
        self.assertNotEqual(self.on_disk(), before)
        self.assertEqual(self.shown_certificate(), self.on_disk())

    def test_tool_loads_new_files(self):
        ours.issue('server', folder=self.own)
        self.virt_admin(self.target, 'server-update-tls', 'virtproxyd')
        self.assertEqual(self.shown_certificate(), self.on_disk())

    def test_legacy_name_will_do(self):
        ours.issue('server', folder=self.own)
        self.update_tls('libvirtd')
        self.assertEqual(self.shown_certificate(), self.on_disk())

    def test_signal_loads_new_files(self):
        ours.issue('server', folder=self.own)
        os.kill(self.target.pid, 1)
        harness.wait_until(lambda: self.shown_certificate() == self.on_disk(),
                           'the new certificate is shown')

    def test_signal_loads_another_list_of_names(self):
        self.tls().auth_list()
        config = self.root / 'etc/libvirt/virtproxyd.conf'
        config.write_text(config.read_text() + 'tls_allowed_dn_list = [ "CN=nobody" ]\n')
        os.kill(self.target.pid, 1)

        def is_refused():
            try:
                self.tls().auth_list()
            except REFUSALS:
                return True
            return False
        harness.wait_until(is_refused, 'the list holds')

    def test_connected_clients_stay(self):
        client = self.tls()
        client.auth_list()
        ours.issue('server', folder=self.own)
        self.update_tls()
        self.update_tls()
        self.assertEqual(client.auth_list(), [0])

    def test_broken_file_is_named_and_changes_nothing(self):
        before = self.shown_certificate()
        for name, content in (('servercert.pem', 'nonsense'), ('serverkey.pem', 'nonsense'),
                              ('servercert.pem', None)):
            path = self.own / name
            kept = path.read_text()
            if content is None:
                path.unlink()
            else:
                path.write_text(content)
            with self.subTest(name), self.assertRaises(rpc.Error) as caught:
                self.update_tls()
            self.assertIn(str(path), caught.exception.message)
            self.assertEqual(self.shown_certificate(), before)
            path.write_text(kept)

    def test_broken_file_is_named_in_the_log_after_the_signal(self):
        (self.own / 'servercert.pem').write_text('nonsense')
        os.kill(self.target.pid, 1)
        harness.wait_until(lambda: 'servercert.pem' in self.target.output(), 'the log names it')
        self.assertEqual(self.tls().auth_list(), [0])

    def test_signal_with_a_broken_file_changes_no_limit_either(self):
        before = self.limits()['nclients_max']
        (self.own / 'servercert.pem').write_text('nonsense')
        config = self.root / 'etc/libvirt/virtproxyd.conf'
        config.write_text(config.read_text() + f'max_clients = {before - 1}\n')
        os.kill(self.target.pid, 1)
        harness.wait_until(lambda: 'servercert.pem' in self.target.output(), 'the log names it')
        self.assertEqual(self.limits()['nclients_max'], before)

    def test_admin_server_has_no_tls(self):
        with self.assertRaises(rpc.Error) as caught:
            self.update_tls('admin')
        self.assertIn('no tls service found', caught.exception.message)

    def test_reloads_leave_nothing_behind(self):
        self.update_tls()
        with self.target.returns_to_base_line():
            for _ in range(30):
                self.update_tls()
                self.tls().close()


class Start(Remote):
    def test_missing_certificate_is_named(self):
        self.assert_start_fails('/nosuch/cert.pem', listen_tls=1, cert_file='/nosuch/cert.pem')

    def test_key_of_another_certificate_is_refused(self):
        self.assert_start_fails('clientkey.pem', listen_tls=1, key_file=alice / 'clientkey.pem')

    def test_wrong_priority_is_shown(self):
        self.assert_start_fails('NOSUCH', listen_tls=1, tls_priority='NOSUCH')

    def test_expired_certificate_is_refused(self):
        expired = ours.issue('server', folder=self.root / 'pki', lines=(
            'activation_date = "2019-01-01 00:00:00"\nexpiration_date = "2020-01-01 00:00:00"\n'))
        self.assert_start_fails('expired', listen_tls=1, **self.files(expired))

    def test_certificate_of_another_authority_is_refused(self):
        self.assert_start_fails('servercert.pem', listen_tls=1, ca_file=_other_ca(self.root))

    def test_certificate_for_clients_is_refused(self):
        self.assert_start_fails('purpose', listen_tls=1, cert_file=alice / 'clientcert.pem',
                                key_file=alice / 'clientkey.pem')

    def test_check_can_be_turned_off(self):
        self.proxy(listen_tls=1, cert_file=alice / 'clientcert.pem',
                   key_file=alice / 'clientkey.pem', tls_no_sanity_certificate=1)

    def test_used_port_is_named(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            self.assert_start_fails(f'127.0.0.1:{port}', listen_tls=1, tls_port=port,
                                    listen_addr='127.0.0.1')

    def test_other_daemons_do_not_listen(self):
        port = free_port()
        daemon = self.daemon('virtqemud', config={'listen_tcp': 1, 'auth_tcp': 'none',
                                                  'tcp_port': str(port), 'listen_tls': 1})
        with self.assertRaises(ConnectionRefusedError):
            tcp_socket(port)
        self.assertIn('only virtproxyd listens on the network', daemon.output())


class Tcp(Remote):
    def test_virsh_connects(self):
        self.routing_proxy(listen_tcp=1, auth_tcp='none')
        uri = f'qemu+tcp://localhost:{self.tcp_port}/system'
        self.assertIn(os.uname().nodename, self.run_command(['virsh', '-q', '-c', uri, 'hostname']))

    def test_ipv6_works(self):
        self.proxy(listen_tcp=1, auth_tcp='none')
        self.assertEqual(self.tcp(host='::1').auth_list(), [0])

    def test_only_the_address_of_the_configuration_is_open(self):
        self.proxy(listen_tcp=1, auth_tcp='none', listen_addr='127.0.0.1')
        self.assertEqual(self.tcp().auth_list(), [0])
        with self.assertRaises(ConnectionRefusedError):
            self.tcp(host='::1')

    def test_client_is_shown_with_its_address(self):
        self.proxy(listen_tcp=1, auth_tcp='none')
        client = self.tcp()
        client.auth_list()
        shown, = self.clients()
        local = client.socket.getsockname()
        self.assertEqual(shown['transport'], 1)
        info = self.info(shown)
        self.assertEqual(info['sock_addr'], f'{local[0]}:{local[1]}')
        self.assertFalse([name for name in info if name.startswith(('unix', 'tls'))])

    def test_connection_is_not_secure(self):
        self.routing_proxy(listen_tcp=1, auth_tcp='none')
        client = self.tcp()
        client.auth_list()
        client.open()
        self.assertEqual(client.call('CONNECT_IS_SECURE')['secure'], 0)

    def test_client_is_read_only_when_it_asks(self):
        self.routing_proxy(listen_tcp=1, auth_tcp='none')
        for flags in (0, rpc.READ_ONLY):
            with self.subTest(flags):
                client = self.tcp()
                client.auth_list()
                client.open(flags=flags)
                with self.assertRaises(rpc.Error) as caught:
                    client.call('DOMAIN_CREATE_XML', xml_desc='<domain/>')
                self.assertEqual('read only' in caught.exception.message, flags != 0)

    def test_nobody_from_the_network_is_trusted(self):
        self.routing_proxy(listen_tcp=1, auth_tcp='none')
        client = self.tcp()
        client.auth_list()
        client.open()
        with self.assertRaises(rpc.Error) as caught:
            client.call('CONNECT_SET_IDENTITY', params=[])
        self.assertIn('trusted', caught.exception.message)

    def test_garbage_is_refused(self):
        self.proxy(listen_tcp=1, auth_tcp='none')
        for garbage in (b'GET / HTTP/1.0\r\n\r\n', b'\0' * 100, b'\xff' * 100):
            raw = self.raw(self.tcp_port)
            raw.sendall(garbage)
            try:
                self.assertEqual(raw.recv(100), b'')
            except ConnectionResetError:
                pass
        self.assertEqual(self.tcp().auth_list(), [0])

    def test_port_without_a_lock_is_not_opened(self):
        self.assert_start_fails('auth_tcp', listen_tcp=1)


class Passed(Remote):
    def passed(self, config=None, **ports):
        config = {**{key: str(path) for key, path in self.files().items()}, **(config or {})}
        return self.daemon('virtproxyd', config=config, wrapper=passing(**ports))

    def test_sockets_are_known_by_their_names(self):
        self.tls_port, self.tcp_port = free_port(), free_port()
        self.passed({'auth_tcp': 'none'}, **{'virtproxyd-tls.socket': self.tls_port,
                                            'virtproxyd-tcp.socket': self.tcp_port})
        self.assertEqual(self.tls().auth_list(), [0])
        self.assertEqual(self.tcp().auth_list(), [0])

    @harness.needs_private_namespaces
    def test_sockets_without_names_are_known_by_their_ports(self):
        self.tls_port, self.tcp_port = 16514, 16509
        self.passed({'auth_tcp': 'none'}, one=self.tls_port, two=self.tcp_port)
        self.assertEqual(self.tls().auth_list(), [0])
        self.assertEqual(self.tcp().auth_list(), [0])

    def test_socket_that_nobody_knows_is_refused(self):
        with self.assertRaises(AssertionError) as caught:
            self.passed(odd=free_port())
        self.daemons[0].wait()
        self.assertIn("named 'odd'", str(caught.exception))

    def test_plain_socket_without_a_lock_is_refused(self):
        with self.assertRaises(AssertionError) as caught:
            self.passed(virtproxyd_tcp=free_port())
        self.daemons[0].wait()
        self.assertIn('auth_tcp', str(caught.exception))


def _other_ca(root):
    return Authority(root / 'other').cert


del Remote
