"""Many calls, stuck calls, and clients that vanish or do not read: others do not notice."""

import contextlib
import select
import socket
import time

import harness
import kit
import rpc

BRIDGE, LOOKUP = 'NETWORK_GET_BRIDGE_NAME', 'NETWORK_LOOKUP_BY_NAME'


class Calls(kit.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.kitd()

    def send_bridge(self, client, name, count=1):
        return [client.send_call('REMOTE', BRIDGE, kit.pack(BRIDGE, net=kit.network(name)))
                for _ in range(count)]

    def waiting(self, client):
        return client.call('CONNECT_NUM_OF_NETWORKS')['num']

    def wait_for_waiting(self, client, count):
        harness.wait_until(lambda: self.waiting(client) == count, f'{count} calls wait')

    def test_keepalive_is_answered_beside_500_slow_calls(self):
        client, other = self.open(self.server), self.open(self.server)
        serials = set(self.send_bridge(client, 'sleep-5000', 500))
        took_ms = []
        for _ in range(20):
            begin = time.monotonic()
            client.send_keepalive(rpc.PING)
            frame = client.receive()
            took_ms.append((time.monotonic() - begin) * 1000)
            self.assertEqual((frame.program, frame.procedure),
                             (rpc.program_number('KEEPALIVE'), rpc.PONG))
            time.sleep(0.02)
        # One of them may meet a machine that does something else just then.
        self.assertLess(sorted(took_ms)[10], 100)
        self.assertLess(max(took_ms), 2500)
        self.assertLess(self.latencies_ms(other)[25], 50)
        while serials:
            serials.discard(client.receive().serial)

    def test_calls_beyond_all_limits_complete(self):
        client = self.open(self.server)
        serials = set(self.send_bridge(client, 'sleep-10', 300))
        while serials:
            frame = client.receive()
            self.assertEqual(frame.status, rpc.OK)
            serials.discard(frame.serial)

    def test_stuck_calls_do_not_hold_up_those_behind_them(self):
        client = self.open(self.server)
        self.send_bridge(client, 'stuck', 40)
        self.assertEqual(client.call(LOOKUP, name='net')['net']['name'], 'net')

    def test_stuck_calls_of_many_clients_do_not_hold_up_others(self):
        for _ in range(20):
            self.send_bridge(self.open(self.server), 'stuck', 20)
        self.assert_serves(self.server)

    def test_1000_stuck_calls_leave_the_latencies_of_others_alone(self):
        other = self.open(self.server)
        before = self.latencies_ms(other, 200)[100]
        with self.server.returns_to_base_line(fds=1, kib=8192):
            client = self.open(self.server)
            self.send_bridge(client, 'stuck', 1000)
            during = self.latencies_ms(other, 200)[100]
            self.assertLess(during, before * 5 + 5)
            self.wait_for_waiting(other, 1000)
            after = self.latencies_ms(other, 200)[100]
            self.assertLess(after, before * 5 + 5)
            client.close()
            self.wait_for_waiting(other, 0)

    def test_calls_over_the_account_of_a_client_are_refused(self):
        client, other = self.open(self.server), self.open(self.server)
        count = 8192 + 10
        call = rpc.Frame(kit.PROGRAM, 1, kit.number_of(BRIDGE), rpc.CALL, 5, rpc.OK,
                         kit.pack(BRIDGE, net=kit.network('stuck'))).encode()
        client.send_bytes(call * count)
        with self.assertRaises(rpc.Error) as caught:
            client.result('REMOTE', BRIDGE, client.receive())
        self.assertIn('8192 calls', str(caught.exception))
        client.close()
        self.wait_for_waiting(other, 0)

    def test_query_is_cancelled_when_its_client_vanishes(self):
        other = self.open(self.server)
        client = self.open(self.server)
        self.send_bridge(client, 'stuck', 3)
        self.wait_for_waiting(other, 3)
        client.close()
        self.wait_for_waiting(other, 0)

    def test_change_goes_on_when_its_client_vanishes(self):
        other = self.open(self.server)
        client = self.open(self.server)
        client.send_call('REMOTE', 'NETWORK_DESTROY',
                         kit.pack('NETWORK_DESTROY', net=kit.network('sleep-2000')))
        self.wait_for_waiting(other, 1)
        client.close()
        time.sleep(0.1)
        self.assertEqual(self.waiting(other), 1)
        harness.wait_until(lambda: other.call('CONNECT_NUM_OF_DEFINED_NETWORKS')['num'] == 1,
                           'the call came to its end')

    def test_clients_that_vanish_at_any_byte_leave_nothing_behind(self):
        call = rpc.Frame(kit.PROGRAM, 1, kit.number_of(BRIDGE), rpc.CALL, 5, rpc.OK,
                         kit.pack(BRIDGE, net=kit.network('sleep-50'))).encode()
        self.assert_serves(self.server)
        with self.server.returns_to_base_line():
            for length in range(0, len(call) + 1, 3):
                client = self.open(self.server)
                client.send_bytes(call + call[:length])
                client.close()

    def test_client_that_vanishes_while_it_opens_leaves_nothing_behind(self):
        with self.server.returns_to_base_line():
            for _ in range(50):
                client = self.connect(self.server)
                client.send_call('REMOTE', 'AUTH_LIST')
                client.send_call('REMOTE', 'CONNECT_OPEN',
                                 kit.pack('CONNECT_OPEN', name='network:///system'))
                client.close()

    def test_client_that_resets_its_connection_leaves_nothing_behind(self):
        with self.server.returns_to_base_line():
            for _ in range(50):
                client = self.connect(self.server)
                client.socket.shutdown(socket.SHUT_RD)
                with contextlib.suppress(OSError):
                    client.send_call('REMOTE', 'AUTH_LIST')
                    client.send_call('REMOTE', 'AUTH_LIST')
                client.close()

    def test_client_that_calls_and_never_reads_is_bounded_and_harms_nobody(self):
        other = self.open(self.server)
        with self.server.returns_to_base_line(fds=1, kib=8192):
            client = self.open(self.server)
            payload = kit.pack('NETWORK_GET_XML_DESC', net=kit.network('big-3'))
            for _ in range(200):
                client.send_call('REMOTE', 'NETWORK_GET_XML_DESC', payload)
            time.sleep(1)
            self.assertLess(self.server.pss_kib(), 250 * 1024)
            self.assertLess(self.latencies_ms(other)[25], 50)
            client.close()

    def test_client_that_reads_late_gets_all_of_many_large_replies(self):
        client = self.open(self.server)
        payload = kit.pack('NETWORK_GET_XML_DESC', net=kit.network('big-3'))
        serials = [client.send_call('REMOTE', 'NETWORK_GET_XML_DESC', payload) for _ in range(60)]
        time.sleep(0.5)
        for _ in serials:
            frame = client.receive()
            self.assertEqual((frame.status, len(frame.payload)), (rpc.OK, 3 * kit.MIB + 4))

    def test_client_that_pings_and_never_reads_is_bounded(self):
        client = self.open(self.server)
        before = self.server.pss_kib()
        client.socket.setblocking(False)
        ping = rpc.Frame(rpc.program_number('KEEPALIVE'), 1, rpc.PING, rpc.MESSAGE, 0,
                         rpc.OK).encode() * 2000
        rest, deadline = b'', time.monotonic() + 3
        n_sent = 0
        while time.monotonic() < deadline and n_sent < 60 * kit.MIB:
            select.select([], [client.socket], [], 0.5)
            with contextlib.suppress(BlockingIOError):
                rest = rest or ping
                n = client.socket.send(rest)
                rest, n_sent = rest[n:], n_sent + n
        self.assertLess(self.server.pss_kib(), before + 16 * 1024)
        self.assert_serves(self.server)

    def test_client_that_sends_bad_calls_and_never_reads_is_disconnected(self):
        client = self.open(self.server)
        call = rpc.Frame(kit.PROGRAM, 1, 9999, rpc.CALL, 5, rpc.OK).encode() * 1000
        with self.assertRaises(OSError):
            for _ in range(3000):
                client.send_bytes(call)
        self.assert_serves(self.server)

    def test_reply_that_is_too_large_is_an_error_for_that_call_alone(self):
        client = self.open(self.server)
        with self.assertRaises(rpc.Error):
            client.call('NETWORK_GET_XML_DESC', net=kit.network('big-40'))
        self.assertEqual(client.call('CONNECT_GET_TYPE')['type'], 'network')

    def test_calls_with_one_serial_are_all_answered(self):
        client = self.open(self.server)
        call = rpc.Frame(kit.PROGRAM, 1, kit.number_of(LOOKUP), rpc.CALL, 7, rpc.OK,
                         kit.pack(LOOKUP, name='net')).encode()
        client.send_bytes(call * 10)
        self.assertEqual([client.receive().serial for _ in range(10)], [7] * 10)

    def test_registration_of_a_client_that_has_gone_is_dropped(self):
        other = self.open(self.server)
        client = self.open(self.server)
        register = 'CONNECT_NETWORK_EVENT_REGISTER_ANY'
        client.send_call('REMOTE', register, kit.pack(register, net=kit.network('sleep-300')))
        self.wait_for_waiting(other, 1)
        client.close()
        self.wait_for_waiting(other, 0)
        for _ in range(10):
            other.call('NETWORK_DEFINE_XML', xml='net')


class SmallLimits(kit.TestCase):
    def test_settings_of_one_worker_let_all_calls_complete(self):
        daemon = self.kitd(config={'max_workers': 1, 'min_workers': 1, 'prio_workers': 1,
                                   'max_client_requests': 1})
        clients = [self.open(daemon) for _ in range(5)]
        for client in clients:
            for name in ('stuck', 'sleep-10', 'sleep-1'):
                client.send_call('REMOTE', BRIDGE, kit.pack(BRIDGE, net=kit.network(name)))
        for client in clients:
            self.assertEqual({client.receive().serial for _ in range(2)}, {3, 4})


class Keepalive(kit.TestCase):
    def test_silent_client_that_asked_for_it_is_pinged_and_dropped(self):
        daemon = self.kitd(config={'keepalive_interval': 1, 'keepalive_count': 2})
        client = self.open(daemon, answers_pings=False)
        self.assertTrue(client.supports(10))
        begin = time.monotonic()
        pings = 0
        with self.assertRaises(rpc.Closed):
            while True:
                pings += client.receive().procedure == rpc.PING
        self.assertEqual(pings, 2)
        self.assertGreater(time.monotonic() - begin, 2)

    def test_client_that_answers_stays(self):
        daemon = self.kitd(config={'keepalive_interval': 1, 'keepalive_count': 1})
        client = self.open(daemon)
        self.assertTrue(client.supports(10))
        for _ in range(3):
            self.assertEqual(client.receive().procedure, rpc.PING)
            client.send_keepalive(rpc.PONG)
        self.assertEqual(client.call('CONNECT_GET_TYPE')['type'], 'network')

    def test_client_that_did_not_ask_is_left_alone(self):
        daemon = self.kitd(config={'keepalive_interval': 1, 'keepalive_count': 1})
        client = self.open(daemon)
        time.sleep(3)
        self.assertEqual(client.call('CONNECT_GET_TYPE')['type'], 'network')
        self.assertEqual(client.others, [])


class ReadOnly(kit.TestCase):
    """The read-only socket refuses what writes, and nothing else for that reason."""

    def procedures(self):
        """Facts of every procedure: program, name, whether its permissions include a write."""
        for line in (harness.TOP / 'src/wire/procedures.tsv').read_text().splitlines():
            fields = line.split('\t')
            if not line.startswith('#') and len(fields) > 7 and fields[0] in ('REMOTE', 'QEMU'):
                yield fields

    def check(self, client):
        wrong = []
        skipped = {'CONNECT_CLOSE', 'CONNECT_OPEN', 'AUTH_POLKIT'}
        for program, name, kind, _, _, _, _, permissions, _, writes in self.procedures():
            if kind.endswith('event') or name in skipped:
                continue
            words = permissions.split()
            is_read = writes == 'no' if writes != '-' else permissions == '-' or all(
                word.split(':')[1] in ('read', 'getattr') or word.split(':')[1].startswith('search_')
                or len(word.split(':')) > 2 for word in words)
            reply = client.call_raw(program, name, kit.pack(name, program))
            text = ''
            if reply.status == rpc.ERROR:
                text = rpc.TYPES.unpack('virNetMessageError', reply.payload)['message'] or ''
            is_refused = 'read only access' in text
            if is_refused == is_read:
                wrong.append((name, permissions, text))
        return wrong

    def test_every_procedure_that_writes_is_refused_and_no_other(self):
        self.assertEqual(self.check(self.open(self.daemon('virtqemud'), 'ro')), [])

    def test_flag_of_open_makes_a_connection_read_only(self):
        self.assertEqual(self.check(self.open(self.daemon('virtqemud'), flags=rpc.READ_ONLY)), [])
