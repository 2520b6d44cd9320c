"""The router as clients see it: who answers, what happens when a sibling is missing, stopped,
killed or hostile, and that nobody else notices."""

import os
import signal
import socket
import struct
import threading
import time

import harness
import rpc
from fake_sibling import Sibling, error_payload, word

PROCEDURES = rpc.TYPES.procedures('REMOTE')
RESOURCE_BUSY, RPC, INTERNAL, DENIED, SYSTEM = 87, 39, 1, 29, 38
NET = {'name': 'n', 'uuid': bytes(16)}


def write_procedures():
    """Names of the procedures that read-only connections never have, by the facts table."""
    table = harness.TOP / 'src/wire/procedures.tsv'
    for line in table.read_text().splitlines():
        fields = line.split('\t')
        if fields[0] not in ('REMOTE', 'QEMU') or fields[2] not in ('call', 'register', 'deregister'):
            continue
        acl, writes = fields[7], fields[9]
        needed = [rule.split(':') for rule in acl.split() if rule != '-']
        always = [rule[1] for rule in needed if len(rule) == 2]
        is_write = any(name not in ('getattr', 'read') and not name.startswith('search_')
                       for name in always)
        if writes == 'yes' or (writes == '-' and is_write):
            yield fields[0], fields[1]


class TestCase(harness.TestCase):
    def client(self, daemon, uri='qemu:///system', flags=0, kind=''):
        client = rpc.Client(daemon.socket(kind))
        self.addCleanup(client.close)
        client.auth_list()
        return client.open(uri, flags)

    def assert_fails(self, code, pattern, call, *words, **args):
        with self.assertRaises(rpc.Error) as caught:
            call(*words, **args)
        self.assertEqual(caught.exception.code, code, caught.exception)
        self.assertRegex(caught.exception.message, pattern)


