"""Node devices of this host that come and go: links, loop devices, compressed memory. The kernel's
own events tell of them, directly and through virtproxyd and virtqemud."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile

import harness
import nodedev_case
import rpc
from nodedev_case import CREATED, DELETED, ip, link_name, list_links, run

N_LINKS = 10000 if harness.IS_SOAK else 400
UPDATE = 1
ADDRESS = '52:54:00:00:00:%02x'


def setUpModule():
    nodedev_case.separate()


class TestCase(nodedev_case.TestCase):
    timeout_s = 240

    def setUp(self):
        super().setUp()
        self.nodedevd()
        self.rpc = self.client()

    def add_link(self, name, *words, address=ADDRESS % 1):
        """Adds a link and returns its node device's name."""
        ip('link', 'add', name, 'address', address, 'type', *words)
        self.addCleanup(self.remove_link, name)
        return link_name(name, address)

    @staticmethod
    def remove_link(name):
        subprocess.run(['ip', 'link', 'del', name], stderr=subprocess.DEVNULL)

    def features(self, name):
        return set(re.findall("<feature name='(.*?)'/>", self.xml(self.rpc, name)))


class Links(TestCase):
    def test_pair_comes_and_goes(self):
        self.watch(self.rpc)
        one = self.add_link('va0', 'veth', 'peer', 'name', 'va1', 'address', ADDRESS % 2)
        other = link_name('va1', ADDRESS % 2)
        for name in (one, other):
            # The two come in an order of the kernel's.
            self.wait_listed(self.rpc, name)
        ip('link', 'del', 'va0')
        events = [self.rpc.next_event()[1] for _ in range(4)]
        self.assertEqual({(event['dev']['name'], event['event']) for event in events},
                         {(name, event) for name in (one, other) for event in (CREATED, DELETED)})
        self.assertFalse({one, other} & set(self.names(self.rpc)))

    def test_every_kind_of_link(self):
        for number, (name, words) in enumerate({
                'vb0': ('veth', 'peer', 'name', 'vb1'), 'ifb7': ('ifb',),
                'mvt0': None, 'mvl0': None}.items(), 1):
            if words:
                device = self.add_link(name, *words, address=ADDRESS % number)
            else:
                kind = 'macvtap' if name == 'mvt0' else 'macvlan'
                ip('link', 'add', 'link', 'vb0', 'name', name, 'address', ADDRESS % number, 'type',
                   kind)
                device = link_name(name, ADDRESS % number)
            self.wait_listed(self.rpc, device)
            xml = self.xml(self.rpc, device)
            self.assertIn(f'<interface>{name}</interface>', xml)
            self.assertIn('<parent>computer</parent>', xml)
            self.assertIn(f'<path>/sys/devices/virtual/net/{name}</path>', xml)

    def test_tap_and_tun(self):
        for mode in ('tap', 'tun'):
            ip('tuntap', 'add', f'{mode}9', 'mode', mode)
            self.addCleanup(self.remove_link, f'{mode}9')
        self.wait_listed(self.rpc, 'net_tun9')
        self.assertNotIn('<address>', self.xml(self.rpc, 'net_tun9'))
        self.assertTrue(list_links() <= set(self.names(self.rpc)))

    def test_bridge_is_no_device(self):
        bridge = self.add_link('br7', 'bridge')
        after = self.add_link('ifb8', 'ifb', address=ADDRESS % 2)
        self.wait_listed(self.rpc, after)
        self.assertNotIn(bridge, self.names(self.rpc))

    def test_state_and_speed_are_those_of_the_moment(self):
        device = self.add_link('vc0', 'veth', 'peer', 'name', 'vc1')
        self.wait_listed(self.rpc, device)
        self.assertIn("<link state='down'/>", self.xml(self.rpc, device))
        ip('link', 'set', 'vc0', 'up')
        ip('link', 'set', 'vc1', 'up')
        harness.wait_until(lambda: re.search("<link speed='[0-9]+' state='up'/>",
                                             self.xml(self.rpc, device)), 'the link is up')

    def test_features_are_those_that_ethtool_tells(self):
        device = self.add_link('vd0', 'veth', 'peer', 'name', 'vd1')
        self.wait_listed(self.rpc, device)
        self.assertLessEqual({'rx', 'tx', 'sg', 'tso', 'gso', 'txudptnl'}, self.features(device))
        self.assertLessEqual({'rx', 'tx', 'sg'}, self.features('net_lo_00_00_00_00_00_00'))

    def test_renamed_link_is_another_device(self):
        old = self.add_link('ve0', 'ifb')
        new = link_name('ve.new-x', ADDRESS % 1)
        self.addCleanup(self.remove_link, 've.new-x')
        self.wait_listed(self.rpc, old)
        self.watch(self.rpc)
        ip('link', 'set', 've0', 'name', 've.new-x')
        self.wait_for_event(self.rpc, old, DELETED)
        self.wait_for_event(self.rpc, new, CREATED)
        self.assertIn('<interface>ve.new-x</interface>', self.xml(self.rpc, new))

    def test_link_that_leaves_the_namespace_is_gone(self):
        device = self.add_link('vf0', 'veth', 'peer', 'name', 'vf1')
        self.wait_listed(self.rpc, device)
        with subprocess.Popen(['unshare', '-n', 'sh', '-c', 'echo ready; exec cat'],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            other.stdout.readline()
            ip('link', 'set', 'vf0', 'netns', str(other.pid))
            self.wait_listed(self.rpc, device, False)
            other.stdin.close()

    def test_two_links_of_one_name_are_one_device_at_a_time(self):
        first = self.add_link('vg.0', 'ifb')
        self.wait_listed(self.rpc, first)
        self.assertEqual(first, self.add_link('vg-0', 'ifb'))
        self.assertIn('<interface>vg.0</interface>', self.xml(self.rpc, first))
        ip('link', 'del', 'vg.0')
        harness.wait_until(lambda: first in self.names(self.rpc) and '<interface>vg-0</interface>'
                           in self.xml(self.rpc, first), 'the other one has the name')

    def test_update_is_told(self):
        self.watch(self.rpc, UPDATE)
        with open('/sys/class/net/lo/uevent', 'w', encoding='ascii') as uevent:
            uevent.write('change')
        name, fields = self.rpc.next_event()
        self.assertEqual((name, fields['dev']['name']),
                         ('NODE_DEVICE_EVENT_UPDATE', 'net_lo_00_00_00_00_00_00'))

    def test_events_of_one_device_alone(self):
        wanted = link_name('vh1', ADDRESS % 2)
        self.watch(self.rpc, name=wanted)
        self.add_link('vh0', 'veth', 'peer', 'name', 'vh1', 'address', ADDRESS % 2)
        # What is gone before anybody has looked at it was never there.
        self.wait_listed(self.rpc, wanted)
        ip('link', 'del', 'vh0')
        events = [self.rpc.next_event()[1] for _ in range(2)]
        self.assertEqual([(event['dev']['name'], event['event']) for event in events],
                         [(wanted, CREATED), (wanted, DELETED)])

    def test_restart_sees_what_is_there(self):
        device = self.add_link('vi0', 'ifb')
        self.wait_listed(self.rpc, device)
        self.nodedev.kill()
        gone = self.add_link('vi1', 'ifb', address=ADDRESS % 2)
        ip('link', 'del', 'vi0')
        self.nodedev.start()
        names = self.names(self.client())
        self.assertIn(gone, names)
        self.assertNotIn(device, names)


class Bursts(TestCase):
    timeout_s = 1200

    @staticmethod
    def batch(text, count=N_LINKS):
        run('ip', '-batch', '-', data=''.join(text.format(n=n) + '\n' for n in range(count)))

    def assert_all_links_are_listed(self):
        harness.wait_until(
            lambda: {name for name in self.names(self.rpc) if name.startswith('net_')}
            == list_links(), 'the links of the host are the devices', harness.PATIENCE_S * 5)

    def test_nothing_missed_nothing_stale_and_memory_returns(self):
        # Twice: the first time fills the allocator's and the fibers' stores.
        for is_second in (False, True):
            guard = self.nodedev.returns_to_base_line(timeout_s=harness.PATIENCE_S * 5)
            with guard if is_second else contextlib.nullcontext():
                self.batch('link add vj{n} group 77 type ifb')
                self.assert_all_links_are_listed()
                self.assertGreaterEqual(len(list_links()), N_LINKS)
                # One by one the kernel needs longer than all of this.
                ip('link', 'del', 'group', '77')
                self.assert_all_links_are_listed()

    def test_every_device_of_a_burst_is_told(self):
        listener = self.client()
        self.watch(listener)
        wanted = {link_name(f'vk{n}', f'52:54:00:01:{n >> 8:02x}:{n & 255:02x}'): [CREATED, DELETED]
                  for n in range(200)}
        run('ip', '-batch', '-', data=''.join(
            f'link add vk{n} address 52:54:00:01:{n >> 8:02x}:{n & 255:02x} type ifb\n'
            for n in range(200)))
        self.assert_all_links_are_listed()
        run('ip', '-batch', '-', data=''.join(f'link del vk{n}\n' for n in range(200)))
        seen = {}
        for _ in range(2 * len(wanted)):
            _, fields = listener.next_event()
            seen.setdefault(fields['dev']['name'], []).append(fields['event'])
        self.assertEqual(seen, wanted)

    def test_lost_events_are_made_up_for(self):
        stays = self.add_link('vl0', 'ifb')
        goes = self.add_link('vl1', 'ifb', address=ADDRESS % 2)
        self.wait_listed(self.rpc, goes)
        self.watch(self.rpc)
        self.nodedev.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.nodedev.process.send_signal, signal.SIGCONT)
        # More than its socket has room for.
        with open('/sys/class/net/lo/uevent', 'w', encoding='ascii') as uevent:
            for _ in range(60000):
                os.pwrite(uevent.fileno(), b'change', 0)
        ip('link', 'del', 'vl1')
        comes = self.add_link('vl2', 'ifb', address=ADDRESS % 3)
        self.nodedev.process.send_signal(signal.SIGCONT)
        self.wait_for_event(self.rpc, goes, DELETED)
        self.wait_for_event(self.rpc, comes, CREATED)
        self.assertIn(stays, self.names(self.rpc))
        self.assert_all_links_are_listed()


