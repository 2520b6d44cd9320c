"""Node devices where udevd runs: a udevd of the test's own, without rules, in its namespaces."""

import shutil
import subprocess

import harness
import nodedev_case
from nodedev_case import CREATED, DELETED, ip, link_name, list_links, run

UDEVADM = shutil.which('udevadm')
N_LINKS = 1000 if harness.IS_SOAK else 100


def setUpModule():
    nodedev_case.separate()


@harness.unittest.skipUnless(UDEVADM, 'no udevd is installed')
class Udev(nodedev_case.TestCase):
    timeout_s = 300

    def setUp(self):
        super().setUp()
        # The program is what its name says.
        program = self.root / 'systemd-udevd'
        shutil.copy(UDEVADM, program)
        udevd = subprocess.Popen([program], stderr=subprocess.DEVNULL)
        self.addCleanup(udevd.wait)
        self.addCleanup(udevd.terminate)
        # A control socket may be a former one's; what happens before it listens it never tells.
        harness.wait_until(lambda: subprocess.run([UDEVADM, 'control', '--ping'],
                                                  stderr=subprocess.DEVNULL).returncode == 0,
                           'udevd answers')
        self.nodedevd()
        self.rpc = self.client()

    def test_link_comes_is_renamed_and_goes(self):
        old, new = (link_name(name, '52:54:00:00:00:09') for name in ('ua0', 'ua1'))
        self.watch(self.rpc)
        ip('link', 'add', 'ua0', 'address', '52:54:00:00:00:09', 'type', 'ifb')
        self.wait_for_event(self.rpc, old, CREATED)
        ip('link', 'set', 'ua0', 'name', 'ua1')
        self.wait_for_event(self.rpc, old, DELETED)
        self.wait_for_event(self.rpc, new, CREATED)
        ip('link', 'del', 'ua1')
        self.wait_for_event(self.rpc, new, DELETED)

    def test_nothing_of_a_burst_is_missed(self):
        for command in ('link add ub{} type ifb', 'link del ub{}'):
            run('ip', '-batch', '-', data=''.join(command.format(n) + '\n'
                                                  for n in range(N_LINKS)))
            harness.wait_until(
                lambda: {name for name in self.names(self.rpc) if name.startswith('net_')}
                == list_links(), 'the links of the host are the devices', harness.PATIENCE_S * 5)
