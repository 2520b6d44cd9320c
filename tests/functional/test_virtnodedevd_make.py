"""Making devices and giving them away: mediated devices by mdevctl, virtual ports, and PCI devices
that are bound to vfio-pci. The machine is made up; what its kernel would do is done by
mdevctl_stand_in.py and by Kernel below."""

import ctypes
import os
import struct
import subprocess
import threading
import time
from pathlib import Path

import hanging_fs
import harness
import made_up_sysfs
import nodedev_case
from nodedev_case import (CONFIG_UNSUPPORTED, CREATED, DEFINED, DELETED, INVALID_ARG,
                          NO_NODE_DEVICE, OPERATION_INVALID, UNDEFINED)

INTERNAL_ERROR, XML_ERROR, XML_DETAIL, SYSTEM_ERROR, ARGUMENT_UNSUPPORTED, OPERATION_UNSUPPORTED, \
    INVALID_SCHEMA, OPERATION_FAILED = 1, 27, 35, 38, 74, 84, 92, 9
UPDATE = 1
LIVE, CONFIG = 1, 2
INACTIVE = 1 << 30
UUID = '83c32df7-d52e-4ec1-9668-1f3c7e4df107'
OTHER = '93c32df7-d52e-4ec1-9668-1f3c7e4df107'
NAME = f'mdev_{UUID.replace("-", "_")}_0000_00_02_0'
ACTIVE = f'mdev_{made_up_sysfs.MDEV.replace("-", "_")}_0000_00_02_0'
PCI = 'pci_0000_02_00_0'
PCI_PATH = 'devices/pci0000:00/0000:00:04.0/0000:02:00.0'


def setUpModule():
    nodedev_case.separate()


def mdev(uuid=UUID, kind='nvidia-11', parent='pci_0000_00_02_0', attrs=(('a', '1'),)):
    return ('<device>' + (f'<parent>{parent}</parent>' if parent else '')
            + "<capability type='mdev'>" + (f"<type id='{kind}'/>" if kind else '')
            + (f'<uuid>{uuid}</uuid>' if uuid else '')
            + ''.join(f"<attr name='{name}' value='{value}'/>" for name, value in attrs)
            + '</capability></device>')


def vport(wwnn='2001001b32a9da50', wwpn='2101001b32a9da50', parent='<parent>scsi_host5</parent>'):
    return (f"<device>{parent}<capability type='scsi_host'><capability type='fc_host'>"
            f'<wwnn>{wwnn}</wwnn><wwpn>{wwpn}</wwpn></capability></capability></device>')


