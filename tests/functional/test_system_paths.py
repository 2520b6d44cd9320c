"""The suite on the system's own paths, where clients look for it when they are told nothing:
which daemon a URI really leads to, by the daemons' own count of clients."""

import re
import subprocess
from pathlib import Path

import harness
import namespaces

SECONDARY = {'network': 'virtnetworkd', 'storage': 'virtstoraged', 'nodedev': 'virtnodedevd',
             'secret': 'virtsecretd'}


def setUpModule():
    if harness.IS_PRIVATE:
        namespaces.separate()


@harness.needs_private_namespaces
class SystemPaths(harness.TestCase):
    def start(self, *names):
        for name in names:
            self.adopt(harness.SystemDaemon(name, self.root))

    def hold(self, uri, *options):
        """Keeps a virsh connected to uri until the end of the test. Returns the URI it tells."""
        virsh = subprocess.Popen(['stdbuf', '-oL', 'virsh', '-q', *options, '-c', uri],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)

        def end():
            virsh.stdin.close()
            virsh.stdout.close()
            virsh.wait()
        self.addCleanup(end)
        virsh.stdin.write('uri\n')
        virsh.stdin.flush()
        for line in virsh.stdout:
            if '://' in line and 'virsh' not in line:
                return line.strip()
        self.fail(f'virsh -c {uri} ended with {virsh.wait()}')

    def n_clients(self, daemon, server=None):
        text = self.run_command(['virt-admin', '-q', '-c', f'{daemon}:///system',
                                 'srv-clients-info', server or daemon])
        return int(re.search(r'^nclients +: (\d+)$', text, re.MULTILINE).group(1))

    def test_legacy_uri_goes_through_virtproxyd(self):
        self.start('virtqemud', 'virtproxyd')
        self.assertEqual(self.n_clients('virtproxyd'), 0)
        self.assertEqual(self.hold('qemu:///system?mode=legacy'), 'qemu:///system?mode=legacy')
        self.assertEqual(self.n_clients('virtproxyd'), 1)
        # The proxy is virtqemud's client on virsh's behalf.
        self.assertEqual(self.n_clients('virtqemud'), 1)

    def test_plain_uri_goes_to_virtqemud(self):
        self.start('virtqemud', 'virtproxyd')
        self.assertEqual(self.hold('qemu:///system'), 'qemu:///system')
        self.assertEqual((self.n_clients('virtqemud'), self.n_clients('virtproxyd')), (1, 0))

    def test_read_only_legacy_uri_goes_through_virtproxyd(self):
        self.start('virtqemud', 'virtproxyd')
        self.hold('qemu:///system?mode=legacy', '-r')
        self.assertEqual(self.n_clients('virtproxyd'), 1)
        text = self.run_command(['virsh', '-q', '-r', '-c', 'qemu:///system?mode=legacy',
                                 'nodesuspend', 'mem', '60'], status=1)
        self.assertIn('read only access prevents virNodeSuspendForDuration', text)

    def test_admin_of_the_old_daemon_is_virtproxyd(self):
        self.start('virtqemud', 'virtproxyd')
        self.hold('qemu:///system?mode=legacy')
        self.hold('qemu:///system?mode=legacy')
        self.assertEqual(self.n_clients('libvirtd'), 2)
        self.assertEqual(self.n_clients('libvirtd', 'virtproxyd'), 2)

    def test_secondary_uris_open_directly_and_through_virtproxyd(self):
        self.start(*SECONDARY.values(), 'virtproxyd')
        for scheme, daemon in SECONDARY.items():
            with self.subTest(scheme):
                before = self.n_clients('virtproxyd')
                self.assertEqual(self.hold(f'{scheme}:///system'), f'{scheme}:///system')
                self.assertEqual((self.n_clients(daemon), self.n_clients('virtproxyd')),
                                 (1, before))
                self.hold(f'{scheme}:///system?mode=legacy')
                self.assertEqual((self.n_clients(daemon), self.n_clients('virtproxyd')),
                                 (2, before + 1))

    def test_detached_daemon_logs_to_a_file_of_its_own(self):
        self.run_command([harness.BUILD / 'virtsecretd/virtsecretd', '--daemon'])
        pid = Path('/run/virtsecretd.pid').read_text().strip()
        socket = Path('/run/libvirt/virtsecretd-admin-sock')
        self.addCleanup(harness.wait_until, lambda: not socket.exists(), 'it ends')
        self.addCleanup(subprocess.run, ['kill', pid])

        def outputs(*words):
            return self.run_command(['virt-admin', '-q', '-c', 'virtsecretd:///system',
                                     'daemon-log-outputs', *words])
        expected = '3:file:/var/log/libvirt/virtsecretd.log'
        self.assertEqual(outputs().strip(), expected)
        outputs(f'1:file:{self.root}/other.log')
        outputs('')
        self.assertEqual(outputs().strip(), expected)