class Storage(TestCase):
    def image(self):
        image = tempfile.NamedTemporaryFile(dir=self.root)
        self.addCleanup(image.close)
        image.truncate(12 << 20)
        return image.name

    def attach(self):
        loop = run('losetup', '-f', '--show', self.image()).strip()
        self.addCleanup(subprocess.run, ['losetup', '-d', loop], stderr=subprocess.DEVNULL)
        return loop

    def test_loop_device_is_there_while_it_has_a_file(self):
        loop = self.attach()
        device = 'block_' + os.path.basename(loop)
        self.wait_listed(self.rpc, device)
        xml = self.xml(self.rpc, device)
        self.assertIn(f'<block>{loop}</block>', xml)
        self.assertIn('<size>12582912</size>', xml)
        self.assertIn('<num_blocks>24576</num_blocks>', xml)
        run('losetup', '-d', loop)
        self.wait_listed(self.rpc, device, False)

    def test_compressed_memory_comes_and_goes(self):
        if not os.path.exists('/sys/class/zram-control/hot_add'):
            self.skipTest('the kernel has no zram')
        with open('/sys/class/zram-control/hot_add', encoding='ascii') as hot_add:
            number = hot_add.read().strip()

        def remove():
            with contextlib.suppress(OSError), open('/sys/class/zram-control/hot_remove', 'w',
                                                    encoding='ascii') as hot_remove:
                hot_remove.write(number)

        self.addCleanup(remove)
        self.wait_listed(self.rpc, f'block_zram{number}')
        with open(f'/sys/block/zram{number}/disksize', 'w', encoding='ascii') as disksize:
            disksize.write('1048576')
        self.assertIn('<size>1048576</size>', self.xml(self.rpc, f'block_zram{number}'))
        with open(f'/sys/block/zram{number}/reset', 'w', encoding='ascii') as reset:
            reset.write('1')
        remove()
        self.wait_listed(self.rpc, f'block_zram{number}', False)