class OwnSiblings(TestCase):
    """Our daemons behind our routers."""

    def test_error_for_a_missing_sibling_says_what_to_start(self):
        client = self.client(self.daemon('virtqemud'))
        self.assert_fails(SYSTEM, r"/run/libvirt/virtnetworkd-sock'.*virtnetworkd.*networks"
                          r'.*virtnetworkd\.socket.*: No such file or directory$',
                          client.call, 'CONNECT_NUM_OF_NETWORKS')

    def test_proxy_without_its_hypervisor_daemon_says_what_to_start(self):
        client = rpc.Client(self.daemon('virtproxyd').socket())
        client.auth_list()
        self.assert_fails(SYSTEM, r'virtqemud-sock.*virtqemud\.socket', client.open)
        client.close()

    def test_sibling_that_comes_later_is_found(self):
        client = self.client(self.daemon('virtqemud'))
        with self.assertRaises(rpc.Error):
            client.call('CONNECT_NUM_OF_NETWORKS')
        self.daemon('virtnetworkd')
        self.assert_fails(3, 'virConnectNumOfNetworks', client.call, 'CONNECT_NUM_OF_NETWORKS')

    def test_everything_goes_through_the_proxy(self):
        suite = self.suite(('virtqemud', 'virtproxyd'))
        client = self.client(suite['virtproxyd'], '')
        self.assertEqual(client.call('CONNECT_GET_URI')['uri'], 'qemu:///system')
        self.assertEqual(client.call('CONNECT_GET_TYPE')['type'], 'QEMU')
        self.assertTrue(client.supports(10))
        self.assertTrue(client.supports(8))

    def test_secondary_connection_is_not_routed(self):
        suite = self.suite(('virtsecretd', 'virtproxyd'))
        client = self.client(suite['virtproxyd'], 'secret:///system')
        self.assertEqual(client.call('CONNECT_GET_URI')['uri'], 'secret:///system')
        self.assert_fails(3, 'virConnectNumOfNetworks', client.call, 'CONNECT_NUM_OF_NETWORKS')

    def test_unknown_scheme_is_refused(self):
        client = rpc.Client(self.daemon('virtproxyd').socket())
        client.auth_list()
        self.assert_fails(5, '^no connection driver available for nosuch:///system$', client.open,
                          'nosuch:///system')
        client.close()

    def check_read_only(self, client, daemons):
        passed = []
        for program, name in write_procedures():
            kind = rpc.struct_name(program, name, 'args')
            payload = rpc.TYPES.pack(kind, rpc.TYPES.empty(kind)) if kind else b''
            reply = client.call_raw(program, name, payload)
            if reply.status != rpc.ERROR or \
                    rpc.TYPES.unpack('virNetMessageError', reply.payload)['code'] != DENIED:
                passed.append(name)
        self.assertEqual(passed, [])

    def test_read_only_socket_refuses_every_write_procedure(self):
        suite = self.suite()
        for name in ('virtproxyd', 'virtqemud'):
            with self.subTest(name):
                self.check_read_only(self.client(suite[name], kind='ro'), suite)

    def test_read_only_flag_refuses_every_write_procedure(self):
        suite = self.suite()
        for name in ('virtproxyd', 'virtqemud'):
            with self.subTest(name):
                self.check_read_only(self.client(suite[name], flags=rpc.READ_ONLY), suite)

    def test_stopped_sibling_delays_only_those_who_call_it(self):
        suite = self.suite(('virtnetworkd', 'virtsecretd', 'virtqemud'))
        client = self.client(suite['virtqemud'])
        suite['virtnetworkd'].process.send_signal(signal.SIGSTOP)
        late = client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
        started = time.monotonic()
        self.assertEqual(client.call('CONNECT_NUM_OF_SECRETS')['num'], 0)
        client.call('CONNECT_GET_URI')
        self.assertLess(time.monotonic() - started, 5)
        self.assertNotIn(late, [frame.serial for frame in client.others])
        suite['virtnetworkd'].process.send_signal(signal.SIGCONT)
        self.assertEqual(client.reply_to(late).status, rpc.ERROR)

    def test_sibling_killed_in_a_call_is_named(self):
        suite = self.suite(('virtnetworkd', 'virtqemud'))
        client = self.client(suite['virtqemud'])
        with self.assertRaises(rpc.Error):
            client.call('CONNECT_NUM_OF_NETWORKS')
        suite['virtnetworkd'].process.send_signal(signal.SIGSTOP)
        serial = client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
        client.call('CONNECT_GET_URI')
        suite['virtnetworkd'].kill()
        reply = client.reply_to(serial)
        self.assertIn('connection to virtnetworkd was lost',
                      rpc.TYPES.unpack('virNetMessageError', reply.payload)['message'])
        suite['virtnetworkd'].start()
        self.assert_fails(3, 'virConnectNumOfNetworks', client.call, 'CONNECT_NUM_OF_NETWORKS')

    def test_thousand_calls_with_one_serial_are_all_answered(self):
        suite = self.suite(('virtnetworkd', 'virtqemud'))
        client = self.client(suite['virtqemud'])
        with self.assertRaises(rpc.Error):
            client.call('CONNECT_NUM_OF_NETWORKS')
        names = ('CONNECT_NUM_OF_NETWORKS', 'CONNECT_NUM_OF_DEFINED_NETWORKS')
        frames = [rpc.Frame(rpc.program_number('REMOTE'), 1, PROCEDURES[names[i % 2]], rpc.CALL, 7,
                            rpc.OK).encode() for i in range(1000)]
        with suite['virtqemud'].returns_to_base_line():
            client.send_bytes(b''.join(frames))
            for _ in range(1000):
                self.assertEqual(client.receive_matching(lambda frame: True).serial, 7)

    def test_clients_that_vanish_with_calls_in_flight_leave_nothing(self):
        suite = self.suite(('virtnetworkd', 'virtqemud', 'virtproxyd'))
        for daemon in (suite['virtqemud'], suite['virtproxyd']):
            with daemon.returns_to_base_line():
                for _ in range(10):
                    client = self.client(daemon)
                    for _ in range(20):
                        client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
                    client.close()

    def test_client_that_vanishes_while_its_sibling_is_stopped_leaves_nothing(self):
        suite = self.suite(('virtnetworkd', 'virtqemud'))
        suite['virtnetworkd'].process.send_signal(signal.SIGSTOP)
        with suite['virtqemud'].returns_to_base_line():
            client = self.client(suite['virtqemud'])
            client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
            client.call('CONNECT_GET_URI')
            client.close()

    def test_descriptors_pass_to_the_sibling(self):
        sibling = Sibling(self, 'virtnetworkd')
        daemon = self.daemon('virtqemud')
        client = self.client(daemon)
        reader, writer = os.pipe()
        with daemon.returns_to_base_line(fds=1):
            client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS', fds=[writer])
            _, frame = sibling.connection().take()
        os.close(writer)
        os.write(frame.fds[0], b'x')
        self.assertEqual(os.read(reader, 1), b'x')
        rpc.close_all([reader, *frame.fds])


    def test_sibling_knows_the_client_behind_the_proxy(self):
        suite = self.suite(('virtqemud', 'virtproxyd'))
        self.client(suite['virtproxyd'])
        number = self.virt_admin(suite['virtqemud'], 'client-list', 'virtqemud').split()[0]
        text = self.virt_admin(suite['virtqemud'], 'client-info', 'virtqemud', number)
        self.assertRegex(text, fr'unix_process_id *: {os.getpid()}\b')
        self.assertRegex(text, fr'unix_user_id *: {os.geteuid()}\b')

    def test_descriptors_on_their_way_to_a_stopped_sibling_are_limited(self):
        suite = self.suite(('virtnetworkd', 'virtqemud'))
        daemon = suite['virtqemud']
        suite['virtnetworkd'].process.send_signal(signal.SIGSTOP)
        with daemon.returns_to_base_line():
            client = self.client(daemon)
            for _ in range(40):
                client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS', fds=[0] * 30)
            client.call('CONNECT_GET_URI')
            self.assertLess(len(daemon.fds()), 400)
            self.assertGreater(len(client.others), 20)
            client.close()


