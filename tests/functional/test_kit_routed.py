"""The same through virtqemud and virtproxyd: streams, events, descriptors and slow calls of a
sibling, a sibling that is stopped, and one that is killed."""

import os
import signal
import time

import harness
import kit
import rpc


class TestCase(kit.TestCase):
    """Clients of a router whose siblings are played by kitd."""

    router = 'virtproxyd'
    timeout_s = 120

    def setUp(self):
        super().setUp()
        self.siblings = {name: self.kitd(name) for name in ('virtnetworkd', 'virtstoraged')}
        if self.router == 'virtproxyd':
            self.siblings['virtqemud'] = self.kitd('virtqemud')
        self.front = self.daemon(self.router)

    def front_client(self, kind=''):
        client = self.connect(self.front, kind)
        client.auth_list()
        return client.open('qemu:///system')

    def lookup(self, client):
        return client.call('NETWORK_LOOKUP_BY_NAME', name='net')['net']['name']


class Routed(TestCase):
    def test_download_comes_through(self):
        data = kit.Stream(self.front_client(), 'STORAGE_VOL_DOWNLOAD',
                          'bytes-20000000').opened().read()
        self.assertEqual(data.count(b'd'), 20000000)

    def test_upload_comes_through(self):
        stream = kit.Stream(self.front_client(), 'STORAGE_VOL_UPLOAD', 'take').opened()
        for _ in range(100):
            stream.send(bytes(200000))
        stream.send_hole(5)
        self.assertEqual(stream.finish().status, rpc.OK)
        info = stream.client.call('STORAGE_VOL_GET_INFO', vol=kit.volume('any'))
        self.assertEqual((info['capacity'], info['allocation']), (20000000, 5))

    def test_download_that_nobody_reads_waits_in_bounded_memory(self):
        client = self.front_client()
        self.lookup(client)
        before = self.front.pss_kib()
        kit.Stream(client, 'STORAGE_VOL_DOWNLOAD', 'bytes-400000000').opened()
        time.sleep(0.5)
        self.assertLess(self.front.pss_kib(), before + 16 * 1024)
        self.assertEqual(self.lookup(self.front_client()), 'net')

    def test_client_that_vanishes_in_mid_stream_leaves_nothing_behind(self):
        kit.Stream(self.front_client(), 'STORAGE_VOL_DOWNLOAD', 'bytes-10').opened().read()
        storage = self.siblings['virtstoraged']
        other = self.open(storage)
        with self.front.returns_to_base_line(kib=8192), \
                storage.returns_to_base_line(kib=8192):
            for procedure in ('STORAGE_VOL_DOWNLOAD', 'STORAGE_VOL_UPLOAD') * 5:
                client = self.front_client()
                kit.Stream(client, procedure, 'bytes-100000000').opened()
                client.close()
            harness.wait_until(lambda: other.call('CONNECT_NUM_OF_STORAGE_POOLS')['num'] == 0,
                               'no stream is left at the sibling')

    def test_slow_calls_are_cancelled_at_the_sibling_when_the_client_vanishes(self):
        network = self.open(self.siblings['virtnetworkd'])
        client = self.front_client()
        payload = kit.pack('NETWORK_GET_BRIDGE_NAME', net=kit.network('stuck'))
        for _ in range(200):
            client.send_call('REMOTE', 'NETWORK_GET_BRIDGE_NAME', payload)

        def waiting():
            return network.call('CONNECT_NUM_OF_NETWORKS')['num']
        harness.wait_until(lambda: waiting() == 200, 'all calls are there')
        # Those calls never end by themselves: what comes is not behind them.
        client.send_keepalive(rpc.PING)
        self.assertEqual(client.receive().procedure, rpc.PONG)
        self.assertEqual(waiting(), 200)
        client.close()
        harness.wait_until(lambda: waiting() == 0, 'they have ended')

    def test_stopped_sibling_delays_only_its_own_calls(self):
        client, other = self.front_client(), self.front_client()
        self.lookup(client)
        network = self.siblings['virtnetworkd']
        network.process.send_signal(signal.SIGSTOP)
        serial = client.send_call('REMOTE', 'NETWORK_LOOKUP_BY_NAME',
                                  kit.pack('NETWORK_LOOKUP_BY_NAME', name='net'))
        for each in (client, other):
            begin = time.monotonic()
            each.call('STORAGE_VOL_GET_INFO', vol=kit.volume('any'))
            each.call('CONNECT_GET_LIB_VERSION')
            self.assertLess(time.monotonic() - begin, 2)
        network.process.send_signal(signal.SIGCONT)
        self.assertEqual(client.reply_to(serial).status, rpc.OK)

    def test_events_come_again_when_the_sibling_was_killed(self):
        client = self.front_client()
        number = client.call('CONNECT_NETWORK_EVENT_REGISTER_ANY', eventID=0,
                             net=None)['callbackID']
        network = self.siblings['virtnetworkd']
        for _ in range(3):
            network.kill()
            network.start()
            source = self.open(network)

            def is_heard(source=source):
                source.call('NETWORK_DEFINE_XML', xml='net')
                client.socket.settimeout(0.2)
                try:
                    return client.next_event()[1]
                except TimeoutError:
                    return None
                finally:
                    client.socket.settimeout(20)
            self.assertEqual(harness.wait_until(is_heard, 'an event comes')['callbackID'], number)

    def test_calls_of_a_killed_sibling_fail_and_later_ones_do_not(self):
        client = self.front_client()
        serial = client.send_call('REMOTE', 'NETWORK_GET_BRIDGE_NAME', kit.pack(
            'NETWORK_GET_BRIDGE_NAME', net=kit.network('stuck')))
        self.lookup(client)
        network = self.siblings['virtnetworkd']
        network.kill()
        self.assertEqual(client.reply_to(serial).status, rpc.ERROR)
        network.start()
        self.assertEqual(self.lookup(client), 'net')

    def test_client_that_reads_late_gets_all_of_many_large_replies(self):
        client = self.front_client()
        payload = kit.pack('NETWORK_GET_XML_DESC', net=kit.network('big-3'))
        serials = [client.send_call('REMOTE', 'NETWORK_GET_XML_DESC', payload) for _ in range(60)]
        time.sleep(1)
        for _ in serials:
            frame = client.receive()
            self.assertEqual((frame.status, len(frame.payload)), (rpc.OK, 3 * kit.MIB + 4))

    def test_read_only_client_stays_read_only(self):
        client = self.front_client('ro')
        self.assertEqual(self.lookup(client), 'net')
        with self.assertRaises(rpc.Error) as caught:
            client.call('NETWORK_DEFINE_XML', xml='net')
        self.assertIn('read only', str(caught.exception))


