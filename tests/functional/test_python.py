"""python3-libvirt with its own event loop: what long-running programs do. Many connections and
threads beside a loop in this process; close callbacks, keepalive, and events from a sibling that
is killed meanwhile, with a process of their own (python_client.py says why)."""

import queue
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import libvirt

import harness
import libvirtd
import namespaces
import python_client

N_CONNECTIONS = 200
DEFINED, UNDEFINED = libvirt.VIR_SECRET_EVENT_DEFINED, libvirt.VIR_SECRET_EVENT_UNDEFINED
NETWORK = "<network><name>%s</name><bridge name='vpython'/></network>"


def setUpModule():
    if libvirtd.PROGRAM and harness.IS_PRIVATE and not harness.IS_SANITIZED:
        # libvirtd has one place only, and other files have theirs there.
        namespaces.separate()
    libvirt.registerErrorHandler(lambda *unused: None, None)
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=run_loop, daemon=True).start()


def run_loop():
    # The loop runs for as long as it has something to wait for; a timer is always there.
    libvirt.virEventAddTimeout(1000, lambda *unused: None, None)
    while True:
        libvirt.virEventRunDefaultImpl()


class PythonTestCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        self._client = None

    def open(self, daemon):
        """A connection of this process: it must not have callbacks."""
        connection = libvirt.open(daemon.uri())
        self.addCleanup(connection.close)
        return connection

    def watched(self, daemon):
        """A connection of the other process, whose end is watched."""
        if self._client is None:
            self._client = python_client.Client(self)
        connection = self._client.open(daemon.uri())
        connection.watch_end()
        return connection

    def assert_end(self, connection, reason):
        self.assertEqual(connection.ends.get(timeout=harness.PATIENCE_S), reason)


class Routes:
    """What is the same with virtqemud itself and through virtproxyd."""

    def test_two_hundred_connections_at_once(self):
        daemon = self.front()
        self.open(daemon).getHostname()
        with daemon.returns_to_base_line(kib=4096):
            with ThreadPoolExecutor(16) as pool:
                connections = list(pool.map(lambda _: libvirt.open(daemon.uri()),
                                            range(N_CONNECTIONS)))
                self.assertEqual(set(pool.map(lambda one: one.getURI(), connections)),
                                 {daemon.uri()})
                self.assertEqual(set(pool.map(lambda one: one.numOfDomains(), connections)), {0})
            text = self.virt_admin(daemon, 'srv-clients-info', daemon.name)
            self.assertRegex(text, rf'nclients +: {N_CONNECTIONS + 1}\n')
            for connection in connections:
                connection.close()

    def test_connection_survives_many_threads(self):
        connection = self.open(self.front())
        expected = connection.getInfo()

        def call(_):
            for _ in range(50):
                self.assertEqual(connection.getInfo(), expected)
                connection.listAllDomains()
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(call, range(16)))

    def test_close_callbacks_tell_that_the_daemon_died(self):
        daemon = self.front()
        connections = [self.watched(daemon) for _ in range(20)]
        connections[0].setKeepAlive(5, 3)
        daemon.kill()
        for connection in connections:
            self.assert_end(connection, libvirt.VIR_CONNECT_CLOSE_REASON_EOF)

    def test_close_callback_is_not_called_for_an_ordinary_end(self):
        connection = self.watched(self.front())
        connection.unregisterCloseCallback()
        connection.close()
        time.sleep(0.3)
        self.assertTrue(connection.ends.empty())

    def test_idle_connection_with_keepalive_stays(self):
        connection = self.watched(self.front())
        self.assertEqual(connection.setKeepAlive(1, 2), 0)
        time.sleep(5)
        self.assertEqual(connection.numOfDomains(), 0)
        self.assertEqual(connection.isAlive(), 1)
        self.assertTrue(connection.ends.empty())

    def test_keepalive_finds_a_stopped_daemon(self):
        daemon = self.front()
        connection = self.watched(daemon)
        connection.setKeepAlive(1, 2)
        daemon.process.send_signal(signal.SIGSTOP)
        self.assert_end(connection, libvirt.VIR_CONNECT_CLOSE_REASON_KEEPALIVE)
        self.assertEqual(connection.isAlive(), 0)


class Direct(Routes, PythonTestCase):
    def front(self):
        return self.daemon('virtqemud')


class ThroughProxy(Routes, PythonTestCase):
    def front(self):
        self.driver = self.daemon('virtqemud')
        return self.daemon('virtproxyd')

    def test_close_callback_tells_that_the_driver_behind_it_died(self):
        connection = self.watched(self.front())
        self.driver.kill()
        self.assert_end(connection, libvirt.VIR_CONNECT_CLOSE_REASON_EOF)

    def test_connection_works_again_when_the_driver_is_back(self):
        connection = self.watched(self.front())
        self.driver.kill()
        self.assert_end(connection, libvirt.VIR_CONNECT_CLOSE_REASON_EOF)
        self.driver.start()
        self.assertEqual(connection.numOfDomains(), 0)

    def test_stopped_driver_is_no_reason_to_give_the_proxy_up(self):
        connection = self.watched(self.front())
        connection.setKeepAlive(1, 2)
        self.driver.process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        self.driver.process.send_signal(signal.SIGCONT)
        self.assertEqual(connection.numOfDomains(), 0)
        self.assertEqual(connection.isAlive(), 1)
        self.assertTrue(connection.ends.empty())


