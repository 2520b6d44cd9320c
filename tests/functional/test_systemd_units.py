"""The units under a real systemd: activation, idle exit, orders of starting and stopping, and
that nothing of it takes a daemon's clients or a guest away."""

import concurrent.futures
import itertools
import re
import time

import harness
import rpc
import system_container

# Over all daemons; the deadline itself is met more often in test_kit_life.
N_CONNECTS = 500 if harness.IS_SOAK else 160
VERBS = ('start', 'stop', 'restart')


def setUpModule():
    system_container.boot()


class Units(system_container.TestCase):
    timeout_s = 5400 if harness.IS_SOAK else 600

    def units(self):
        """Where they are installed."""
        return sorted(self.systemctl('show', '--property=FragmentPath', '--value', path.name).strip()
                      for path in (harness.BUILD / 'systemd').iterdir()
                      if path.suffix in ('.service', '.socket', '.target'))

    def test_units_are_clean(self):
        # The manual pages are there, but no program to look them up.
        output = self.container.run(['systemd-analyze', 'verify', '--man=no', *self.units()])
        self.assertEqual(output, ('', ''))

    def test_host_is_not_degraded_by_them(self):
        self.assertEqual(self.systemctl('--failed', '--plain', '--no-legend').strip(), '')

    def test_every_socket_starts_its_daemon(self):
        for daemon, kinds in self.kinds.items():
            for kind in kinds:
                with self.subTest(f'{daemon}{kind}'):
                    self.systemctl('stop', f'{daemon}.service')
                    self.assertEqual(self.state(f'{daemon}.service'), 'inactive')
                    self.assert_serves(daemon, [kind])
                    self.assertEqual(self.state(f'{daemon}.service'), 'active')

    def test_sockets_of_libvirtd_are_virtproxyds(self):
        self.systemctl('stop', 'virtproxyd.service')
        for name in ('libvirt-sock', 'libvirt-sock-ro', 'libvirt-admin-sock'):
            self.assertTrue(system_container.answers(self.container.path(f'/run/libvirt/{name}')))
        self.assertEqual(self.virsh('uri', uri='qemu:///system?mode=legacy').strip(),
                         'qemu:///system?mode=legacy')

    def test_proxy_is_not_root_and_reaches_every_daemon(self):
        self.virsh('list', uri='qemu:///system?mode=legacy')
        pid = self.main_pid('virtproxyd')
        user = self.run_inside('ps', '-o', 'user=', '-p', str(pid)).strip()
        self.assertEqual(user, 'virtproxyd')
        for scheme in ('network', 'storage', 'nodedev', 'secret'):
            self.virsh('uri', uri=f'{scheme}:///system?mode=legacy')

    def test_stopped_daemon_comes_back_for_the_next_client(self):
        for daemon in self.kinds:
            self.systemctl('kill', '-s', 'KILL', '--kill-whom=main', f'{daemon}.service',
                           status=None)
            self.assert_serves(daemon)

    def test_killed_daemon_comes_back_however_often(self):
        for daemon in ('virtsecretd', 'virtlogd'):
            for _ in range(20):
                self.assert_serves(daemon, [''])
                self.systemctl('kill', '-s', 'KILL', '--kill-whom=main', f'{daemon}.service')
            self.assert_serves(daemon)

    def test_daemon_that_cannot_start_refuses_in_the_end(self):
        """Instead of letting clients wait for ever."""
        def load_units():
            self.systemctl('daemon-reload')
            self.systemctl('reset-failed')
            self.systemctl('restart', 'virtsecretd.socket', 'virtsecretd-ro.socket')
        self.addCleanup(load_units)
        # As many failed starts as on a machine that has nothing else to do.
        self.write('/etc/systemd/system/virtsecretd.socket.d/slow.conf',
                   '[Socket]\nTriggerLimitIntervalSec=1h\n')
        self.write('/etc/libvirt/virtsecretd.conf', 'max_clients = "many"\n')
        self.systemctl('stop', 'virtsecretd.service')
        load_units()
        with self.assertRaises((OSError, rpc.Closed)):
            system_container.answers(self.socket('virtsecretd'), timeout_s=120)
        self.assertIn('max_clients', self.journal('virtsecretd.service'))

    def test_configuration_is_loaded_anew(self):
        self.assert_serves('virtsecretd')
        pid = self.main_pid('virtsecretd')
        self.write('/etc/libvirt/virtsecretd.conf', 'max_clients = 77\nmax_anonymous_clients = 7\n')
        self.systemctl('reload', 'virtsecretd.service')
        harness.wait_until(lambda: re.search(r'nclients_max *: 77', self.run_inside(
            'virt-admin', '-c', 'virtsecretd:///system', 'srv-clients-info', 'virtsecretd')),
            'the limit is the new one')
        self.assertEqual(self.main_pid('virtsecretd'), pid)

    def test_arguments_are_those_of_the_administrators_file(self):
        self.write('/etc/default/virtsecretd', 'VIRTSECRETD_ARGS=--timeout 1\n')
        self.systemctl('stop', 'virtsecretd.service')
        self.assert_serves('virtsecretd')
        harness.wait_until(lambda: self.state('virtsecretd.service') == 'inactive', 'it leaves')
        self.assertIn('SUCCESS', self.systemctl('show', '--property=Result', 'virtsecretd.service')
                      .upper())

    def connects(self, daemon, count):
        """Connects at around the moment when the daemon leaves. Returns what was lost."""
        lost = []
        for number in range(count):
            kind = self.kinds[daemon][number % len(self.kinds[daemon])]
            try:
                if not system_container.answers(self.socket(daemon, kind), timeout_s=60):
                    lost.append((number, 'no reply'))
            except (OSError, rpc.Closed) as error:
                lost.append((number, repr(error)))
            time.sleep(0.97 + number % 60 / 1000)
        return lost

    def test_client_that_comes_at_the_deadline_is_served(self):
        for daemon in self.kinds:
            self.write(f'/etc/default/{daemon}', f'{daemon.upper()}_ARGS=--timeout 1\n')
            self.systemctl('stop', f'{daemon}.service')
            self.addCleanup(self.systemctl, 'stop', f'{daemon}.service')
        count = N_CONNECTS // len(self.kinds)
        with concurrent.futures.ThreadPoolExecutor(len(self.kinds)) as pool:
            lost = dict(zip(self.kinds, pool.map(lambda name: self.connects(name, count),
                                                 self.kinds)))
        self.assertEqual(lost, {name: [] for name in self.kinds})

    def broken_orders(self, daemon, kinds):
        """Any two steps, one after the other, work, and the sockets that are then started serve.
        Returns those of which that is not true, with the reason."""
        sockets = [f'{daemon}{kind}.socket' for kind in kinds]
        steps = list(itertools.product(VERBS, [f'{daemon}.service', *sockets]))
        broken = {}
        for order in itertools.product(steps, steps):
            try:
                for step in order:
                    self.systemctl(*step)
                self.systemctl('start', *sockets)
                self.assert_serves(daemon, kinds)
            except AssertionError as error:
                broken[order] = str(error)[:1000]
                self.systemctl('restart', f'{daemon}.service')
        return broken

    def test_every_order_of_start_stop_restart_ends_connected(self):
        # The units of all come from one template, and all further sockets are alike.
        kinds = self.kinds if harness.IS_SOAK else {'virtsecretd': ('', '-ro')}
        for daemon in kinds:
            self.assertEqual(self.broken_orders(daemon, kinds[daemon]), {})

    def test_network_sockets_come_and_go_while_the_proxy_runs(self):
        self.write('/etc/libvirt/virtproxyd.conf', 'auth_tcp = "none"\n')
        self.addCleanup(self.systemctl, 'stop', 'virtproxyd.service', 'virtproxyd-tcp.socket')
        self.systemctl('stop', 'virtproxyd.service')
        for verb in ('start', 'restart', 'start'):
            self.assert_serves('virtproxyd')
            self.systemctl(verb, 'virtproxyd-tcp.socket')
            self.assertEqual(self.virsh('uri', uri='qemu+tcp://127.0.0.1/system').strip(),
                             'qemu+tcp://127.0.0.1/system')
            self.systemctl('restart', 'virtproxyd.service')
            self.assertTrue(self.virsh('uri', uri='qemu+tcp://127.0.0.1/system'))
            self.assert_serves('virtproxyd')
            if verb == 'restart':
                self.systemctl('stop', 'virtproxyd-tcp.socket')

    def test_target_stops_and_starts_all(self):
        self.systemctl('stop', 'splitvirt.target')

        def running():
            """All but what keeps descriptors while its daemon is stopped, and points in time."""
            units = self.systemctl('list-units', '--plain', '--no-legend', '--state=active', 'virt*')
            return [line for line in units.splitlines()
                    if '-holder.' not in line and '.target ' not in line]
        harness.wait_until(lambda: not running(), 'all stop')
        self.systemctl('start', 'splitvirt.target')
        for daemon in self.kinds:
            self.assert_serves(daemon)