class FakeSiblings(TestCase):
    """What real siblings do when something goes wrong, on demand."""

    def setUp(self):
        super().setUp()
        self.network = Sibling(self, 'virtnetworkd')
        self.secret = Sibling(self, 'virtsecretd')
        self.router = self.daemon('virtqemud')

    def register(self, client, sibling, connection, procedure, number):
        kind = f'remote_{procedure.lower()}_args'
        serial = client.send_call('REMOTE', procedure,
                                  rpc.TYPES.pack(kind, rpc.TYPES.empty(kind)))
        connection = connection or sibling.connection()
        connection.reply(connection.take()[1], word(number))
        return connection, struct.unpack('>i', client.reply_to(serial).payload)[0]

    def register_networks(self, client, connection=None, number=0):
        return self.register(client, self.network, connection,
                             'CONNECT_NETWORK_EVENT_REGISTER_ANY', number)

    def emit(self, connection, number):
        connection.event('NETWORK_EVENT_LIFECYCLE', rpc.TYPES.pack(
            'remote_network_event_lifecycle_msg',
            {'callbackID': number, 'net': NET, 'event': 2, 'detail': 0}))

    def test_handshake_tells_for_whom_it_is(self):
        client = self.client(self.router)
        client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
        connection = self.network.connection()
        connection.take()
        opened = rpc.TYPES.unpack('remote_connect_open_args', connection.handshake['CONNECT_OPEN'])
        self.assertEqual(opened, {'name': 'network:///system', 'flags': 0})
        identity = rpc.TYPES.unpack('remote_connect_set_identity_args',
                                    connection.handshake['CONNECT_SET_IDENTITY'])
        values = {entry['field']: entry['value'][1] for entry in identity['params']}
        self.assertEqual(values['unix-user-id'], os.geteuid())

    def test_no_call_follows_a_refused_identity(self):
        self.network.replies['CONNECT_SET_IDENTITY'] = None
        client = self.client(self.router)
        del self.network.replies['CONNECT_SET_IDENTITY']
        serial = client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
        connection = self.network.connection()
        for _ in range(2):
            name, frame = connection.take()
            self.assertEqual(name, 'CONNECT_SET_IDENTITY')
            connection.reply_error(frame, DENIED, 'you are nobody')
        reply = client.reply_to(serial)
        self.assertIn('you are nobody',
                      rpc.TYPES.unpack('virNetMessageError', reply.payload)['message'])
        self.assertEqual(connection.take(), (None, None))

    def test_sibling_that_wants_a_password_is_reported(self):
        self.network.replies['AUTH_LIST'] = word(1) + word(1)
        client = self.client(self.router)
        self.assert_fails(94, 'virtnetworkd wants this daemon to authenticate', client.call,
                          'CONNECT_NUM_OF_NETWORKS')

    def test_colliding_callback_numbers_are_told_apart(self):
        client = self.client(self.router)
        first, one = self.register_networks(client, number=5)
        second, two = self.register(client, self.secret, None,
                                    'CONNECT_SECRET_EVENT_REGISTER_ANY', 5)
        self.assertNotEqual(one, two)
        self.emit(first, 5)
        name, fields = client.next_event()
        self.assertEqual((name, fields['callbackID'], fields['net']['name']),
                         ('NETWORK_EVENT_LIFECYCLE', one, 'n'))
        client.send_call('REMOTE', 'CONNECT_SECRET_EVENT_DEREGISTER_ANY', word(two))
        self.assertEqual(second.take()[1].payload, word(5))

    def test_number_of_another_sibling_cannot_be_deregistered(self):
        client = self.client(self.router)
        _, number = self.register_networks(client, number=5)
        self.assert_fails(INTERNAL, f'secret event callback {number} not registered', client.call,
                          'CONNECT_SECRET_EVENT_DEREGISTER_ANY', callbackID=number)
        self.assert_fails(INTERNAL, 'network event callback 99 not registered', client.call,
                          'CONNECT_NETWORK_EVENT_DEREGISTER_ANY', callbackID=99)

    def test_event_for_nobody_is_dropped(self):
        client = self.client(self.router)
        connection, number = self.register_networks(client, number=5)
        self.emit(connection, 6)
        self.emit(connection, 5)
        self.assertEqual(client.next_event()[1]['callbackID'], number)

    def come_back(self):
        """The sibling restarts. Returns its connection with the router."""
        self.network.stop()
        time.sleep(0.3)
        self.network.listen()
        return self.network.connection()

    def test_registrations_are_made_again_when_the_sibling_is_back(self):
        client = self.client(self.router)
        connection, first = self.register_networks(client, number=0)
        _, second = self.register_networks(client, connection, number=1)
        connection = self.come_back()
        for number in (8, 9):
            name, frame = connection.take()
            self.assertEqual(name, 'CONNECT_NETWORK_EVENT_REGISTER_ANY')
            connection.reply(frame, word(number))
        # The numbers are known when the calls that come after them go out.
        client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
        self.assertEqual(connection.take()[0], 'CONNECT_NUM_OF_NETWORKS')
        self.emit(connection, 8)
        self.emit(connection, 9)
        self.assertEqual({client.next_event()[1]['callbackID'] for _ in range(2)}, {first, second})

    def test_event_right_behind_a_registration_that_is_made_again_arrives(self):
        client = self.client(self.router)
        _, number = self.register_networks(client, number=0)
        connection = self.come_back()
        name, frame = connection.take()
        self.assertEqual(name, 'CONNECT_NETWORK_EVENT_REGISTER_ANY')
        # In one piece: the router reads both at once.
        both = []
        connection.send = lambda frame: both.append(frame.encode())
        connection.reply(frame, word(8))
        self.emit(connection, 8)
        connection.send_bytes(b''.join(both))
        self.assertEqual(client.next_event()[1]['callbackID'], number)

    def test_callback_can_be_taken_back_while_the_sibling_is_away(self):
        client = self.client(self.router)
        _, number = self.register_networks(client)
        self.network.stop()
        client.call('CONNECT_GET_URI')
        time.sleep(0.1)
        client.call('CONNECT_NETWORK_EVENT_DEREGISTER_ANY', callbackID=number)
        self.assert_fails(INTERNAL, 'not registered', client.call,
                          'CONNECT_NETWORK_EVENT_DEREGISTER_ANY', callbackID=number)

    def test_callback_taken_back_while_it_is_made_again_is_dropped_at_the_sibling(self):
        client = self.client(self.router)
        connection, first = self.register_networks(client, number=0)
        _, second = self.register_networks(client, connection, number=1)
        connection = self.come_back()
        frames = [connection.take()[1] for _ in range(2)]
        # One of them is there again, the other is not.
        connection.reply(frames[0], word(8))
        time.sleep(0.2)
        for number in (first, second):
            client.call('CONNECT_NETWORK_EVENT_DEREGISTER_ANY', callbackID=number)
        connection.reply(frames[1], word(9))
        for number in (8, 9):
            name, frame = connection.take()
            self.assertEqual((name, frame.payload),
                             ('CONNECT_NETWORK_EVENT_DEREGISTER_ANY', word(number)))
            connection.reply(frame)
        client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
        self.assertEqual(connection.take()[0], 'CONNECT_NUM_OF_NETWORKS')

    def test_identity_that_changes_while_a_sibling_is_opened_is_passed_on(self):
        client = self.client(self.router)
        opening = self.network.replies.pop('CONNECT_OPEN')
        serial = client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
        connection = self.network.connection()
        name, opened = connection.take()
        self.assertEqual(name, 'CONNECT_OPEN')
        self.network.replies['CONNECT_OPEN'] = opening
        client.call('CONNECT_SET_IDENTITY', params=[
            {'field': 'user-name', 'value': (7, 'somebody')}])
        connection.reply(opened)
        name, frame = connection.take()
        self.assertEqual(name, 'CONNECT_NUM_OF_NETWORKS')
        identity = rpc.TYPES.unpack('remote_connect_set_identity_args',
                                    connection.handshake['CONNECT_SET_IDENTITY'])
        self.assertEqual(identity['params'], [{'field': 'user-name', 'value': (7, 'somebody')}])
        connection.reply(frame, word(0))
        client.reply_to(serial)

    def test_no_sibling_is_called_under_a_former_identity(self):
        client = self.client(self.router)
        network, _ = self.register_networks(client)
        secret, _ = self.register(client, self.secret, None, 'CONNECT_SECRET_EVENT_REGISTER_ANY', 5)
        accepting = [sibling.replies.pop('CONNECT_SET_IDENTITY')
                     for sibling in (self.network, self.secret)]
        params = [{'field': 'user-name', 'value': (7, 'somebody')}]
        args = rpc.TYPES.pack('remote_connect_set_identity_args', {'params': params, 'flags': 0})
        serial = client.send_call('REMOTE', 'CONNECT_SET_IDENTITY', args)
        name, frame = network.take()
        self.assertEqual(name, 'CONNECT_SET_IDENTITY')
        self.network.replies['CONNECT_SET_IDENTITY'] = accepting[0]
        network.reply_error(frame, DENIED, 'you are nobody')
        name, frame = secret.take()
        self.assertEqual((name, frame.payload), ('CONNECT_SET_IDENTITY', args))
        secret.reply(frame)
        reply = client.reply_to(serial)
        self.assertIn('you are nobody',
                      rpc.TYPES.unpack('virNetMessageError', reply.payload)['message'])
        anew = self.network.connection()
        self.assertEqual(anew.take()[0], 'CONNECT_NETWORK_EVENT_REGISTER_ANY')
        self.assertEqual(anew.handshake['CONNECT_SET_IDENTITY'], args)

    def test_user_number_that_no_user_has_is_refused(self):
        client = self.client(self.router)
        with self.assertRaisesRegex(rpc.Error, 'unix-user-id.*4294967296'):
            client.call('CONNECT_SET_IDENTITY', params=[
                {'field': 'unix-user-id', 'value': (4, 2 ** 32)}])

    def test_reply_to_a_call_that_nobody_made_is_dropped(self):
        client = self.client(self.router)
        serial = client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
        connection = self.network.connection()
        _, frame = connection.take()
        connection.send(rpc.Frame(frame.program, 1, frame.procedure, rpc.REPLY, 4711, rpc.OK))
        connection.send(rpc.Frame(frame.program, 1, frame.procedure + 1, rpc.REPLY, serial, rpc.OK))
        connection.send(rpc.Frame(0x12345678, 1, 1, rpc.MESSAGE, 0, rpc.OK))
        connection.send(rpc.Frame(frame.program, 1, 1, 99, 0, rpc.OK))
        connection.reply(frame, word(3))
        self.assertEqual(client.reply_to(serial).payload, word(3))
        self.assertEqual(client.others, [])

    def test_sibling_that_breaks_the_protocol_fails_its_calls_only(self):
        client = self.client(self.router)
        serial = client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
        connection = self.network.connection()
        connection.take()
        connection.send_bytes(b'\0\0\0\3garbage')
        reply = client.reply_to(serial)
        self.assertIn('connection to virtnetworkd was lost',
                      rpc.TYPES.unpack('virNetMessageError', reply.payload)['message'])
        client.call('CONNECT_GET_URI')

    def test_descriptor_of_a_reply_reaches_the_client(self):
        client = self.client(self.router)
        serial = client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
        connection = self.network.connection()
        _, frame = connection.take()
        reader, writer = os.pipe()
        with self.router.returns_to_base_line():
            connection.reply(frame, word(3), fds=[writer, writer])
            os.close(writer)
            reply = client.reply_to(serial)
        self.assertEqual((len(reply.fds), reply.payload), (2, word(3)))
        rpc.close_all([reader, *reply.fds])

    def test_too_many_calls_are_refused_by_name(self):
        client = self.client(self.router)
        call = rpc.Frame(rpc.program_number('REMOTE'), 1, PROCEDURES['CONNECT_NUM_OF_NETWORKS'],
                         rpc.CALL, 1, rpc.OK).encode()
        client.send_bytes(call * 8193)
        reply = client.receive()
        self.assertIn('Too many calls',
                      rpc.TYPES.unpack('virNetMessageError', reply.payload)['message'])