class TestCase(nodedev_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start()
        self.rpc = self.client()

    def start(self, **options):
        return self.made_up('server', **options)

    def create(self, xml, **args):
        return self.rpc.call('NODE_DEVICE_CREATE_XML', xml_desc=xml, **args)['dev']['name']

    def define(self, xml, **args):
        return self.rpc.call('NODE_DEVICE_DEFINE_XML', xml_desc=xml, **args)['dev']['name']

    def refuses(self, code, pattern, procedure, **args):
        self.assert_fails(code, pattern, self.rpc, 'NODE_DEVICE_' + procedure, **args)


@harness.unittest.skipUnless(os.path.exists('/usr/bin/mdevctl'), 'mdevctl is not installed')
class Mediated(TestCase):
    def start(self):
        # mdevctl's files are the host's: here they are this test's.
        nodedev_case.run('mount', '-t', 'tmpfs', 'tmpfs', '/etc/mdevctl.d')
        self.addCleanup(nodedev_case.run, 'umount', '/etc/mdevctl.d')
        for folder in ('callouts', 'notifiers'):
            os.makedirs(f'/etc/mdevctl.d/scripts.d/{folder}')
        tools = self.root / 'tools'
        tools.mkdir()
        (tools / 'mdevctl').symlink_to(Path(__file__).parent / 'mdevctl_stand_in.py')
        return self.made_up('server', env={'PATH': f'{tools}:{os.environ["PATH"]}',
                                           'MADE_UP_SYS': str(self.root / 'made-up/sys')})

    def state(self, name=NAME):
        """Active, persistent, autostarted."""
        return (self.rpc.call('NODE_DEVICE_IS_ACTIVE', name=name)['active'],
                self.rpc.call('NODE_DEVICE_IS_PERSISTENT', name=name)['persistent'],
                self.rpc.call('NODE_DEVICE_GET_AUTOSTART', name=name)['autostart'])

    def event(self):
        name, fields = self.rpc.next_event()
        return fields['dev']['name'], fields.get('event', 'update')

    def test_defined_device_is_listed_and_described(self):
        self.watch(self.rpc)
        self.assertEqual(self.define(mdev()), NAME)
        self.assertEqual(self.event(), (NAME, DEFINED))
        self.assertEqual(self.state(), (0, 1, 0))
        self.assertEqual(self.names(self.rpc, INACTIVE), [NAME])
        self.assertEqual(self.rpc.call('NODE_DEVICE_GET_PARENT', name=NAME)['parentName'],
                         'pci_0000_00_02_0')
        xml = self.xml(self.rpc, NAME)
        self.assertEqual(xml, self.xml(self.rpc, NAME, flags=1))
        self.assertIn("<attr name='a' value='1'/>", xml)
        self.assertIn(f'<uuid>{UUID}</uuid>', xml)

    def test_life_of_a_persistent_device(self):
        self.define(mdev())
        self.watch(self.rpc)
        self.rpc.call('NODE_DEVICE_CREATE', name=NAME)
        self.assertEqual(self.event(), (NAME, CREATED))
        self.assertEqual(self.state(), (1, 1, 0))
        self.refuses(OPERATION_INVALID, 'already active', 'CREATE', name=NAME)
        self.rpc.call('NODE_DEVICE_DESTROY', name=NAME)
        self.assertEqual(self.event(), (NAME, DELETED))
        self.assertEqual(self.state(), (0, 1, 0))
        self.refuses(OPERATION_INVALID, f"'{NAME}' is not active", 'DESTROY', name=NAME)
        self.rpc.call('NODE_DEVICE_UNDEFINE', name=NAME)
        self.assertEqual(self.event(), (NAME, UNDEFINED))
        self.assertNotIn(NAME, self.names(self.rpc))

    def test_active_device_that_is_undefined_stays_until_its_end(self):
        self.define(mdev())
        self.rpc.call('NODE_DEVICE_CREATE', name=NAME)
        self.rpc.call('NODE_DEVICE_UNDEFINE', name=NAME)
        self.assertEqual(self.state(), (1, 0, 0))
        self.refuses(OPERATION_INVALID, 'is not defined', 'UNDEFINE', name=NAME)
        self.refuses(OPERATION_INVALID, 'transient device', 'SET_AUTOSTART', name=NAME, autostart=1)
        self.rpc.call('NODE_DEVICE_DESTROY', name=NAME)
        self.assertNotIn(NAME, self.names(self.rpc))

    def test_active_device_becomes_persistent(self):
        self.assertEqual(self.state(ACTIVE), (1, 0, 0))
        self.assertEqual(self.define(mdev(uuid=made_up_sysfs.MDEV)), ACTIVE)
        self.assertEqual(self.state(ACTIVE), (1, 1, 0))
        self.assertIn("<attr name='a'", self.xml(self.rpc, ACTIVE))

    def test_transient_device(self):
        name = self.create(mdev(uuid=None))
        self.assertRegex(name, '^mdev_[0-9a-f_]{36}_0000_00_02_0$')
        self.assertEqual(self.state(name), (1, 0, 0))
        self.rpc.call('NODE_DEVICE_DESTROY', name=name)
        self.assertNotIn(name, self.names(self.rpc))

    def test_autostart(self):
        self.define(mdev())
        self.watch(self.rpc, UPDATE)
        for value in (1, 0):
            self.rpc.call('NODE_DEVICE_SET_AUTOSTART', name=NAME, autostart=value)
            self.assertEqual(self.event(), (NAME, 'update'))
            self.assertEqual(self.state()[2], value)

    def test_definition_is_changed(self):
        self.define(mdev(attrs=(('a', '1'), ('b', '2'))))
        self.rpc.call('NODE_DEVICE_SET_AUTOSTART', name=NAME, autostart=1)
        self.watch(self.rpc, UPDATE)
        self.rpc.call('NODE_DEVICE_UPDATE', name=NAME, flags=CONFIG,
                      xml_desc=mdev(kind='nvidia-35', attrs=(('c', '-3'),)))
        self.assertEqual(self.event(), (NAME, 'update'))
        xml = self.xml(self.rpc, NAME)
        self.assertIn("<type id='nvidia-35'/>", xml)
        self.assertEqual(xml.count('<attr'), 1)
        self.assertIn("<attr name='c' value='-3'/>", xml)
        self.assertEqual(self.state()[2], 1)

    def test_defining_again_changes(self):
        self.define(mdev())
        self.assertEqual(self.define(mdev(attrs=())), NAME)
        self.assertNotIn('<attr', self.xml(self.rpc, NAME))

    def test_update_of_another_device_is_refused(self):
        self.define(mdev())
        for xml in (mdev(uuid=OTHER), mdev(uuid=None)):
            self.refuses(CONFIG_UNSUPPORTED, 'cannot be changed', 'UPDATE', name=NAME,
                         xml_desc=xml, flags=CONFIG)
        self.refuses(OPERATION_INVALID, 'is not active', 'UPDATE', name=NAME, xml_desc=mdev(),
                     flags=LIVE)
        self.refuses(OPERATION_INVALID, 'is not defined', 'UPDATE', name=ACTIVE, flags=CONFIG,
                     xml_desc=mdev(uuid=made_up_sysfs.MDEV))
        self.refuses(CONFIG_UNSUPPORTED, 'Unsupported device type', 'UPDATE', name='computer',
                     xml_desc=mdev())

    def test_what_others_do_with_mdevctl_is_seen(self):
        self.watch(self.rpc)
        words = ['-u', UUID, '-p', '0000:00:02.0']
        nodedev_case.run('mdevctl', 'define', *words, '-t', 'nvidia-11', '--auto')
        self.assertEqual(self.event(), (NAME, DEFINED))
        self.assertEqual(self.state(), (0, 1, 1))
        nodedev_case.run('mdevctl', 'undefine', *words)
        self.assertEqual(self.event(), (NAME, UNDEFINED))

    def test_definitions_are_there_after_a_restart(self):
        self.define(mdev())
        self.nodedev.kill()
        # A child that it was just starting has its sockets until it is another program.
        harness.wait_until(lambda: not harness.is_listening(self.nodedev.socket()),
                           'nobody listens')
        self.nodedev.start()
        self.rpc = self.client()
        self.wait_listed(self.rpc, NAME)
        self.assertEqual(self.state(), (0, 1, 0))

    def test_words_of_mdevctl_reach_the_client(self):
        self.refuses(INTERNAL_ERROR, 'start mediated device: .*does not support mdev type nope',
                     'CREATE_XML', xml_desc=mdev(kind='nope'))

    def test_options_in_values_are_values(self):
        self.define(mdev(kind='--auto', attrs=(('--live', '--jsonfile=/etc/shadow'),)))
        self.rpc.call('NODE_DEVICE_UPDATE', name=NAME, flags=CONFIG,
                      xml_desc=mdev(kind='-x', attrs=(('--auto', '-m'),)))
        self.assertEqual(self.state(), (0, 1, 0))
        self.assertIn("<attr name='--auto' value='-m'/>", self.xml(self.rpc, NAME))


class WithoutMdevctl(TestCase):
    def start(self):
        return self.made_up('server', env={'PATH': '/nonexistent'}, args=[])

    def made_up(self, machine, env=None, **options):
        daemon = super().made_up(machine, **options, start=False)
        daemon.wrapper[-1] = daemon.wrapper[-1].replace('exec', f'PATH={env["PATH"]} exec')
        return daemon.start()

    def test_missing_program_is_named(self):
        for procedure in ('CREATE_XML', 'DEFINE_XML'):
            self.refuses(OPERATION_UNSUPPORTED, 'mdevctl is not installed', procedure,
                         xml_desc=mdev())
        self.assertIn(ACTIVE, self.names(self.rpc))


class Documents(TestCase):
    def test_what_is_wrong_is_said(self):
        no_type = "<device><capability type='net'/></device>"
        for xml, code, pattern in (
                ('', XML_DETAIL, 'node_device_definition'),
                ('<a>', XML_DETAIL, 'node_device_definition'),
                ('<a/>', XML_ERROR, "expecting root element of 'device', not 'a'"),
                ('<device><name>x</name></device>', INTERNAL_ERROR,
                 "no device capabilities for 'new device'"),
                ("<device><capability type='foo'/></device>", XML_ERROR,
                 "Invalid value for attribute 'type' in element 'capability': 'foo'"),
                ('<device><capability/></device>', XML_ERROR, 'type'),
                (no_type, CONFIG_UNSUPPORTED, 'Unsupported device type'),
                (mdev(kind=None), CONFIG_UNSUPPORTED,
                 "missing type id attribute for 'new device'"),
                (mdev(uuid='zz'), INTERNAL_ERROR, "Invalid uuid 'zz' for new mdev device"),
                (mdev(parent=None), CONFIG_UNSUPPORTED, 'missing parent device'),
                (mdev(parent='nope'), CONFIG_UNSUPPORTED, "invalid parent device 'nope'"),
                (mdev(parent='net_downed_00_27_13_6a_fe_52'), CONFIG_UNSUPPORTED,
                 'invalid parent device'),
                (mdev(attrs=(('../../power', '1'),)), XML_ERROR, 'is no name of an attribute'),
                (mdev(parent='x' * 1000000), CONFIG_UNSUPPORTED, 'invalid parent device')):
            for procedure in ('CREATE_XML', 'DEFINE_XML'):
                with self.subTest(xml=xml[:60], procedure=procedure):
                    self.refuses(code, pattern, procedure, xml_desc=xml)

    def test_strict_documents(self):
        extra = mdev().replace('<capability', '<colour/><capability')
        self.refuses(INVALID_SCHEMA, "'colour' is not known in element 'device'", 'CREATE_XML',
                     xml_desc=extra, flags=1)

    def test_unknown_flags(self):
        for procedure in ('CREATE_XML', 'DEFINE_XML'):
            self.refuses(INVALID_ARG, 'unsupported flags', procedure, xml_desc=mdev(), flags=2)
        for procedure in ('UNDEFINE', 'CREATE', 'DETACH_FLAGS'):
            self.refuses(INVALID_ARG, 'unsupported flags', procedure, name=ACTIVE, flags=1)

    def test_devices_that_are_not_made(self):
        for procedure in ('DESTROY', 'UNDEFINE'):
            self.refuses(CONFIG_UNSUPPORTED, 'Unsupported device type', procedure, name='computer')
        self.refuses(OPERATION_UNSUPPORTED, 'Unsupported device type', 'SET_AUTOSTART',
                     name='computer', autostart=1)
        self.refuses(OPERATION_INVALID, 'already active', 'CREATE', name='computer')
        self.refuses(NO_NODE_DEVICE, 'nope', 'CREATE', name='nope')


class PortCase(TestCase):
    def fc_host(self, name):
        return (self.sysfs.root / f'devices/pci0000:00/0000:00:07.0/host5/fc_host/host5/{name}'
                ).read_text().strip()

    def add_port(self, wwnn, wwpn, name='host9'):
        path = f'pci0000:00/0000:00:07.0/host5/vport-5:0-0/{name}'
        self.sysfs.device(f'{path}/fc_host/{name}', 'fc_host', is_class=True,
                          node_name=f'0x{wwnn}', port_name=f'0x{wwpn}', fabric_name='0x0')
        self.sysfs.device(path, 'scsi', uevent={'DEVTYPE': 'scsi_host'})


class Ports(PortCase):
    def answer(self, wwnn, wwpn):
        """What the kernel does when something is written to vport_create."""
        def act():
            harness.wait_until(lambda: self.fc_host('vport_create'), 'a port is asked for')
            self.add_port(wwnn, wwpn)

        thread = threading.Thread(target=act)
        thread.start()
        self.addCleanup(thread.join)

    def test_port_is_made_and_removed(self):
        self.answer('2001001b32a9da50', '2101001b32a9da50')
        self.assertEqual(self.create(vport()), 'scsi_host9')
        self.assertEqual(self.fc_host('vport_create'), '2101001b32a9da50:2001001b32a9da50')
        self.refuses(OPERATION_FAILED, 'exists already', 'CREATE_XML', xml_desc=vport())
        self.rpc.call('NODE_DEVICE_DESTROY', name='scsi_host9')
        self.assertEqual(self.fc_host('vport_delete'), '2101001b32a9da50:2001001b32a9da50')

    def test_parent_by_its_names(self):
        for parent in ("<parent wwnn='2001001b32a9da4e' wwpn='2101001b32a9da4e'/>",
                       "<parent fabric_wwn='2001001b32a9da4f'/>", ''):
            self.sysfs.write('devices/pci0000:00/0000:00:07.0/host5/fc_host/host5/vport_create', b'')
            self.answer('2001001b32a9da50', '2101001b32a9da50')
            self.assertEqual(self.create(vport(parent=parent)), 'scsi_host9')
            self.rpc.call('NODE_DEVICE_DESTROY', name='scsi_host9')
            for name in ('bus/scsi/devices/host9', 'class/fc_host/host9'):
                (self.sysfs.root / name).unlink()
            self.refuses(CONFIG_UNSUPPORTED, 'Unsupported device type', 'DESTROY',
                         name='scsi_host6')
            harness.shutil.rmtree(self.sysfs.root
                                  / 'devices/pci0000:00/0000:00:07.0/host5/vport-5:0-0')
            # Nothing of a made-up machine tells that it is gone.
            self.nodedev.kill()
            self.nodedev.start()
            self.rpc = self.client()

    def test_hosts_that_cannot(self):
        for parent in ('<parent>scsi_host6</parent>', '<parent>scsi_host77</parent>',
                       "<parent wwnn='1' wwpn='2'/>", "<parent fabric_wwn='3'/>"):
            self.refuses(INTERNAL_ERROR, 'Could not find parent device', 'CREATE_XML',
                         xml_desc=vport(parent=parent))
        self.refuses(XML_ERROR, "'xyz' is no world wide name", 'CREATE_XML',
                     xml_desc=vport(wwpn='xyz'))
        self.refuses(CONFIG_UNSUPPORTED, 'Unsupported device type', 'DESTROY', name='scsi_host5')


class Listings:
    """How often a folder has been listed since."""

    OPEN, CLOSE = 0x20, 0x10
    SIZE = struct.calcsize('iIII')

    def __init__(self, folder):
        libc = ctypes.CDLL(None)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert libc.inotify_add_watch(self.fd, os.fsencode(folder), self.OPEN | self.CLOSE) >= 0
        self.number = 0

    def close(self):
        os.close(self.fd)

    def count(self):
        try:
            events = os.read(self.fd, 65536)
        except BlockingIOError:
            return self.number
        while events:
            _, mask, _, length = struct.unpack_from('iIII', events)
            # Events of what is in the folder have a name.
            self.number += bool(mask & self.OPEN and not length)
            events = events[self.SIZE + length:]
        return self.number


@harness.unittest.skipUnless(hanging_fs.IS_THERE, 'needs /dev/fuse')
class Turns(PortCase):
    """Looks at all devices, one of which can be made to take its time."""

    def start(self):
        self.far = self.enterContext(hanging_fs.HangingFs(self.root / 'far'))
        return super().start()

    def setUp(self):
        super().setUp()
        # The answer comes after the first look.
        self.assertIn('scsi_host5', self.names(self.rpc))
        uevent = self.sysfs.root / 'devices/virtual/net/downed/uevent'
        uevent.unlink()
        uevent.symlink_to(self.far.disk)
        self.looks = Listings(self.sysfs.root / 'class/net')
        self.addCleanup(self.looks.close)
        self.made = []

    def make_port(self, number):
        """A thread that asks for a port, which is there already, up to the look at all devices."""
        names = f'2001001b32a9da{number:02x}', f'2101001b32a9da{number:02x}'
        self.add_port(*names, f'host{number}')
        client = self.client()

        def call():
            reply = client.call('NODE_DEVICE_CREATE_XML', xml_desc=vport(*names))
            self.made.append(reply['dev']['name'])

        thread = threading.Thread(target=call)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.far.go_on)
        harness.wait_until(lambda: self.fc_host('vport_create') == ':'.join(reversed(names)),
                           'the port is asked for')
        return thread

    def test_one_look_at_a_time_and_one_more_for_all_who_ask_meanwhile(self):
        self.far.hang()
        threads = [self.make_port(10)]
        harness.wait_until(lambda: self.looks.count() == 1, 'a look is under way')
        threads += [self.make_port(number) for number in (11, 12, 13)]
        # Another's device, for which a thread is needed, as for looks.
        self.assertIn('<host>5</host>', self.xml(self.rpc, 'scsi_host5'))
        self.assertEqual((self.looks.count(), self.made), (1, []))
        self.far.go_on()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(self.made), [f'scsi_host{number}' for number in range(10, 14)])
        self.assertEqual(self.looks.count(), 2)


