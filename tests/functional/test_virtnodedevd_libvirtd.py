"""Node devices beside Debian's libvirtd: the same commands of virsh, and the same calls, to it and
to virtnodedevd by each way that clients take: directly, through virtproxyd, and on virtqemud's
connection. They are about the devices of this host, those of a made-up one, and those that come and
go where a udevd runs. Our answers are the same by each way, and libvirtd's but for those that
DIFFERENCES names."""

import itertools
import os
import re
import shutil
import subprocess
import time

import harness
import libvirtd
import made_up_sysfs
import nodedev_case
import rpc
from nodedev_case import ip, link_name

WAYS = {'virtnodedevd': 'nodedev', 'virtproxyd': 'qemu', 'virtqemud': 'qemu'}
# Those that libvirtd 9.0 knows.
CAPABILITIES = ('system', 'pci', 'usb_device', 'usb', 'net', 'scsi_host', 'scsi_target', 'scsi',
                'storage', 'fc_host', 'vports', 'scsi_generic', 'drm', 'mdev_types', 'mdev', 'ccw',
                'css', 'vdpa', 'ap_card', 'ap_queue', 'ap_matrix', 'vpd')
UUID = '83c32df7-d52e-4ec1-9668-1f3c7e4df107'
MDEV = f'mdev_{UUID.replace("-", "_")}_0000_00_02_0'
LO = 'net_lo_00_00_00_00_00_00'
WWN = {'wwnn': '2001001b32a9da4e', 'wwpn': '2101001b32a9da4e'}
# Block devices of this kernel, which other tests use meanwhile.
OTHERS = re.compile(r'^.*\bblock_(loop|zram|ram|nbd|dm|md)[^\n]*\n', re.MULTILINE)

OWN_MDEVCTL_FILES = ('mkdir -p /etc/mdevctl.d; mount -t tmpfs tmpfs /etc/mdevctl.d; '
                     'cd /etc/mdevctl.d; mkdir -p scripts.d/callouts scripts.d/notifiers')

# Command or call: what is in our answer, and why libvirtd's is another one.
DIFFERENCES = {
    'nodedev-dumpxml 2001001b32a9da40,2101001b32a9da40': (
        'no SCSI host with wwnn', 'it does not know why'),
    'look up no host': ('no SCSI host with wwnn', 'it does not know why'),
    'nodedev-define mdev-changed': (
        '^0', 'from level 10.1 on what is defined is changed (virsh, nodedev-define)'),
    f'nodedev-dumpxml {MDEV}': (
        "<parent_addr>0000:00:02.0</parent_addr>\n    <attr name='a' value='1'/>",
        'it tells of an IOMMU group 0 before the device has any'),
    f'nodedev-dumpxml {MDEV} again': (
        "<attr name='b' value='-2'/>", 'it has not been changed there'),
    'nodedev-reattach pci_0000_02_10_2': (
        '^0', "what has not been detached is the host's already"),
    'nodedev-detach pci_0000_02_10_2': (
        "driver vfio-pci cannot be loaded", 'it asks for the driver before it looks at the device'),
    'nodedev-reset pci_0000_02_00_0': (
        "in use by the host's driver igb", 'it resets what the host uses'),
    'nodedev-reset pci_0000_00_04_0': (
        "in use by the host's driver pcieport", 'it looks at what kind it is first'),
    'nodedev-destroy scsi_host5': (
        'Unsupported device type', 'it speaks of a storage pool that has nothing to do with it'),
    'nodedev-destroy scsi_host6': ('Unsupported device type', 'the same'),
    'nodedev-dumpxml net_wl_x_0_00_27_13_6a_fe_51': (
        "<link state='up'/>", 'it prints -1, which is "not known", as an unsigned number'),
    'nodedev-dumpxml scsi_host6': (
        '</wwpn>\n    </capability>', 'no name is left out rather than empty, which is no name'),
    'nodedev-dumpxml usb_1_0_1_0': (
        '<description>Hub</description>', 'it never tells the description'),
}
for _command in ('create', 'define'):
    DIFFERENCES |= {f'nodedev-{_command} {name}': difference for name, difference in {
        'empty': ('Document is empty\n$', 'it prints a null pointer'),
        'empty --validate': ('Document is empty\n$', 'it prints a null pointer'),
        'system': ('Unsupported device type', 'it reads what it will not make first'),
        'mdev-wrong-parent': ("invalid parent device 'computer'", 'it speaks of a file'),
        'mdev-wrong-parent --validate': ("invalid parent device 'computer'", 'it speaks of a file'),
    }.items()}
