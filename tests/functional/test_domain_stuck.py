"""A guest whose QEMU does not answer is nobody else's trouble, and little of its own: what is
known of it is told at once, and it can be ended."""

import signal
import time
import unittest

import domain_case
import guest
import harness
import rpc

N_STUCK = 1000 if harness.IS_SOAK else 100
PER_CONNECTION = 25
# Generous: a call that waits for QEMU waits for ever.
PROMPT_S = 10
QUERY = '{"execute":"query-version"}'


@guest.needs_qemu
class Stuck(domain_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_qemud(config={'max_clients': 500, 'max_anonymous_clients': 500,
                                 'max_client_requests': 2 * PER_CONNECTION})
        self.define_and_start('a')
        self.define_and_start('b')

    def send_stuck(self, n=N_STUCK):
        """Sends calls that QEMU has to answer. Returns [(client, serial)]."""
        sent = []
        payload = None
        for i in range(n):
            if i % PER_CONNECTION == 0:
                client = self.client()
                kind = rpc.struct_name('QEMU', 'DOMAIN_MONITOR_COMMAND', 'args')
                payload = rpc.TYPES.pack(kind, {'dom': self.domain(client), 'cmd': QUERY,
                                                'flags': 0})
            sent.append((client, client.send_call('QEMU', 'DOMAIN_MONITOR_COMMAND', payload)))
        return sent

    def timed(self, client, procedure, **args):
        """How long a call takes, in seconds."""
        start = time.monotonic()
        client.call(procedure, **args)
        return time.monotonic() - start

    def queries(self, client, name):
        """What clients poll, of one guest."""
        domain = self.domain(client, name)
        return [('DOMAIN_LOOKUP_BY_NAME', {'name': name}),
                ('DOMAIN_GET_INFO', {'dom': domain}),
                ('DOMAIN_GET_STATE', {'dom': domain}),
                ('DOMAIN_GET_XML_DESC', {'dom': domain}),
                ('DOMAIN_IS_ACTIVE', {'dom': domain}),
                ('DOMAIN_GET_CONTROL_INFO', {'dom': domain}),
                ('DOMAIN_GET_JOB_INFO', {'dom': domain}),
                ('CONNECT_LIST_ALL_DOMAINS', {'need_results': 1}),
                ('CONNECT_LIST_DOMAINS', {'maxids': 100}),
                ('CONNECT_NUM_OF_DOMAINS', {})]

    def check_prompt(self, name):
        """Each call answers as before, give or take what a busy machine takes."""
        client = self.client()
        for procedure, args in self.queries(client, name):
            with self.subTest(procedure):
                self.assertLess(self.timed(client, procedure, **args), PROMPT_S)

    def test_queries_of_a_stuck_guest_answer(self):
        with self.stopped_qemu():
            self.send_stuck()
            self.check_prompt('a')

    def test_queries_of_another_guest_answer(self):
        with self.stopped_qemu():
            self.send_stuck()
            self.check_prompt('b')

    def test_statistics_of_a_stuck_guest_answer(self):
        with self.stopped_qemu():
            self.send_stuck()
            start = time.monotonic()
            text = self.sh('domstats', 'a')
            self.assertLess(time.monotonic() - start, PROMPT_S)
        self.assertIn('state.state=3', text)

    def test_statistics_of_all_guests_answer_while_one_is_stuck(self):
        with self.stopped_qemu():
            self.send_stuck()
            start = time.monotonic()
            text = self.sh('domstats')
            self.assertLess(time.monotonic() - start, PROMPT_S)
        self.assertIn("Domain: 'a'", text)
        self.assertIn("Domain: 'b'", text)

    def test_changes_of_another_guest_are_made(self):
        with self.stopped_qemu():
            self.send_stuck()
            start = time.monotonic()
            self.sh('resume', 'b')
            self.sh('suspend', 'b')
            self.sh('destroy', 'b')
            self.sh('start', 'b', '--paused')
            self.assertLess(time.monotonic() - start, 2 * PROMPT_S)

    def test_polling_a_stuck_guest_costs_little_more_than_before(self):
        def total():
            with rpc.Client(self.qemud.socket()) as client:
                client.auth_list()
                client.open()
                calls = self.queries(client, 'a')
                return min(sum(self.timed(client, *call[:1], **call[1]) for call in calls)
                           for _ in range(20))
        before = total()
        with self.stopped_qemu():
            self.send_stuck()
            # The floor is for machines that are busy; a wait for QEMU would be far above it.
            self.assertLess(total(), max(20 * before, 1))

    def test_stuck_calls_complete_when_it_goes_on(self):
        with self.stopped_qemu():
            sent = self.send_stuck()
            self.check_prompt('a')
        for client, serial in sent:
            result = client.result('QEMU', 'DOMAIN_MONITOR_COMMAND', client.reply_to(serial))
            self.assertIn('"return"', result['result'])

    def test_stuck_suspends_complete_when_it_goes_on(self):
        self.sh('resume', 'a')
        with self.stopped_qemu():
            sent = []
            for _ in range(20):
                client = self.client()
                payload = rpc.TYPES.pack('remote_domain_suspend_args',
                                         {'dom': self.domain(client)})
                sent.append((client, client.send_call('REMOTE', 'DOMAIN_SUSPEND', payload)))
            self.check_prompt('a')
        for client, serial in sent:
            client.result('REMOTE', 'DOMAIN_SUSPEND', client.reply_to(serial))
        self.assertEqual(self.state(), 'paused (user)')

    def test_destroy_ends_a_stuck_guest_and_its_calls(self):
        with self.stopped_qemu():
            sent = self.send_stuck()
            self.sh('destroy', 'a')
            for client, serial in sent:
                with self.assertRaises(rpc.Error):
                    client.result('QEMU', 'DOMAIN_MONITOR_COMMAND', client.reply_to(serial))
        self.assertEqual(self.state(), 'shut off (destroyed)')
        self.check_gone()

    def test_clients_that_leave_take_their_stuck_calls_along(self):
        with self.qemud.returns_to_base_line():
            with self.stopped_qemu():
                for client, _ in self.send_stuck():
                    client.close()

    def test_graceful_destroy_of_a_stuck_guest_gives_up(self):
        with self.stopped_qemu():
            self.assertIn('Failed to terminate process',
                          self.sh('destroy', 'a', '--graceful', status=1, timeout_s=60))

    @unittest.skipUnless(harness.IS_SOAK, 'takes the 20 s that calls in flight are given')
    def test_daemon_ends_while_calls_are_stuck(self):
        with self.stopped_qemu():
            self.send_stuck()
            # Calls in flight are given 20 s.
            self.qemud.stop(timeout_s=20 + harness.PATIENCE_S)
        self.qemud.start()
        self.assertEqual(self.state(), 'paused (user)')

    def test_stuck_guest_is_found_again(self):
        with self.stopped_qemu():
            self.crash_qemud()
            self.assertEqual(self.state(), 'paused (user)')
            self.check_prompt('a')
            self.check_prompt('b')
        harness.wait_until(lambda: 'return' in self.sh('qemu-monitor-command', 'a', QUERY,
                                                       status=None), 'it answers')

    def test_stuck_guest_that_was_found_again_can_be_destroyed(self):
        with self.stopped_qemu():
            self.crash_qemud()
            self.sh('destroy', 'a')
        self.check_gone()

    def test_kill_of_a_stuck_guest_is_seen(self):
        with self.stopped_qemu():
            self.send_stuck(20)
            self.signal_qemu(signal.SIGKILL)
            self.wait_state('shut off (crashed)')
        self.check_gone()
