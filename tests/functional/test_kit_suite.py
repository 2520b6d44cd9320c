"""All eight daemons together: killed and started again under load."""

import threading
import time

import harness
import rpc

SECONDS = 60 if harness.IS_SOAK else 4


class Load(threading.Thread):
    """Opens connections and calls, again and again; what fails is noted by its kind."""

    def __init__(self, path, uri, program):
        super().__init__(daemon=True)
        self.path, self.uri, self.program = path, uri, program
        self.is_over, self.n_calls, self.wrong = False, 0, []

    def run(self):
        while not self.is_over:
            try:
                with rpc.Client(self.path) as client:
                    self.call(client)
            except (OSError, rpc.Closed):
                time.sleep(0.01)
            except Exception as error:
                # Calls of a sibling that is away fail; anything else is not to be.
                if not isinstance(error, rpc.Error):
                    self.wrong.append(error)

    def call(self, client):
        if self.program != 'REMOTE':
            for _ in range(20):
                client.call_raw(self.program, 1)
                self.n_calls += 1
            return
        client.auth_list()
        client.open(self.uri)
        for _ in range(20):
            client.call('CONNECT_GET_LIB_VERSION')
            client.call_raw('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
            self.n_calls += 1


class Kill(harness.TestCase):
    timeout_s = 300

    def test_every_daemon_is_killed_and_takes_over_under_load(self):
        suite = self.suite()
        programs = {'virtlogd': 'VIR_LOG_MANAGER_PROTOCOL', 'virtlockd': 'VIR_LOCK_SPACE_PROTOCOL'}
        loads = [Load(daemon.socket(), f'{harness.DAEMONS[daemon.name]}:///system',
                      programs.get(daemon.name, 'REMOTE')) for daemon in suite]
        for load in loads:
            load.start()
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for daemon in suite:
                daemon.kill()
                daemon.start()
        before = [load.n_calls for load in loads]
        harness.wait_until(lambda: all(load.n_calls > count
                                       for load, count in zip(loads, before)),
                           'every daemon answers after its last start')
        for load in loads:
            load.is_over = True
        for load in loads:
            load.join(harness.PATIENCE_S)
            self.assertEqual(load.wrong, [])
