"""The life of a daemon on the kit: idle exit, stop, reload, what it tells the service manager."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import hanging_fs
import harness
import kit
import rpc

ROUNDS = 500 if harness.IS_SOAK else 100


class Idle(kit.TestCase):
    timeout_s = 3600 if harness.IS_SOAK else 240

    def assert_leaves(self, daemon):
        self.assertEqual(daemon.wait(), 0)

    def test_idle_daemon_leaves(self):
        self.assert_leaves(self.kitd(args=['--timeout', '1']))

    def test_daemon_stays_while_a_client_is_connected(self):
        daemon = self.kitd(args=['--timeout', '1'])
        client = self.open(daemon)
        time.sleep(2.5)
        self.assertEqual(client.call('CONNECT_GET_TYPE')['type'], 'network')
        client.close()
        self.assert_leaves(daemon)

    def test_daemon_stays_while_a_change_runs_whose_client_has_gone(self):
        daemon = self.kitd(args=['--timeout', '1'])
        client = self.open(daemon)
        client.send_call('REMOTE', 'NETWORK_DESTROY',
                         kit.pack('NETWORK_DESTROY', net=kit.network('sleep-2500')))
        client.call('CONNECT_GET_TYPE')
        client.close()
        time.sleep(2)
        self.assertTrue(daemon.is_running())
        self.assert_leaves(daemon)

    def test_daemon_stays_while_something_is_owned(self):
        daemon = self.kitd(args=['--timeout', '1'])
        with rpc.Client(daemon.socket()) as client:
            client.auth_list()
            client.open(kit.URIS[daemon.name])
            client.call('NETWORK_UNDEFINE', net=kit.network('inhibit'))
        time.sleep(2.5)
        client = self.open(daemon)
        client.call('NETWORK_UNDEFINE', net=kit.network('uninhibit'))
        client.close()
        self.assert_leaves(daemon)

    def test_long_time_outs_do_not_overflow(self):
        # 4295 s are 2**32 us and 33 ms.
        daemon = self.kitd(args=['--timeout', '4295'])
        time.sleep(1)
        self.assertTrue(daemon.is_running())

    def served(self, path):
        """Whether a client was served; None when it could not connect."""
        try:
            client = rpc.Client(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        with client:
            try:
                client.auth_list()
            except (rpc.Closed, ConnectionError):
                return False
        return True

    def test_client_of_own_sockets_that_comes_at_the_deadline_is_served(self):
        daemon = self.kitd(start=False, args=['--timeout', '1'])
        lost = 0
        for number in range(ROUNDS // 5):
            daemon.start()
            # The time-out counts from some moment before READY=1: spread around it.
            time.sleep(0.97 + number % 60 / 1000)
            lost += self.served(daemon.socket()) is False
            daemon.wait()
        self.assertEqual(lost, 0)

    @staticmethod
    def is_answered(client, serial, daemon):
        """Whether this daemon answers. Its end leaves the client in the queue of the socket."""
        client.socket.settimeout(0.02)
        while daemon.is_running():
            with contextlib.suppress(TimeoutError):
                return bool(client.reply_to(serial))
        return False

    def test_client_of_inherited_sockets_that_comes_at_the_deadline_is_served(self):
        daemon = kit.ActivatedKitd('virtnetworkd', self.root, args=['--timeout', '1'])
        self._adopt(daemon)
        daemon.start()
        for number in range(ROUNDS):
            client = rpc.Client(daemon.socket())
            serial = client.send_call('REMOTE', 'AUTH_LIST')
            if not self.is_answered(client, serial, daemon):
                daemon.wait()
                daemon.start()
                client.socket.settimeout(20)
                client.reply_to(serial)
            client.close()
            time.sleep(0.97 + number % 60 / 1000)
            if not daemon.is_running():
                daemon.wait()
                daemon.start()

    def test_clients_that_come_at_a_deadline_of_milliseconds_are_served(self):
        daemon = kit.ActivatedKitd('virtnetworkd', self.root, args=['--timeout', '1'],
                                   env={'KITD_IDLE_US': '4000'})
        self._adopt(daemon)
        daemon.start()
        for number in range(ROUNDS * 6):
            client = rpc.Client(daemon.socket())
            serial = client.send_call('REMOTE', 'AUTH_LIST')
            if not self.is_answered(client, serial, daemon):
                daemon.wait()
                daemon.start()
                client.socket.settimeout(harness.PATIENCE_S)
                client.reply_to(serial)
            client.close()
            time.sleep(0.0038 + number % 40 / 20000)
        daemon.wait()


class Stop(kit.TestCase):
    def test_calls_in_flight_are_finished(self):
        daemon = self.kitd()
        client = self.open(daemon)
        payload = kit.pack('NETWORK_GET_BRIDGE_NAME', net=kit.network('sleep-1000'))
        serials = [client.send_call('REMOTE', 'NETWORK_GET_BRIDGE_NAME', payload)
                   for _ in range(20)]
        client.call('CONNECT_GET_TYPE')
        daemon.process.send_signal(signal.SIGTERM)
        kept = [frame.serial for frame in client.others]
        for serial in serials:
            if serial not in kept:
                self.assertEqual(client.reply_to(serial).status, rpc.OK)
        self.assertEqual(daemon.wait(), 0)

    def test_clients_are_not_pinged_any_more(self):
        daemon = self.kitd(config={'keepalive_interval': 1})
        client = self.open(daemon, answers_pings=False)
        self.assertTrue(client.supports(10))
        serial = client.send_call('REMOTE', 'NETWORK_GET_BRIDGE_NAME', kit.pack(
            'NETWORK_GET_BRIDGE_NAME', net=kit.network('sleep-4000')))
        daemon.process.send_signal(signal.SIGTERM)
        pings = 0
        while (frame := client.receive()).serial != serial:
            pings += frame.procedure == rpc.PING
        # One may have been on its way.
        self.assertLess(pings, 2)
        self.assertEqual(daemon.wait(), 0)

    def test_large_reply_on_its_way_arrives_whole(self):
        daemon = self.kitd()
        client = self.open(daemon)
        client.send_call('REMOTE', 'NETWORK_GET_XML_DESC', kit.pack(
            'NETWORK_GET_XML_DESC', net=kit.network('big-3')))
        # Its beginning is there, so the call itself is over.
        self.assertEqual(len(client.socket.recv(4, socket.MSG_PEEK | socket.MSG_WAITALL)), 4)
        daemon.process.send_signal(signal.SIGTERM)
        harness.wait_until(lambda: 'STOPPING=1' in daemon.notify.collect(), 'the daemon stops')
        self.assertEqual(len(client.receive().payload), 3 * kit.MIB + 4)
        self.assertEqual(daemon.wait(), 0)

    def test_client_that_does_not_read_does_not_keep_the_daemon(self):
        daemon = self.kitd()
        client = self.open(daemon)
        client.send_call('REMOTE', 'NETWORK_GET_XML_DESC', kit.pack(
            'NETWORK_GET_XML_DESC', net=kit.network('big-3')))
        self.assertEqual(len(client.socket.recv(4, socket.MSG_PEEK | socket.MSG_WAITALL)), 4)
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(40), 0)

    def test_nobody_new_is_accepted_meanwhile(self):
        daemon = self.kitd()
        client = self.open(daemon)
        client.send_call('REMOTE', 'NETWORK_GET_BRIDGE_NAME', kit.pack(
            'NETWORK_GET_BRIDGE_NAME', net=kit.network('sleep-1000')))
        client.call('CONNECT_GET_TYPE')
        daemon.process.send_signal(signal.SIGTERM)
        harness.wait_until(lambda: 'STOPPING=1' in daemon.notify.collect(), 'the daemon stops')
        with self.assertRaises(OSError):
            self.connect(daemon)
        self.assertEqual(daemon.wait(), 0)

    def test_stuck_calls_do_not_keep_the_daemon_for_ever(self):
        daemon = self.kitd()
        client = self.open(daemon)
        client.send_call('REMOTE', 'NETWORK_DESTROY', kit.pack(
            'NETWORK_DESTROY', net=kit.network('stuck')))
        client.call('CONNECT_GET_TYPE')
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(40), 0)

    def test_daemon_on_its_way_out_ignores_further_signals(self):
        daemon = self.kitd()
        client = self.open(daemon)
        client.send_call('REMOTE', 'NETWORK_GET_BRIDGE_NAME', kit.pack(
            'NETWORK_GET_BRIDGE_NAME', net=kit.network('sleep-500')))
        client.call('CONNECT_GET_TYPE')
        for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            daemon.process.send_signal(signum)
        self.assertEqual(daemon.wait(), 0)


class Reload(kit.TestCase):
    def reload(self, daemon, config):
        daemon.configure(config)
        daemon.notify.lines.clear()
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: 'READY=1' in daemon.notify.collect(0.05), 'it has reloaded')

    def test_service_manager_is_told(self):
        daemon = self.kitd()
        self.reload(daemon, {})
        lines = daemon.notify.lines
        self.assertLess(lines.index('RELOADING=1'), lines.index('READY=1'))
        self.assertTrue(any(line.startswith('MONOTONIC_USEC=') for line in lines))

    def test_new_limits_take_effect(self):
        daemon = self.kitd(config={'max_clients': 100})
        clients = [self.open(daemon) for _ in range(5)]
        self.reload(daemon, {'max_clients': 5, 'max_anonymous_clients': 0})
        with self.assertRaises(rpc.Error) as caught:
            self.open(daemon)
        self.assertIn("'max_clients' allows 5", str(caught.exception))
        self.assertEqual(clients[4].call('CONNECT_GET_TYPE')['type'], 'network')

    def test_new_log_settings_take_effect(self):
        log = self.root / 'new.log'
        daemon = self.kitd()
        self.reload(daemon, {'log_level': 1, 'log_outputs': f'1:file:{log}'})
        self.assert_serves(daemon)
        harness.wait_until(lambda: log.exists() and 'client' in log.read_text(), 'it logs there')

    def test_broken_file_changes_nothing_and_is_named(self):
        daemon = self.kitd(config={'max_clients': 2, 'max_anonymous_clients': 0})
        self.reload(daemon, 'max_clients = "many"\n')
        harness.wait_until(lambda: 'virtnetworkd.conf:1' in daemon.output(), 'it says so')
        self.open(daemon)
        self.open(daemon)
        with self.assertRaises(rpc.Error) as caught:
            self.open(daemon)
        self.assertIn("'max_clients' allows 2", str(caught.exception))

    def test_log_output_that_cannot_be_opened_changes_nothing(self):
        daemon = self.kitd(config={'max_clients': 2, 'max_anonymous_clients': 0})
        self.reload(daemon, {'max_clients': 1, 'log_outputs': '1:file:/nosuch/folder/log'})
        harness.wait_until(lambda: '/nosuch/folder/log' in daemon.output(), 'it says so')
        self.open(daemon)
        self.open(daemon)

    def test_file_that_is_wrong_in_its_log_output_sets_no_log_level(self):
        daemon = self.kitd()
        self.reload(daemon, {'log_level': 1, 'log_outputs': '1:file:/nosuch/folder/log'})
        self.assert_serves(daemon)
        daemon.stop()
        self.assertIn('/nosuch/folder/log', daemon.output())
        self.assertNotIn(': debug :', daemon.output())

    @unittest.skipUnless(harness.IS_PRIVATE and hanging_fs.IS_THERE, 'needs a FUSE mount')
    def test_log_file_that_does_not_answer_holds_up_nobody(self):
        fs = self.enterContext(hanging_fs.HangingFs(self.root / 'far'))
        # Nothing is written there, only opened.
        daemon = self.kitd(config={'log_outputs': f'4:file:{fs.disk}'})
        fs.hang()
        daemon.notify.lines.clear()
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: 'RELOADING=1' in daemon.notify.collect(0.05), 'it reloads')
        for _ in range(3):
            self.assert_serves(daemon)
        self.assertNotIn('READY=1', daemon.notify.collect(0.3))
        fs.go_on()
        harness.wait_until(lambda: 'READY=1' in daemon.notify.collect(0.05), 'it has reloaded')
        daemon.stop()

    def test_log_settings_that_are_taken_out_of_the_file_have_their_defaults_again(self):
        log = self.root / 'new.log'
        daemon = self.kitd(config={'log_level': 1, 'log_filters': '1:nosuch'})
        self.reload(daemon, {'log_outputs': f'1:file:{log}'})
        self.assert_serves(daemon)
        with rpc.Client(self.root / 'run/libvirt/virtnetworkd-admin-sock') as admin:
            admin.call('CONNECT_OPEN', 'ADMIN')
            self.assertEqual(admin.call('CONNECT_GET_LOGGING_FILTERS', 'ADMIN')['nfilters'], 0)
        daemon.stop()
        self.assertIn(': debug :', daemon.output())
        self.assertNotIn(': debug :', log.read_text())

    def test_many_reloads_under_load_leave_nothing_behind(self):
        daemon = self.kitd()
        client = self.open(daemon)
        self.reload(daemon, {})
        with daemon.returns_to_base_line():
            for _ in range(50):
                daemon.process.send_signal(signal.SIGHUP)
                client.call('CONNECT_GET_TYPE')
                daemon.notify.collect()

    def test_reload_while_it_stops_is_no_trouble(self):
        daemon = self.kitd()
        for _ in range(5):
            daemon.process.send_signal(signal.SIGHUP)
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)


class ServiceManager(kit.TestCase):
    def stuck_manager(self):
        manager = harness.StuckNotifySocket(self.root / 'stuck.notify')
        self.addCleanup(manager.close)
        return manager

    def test_manager_that_does_not_read_holds_up_nothing(self):
        manager = self.stuck_manager()
        daemon = self.kitd(start=False, args=['--verbose'],
                           env={'NOTIFY_SOCKET': manager.path, 'WATCHDOG_USEC': '100000'})
        daemon.start(wait=False)
        harness.wait_until(lambda: harness.is_listening(daemon.socket()), 'the daemon listens')
        self.assert_serves(daemon)
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: 'loaded anew' in daemon.output(), 'it has reloaded')
        self.assert_serves(daemon)
        harness.wait_until(lambda: 'WATCHDOG=1' in manager.collect(0.05), 'the watchdog is fed')
        said = [line for line in manager.lines
                if line in ('READY=1', 'RELOADING=1', 'WATCHDOG=1')]
        self.assertEqual(said[:4], ['READY=1', 'RELOADING=1', 'READY=1', 'WATCHDOG=1'])

    def test_daemon_can_leave_a_manager_that_does_not_read(self):
        manager = self.stuck_manager()
        daemon = self.kitd(start=False, env={'NOTIFY_SOCKET': manager.path})
        daemon.start(wait=False)
        harness.wait_until(lambda: harness.is_listening(daemon.socket()), 'the daemon listens')
        self.assert_serves(daemon)
        daemon.stop()

    def test_watchdog_is_fed(self):
        daemon = self.kitd(env={'WATCHDOG_USEC': '500000'})
        harness.wait_until(lambda: daemon.notify.collect(0.1).count('WATCHDOG=1') > 2,
                           'the watchdog is fed')

    def test_unknown_option_and_missing_root_are_refused(self):
        daemon = self.kitd(start=False, args=['--no-such-option'])
        daemon.start(wait=False)
        self.assertNotEqual(daemon.wait(), 0)
        self.assertIn('no-such-option', daemon.output())

    def test_two_roots_live_side_by_side(self):
        first = self.kitd()
        (self.root / 'other').mkdir()
        second = kit.Kitd('virtnetworkd', self.root / 'other')
        self._adopt(second)
        second.start()
        self.assert_serves(first)
        self.assert_serves(second)

    def test_second_daemon_says_who_is_in_its_way(self):
        self.kitd()
        second = kit.Kitd('virtnetworkd', self.root)
        second.output_path = self.root / 'second.output'
        second.start(wait=False)
        self.assertNotEqual(second.wait(), 0)
        self.assertIn('virtnetworkd-sock', second.output())
        self.assertIn('in use', second.output())


class Session(kit.TestCase):
    @harness.needs_root
    def test_ordinary_user_has_a_daemon_in_its_own_folders(self):
        # The runner's folder is root's alone.
        top = pathlib.Path(tempfile.mkdtemp(prefix='sv-', dir='/tmp'))
        self.addCleanup(shutil.rmtree, top)
        home, run = top / 'home', top / 'run'
        for folder in (top, home, run):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
            os.chown(folder, 65534, 65534)
        daemon = self.kitd(start=False)
        program = top / 'kitd'
        program.write_bytes(daemon.program.read_bytes())
        program.chmod(0o755)
        env = {'HOME': str(home), 'XDG_RUNTIME_DIR': str(run), 'PATH': os.environ['PATH'],
               'KITD_AS': 'virtnetworkd'}
        output_path = self.root / 'session.output'
        with open(output_path, 'wb') as output:
            process = subprocess.Popen(['setpriv', '--reuid=65534', '--regid=65534',
                                        '--clear-groups', str(program)], env=env,
                                       stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        path = run / 'libvirt/virtnetworkd-sock'

        def is_up():
            self.assertIsNone(process.poll(), output_path.read_text())
            return harness.is_listening(path)
        harness.wait_until(is_up, 'it listens')
        self.assertEqual(path.parent.stat().st_mode & 0o077, 0)
        with rpc.Client(path) as client:
            client.auth_list()
            client.open('network:///session')
            self.assertEqual(client.call('CONNECT_GET_URI')['uri'], 'network:///session')
        process.terminate()
        self.assertEqual(process.wait(harness.PATIENCE_S), 0)
