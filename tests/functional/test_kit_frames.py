"""What a peer may send wrongly, one way each: the daemon answers with an error or hangs up, and
goes on serving others with what it had before."""

import array
import contextlib
import os
import socket
import struct

import harness
import kit
import rpc

REMOTE = kit.PROGRAM
HEAD = struct.Struct('>IIIiIII')
# Programs that each kind of daemon's main server speaks.
PROGRAMS = {'virtqemud': ('REMOTE', 'QEMU'), 'virtproxyd': ('REMOTE', 'QEMU')}


def head(length=28, program=REMOTE, version=1, procedure=66, kind=rpc.CALL, serial=0,
         status=rpc.OK):
    return HEAD.pack(length, program, version, procedure, kind, serial, status)


class Frames(kit.TestCase):
    def one_kitd(self):
        """The same for all that one test sends."""
        return self.daemons[0] if self.daemons else self.kitd()

    def assert_closed_by(self, data, **options):
        """The daemon closes the connection on which data came, and nothing else."""
        daemon = self.one_kitd()
        with daemon.returns_to_base_line():
            client = self.connect(daemon, **options)
            client.send_bytes(data)
            with self.assertRaises((rpc.Closed, ConnectionError)):
                while True:
                    client.receive()
            client.close()
        self.assert_serves(daemon)

    def assert_answered(self, text, program='REMOTE', procedure='CONNECT_GET_TYPE', payload=b'',
                        **fields):
        """The daemon answers with an error that has text, and the connection goes on."""
        client = self.open(self.one_kitd())
        fields = {'version': 1, 'kind': rpc.CALL, 'status': rpc.OK, **fields}
        number = fields.pop('number', None)
        client.send(rpc.Frame(fields.pop('program_number', rpc.program_number(program)),
                              fields['version'],
                              kit.number_of(procedure, program) if number is None else number,
                              fields['kind'], 77, fields['status'], payload))
        with self.assertRaises(rpc.Error) as caught:
            client.result('REMOTE', 'CONNECT_GET_TYPE', client.reply_to(77))
        self.assertIn(text, str(caught.exception))
        self.assertEqual(client.call('CONNECT_GET_TYPE')['type'], 'network')

    def test_every_length_below_a_header_closes_the_connection(self):
        daemon = self.kitd()
        for length in range(28):
            client = self.connect(daemon)
            client.send_bytes(head(length))
            with self.assertRaises((rpc.Closed, ConnectionError), msg=length):
                client.receive()
            client.close()
        self.assert_serves(daemon)

    def test_length_below_a_header_is_noticed_without_the_rest(self):
        self.assert_closed_by(struct.pack('>I', 27))

    def test_length_over_the_limit_closes_the_connection(self):
        self.assert_closed_by(head(4 * kit.MIB + 65536 + 1))

    def test_length_of_all_ones_closes_the_connection(self):
        self.assert_closed_by(head(0xffffffff))

    def test_longest_frame_is_taken(self):
        self.assert_answered('', number=66, payload=bytes(4 * kit.MIB + 65536 - 28))

    def test_frame_in_single_bytes_is_answered(self):
        client = self.connect(self.kitd())
        for byte in head(procedure=kit.number_of('AUTH_LIST')):
            client.send_bytes(bytes([byte]))
        self.assertEqual(client.reply_to(0).status, rpc.OK)

    def test_reply_from_a_client_closes_the_connection(self):
        self.assert_closed_by(head(kind=rpc.REPLY))

    def test_event_from_a_client_closes_the_connection(self):
        self.assert_closed_by(head(kind=rpc.MESSAGE))

    def test_unknown_type_closes_the_connection(self):
        for kind in (7, 0x7fffffff):
            self.assert_closed_by(head(kind=kind))

    def test_status_of_a_call_must_be_ok(self):
        self.assert_answered('status 1', status=rpc.ERROR)
        self.assert_answered('status 9', status=9)

    def test_unknown_program_is_named(self):
        self.assert_answered('program 3735928559', program_number=0xdeadbeef)

    def test_wrong_version_is_named(self):
        self.assert_answered('has version 1, not 2', version=2)

    def test_unknown_procedures_are_named(self):
        for number in (0, -1, 100000, 0x7fffffff, -0x80000000):
            self.assert_answered(f'unknown procedure: {number}', number=number)

    def test_event_number_is_no_procedure(self):
        self.assert_answered('unknown procedure', procedure='NETWORK_EVENT_LIFECYCLE')

    def test_procedure_of_another_driver_is_not_supported(self):
        self.assert_answered('virDomainCreate', procedure='DOMAIN_CREATE')

    def test_arguments_that_end_early_are_refused(self):
        self.assert_answered('', procedure='NETWORK_LOOKUP_BY_NAME', payload=b'\0\0\0\x08abcd')

    def test_arguments_with_more_behind_them_are_refused(self):
        self.assert_answered('', procedure='NETWORK_LOOKUP_BY_NAME',
                             payload=kit.pack('NETWORK_LOOKUP_BY_NAME', name='x') + b'\0\0\0\0')

    def test_arguments_where_none_belong_are_refused(self):
        self.assert_answered('', procedure='CONNECT_GET_TYPE', payload=b'\0\0\0\0')

    def test_string_with_a_zero_byte_is_refused(self):
        self.assert_answered('', procedure='NETWORK_LOOKUP_BY_NAME',
                             payload=kit.pack('NETWORK_LOOKUP_BY_NAME', name='a\0b'))

    def test_string_length_of_all_ones_is_refused(self):
        self.assert_answered('', procedure='NETWORK_LOOKUP_BY_NAME', payload=b'\xff\xff\xff\xff')

    def test_optional_flag_of_two_is_refused(self):
        self.assert_answered('', procedure='CONNECT_NETWORK_EVENT_REGISTER_ANY',
                             payload=struct.pack('>iI', 0, 2) + bytes(20))

    def test_huge_count_of_parameters_is_refused(self):
        self.assert_answered('', procedure='CONNECT_SET_IDENTITY',
                             payload=struct.pack('>I', 0xfffffff0))

    def test_stream_frames_of_no_stream_are_ignored(self):
        client = self.open(self.kitd('virtstoraged'))
        for kind in (rpc.STREAM, rpc.STREAM_HOLE):
            for status in (rpc.OK, rpc.ERROR, rpc.CONTINUE, 9):
                client.send(rpc.Frame(REMOTE, 1, 227, kind, 5, status, b'abcd'))
        self.assertEqual(client.call('CONNECT_GET_TYPE')['type'], 'storage')

    def test_keepalive_of_unknown_kind_is_ignored(self):
        client = self.open(self.kitd())
        for version, procedure, kind in ((2, 1, 2), (1, 3, 2), (1, 1, 0), (1, 2, 2)):
            client.send(rpc.Frame(rpc.program_number('KEEPALIVE'), version, procedure, kind, 0,
                                  rpc.OK))
        client.answers_pings = False
        self.assertEqual(client.call('CONNECT_GET_TYPE')['type'], 'network')
        self.assertEqual(client.others, [])

    def test_calls_before_the_connection_is_open_are_refused(self):
        client = self.connect(self.kitd())
        with self.assertRaises(rpc.Error) as caught:
            client.call('CONNECT_GET_TYPE')
        self.assertIn('not open', str(caught.exception))

    def test_connection_is_opened_only_once(self):
        client = self.open(self.kitd())
        with self.assertRaises(rpc.Error):
            client.open('network:///system')
        self.assertEqual(client.call('CONNECT_GET_TYPE')['type'], 'network')

    def test_answer_to_close_comes_before_the_end(self):
        client = self.open(self.kitd())
        client.call('CONNECT_CLOSE')
        with self.assertRaises(rpc.Closed):
            client.receive()

    def test_all_calls_closed_at_once_are_no_trouble(self):
        daemon = self.kitd()
        with daemon.returns_to_base_line():
            client = self.open(daemon)
            client.send_bytes(b''.join(head(procedure=kit.number_of('CONNECT_CLOSE'),
                                            serial=serial) for serial in range(20)))
            with contextlib.suppress(rpc.Closed, ConnectionError):
                while True:
                    client.receive()
            client.close()