# The document fails the schema.
INVALID = 'XML document failed to validate against schema: '


def setUpModule():
    if not libvirtd.PROGRAM or not harness.IS_PRIVATE:
        return
    nodedev_case.separate()
    # mdevctl's files are the host's: here they are this file's. Without its folders mdevctl fails,
    # and libvirtd's events of all devices with it.
    nodedev_case.run('sh', '-ec', OWN_MDEVCTL_FILES)


def mdev(inside="<type id='nvidia-11'/>", parent='<parent>pci_0000_00_02_0</parent>', before=''):
    return (f"<device><name>x</name>{before}{parent}<capability type='mdev'>{inside}</capability>"
            '</device>')


def other(kind, inside=''):
    return f"<device><name>x</name><capability type='{kind}'>{inside}</capability></device>"


def port(inside, parent=''):
    return (f"<device><name>x</name>{parent}<capability type='scsi_host'><host>0</host>"
            f"<capability type='fc_host'>{inside}</capability></capability></device>")


# What clients want to have made. None of it can be, on any machine.
DOCUMENTS = {
    'empty': '',
    'broken': '<device>',
    'root': '<nodevice/>',
    'no-capability': '<device><name>x</name></device>',
    'no-name': "<device><capability type='net'><interface>e</interface></capability></device>",
    'no-type': '<device><name>x</name><capability/></device>',
    'unknown-type': other('foo'),
    'net': other('net', '<interface>eth0</interface>'),
    'system': other('system'),
    'mdev-no-type': mdev(''),
    'mdev-no-parent': mdev(parent=''),
    'mdev-empty-parent': mdev(parent='<parent/>'),
    'mdev-unknown-parent': mdev(parent='<parent>nope</parent>'),
    'mdev-wrong-parent': mdev(parent='<parent>computer</parent>'),
    'mdev-bad-uuid': mdev("<type id='x'/><uuid>zz</uuid>"),
    'mdev-extra': mdev(before='<colour/>', parent='<parent>nope</parent>'),
    'port-no-parent': port('<wwnn>2001001b32a9da50</wwnn><wwpn>2101001b32a9da50</wwpn>',
                           '<parent>scsi_host77</parent>'),
    'port-no-name': port('<wwpn>2101001b32a9da50</wwpn>', '<parent>scsi_host77</parent>'),
    'port-no-fc': other('scsi_host', '<host>0</host>'),
}
MADE = {
    'mdev': mdev(f"<type id='nvidia-11'/><uuid>{UUID}</uuid><attr name='a' value='1'/>"),
    'mdev-changed': mdev(f"<type id='nvidia-35'/><uuid>{UUID}</uuid><attr name='b' value='-2'/>"),
}


def about_nobody():
    """Commands that have the same answer whatever devices there are."""
    yield from (['nodedev-list', *words] for words in (
        ['--inactive'], ['--tree', '--cap', 'net'], ['--tree', '--inactive'], ['--cap', 'nope']))
    yield from (['nodedev-dumpxml', name] for name in (
        '', '../../etc', 'a\nb', 'x' * 3000, '2001001b32a9da40,2101001b32a9da40', 'zz,yy'))
    for command in ('dumpxml', 'info', 'destroy', 'undefine', 'start', 'autostart', 'detach',
                    'reattach', 'reset'):
        yield [f'nodedev-{command}', 'nope']
    for command in ('destroy', 'undefine', 'start', 'autostart', 'reattach', 'reset'):
        yield [f'nodedev-{command}', 'computer']
    yield ['nodedev-autostart', 'computer', '--disable']
    yield from (['nodedev-detach', 'computer', '--driver', driver] for driver in ('kvm', 'xen'))
    for command in ('create', 'define'):
        for name in DOCUMENTS:
            yield [f'nodedev-{command}', name]
            yield [f'nodedev-{command}', name, '--validate']
    yield from (['nodedev-event', *words] for words in (
        ['--list'], [], ['--event', 'nope'], ['--event', 'lifecycle', '--device', 'nope']))