class Kernel(threading.Thread):
    """The kernel's side of binding PCI devices, for a made-up machine."""

    def __init__(self, sysfs, binds=True):
        """binds: whether vfio-pci does."""
        super().__init__(daemon=True)
        self.sysfs, self.binds = sysfs, binds
        self.own = (sysfs.root / PCI_PATH / 'driver').resolve().name
        self.must_stop = threading.Event()
        sysfs.write('bus/pci/drivers_probe', b'')
        for driver in ('igb', 'vfio-pci'):
            for name in ('bind', 'unbind'):
                sysfs.write(f'bus/pci/drivers/{driver}/{name}', b'')

    def take(self, name):
        path = self.sysfs.root / name
        text = path.read_text() if path.exists() else ''
        if text:
            path.write_text('')
        return text

    def run(self):
        device = self.sysfs.root / PCI_PATH
        while not self.must_stop.is_set():
            # Taken in the reverse of the order in which they are written.
            binds = [driver for driver in ('igb', 'vfio-pci')
                     if self.take(f'bus/pci/drivers/{driver}/bind')]
            is_probed = self.take('bus/pci/drivers_probe')
            for driver in ('igb', 'vfio-pci'):
                if self.take(f'bus/pci/drivers/{driver}/unbind'):
                    (device / 'driver').unlink(missing_ok=True)
            override = (device / 'driver_override').read_text().strip().replace('(null)', '')
            if is_probed:
                self.bind(override or self.own)
            for driver in binds:
                # A driver binds what it is for, and what is meant for it.
                if override == driver or not override and driver == self.own:
                    self.bind(driver)
            time.sleep(0.005)

    def bind(self, driver):
        if self.binds or driver != 'vfio-pci':
            self.sysfs.link(f'{PCI_PATH}/driver', f'bus/pci/drivers/{driver}')

    def stop(self):
        self.must_stop.set()
        self.join()