class Primary(TestCase):
    def test_client_is_told_when_its_driver_has_gone(self):
        Sibling_ = Sibling(self, 'virtqemud')
        client = self.client(self.daemon('virtproxyd'))
        client.call('CONNECT_REGISTER_CLOSE_CALLBACK')
        Sibling_.stop()
        self.assertEqual(client.next_event(), ('CONNECT_EVENT_CONNECTION_CLOSED', {'reason': 1}))

    def test_read_only_client_is_taken_to_the_read_only_socket(self):
        sibling = Sibling(self, 'virtqemud', 'ro')
        self.client(self.daemon('virtproxyd'), kind='ro')
        opened = sibling.connection().handshake['CONNECT_OPEN']
        self.assertEqual(rpc.TYPES.unpack('remote_connect_open_args', opened)['flags'],
                         rpc.READ_ONLY)

    def test_legacy_registration_is_made_again(self):
        sibling = Sibling(self, 'virtqemud')
        client = self.client(self.daemon('virtproxyd'))
        serial = client.send_call('REMOTE', 'CONNECT_DOMAIN_EVENT_REGISTER_ANY', word(3))
        connection = sibling.connection()
        connection.reply(connection.take()[1])
        client.reply_to(serial)
        sibling.stop()
        sibling.listen()
        name, frame = sibling.connection().take()
        self.assertEqual((name, frame.payload), ('CONNECT_DOMAIN_EVENT_REGISTER_ANY', word(3)))

    def test_identity_that_changes_later_is_passed_on(self):
        sibling = Sibling(self, 'virtqemud')
        client = self.client(self.daemon('virtproxyd'))
        client.call('CONNECT_SET_IDENTITY', params=[
            {'field': 'user-name', 'value': (7, 'somebody')}])
        identity = rpc.TYPES.unpack('remote_connect_set_identity_args',
                                    sibling.connection().handshake['CONNECT_SET_IDENTITY'])
        self.assertEqual(identity['params'], [{'field': 'user-name', 'value': (7, 'somebody')}])

    def test_features_of_the_driver_are_the_drivers(self):
        Sibling(self, 'virtqemud', replies={'CONNECT_SUPPORTS_FEATURE': word(1)})
        client = self.client(self.daemon('virtproxyd'))
        self.assertTrue(client.supports(6))