def about_all():
    yield from (['nodedev-list', *words] for words in (
        [], ['--all'], ['--tree'], ['--tree', '--all'], ['--cap', ''], ['--cap', 'net,pci'],
        ['--cap', 'net', '--inactive'], ['--cap', 'net', '--all']))
    yield from (['nodedev-list', '--cap', capability] for capability in CAPABILITIES)


def about_each(names):
    for name in names:
        yield ['nodedev-dumpxml', name]
        yield ['nodedev-info', name]


# Of a mediated device that is defined only. It is over at the end.
LIFE = (['nodedev-define', 'mdev'], ['nodedev-list', '--inactive'], ['nodedev-dumpxml', MDEV],
        ['nodedev-info', MDEV], ['nodedev-autostart', MDEV], ['nodedev-info', MDEV],
        ['nodedev-autostart', MDEV, '--disable'], ['nodedev-info', MDEV],
        ['nodedev-define', 'mdev-changed'], ['nodedev-dumpxml', MDEV],
        ['nodedev-destroy', MDEV], ['nodedev-undefine', MDEV])


def calls(names):
    """What virsh has no command for: name to procedure and arguments."""
    yield from ((f'list {flags:x}',
                 ('CONNECT_LIST_ALL_NODE_DEVICES', {'need_results': 1, 'flags': flags}))
                for flags in [1 << bit for bit in range(22)] + [1 << 26, 1 << 30, 1 << 31, 0x3ff])
    yield 'count', ('CONNECT_LIST_ALL_NODE_DEVICES', {'need_results': 0})
    for capability in (None, *CAPABILITIES, 'nope', ''):
        yield f'number of {capability}', ('NODE_NUM_OF_DEVICES', {'cap': capability})
        yield f'names of {capability}', ('NODE_LIST_DEVICES', {'cap': capability, 'maxnames': 99})
    yield from ((f'room for {room}', ('NODE_LIST_DEVICES', {'maxnames': room}))
                for room in (-1, 0, 1 << 16 | 1))
    yield 'number, flags', ('NODE_NUM_OF_DEVICES', {'flags': 1})
    yield 'names, flags', ('NODE_LIST_DEVICES', {'flags': 1})
    yield 'xml, flags', ('NODE_DEVICE_GET_XML_DESC', {'name': 'computer', 'flags': 4})
    yield 'look up a host', ('NODE_DEVICE_LOOKUP_SCSI_HOST_BY_WWN', WWN)
    yield 'look up no host', ('NODE_DEVICE_LOOKUP_SCSI_HOST_BY_WWN', {'wwnn': '1', 'wwpn': '2'})
    yield 'look up, flags', ('NODE_DEVICE_LOOKUP_SCSI_HOST_BY_WWN', {**WWN, 'flags': 1})
    yield 'no such event', ('CONNECT_NODE_DEVICE_EVENT_REGISTER_ANY', {'eventID': 2})
    yield 'no such callback', ('CONNECT_NODE_DEVICE_EVENT_DEREGISTER_ANY', {'callbackID': 99})
    for procedure, args in {'GET_PARENT': {}, 'NUM_OF_CAPS': {}, 'LIST_CAPS': {'maxnames': 9},
                            'IS_ACTIVE': {}, 'IS_PERSISTENT': {}, 'GET_AUTOSTART': {},
                            'LOOKUP_BY_NAME': {}}.items():
        yield from ((f'{procedure} {name}', (f'NODE_DEVICE_{procedure}', {'name': name, **args}))
                    for name in [*names, 'nope'])