class Events(PythonTestCase):
    """A sibling of ours that reports every definition of a secret."""

    def sibling(self):
        sibling = harness.Daemon('virtsecretd', self.root)
        sibling.program = harness.BUILD / 'tests/bench/eventd'
        return self.adopt(sibling)

    def watching(self, daemon):
        connection = self.watched(daemon)
        connection.watch_secrets()
        return connection

    def check_restart(self, router):
        sibling = self.sibling()
        watchers = [self.watching(router) for _ in range(10)]
        self.open(sibling).secretDefineXML('<secret/>')
        for watcher in watchers:
            self.assertEqual(watcher.events.get(timeout=harness.PATIENCE_S), DEFINED)
        for _ in range(3):
            sibling.kill()
            sibling.start()
            self.check_events_again(sibling, watchers)
        self.assertEqual([watcher.isAlive() for watcher in watchers], [1] * 10)
        self.assertTrue(all(watcher.ends.empty() for watcher in watchers))

    def check_events_again(self, sibling, watchers):
        maker = libvirt.open(sibling.uri())

        def have_all():
            maker.secretDefineXML('<secret/>')
            time.sleep(0.05)
            return all(not watcher.events.empty() for watcher in watchers)
        harness.wait_until(have_all, 'all are told of an event again')
        self.tell_round(maker, watchers, 0)
        # Each is registered once, not once for every life of the sibling.
        for told in self.tell_round(maker, watchers, 3):
            self.assertEqual(told, [DEFINED] * 4 + [UNDEFINED])
        maker.close()

    @staticmethod
    def tell_round(maker, watchers, count):
        """What each watcher is told up to the removal of the last of count + 1 secrets."""
        for _ in range(count):
            maker.secretDefineXML('<secret/>')
        maker.secretDefineXML('<secret/>').undefine()
        rounds = []
        for watcher in watchers:
            told = []
            while not told or told[-1] != UNDEFINED:
                told.append(watcher.events.get(timeout=harness.PATIENCE_S))
            rounds.append(told)
        return rounds

    def test_sibling_killed_behind_virtqemud_tells_events_again(self):
        self.check_restart(self.daemon('virtqemud'))

    def test_sibling_killed_behind_virtproxyd_tells_events_again(self):
        self.daemon('virtqemud')
        self.check_restart(self.daemon('virtproxyd'))

    def test_thousand_events_arrive_in_order_through_the_proxy(self):
        self.daemon('virtqemud')
        sibling = self.sibling()
        watcher = self.watching(self.daemon('virtproxyd'))
        maker = self.open(sibling)
        for _ in range(500):
            maker.secretDefineXML('<secret/>').undefine()
        told = [watcher.events.get(timeout=harness.PATIENCE_S) for _ in range(1000)]
        self.assertEqual(told, [DEFINED, UNDEFINED] * 500)


@libvirtd.needs_libvirtd
class ForeignEvents(PythonTestCase):
    """The same with Debian's libvirtd in virtnetworkd's place, and networks that are real."""

    timeout_s = 120

    def check_restart(self, router):
        foreign = libvirtd.Libvirtd(self.root)
        self.addCleanup(foreign.stop)
        foreign.start()
        foreign.stand_in(self.root, ('virtnetworkd',))
        watcher, maker = self.watched(router), self.open(router)
        watcher.watch_networks()
        maker.networkDefineXML(NETWORK % 'before').undefine()
        self.assertEqual([watcher.events.get(timeout=harness.PATIENCE_S) for _ in range(2)],
                         [['before', libvirt.VIR_NETWORK_EVENT_DEFINED],
                          ['before', libvirt.VIR_NETWORK_EVENT_UNDEFINED]])
        foreign.kill()
        foreign.start()

        def is_told_again():
            maker.networkDefineXML(NETWORK % 'after').undefine()
            try:
                return watcher.events.get(timeout=0.1)
            except queue.Empty:
                return None
        self.assertEqual(harness.wait_until(is_told_again, 'an event is told')[0], 'after')
        self.assertEqual(watcher.isAlive(), 1)
        self.assertTrue(watcher.ends.empty())

    def test_libvirtd_killed_behind_virtqemud_tells_events_again(self):
        self.check_restart(self.daemon('virtqemud'))

    def test_libvirtd_killed_behind_virtproxyd_tells_events_again(self):
        self.daemon('virtqemud')
        self.check_restart(self.daemon('virtproxyd'))
