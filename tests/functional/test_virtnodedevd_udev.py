"""Node devices where udevd runs: a udevd of the test's own, without rules, in its namespaces."""

import os

import harness
import nodedev_case
from nodedev_case import CREATED, DELETED, ip, link_name, list_links, run

N_LINKS = 1000 if harness.IS_SOAK else 100


def setUpModule():
    nodedev_case.separate()


@harness.unittest.skipUnless(nodedev_case.UDEVADM, 'no udevd is installed')
class Udev(nodedev_case.TestCase):
    timeout_s = 300

    def setUp(self):
        super().setUp()
        nodedev_case.start_udevd(self)
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


@harness.unittest.skipUnless(nodedev_case.UDEVADM, 'no udevd is installed')
class UdevThatHasEnded(nodedev_case.TestCase):
    def test_socket_that_it_has_left_is_no_udevd(self):
        udevd = nodedev_case.start_udevd(self)
        udevd.kill()
        udevd.wait()
        self.assertTrue(os.path.exists('/run/udev/control'))
        self.nodedevd()
        client = self.client()
        self.watch(client)
        ip('link', 'add', 'uc0', 'address', '52:54:00:00:00:09', 'type', 'ifb')
        self.addCleanup(ip, 'link', 'del', 'uc0')
        self.wait_for_event(client, link_name('uc0', '52:54:00:00:00:09'), CREATED)