class EveryDaemon:
    """Each program of each server of one daemon, called in ways that cannot be."""

    name = None

    def servers(self, daemon):
        path = str(self.root / 'run/libvirt' / f'{self.name}-admin-sock')
        main = {'virtlogd': ('VIR_LOG_MANAGER_PROTOCOL',),
                'virtlockd': ('VIR_LOCK_SPACE_PROTOCOL',)}
        return [(daemon.socket(), main.get(self.name, PROGRAMS.get(self.name, ('REMOTE',)))),
                (path, ('ADMIN',))]

    def test_every_procedure_survives_garbage(self):
        daemon = self.daemon(self.name)
        for path, programs in self.servers(daemon):
            for program in programs:
                with rpc.Client(path) as client:
                    self.send_garbage(client, program)
                with self.connected(path, program) as client:
                    self.send_garbage(client, program)

    @contextlib.contextmanager
    def connected(self, path, program):
        with rpc.Client(path) as client:
            if program == 'ADMIN':
                client.call('CONNECT_OPEN', 'ADMIN')
            elif program in ('REMOTE', 'QEMU'):
                driver = harness.DAEMONS[self.name]
                client.auth_list()
                with contextlib.suppress(rpc.Error):
                    client.open(f'{driver}:///system')
            yield client

    def send_garbage(self, client, program):
        skipped = {'CONNECT_CLOSE', 'DAEMON_SHUTDOWN'}
        payloads = (b'\xff' * 64, b'\x00', b'\xff' * 3, b'\0\0\0\1' * 7 + b'x')
        serials = [client.send_call(program, number, payload)
                   for name, number in rpc.TYPES.procedures(program).items()
                   for payload in payloads if name not in skipped]
        missing = set(serials)
        while missing:
            frame = client.receive()
            if frame.kind == rpc.REPLY:
                self.assertEqual(frame.status, rpc.ERROR)
                missing.discard(frame.serial)