@libvirtd.needs_libvirtd
class TestCase(nodedev_case.TestCase):
    timeout_s = 900
    theirs = f'qemu+unix:///system?socket={libvirtd.SOCKET}'

    def start_libvirtd(self, **options):
        daemon = libvirtd.Libvirtd(self.root, **options)
        # A socket that another one has left would be taken for this one's.
        shutil.rmtree('/run/libvirt', ignore_errors=True)
        self.addCleanup(daemon.stop)
        daemon.start()
        self.wait_until_theirs_is_settled()

    def wait_until_theirs_is_settled(self):
        """libvirtd answers while it still fills its list, and the computer is first there."""
        lists = []

        def is_settled():
            if lists:
                time.sleep(0.5)
            lists.append(self.names_here())
            *_, names = lists
            return 'computer' in names and len(names) > 1 and lists[-3:] == [names] * 3

        harness.wait_until(is_settled, "libvirtd's list of devices stays the same", 60)

    def start_others(self):
        """Who routes to self.nodedev; all ways to it."""
        others = self.suite(('virtproxyd', 'virtqemud'))
        self.daemons_by_name = {'virtnodedevd': self.nodedev, **others.daemons}
        self.ours = {name: self.daemons_by_name[name].uri(driver=driver)
                     for name, driver in WAYS.items()}
        self.seen = set()
        for name, text in {**DOCUMENTS, **MADE}.items():
            (self.root / name).write_text(text)

    def answer(self, uri, words):
        """Status and both outputs."""
        result = subprocess.run(['virsh', '-q', '-c', uri, *words], stdin=subprocess.DEVNULL,
                                cwd=self.root, text=True, capture_output=True, timeout=120)
        return result.returncode, OTHERS.sub('', result.stdout), result.stderr

    def names_here(self):
        return self.answer(self.theirs, ['nodedev-list', '--all'])[1].split()

    def compare(self, commands):
        for words in commands:
            name = ' '.join(words)[:100]
            ours = [self.answer(uri, words) for uri in self.ours.values()]
            self.compare_one(name, ours, self.answer(self.theirs, words))

    def compare_one(self, name, ours, theirs):
        """ours: the same by each way."""
        with self.subTest(name):
            self.assertNotIn(name, self.seen)
            self.seen.add(name)
            self.assertEqual([ours[0]] * len(ours), ours)
            pattern, _ = DIFFERENCES.get(name, (None, None))
            if pattern is not None:
                self.assertNotEqual(ours[0], theirs)
                self.assertRegex(' '.join(map(str, ours[0])), pattern)
            elif INVALID in str(theirs):
                # What is wrong with a document each says in words of its own.
                self.assertIn(INVALID, str(ours[0]))
            else:
                self.assertEqual(ours[0], theirs)


class Here(TestCase):
    """The devices of this host, where no udevd runs."""

    def make_links(self):
        for words in (['add', 'va0', 'address', '52:54:00:00:00:01', 'type', 'veth', 'peer', 'name',
                       'va1', 'address', '52:54:00:00:00:02'],
                      ['add', 'ifb7', 'address', '52:54:00:00:00:03', 'type', 'ifb'],
                      ['add', 'br7', 'type', 'bridge'],
                      ['add', 'link', 'va0', 'name', 'mvt0', 'address', '52:54:00:00:00:04', 'type',
                       'macvtap'],
                      ['set', 'va0', 'up'], ['set', 'va1', 'up']):
            ip('link', *words)
        for name in ('va0', 'ifb7', 'br7'):
            self.addCleanup(ip, 'link', 'del', name)
        harness.wait_until(lambda: 'state UP' in ip('link', 'show', 'va0'), 'the link is up')

    def test_commands(self):
        self.make_links()
        self.start_libvirtd()
        self.nodedevd()
        self.start_others()
        self.compare(about_nobody())
        self.compare(about_all())
        self.assertGreater(len(self.seen), 100)
        names = self.names_here()
        self.assertIn(link_name('mvt0', '52:54:00:00:00:04'), names)
        self.compare(about_each(names))
        self.compare([f'nodedev-{command}', LO] for command in (
            'destroy', 'undefine', 'start', 'autostart', 'detach', 'reattach', 'reset'))
        # With no udevd to tell it, libvirtd stays with what it has seen at its start.
        ip('link', 'add', 'ifb8', 'address', '52:54:00:00:00:08', 'type', 'ifb')
        self.addCleanup(ip, 'link', 'del', 'ifb8')
        new = link_name('ifb8', '52:54:00:00:00:08')
        for uri in self.ours.values():
            harness.wait_until(lambda: self.answer(uri, ['nodedev-info', new])[0] == 0,
                               'the new link is there')
        self.assertNotEqual(self.answer(self.theirs, ['nodedev-info', new])[0], 0)