class Assigned(TestCase):
    def kernel(self, **options):
        kernel = Kernel(self.sysfs, **options)
        kernel.start()
        self.addCleanup(kernel.stop)

    def driver(self):
        link = self.sysfs.root / PCI_PATH / 'driver'
        return link.resolve().name if link.exists() else None

    def wait_for_own_driver(self):
        """A device without a driver is the host's too, so nobody waits for one."""
        harness.wait_until(lambda: self.driver() == 'igb', 'the device is bound to its driver')

    def test_device_is_detached_and_reattached(self):
        self.kernel()
        for driver in (None, 'vfio', 'vfio-pci'):
            self.rpc.call('NODE_DEVICE_DETACH_FLAGS', name=PCI, driverName=driver)
            self.assertEqual(self.driver(), 'vfio-pci')
            self.assertIn('<name>vfio-pci</name>', self.xml(self.rpc, PCI))
            self.rpc.call('NODE_DEVICE_RE_ATTACH', name=PCI)
            self.wait_for_own_driver()
        self.rpc.call('NODE_DEVICE_DETTACH', name=PCI)
        self.assertEqual(self.driver(), 'vfio-pci')

    def test_both_may_be_done_twice(self):
        self.kernel()
        self.rpc.call('NODE_DEVICE_RE_ATTACH', name=PCI)
        self.assertEqual(self.driver(), 'igb')
        for _ in range(2):
            self.rpc.call('NODE_DEVICE_DETTACH', name=PCI)
        self.assertEqual(self.driver(), 'vfio-pci')

    def override(self):
        return (self.sysfs.root / PCI_PATH / 'driver_override').read_text().strip()

    def test_device_that_is_not_bound_is_given_back(self):
        self.kernel(binds=False)
        for override in ('', 'igb'):
            self.sysfs.write(f'{PCI_PATH}/driver_override', override or '(null)')
            self.refuses(OPERATION_FAILED, '0000:02:00.0 cannot be bound to vfio-pci, and is as it '
                         'was before: it did not bind in 5 s', 'DETTACH', name=PCI)
            self.assertEqual(self.override(), override)
            self.wait_for_own_driver()
        self.assertIn('<name>igb</name>', self.xml(self.rpc, PCI))

    def test_device_that_the_kernel_keeps_is_as_it_was(self):
        self.kernel()
        (self.sysfs.root / 'bus/pci/drivers/igb/unbind').unlink()
        self.refuses(OPERATION_FAILED, '0000:02:00.0 cannot be bound to vfio-pci, and is as it was '
                     'before: cannot open .*driver/unbind', 'DETTACH', name=PCI)
        self.assertEqual((self.driver(), self.override()), ('igb', ''))

    def test_device_that_cannot_be_given_back_is_said(self):
        self.kernel(binds=False)
        (self.sysfs.root / 'bus/pci/drivers/igb/bind').unlink()
        self.refuses(OPERATION_FAILED, r'0000:02:00.0 cannot be bound to vfio-pci \(it did not bind '
                     r'in 5 s\), nor given back to igb: cannot open', 'DETTACH', name=PCI)
        self.assertEqual(self.override(), '')

    def add_node(self, name):
        """A made-up node below /dev/vfio, with the folders that it needs."""
        node = Path('/dev/vfio') / name
        for folder in (Path('/dev/vfio'), node.parent):
            if not folder.exists():
                folder.mkdir()
                self.addCleanup(folder.rmdir)
        node.touch()
        self.addCleanup(node.unlink)
        return node

    def check_in_use(self, node):
        """By a process that has the node open; afterwards no more."""
        self.rpc.call('NODE_DEVICE_DETTACH', name=PCI)
        self.sysfs.write(f'{PCI_PATH}/reset', b'')
        # The daemon sees only into processes that may do no more than itself.
        with subprocess.Popen(['setpriv', '--bounding-set=-all', '--inh-caps=-all', 'sh', '-c',
                               f'exec 3<{node}; echo ready; exec cat'],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as guest:
            guest.stdout.readline()
            for procedure in ('RE_ATTACH', 'RESET'):
                self.refuses(OPERATION_INVALID, f'0000:02:00.0 is in use: process {guest.pid} has '
                             f'{node} of its IOMMU group open', procedure, name=PCI)
            guest.stdin.close()
        self.rpc.call('NODE_DEVICE_RESET', name=PCI)
        self.rpc.call('NODE_DEVICE_RE_ATTACH', name=PCI)
        self.wait_for_own_driver()

    def test_device_in_use_by_a_guest_is_not_taken_from_it(self):
        self.kernel()
        self.check_in_use(self.add_node('12'))

    def test_device_in_use_through_iommufd_is_not_taken_either(self):
        """It, or another one of its group."""
        self.kernel()
        for number, path in enumerate((PCI_PATH, PCI_PATH.rsplit('/', 1)[0])):
            self.sysfs.write(f'{path}/vfio-dev/vfio9{number}/dev', '510:0')
            self.check_in_use(self.add_node(f'devices/vfio9{number}'))

    def test_reset(self):
        self.kernel()
        self.sysfs.write(f'{PCI_PATH}/reset', b'')
        self.refuses(OPERATION_INVALID, "in use by the host's driver igb", 'RESET', name=PCI)
        self.rpc.call('NODE_DEVICE_DETTACH', name=PCI)
        self.rpc.call('NODE_DEVICE_RESET', name=PCI)
        self.assertEqual((self.sysfs.root / PCI_PATH / 'reset').read_text(), '1')
        self.refuses(INTERNAL_ERROR, 'Unable to reset PCI device 0000:00:05.0: no FLR', 'RESET',
                     name='pci_0000_00_05_0')

    def test_what_cannot_be_given_away(self):
        self.kernel()
        self.refuses(OPERATION_INVALID, '0000:00:05.0 is in no IOMMU group', 'DETTACH',
                     name='pci_0000_00_05_0')
        for procedure in ('DETTACH', 'RE_ATTACH', 'RESET'):
            self.refuses(INVALID_ARG, 'device computer is not a PCI device', procedure,
                         name='computer')
        self.refuses(ARGUMENT_UNSUPPORTED, 'KVM device assignment is no longer supported',
                     'DETACH_FLAGS', name=PCI, driverName='kvm')
        for driver in ('igb', '../vfio', ''):
            self.refuses(INVALID_ARG, f"unknown driver name '{driver}'", 'DETACH_FLAGS', name=PCI,
                         driverName=driver)
        self.assertEqual(self.driver(), 'igb')

    def test_host_without_iommu(self):
        harness.shutil.rmtree(self.sysfs.root / 'kernel/iommu_groups')
        self.refuses(ARGUMENT_UNSUPPORTED, 'VFIO device assignment is currently not supported',
                     'DETTACH', name=PCI)