for _name in harness.DAEMONS:
    globals()['Garbage' + _name] = type('Garbage' + _name, (EveryDaemon, harness.TestCase),
                                        {'name': _name, '__module__': __name__})


class Descriptors(kit.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.kitd('virtqemud')

    def pipes(self, count):
        fds = []
        for _ in range(count // 2 + 1):
            fds += os.pipe()
        self.addCleanup(rpc.close_all, fds)
        return fds[:count]

    def graphics(self, client, name='guest', fds=()):
        return client.call('DOMAIN_OPEN_GRAPHICS', fds=fds,
                           dom={'name': name, 'uuid': kit.UUID, 'id': 1})

    def test_descriptor_that_a_call_takes_arrives(self):
        reader, writer = self.pipes(2)
        self.graphics(self.open(self.server), fds=[writer])
        self.assertEqual(os.read(reader, 5), b'hello')

    def test_descriptor_of_a_reply_arrives(self):
        client = self.open(self.server)
        result = client.call('DOMAIN_OPEN_GRAPHICS_FD',
                             dom={'name': 'guest', 'uuid': kit.UUID, 'id': 1})
        self.addCleanup(rpc.close_all, result['fds'])
        self.assertEqual(os.read(result['fds'][0], 5), b'hello')

    def test_descriptors_that_nobody_takes_are_closed(self):
        client = self.open(self.server)
        client.call('CONNECT_GET_TYPE')
        with self.server.returns_to_base_line():
            for _ in range(10):
                client.call('CONNECT_GET_TYPE', fds=self.pipes(32))

    def test_descriptors_on_bytes_of_a_frame_are_closed(self):
        client = self.open(self.server)
        with self.server.returns_to_base_line():
            call = head(procedure=kit.number_of('CONNECT_GET_TYPE'), serial=9)
            for byte in call[:20]:
                self.send_with_fds(client, bytes([byte]), self.pipes(2))
            client.send_bytes(call[20:])
            self.assertEqual(client.reply_to(9).status, rpc.OK)

    def test_descriptors_without_end_inside_of_a_frame_close_the_connection(self):
        client = self.open(self.server)
        fds = self.pipes(32)
        with self.server.returns_to_base_line(fds=1):
            client.send_bytes(head(length=1000))
            with self.assertRaises((rpc.Closed, ConnectionError)):
                for _ in range(900):
                    self.send_with_fds(client, b'x', fds)
                client.receive()

    def test_more_descriptors_than_allowed_close_the_connection(self):
        client = self.connect(self.server)
        client.send_bytes(head(length=32, kind=rpc.CALL_WITH_FDS) + struct.pack('>I', 33))
        with self.assertRaises((rpc.Closed, ConnectionError)):
            client.receive()

    def test_fewer_descriptors_than_announced_close_the_connection(self):
        client = self.connect(self.server)
        client.send_bytes(head(length=32, kind=rpc.CALL_WITH_FDS) + struct.pack('>I', 2) + b'\0\0')
        with self.assertRaises((rpc.Closed, ConnectionError)):
            client.receive()

    def test_frame_with_descriptors_must_say_how_many(self):
        client = self.connect(self.server)
        client.send_bytes(head(length=28, kind=rpc.CALL_WITH_FDS))
        with self.assertRaises((rpc.Closed, ConnectionError)):
            client.receive()

    def test_descriptors_of_waiting_calls_are_limited(self):
        client = self.open(self.server)
        with self.server.returns_to_base_line(fds=1):
            serials = [client.send_call('REMOTE', 'DOMAIN_OPEN_GRAPHICS', kit.pack(
                'DOMAIN_OPEN_GRAPHICS', dom={'name': 'sleep-3000', 'uuid': kit.UUID, 'id': 1}),
                self.pipes(32)) for _ in range(5)]
            with self.assertRaises(rpc.Error) as caught:
                client.result('REMOTE', 'DOMAIN_OPEN_GRAPHICS', client.reply_to(serials[-1]))
            self.assertIn('descriptors', str(caught.exception))
            client.close()

    def test_descriptors_go_with_a_client_that_vanishes_before_all_came(self):
        with self.server.returns_to_base_line():
            client = self.connect(self.server)
            client.send_bytes(head(length=32, kind=rpc.CALL_WITH_FDS) + struct.pack('>I', 9))
            for fd in self.pipes(8):
                self.send_with_fds(client, b'\0', [fd])
            client.close()

    @staticmethod
    def send_with_fds(client, data, fds):
        client.socket.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                        array.array('i', fds))])