@harness.unittest.skipUnless(os.path.exists('/usr/bin/mdevctl'), 'mdevctl is not installed')
class MadeUp(TestCase):
    """A server's devices with what udev knows of them, and what mdevctl keeps."""

    def wrapper(self, folder):
        """In front of libvirtd: a made-up machine, and files of mdevctl of its own. Its libudev
        looks whether /sys is one, and it looks for the nodes of data paths."""
        sysfs = made_up_sysfs.server(folder / 'sys')
        made_up_sysfs.udev_records(folder / 'udev')
        script = (f'mount --bind {sysfs.root} /sys; mkdir -p /run/udev/data; '
                  f'mount --bind {folder}/udev /run/udev/data; '
                  f'mkdir {folder}/up {folder}/work; mount -t overlay overlay '
                  f'-o lowerdir=/dev,upperdir={folder}/up,workdir={folder}/work /dev; '
                  f'touch /dev/vhost-vdpa-0; {OWN_MDEVCTL_FILES}; cd /; '
                  'SYSTEMD_DEVICE_VERIFY_SYSFS=0 exec "$0" "$@"')
        return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', script]

    def start_all(self):
        self.start_libvirtd(wrapper=self.wrapper(self.root / 'theirs'))
        self.made_up('server', with_udev=True)
        self.start_others()

    def answer(self, uri, words):
        """Members of an IOMMU group come in the order of a folder, which is any."""
        status, output, errors = super().answer(uri, words)
        return status, nodedev_case.in_order(output), errors

    def test_commands(self):
        self.start_all()
        self.compare(about_all())
        self.compare(about_each(self.names_here()))
        self.compare_lives()
        self.compare([f'nodedev-{command}', name] for command, name in (
            ('detach', 'pci_0000_02_10_2'), ('reattach', 'pci_0000_02_10_2'),
            ('reset', 'pci_0000_00_05_0'), ('reset', 'pci_0000_02_00_0'),
            ('reset', 'pci_0000_00_04_0'), ('destroy', 'scsi_host5'), ('destroy', 'scsi_host6'),
            ('destroy', 'scsi_host0'), ('destroy', 'pci_0000_00_05_0'),
            ('undefine', 'scsi_host5'), ('start', 'scsi_host5'), ('autostart', 'scsi_host5')))
        names = self.names_here()
        answers = [self.answers_to_calls(self.daemons_by_name[way].socket(),
                                         f'{WAYS[way]}:///system', names) for way in WAYS]
        theirs = self.answers_to_calls(libvirtd.SOCKET, 'qemu:///system', names)
        for name, answer in theirs.items():
            self.compare_one(name, [of_way[name] for of_way in answers], answer)

    def compare_lives(self):
        """A life for each way, one after the other."""
        lives = []
        for uri in [*self.ours.values(), self.theirs]:
            lives.append([self.answer(uri, words) for words in LIFE])
            # Of what has been undefined libvirtd learns some time later.
            harness.wait_until(lambda: not self.answer(uri, ['nodedev-list', '--inactive'])[1],
                               'nothing is defined')
        for number, words in enumerate(LIFE):
            name = ' '.join(words)
            while name in self.seen:
                name += ' again'
            answers = [life[number] for life in lives]
            self.compare_one(name, answers[:-1], answers[-1])

    @staticmethod
    def answers_to_calls(path, uri, names):
        answers = {}
        with rpc.Client(path, timeout_s=60) as client:
            client.auth_list()
            client.open(uri)
            for name, (procedure, args) in calls(names):
                try:
                    result = client.call(procedure, **args)
                except rpc.Error as error:
                    result = ['error', error.code, error.domain, error.message]
                else:
                    # libvirtd's order is that of a hash table.
                    result = [sorted(value, key=str) if isinstance(value, list) else value
                              for value in result.values()]
                answers[name] = result
        return answers