class Streams(TestCase):
    """Upload and download through the router, and every way in which they end."""

    chunk = b'x' * 200_000

    def setUp(self):
        super().setUp()
        self.storage = Sibling(self, 'virtstoraged')
        self.router = self.daemon('virtqemud')
        self.client_ = self.client(self.router)

    def start(self, procedure):
        kind = f'remote_{procedure.lower()}_args'
        serial = self.client_.send_call('REMOTE', procedure,
                                        rpc.TYPES.pack(kind, rpc.TYPES.empty(kind)))
        self.connection = self.storage.connection()
        _, self.call = self.connection.take()
        self.connection.reply(self.call)
        self.assertEqual(self.client_.reply_to(serial).status, rpc.OK)

    def send(self, status, payload=b'', kind=rpc.STREAM):
        self.client_.send(rpc.Frame(self.call.program, 1, self.call.procedure, kind,
                                    self.call.serial, status, payload))

    def receive(self):
        frame = self.client_.receive_matching(lambda frame: frame.kind in
                                              (rpc.STREAM, rpc.STREAM_HOLE))
        self.assertEqual((frame.serial, frame.procedure), (self.call.serial, self.call.procedure))
        return frame

    def assert_no_stream(self):
        """Late frames of a stream that is over go nowhere."""
        self.send(rpc.CONTINUE, b'late')
        self.client_.send_call('REMOTE', 'CONNECT_NUM_OF_STORAGE_POOLS')
        self.assertEqual(self.connection.take()[0], 'CONNECT_NUM_OF_STORAGE_POOLS')

    def test_upload_ends_when_it_is_confirmed(self):
        self.start('STORAGE_VOL_UPLOAD')
        self.send(rpc.CONTINUE, b'data')
        self.send(rpc.CONTINUE, word(0) * 3, rpc.STREAM_HOLE)
        self.send(rpc.OK)
        got = [self.connection.take()[1] for _ in range(3)]
        self.assertEqual([frame.kind for frame in got], [rpc.STREAM, rpc.STREAM_HOLE, rpc.STREAM])
        self.connection.stream(self.call, rpc.OK)
        self.assertEqual(self.receive().status, rpc.OK)
        self.assert_no_stream()

    def test_download_ends_when_it_is_confirmed(self):
        self.start('STORAGE_VOL_DOWNLOAD')
        self.connection.stream(self.call, rpc.CONTINUE, b'data')
        self.connection.stream(self.call, rpc.CONTINUE)
        self.assertEqual([self.receive().payload for _ in range(2)], [b'data', b''])
        self.send(rpc.OK)
        self.assertEqual(self.connection.take()[1].status, rpc.OK)
        self.connection.stream(self.call, rpc.OK)
        self.assertEqual(self.receive().status, rpc.OK)
        self.assert_no_stream()

    def test_abort_by_the_client(self):
        self.start('STORAGE_VOL_UPLOAD')
        self.send(rpc.ERROR, error_payload(1, 'enough'))
        self.assertEqual(self.connection.take()[1].status, rpc.ERROR)
        self.connection.stream(self.call, rpc.OK)
        self.assertEqual(self.receive().status, rpc.OK)
        self.assert_no_stream()

    def test_abort_by_the_sibling(self):
        self.start('STORAGE_VOL_UPLOAD')
        self.connection.stream(self.call, rpc.ERROR, error_payload(1, 'disk full'))
        self.assertEqual(self.receive().status, rpc.ERROR)
        self.assert_no_stream()

    def test_death_of_the_sibling_aborts_the_stream(self):
        self.start('STORAGE_VOL_DOWNLOAD')
        self.connection.stream(self.call, rpc.CONTINUE, b'data')
        self.receive()
        self.storage.stop()
        frame = self.receive()
        self.assertEqual(frame.status, rpc.ERROR)
        self.assertIn('connection to virtstoraged was lost',
                      rpc.TYPES.unpack('virNetMessageError', frame.payload)['message'])

    def test_client_that_vanishes_in_mid_stream_ends_the_connection(self):
        with self.router.returns_to_base_line():
            other = self.client(self.router)
            self.client_, _ = other, self.client_
            self.start('STORAGE_VOL_UPLOAD')
            self.send(rpc.CONTINUE, self.chunk)
            other.close()
            while self.connection.take()[1]:
                pass

    def test_second_stream_with_a_serial_is_refused(self):
        self.start('STORAGE_VOL_UPLOAD')
        self.client_.serial = self.call.serial
        kind = 'remote_storage_vol_upload_args'
        self.client_.send_call('REMOTE', 'STORAGE_VOL_UPLOAD',
                               rpc.TYPES.pack(kind, rpc.TYPES.empty(kind)))
        reply = self.client_.reply_to(self.call.serial)
        self.assertEqual(rpc.TYPES.unpack('virNetMessageError', reply.payload)['code'],
                         RESOURCE_BUSY)

    def send_download(self, n_chunks):
        """Sends from a thread, and returns what counts the chunks that were taken."""
        sent = []

        def run():
            for _ in range(n_chunks):
                self.connection.stream(self.call, rpc.CONTINUE, self.chunk)
                sent.append(None)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        return sent

    def wait_stalled(self, sent):
        def is_stalled():
            before = len(sent)
            time.sleep(0.5)
            return before and len(sent) == before
        harness.wait_until(is_stalled, 'the sender is held up')

    def test_client_that_does_not_read_holds_its_download_up(self):
        self.start('STORAGE_VOL_DOWNLOAD')
        sent = self.send_download(100)
        self.wait_stalled(sent)
        # 20 MB in all; the router has stopped to read long before.
        self.assertLess(len(sent), 50)
        for _ in range(100):
            self.assertEqual(self.receive().payload, self.chunk)

    def test_sibling_of_a_download_that_is_held_up_is_kept(self):
        self.router.stop()
        self.router.configure({'keepalive_interval': 1, 'keepalive_count': 1})
        self.router.start()
        self.client_ = self.client(self.router)
        self.start('STORAGE_VOL_DOWNLOAD')
        sent = self.send_download(30)
        self.wait_stalled(sent)
        time.sleep(4)
        harness.wait_until(lambda: self.connection.n_pongs >= 3, 'the router shows that it lives')
        for _ in range(30):
            self.assertEqual(self.receive().payload, self.chunk)

    def test_sibling_that_does_not_read_holds_the_upload_up(self):
        listener = socket.socket(socket.AF_UNIX)
        self.storage.stop()
        listener.bind(self.storage.path)
        listener.listen(1)
        self.addCleanup(listener.close)
        serial = self.client_.send_call('REMOTE', 'STORAGE_VOL_UPLOAD', rpc.TYPES.pack(
            'remote_storage_vol_upload_args', rpc.TYPES.empty('remote_storage_vol_upload_args')))
        connected = rpc.Client.__new__(rpc.Client)
        connected.socket = listener.accept()[0]
        self.addCleanup(connected.close)
        call = rpc.Frame(rpc.program_number('REMOTE'), 1, PROCEDURES['STORAGE_VOL_UPLOAD'],
                         rpc.STREAM, serial, rpc.CONTINUE, self.chunk)
        self.client_.socket.settimeout(1)
        sent = 0
        try:
            while sent < 300:
                self.client_.send(call)
                sent += 1
        except TimeoutError:
            pass
        self.assertLess(sent, 50)