class Routed(nodedev_case.TestCase):
    """The same events and calls by every way that clients take."""

    timeout_s = 240

    def setUp(self):
        super().setUp()
        self.daemons_by_name = self.suite(('virtnodedevd', 'virtqemud', 'virtproxyd'))

    def watch_with_virsh(self, daemon, driver):
        watcher = subprocess.Popen(
            ['virsh', '-c', daemon.uri(driver=driver), 'nodedev-event', '--event', 'lifecycle',
             '--loop', '--timeout', str(harness.PATIENCE_S)],
            stdout=subprocess.PIPE)
        self.addCleanup(watcher.wait)
        self.addCleanup(watcher.kill)
        self.addCleanup(watcher.stdout.close)
        return watcher

    def check(self, name, driver):
        daemon = self.daemons_by_name[name]
        watcher = self.watch_with_virsh(daemon, driver)
        # The watcher does not say when it has registered: links come until it sees one.
        seen = []

        def sees_one():
            ip('link', 'add', 'vm0', 'address', ADDRESS % 1, 'type', 'ifb')
            ip('link', 'del', 'vm0')
            os.set_blocking(watcher.stdout.fileno(), False)
            with contextlib.suppress(BlockingIOError):
                seen.append(os.read(watcher.stdout.fileno(), 65536).decode())
            return 'Created' in ''.join(seen) and 'Deleted' in ''.join(seen)

        harness.wait_until(sees_one, 'virsh nodedev-event tells of the link')
        self.assertIn(link_name('vm0', ADDRESS % 1), ''.join(seen))
        self.assertIn('computer', self.virsh(daemon, 'nodedev-list', driver=driver))
        self.assertIn("<capability type='system'>",
                      self.virsh(daemon, 'nodedev-dumpxml', 'computer', driver=driver))

    def test_directly(self):
        self.check('virtnodedevd', 'nodedev')

    def test_through_virtqemud(self):
        self.check('virtqemud', 'qemu')

    def test_through_virtproxyd(self):
        self.check('virtproxyd', 'qemu')


class Clients(TestCase):
    def test_python_binding(self):
        script = ('import libvirt, sys\n'
                  'c = libvirt.open(sys.argv[1])\n'
                  'd = c.nodeDeviceLookupByName("net_lo_00_00_00_00_00_00")\n'
                  'assert d.parent() == "computer" and d.listCaps() == ["net"], d.listCaps()\n'
                  'assert d.isActive() == 1 and d.isPersistent() == 0 and d.autostart() == 0\n'
                  'assert "computer" in c.listDevices("system", 0)\n'
                  'assert c.numOfDevices("net", 0) == len(c.listAllDevices(16))\n')
        self.run_command(['/usr/bin/python3', '-c', script, self.nodedev.uri()])

    def test_read_only_clients_may_look(self):
        client = self.client(kind='ro')
        self.assertIn('computer', self.names(client))
        self.assertIn('<device>', self.xml(client, 'computer'))
        with self.assertRaises(rpc.Error):
            client.call('NODE_DEVICE_RESET', name='computer')