class RoutedByQemu(Routed):
    router = 'virtqemud'


class Descriptors(TestCase):
    def test_descriptor_of_a_call_comes_through(self):
        reader, writer = os.pipe()
        self.addCleanup(rpc.close_all, [reader, writer])
        self.front_client().call('DOMAIN_OPEN_GRAPHICS', fds=[writer],
                                 dom={'name': 'guest', 'uuid': kit.UUID, 'id': 1})
        self.assertEqual(os.read(reader, 5), b'hello')

    def test_descriptor_of_a_reply_comes_through(self):
        result = self.front_client().call('DOMAIN_OPEN_GRAPHICS_FD', dom={
            'name': 'guest', 'uuid': kit.UUID, 'id': 1})
        self.addCleanup(rpc.close_all, result['fds'])
        self.assertEqual(os.read(result['fds'][0], 5), b'hello')

    def test_descriptors_for_a_stopped_sibling_are_limited(self):
        client = self.front_client()
        guest = {'name': 'guest', 'uuid': kit.UUID, 'id': 1}
        client.call('DOMAIN_OPEN_GRAPHICS_FD', dom=guest)
        fds = os.pipe()
        self.addCleanup(rpc.close_all, fds)
        sibling = self.siblings['virtqemud']
        sibling.process.send_signal(signal.SIGSTOP)
        with self.front.returns_to_base_line(fds=1):
            for _ in range(100):
                client.send_call('REMOTE', 'DOMAIN_OPEN_GRAPHICS',
                                 kit.pack('DOMAIN_OPEN_GRAPHICS', dom=guest), fds * 8)
            self.assertEqual(client.receive().status, rpc.ERROR)
            self.assertLess(len(self.front.fds()), 200)
            sibling.process.send_signal(signal.SIGCONT)
            client.close()
