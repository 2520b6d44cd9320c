"""Events of the daemon kit: who gets them, in which order, and who does not hold them up."""

import harness
import kit
import rpc

REGISTER = 'CONNECT_NETWORK_EVENT_REGISTER_ANY'
DEREGISTER = 'CONNECT_NETWORK_EVENT_DEREGISTER_ANY'


class Events(kit.TestCase):
    timeout_s = 120

    def setUp(self):
        super().setUp()
        kit.raise_descriptor_limit()
        self.server = self.kitd(config={'max_clients': 6000})
        self.source = self.open(self.server)

    def register(self, client, net=None, event=0):
        return client.call(REGISTER, eventID=event, net=net)['callbackID']

    def emit(self, name='net'):
        return self.source.call('NETWORK_DEFINE_XML', xml=name)['net']

    def burst(self, count, name='net'):
        self.source.call('NETWORK_SET_AUTOSTART', net=kit.network(name), autostart=count)

    def next(self, client):
        name, fields = client.next_event()
        self.assertEqual(name, 'NETWORK_EVENT_LIFECYCLE')
        return fields

    def assert_no_event(self, client):
        self.assertEqual(client.call('CONNECT_GET_TYPE')['type'], 'network')
        self.assertEqual(client.others, [])

    def test_registered_client_gets_the_event_with_its_number(self):
        client = self.open(self.server)
        first, second = self.register(client), self.register(client)
        self.assertNotEqual(first, second)
        self.emit('net')
        got = [self.next(client), self.next(client)]
        self.assertEqual([fields['callbackID'] for fields in got], [first, second])
        self.assertEqual([fields['net']['name'] for fields in got], ['net', 'net'])

    def test_client_that_has_not_registered_gets_none(self):
        client = self.open(self.server)
        self.emit()
        self.assert_no_event(client)

    def test_event_of_another_id_is_not_sent(self):
        client = self.open(self.server)
        self.register(client, event=1)
        self.emit()
        self.assert_no_event(client)

    def test_registration_for_an_object_gets_its_events_alone(self):
        client = self.open(self.server)
        self.register(client, net=self.source.call('NETWORK_LOOKUP_BY_NAME', name='one')['net'])
        self.emit('two')
        self.emit('one')
        self.assertEqual(self.next(client)['net']['name'], 'one')
        self.assert_no_event(client)

    def test_events_stop_with_the_deregistration(self):
        client = self.open(self.server)
        number = self.register(client)
        client.call(DEREGISTER, callbackID=number)
        self.emit()
        self.assert_no_event(client)

    def test_callback_is_deregistered_only_once(self):
        client = self.open(self.server)
        number = self.register(client)
        client.call(DEREGISTER, callbackID=number)
        with self.assertRaises(rpc.Error):
            client.call(DEREGISTER, callbackID=number)

    def test_callback_of_another_client_is_not_deregistered(self):
        client, other = self.open(self.server), self.open(self.server)
        number = self.register(client)
        with self.assertRaises(rpc.Error):
            other.call(DEREGISTER, callbackID=number)
        self.emit()
        self.next(client)

    def test_unknown_numbers_are_refused(self):
        client = self.open(self.server)
        for number in (-1, 5, 0x7fffffff, -0x80000000):
            with self.assertRaises(rpc.Error):
                client.call(DEREGISTER, callbackID=number)
            with self.assertRaises(rpc.Error):
                self.register(client, event=number)

    def test_events_keep_their_order(self):
        client = self.open(self.server)
        self.register(client)
        self.burst(5000)
        self.assertEqual([self.next(client)['detail'] for _ in range(5000)], list(range(5000)))

    def test_1000_clients_get_an_event(self):
        self.emit()
        with self.server.returns_to_base_line(kib=12 * 1024):
            clients = [self.open(self.server) for _ in range(1000)]
            for client in clients:
                self.register(client)
            self.emit()
            for client in clients:
                self.assertEqual(self.next(client)['net']['name'], 'net')
            for client in clients:
                client.close()

    def test_client_that_does_not_read_is_disconnected_and_holds_nobody_up(self):
        lazy, client = self.open(self.server), self.open(self.server)
        self.register(lazy)
        self.register(client)
        name = 'n' * 100000
        n_read = 0
        with self.assertRaises((ConnectionError, rpc.Closed)):
            while n_read < 3000:
                self.burst(50, name)
                for _ in range(50):
                    self.assertEqual(self.next(client)['net']['name'], name)
                n_read += 50
                # Only a send shows a disconnection without reading.
                lazy.send_keepalive(rpc.PONG)
        self.assertGreater(n_read, 500)
        if not harness.IS_SANITIZED:
            self.assertLess(self.server.pss_kib(), 200 * 1024)
        self.assert_serves(self.server)

    def test_callbacks_of_one_client_are_limited(self):
        client = self.open(self.server)
        args = kit.pack(REGISTER)
        for _ in range(16384):
            client.send_call('REMOTE', REGISTER, args)
        for _ in range(16384):
            client.receive()
        with self.assertRaises(rpc.Error) as caught:
            self.register(client)
        self.assertIn('16384', str(caught.exception))

    def test_registrations_go_with_their_client(self):
        self.emit()
        with self.server.returns_to_base_line():
            for _ in range(50):
                client = self.open(self.server)
                for _ in range(20):
                    self.register(client)
                client.close()
        self.emit()