EVENTS = ('lifecycle', 'update')


@harness.unittest.skipUnless(nodedev_case.UDEVADM, 'no udevd is installed')
class Events(TestCase):
    """What is told of links that come, change and go where a udevd runs."""

    def watch_with_virsh(self, uri, event):
        output = open(self.root / f'events.{len(self.outputs)}', 'w+b')
        self.addCleanup(output.close)
        self.outputs.append(output)
        watcher = subprocess.Popen(['virsh', '-q', '-c', uri, 'nodedev-event', '--event', event,
                                    '--loop', '--timeout', '600'],
                                   stdin=subprocess.DEVNULL, stdout=output)
        self.addCleanup(watcher.wait)
        self.addCleanup(watcher.kill)

    @staticmethod
    def text_of(output):
        output.seek(0)
        return output.read().decode()

    def lines_of(self, output, name):
        return [line for line in self.text_of(output).splitlines() if name in line]

    def wait_told(self, event, text):
        """Every watcher of the event has said so."""
        harness.wait_until(lambda: all(text in self.text_of(output) for output in
                                       self.outputs[EVENTS.index(event)::len(EVENTS)]), text)

    @staticmethod
    def change(interface):
        with open(f'/sys/class/net/{interface}/uevent', 'w', encoding='ascii') as uevent:
            uevent.write('change')

    def wait_for_watchers(self):
        """They do not say when they have registered: links come until each has seen one. What is
        gone before anybody has looked at it was never there."""
        numbers = itertools.count()

        def all_see_one():
            name = f'first{next(numbers)}'
            ip('link', 'add', name, 'type', 'ifb')
            self.addCleanup(ip, 'link', 'del', name)
            self.change(name)
            time.sleep(0.2)
            return all('net_first' in self.text_of(output) for output in self.outputs)

        harness.wait_until(all_see_one, 'every watcher tells of a link')

    def test_events(self):
        nodedev_case.start_udevd(self)
        self.start_libvirtd()
        self.nodedevd()
        self.start_others()
        self.outputs = []
        for uri in [*self.ours.values(), self.theirs]:
            for event in EVENTS:
                self.watch_with_virsh(uri, event)
        self.wait_for_watchers()
        ip('link', 'add', 'ub0', 'address', '52:54:00:00:00:01', 'type', 'veth', 'peer', 'name',
           'ub1', 'address', '52:54:00:00:00:02')
        self.wait_told('lifecycle', 'net_ub0_52_54_00_00_00_01: Created')
        self.change('ub0')
        self.wait_told('update', 'net_ub0_52_54_00_00_00_01')
        self.wait_told('lifecycle', 'net_ub1_52_54_00_00_00_02: Created')
        ip('link', 'set', 'ub1', 'name', 'ub2')
        self.wait_told('lifecycle', 'net_ub2_52_54_00_00_00_02: Created')
        ip('link', 'del', 'ub0')
        for name in ('ub0_52_54_00_00_00_01', 'ub2_52_54_00_00_00_02'):
            self.wait_told('lifecycle', f'net_{name}: Deleted')
        for name in ('net_ub0', 'net_ub1', 'net_ub2'):
            for first, event in enumerate(EVENTS):
                # A busy libvirtd has told of a rename and the end behind it in the other order.
                *ours, theirs = [sorted(self.lines_of(output, name))
                                 for output in self.outputs[first::len(EVENTS)]]
                self.compare_one(f'{event} of {name}', ours, theirs)
        self.assertEqual(len(self.lines_of(self.outputs[-2], 'net_ub')), 6)

