"""Node devices of machines that are not at hand. The XML of each is compared with what Debian's
libvirtd 9.0 gave for the same files (nodedev/MACHINE.xml, recorded with them mounted as its
/sys), but for differences that have a reason."""

import re
from pathlib import Path

import harness
import made_up_sysfs
import nodedev_case
import rpc
from made_up_sysfs import SMBIOS_ENTRY, smbios_structure
from nodedev_case import (CONFIG_UNSUPPORTED, INVALID_ARG, NO_NODE_DEVICE, OPERATION_INVALID,
                          in_order)

INTERNAL_ERROR = 1

BLOCKS = '    <num_blocks>2048</num_blocks>\n'
HOTPLUGGABLE = "    <capability type='hotpluggable'/>\n"
SIZE = '    <logical_block_size>512</logical_block_size>\n'
# What is different, and why.
DIFFERENCES = {
    # It prints the kernel's -1, "not known", as an unsigned number.
    'net_wl_x_0_00_27_13_6a_fe_51': (" speed='4294967295'", ''),
    # No name is left out rather than empty, which the schema does not allow.
    'scsi_host6': ('      <fabric_wwn></fabric_wwn>\n', ''),
    # The manual: "If present, a description of the device."
    'usb_1_0_1_0': ('</protocol>\n', '</protocol>\n    <description>Hub</description>\n'),
    # Level 11.3 knows states, and groups of devices.
    'ccw_0_0_10b7': ('    <cssid>', '    <state>online</state>\n    <cssid>'),
    # The kernel says what can be taken away by hand.
    'block_nvme1n1': (BLOCKS, BLOCKS + HOTPLUGGABLE),
    'block_sdk': (BLOCKS, BLOCKS + HOTPLUGGABLE),
    # The schema has both numbers or none.
    'block_sdh': (SIZE, SIZE + '    <num_blocks>0</num_blocks>\n'),
    # It asks only interfaces that are really there.
    'net_ib0' + '_80' * 20: ("state='up'/>\n", "state='up'/>\n    <feature name='rdma'/>\n"),
    'net_roce1_00_27_13_6a_fe_5b': ("state='lowerlayerdown'/>\n",
                                    "state='lowerlayerdown'/>\n    <feature name='rdma'/>\n"),
    # A speed that nobody knows is left out.
    'pci_0000_00_09_0': (" speed='(null)'", ''),
    # SCSI Primary Commands, "reduced block command".
    'scsi_20_0_0_14': ('</lun>\n', '</lun>\n    <type>rbc</type>\n'),
    # Older kernels have the files for virtual ports elsewhere.
    'scsi_host21': ('</unique_id>\n', """</unique_id>
    <capability type='fc_host'>
      <wwnn>2001001b32a9da4e</wwnn>
      <wwpn>2101001b32a9da4e</wwpn>
      <fabric_wwn>ffffffffffffffff</fabric_wwn>
    </capability>
    <capability type='vport_ops'>
      <max_vports>63</max_vports>
      <vports>1</vports>
    </capability>
"""),
    # The same to every reader.
    'usb_3_3': (' />', '/>'),
}
# What the schema has no room for: addresses of 20 bytes.
OUTSIDE_THE_SCHEMA = ('net_ib0' + '_80' * 20,)
CCW_MEMBER = (r'(    <cssid>.*?</devno>\n)',
              r'    <state>online</state>\n\1'
              "    <capability type='ccwgroup_member'>\n"
              '      <group_device>ccwgroup_0_0_bd00</group_device>\n'
              '    </capability>\n')
FC_HOST, VPORTS, MDEV_TYPES, VPD, CCWGROUP, MEMBER = (
    1 << bit for bit in (9, 10, 13, 21, 22, 23))


def setUpModule():
    nodedev_case.separate()


def recorded(machine):
    """Name to XML, as it was given."""
    text = (Path(__file__).parent / f'nodedev/{machine}.xml').read_text()
    devices = re.findall(r'^<device>\n.*?^</device>\n', text, re.MULTILINE | re.DOTALL)
    return {re.search('<name>(.*?)</name>', device)[1]: device for device in devices}


class Machines(nodedev_case.TestCase):
    def compare(self, machine, expected):
        client = self.client(self.made_up(machine, with_udev=True))
        self.assertEqual(sorted(self.names(client)), sorted(expected))
        for name, xml in expected.items():
            with self.subTest(name):
                self.assertEqual(in_order(self.xml(client, name)), in_order(xml))
                if name not in OUTSIDE_THE_SCHEMA:
                    self.assert_valid(client, xml)

    def assert_valid(self, client, xml):
        """It cannot be made, but for a reason that is not in the schema."""
        xml = re.sub('<parent>.*</parent>', '<parent>nope</parent>', xml)
        with self.assertRaises(rpc.Error) as caught:
            client.call('NODE_DEVICE_CREATE_XML', xml_desc=xml, flags=1)
        self.assertIn(caught.exception.code, (INTERNAL_ERROR, CONFIG_UNSUPPORTED),
                      caught.exception)

    def recorded_with_differences(self, machine):
        expected = recorded(machine)
        for name, (old, new) in DIFFERENCES.items():
            if name in expected:
                self.assertIn(old, expected[name])
                expected[name] = expected[name].replace(old, new)
        return expected

    def test_server_is_told_as_existing_daemons_do(self):
        self.compare('server', self.recorded_with_differences('server'))

    def test_workbench_is_told_as_existing_daemons_do(self):
        """They list only drives whose type udev knows and they do, or that are called as they
        expect; ours are in a file of their own."""
        self.compare('workbench', {**self.recorded_with_differences('workbench'),
                                   **recorded('workbench-more')})

    def test_mainframe_is_told_as_existing_daemons_do(self):
        expected = recorded('mainframe')
        old, new = DIFFERENCES['ccw_0_0_10b7']
        expected['ccw_0_0_10b7'] = expected['ccw_0_0_10b7'].replace(old, new)
        for n in range(3):
            name = f'ccw_0_0_bd0{n}'
            expected[name] = re.sub(*CCW_MEMBER, expected[name], flags=re.DOTALL)
        # From level 11.1 on there are groups, laid out as the schema has them.
        expected['ccwgroup_0_0_bd00'] = CCWGROUP_XML
        self.compare('mainframe', expected)


CCWGROUP_XML = """<device>
  <name>ccwgroup_0_0_bd00</name>
  <path>/sys/devices/qeth/0.0.bd00</path>
  <parent>computer</parent>
  <driver>
    <name>qeth</name>
  </driver>
  <capability type='ccwgroup'>
    <state>online</state>
    <cssid>0x0</cssid>
    <ssid>0x0</ssid>
    <devno>0xbd00</devno>
    <members>
      <ccw_device ref='cdev0'>ccw_0_0_bd00</ccw_device>
      <ccw_device ref='cdev1'>ccw_0_0_bd01</ccw_device>
      <ccw_device ref='cdev2'>ccw_0_0_bd02</ccw_device>
    </members>
    <capability type='qeth_generic'>
      <card_type>OSD_1000</card_type>
      <chpid>F6</chpid>
    </capability>
  </capability>
</device>
"""


class Calls(nodedev_case.TestCase):
    def setUp(self):
        super().setUp()
        self.made_up('server')
        self.rpc = self.client()

    def capabilities(self, name):
        reply = self.rpc.call('NODE_DEVICE_LIST_CAPS', name=name, maxnames=32)['names']
        self.assertEqual(self.rpc.call('NODE_DEVICE_NUM_OF_CAPS', name=name)['num'], len(reply))
        return reply

    def test_disks_are_listed_where_no_udev_runs(self):
        names = self.names(self.rpc, 1 << 8)
        self.assertEqual(sorted(names), ['block_nvme0n1', 'block_sda', 'block_sdb', 'block_sr0',
                                         'block_sr1'])
        self.assertIn('<drive_type>cdrom</drive_type>', self.xml(self.rpc, 'block_sr0'))

    def test_capabilities_of_each_device(self):
        self.assertEqual(self.capabilities('scsi_host5'), ['scsi_host', 'fc_host', 'vports'])
        self.assertEqual(self.capabilities('scsi_host6'), ['scsi_host', 'fc_host'])
        self.assertEqual(self.capabilities('pci_0000_00_02_0'), ['pci', 'mdev_types'])
        self.assertEqual(self.capabilities('pci_0000_00_05_0'), ['pci', 'vpd'])

    def test_less_room_gives_fewer_capabilities(self):
        reply = self.rpc.call('NODE_DEVICE_LIST_CAPS', name='scsi_host5', maxnames=1)
        self.assertEqual(reply['names'], ['scsi_host'])

    def test_lists_are_filtered_by_capability(self):
        for flags, names in ((FC_HOST, ['scsi_host5', 'scsi_host6']), (VPORTS, ['scsi_host5']),
                             (MDEV_TYPES, ['pci_0000_00_02_0']), (VPD, ['pci_0000_00_05_0']),
                             (FC_HOST | VPD, ['pci_0000_00_05_0', 'scsi_host5', 'scsi_host6'])):
            self.assertEqual(sorted(self.names(self.rpc, flags)), names)

    def test_older_lists_take_one_capability(self):
        self.assertEqual(self.rpc.call('NODE_NUM_OF_DEVICES', cap='fc_host')['num'], 2)
        reply = self.rpc.call('NODE_LIST_DEVICES', cap='vports', maxnames=10)
        self.assertEqual(reply['names'], ['scsi_host5'])
        everything = self.rpc.call('NODE_NUM_OF_DEVICES')['num']
        self.assertEqual(len(self.rpc.call('NODE_LIST_DEVICES', maxnames=1000)['names']), everything)
        self.assertEqual(len(self.rpc.call('NODE_LIST_DEVICES', maxnames=3)['names']), 3)
        self.assertEqual(self.rpc.call('NODE_NUM_OF_DEVICES', cap='nonsense')['num'], 0)

    def test_states_and_lives_are_filters_too(self):
        active, inactive, transient, persistent = (1 << bit for bit in (31, 30, 29, 28))
        self.assertEqual(self.names(self.rpc, active), self.names(self.rpc))
        self.assertEqual(self.names(self.rpc, inactive), [])
        self.assertEqual(self.names(self.rpc, persistent), ['computer'])
        self.assertEqual(len(self.names(self.rpc, transient)), len(self.names(self.rpc)) - 1)

    def test_count_without_names(self):
        reply = self.rpc.call('CONNECT_LIST_ALL_NODE_DEVICES', need_results=0)
        self.assertEqual((reply['ret'], reply['devices']), (len(self.names(self.rpc)), []))

    def test_flags_that_nobody_knows_are_refused(self):
        for procedure, args in (('CONNECT_LIST_ALL_NODE_DEVICES', {'flags': 1 << 26}),
                                ('NODE_NUM_OF_DEVICES', {'flags': 1}),
                                ('NODE_LIST_DEVICES', {'flags': 1}),
                                ('NODE_DEVICE_LOOKUP_SCSI_HOST_BY_WWN', {'flags': 1}),
                                ('NODE_DEVICE_GET_XML_DESC', {'name': 'computer', 'flags': 4})):
            self.assert_fails(INVALID_ARG, 'unsupported flags', self.rpc, procedure, **args)

    def test_host_is_found_by_its_world_wide_names(self):
        reply = self.rpc.call('NODE_DEVICE_LOOKUP_SCSI_HOST_BY_WWN', wwnn='2001001b32a9da4e',
                              wwpn='2101001B32A9DA4E')
        self.assertEqual(reply['dev']['name'], 'scsi_host5')
        self.assert_fails(NO_NODE_DEVICE, "wwnn '1' and wwpn '2'", self.rpc,
                          'NODE_DEVICE_LOOKUP_SCSI_HOST_BY_WWN', wwnn='1', wwpn='2')

    def test_parents_lead_to_the_computer(self):
        name, path = 'scsi_generic_sg0', []
        while name:
            path.append(name)
            name = self.rpc.call('NODE_DEVICE_GET_PARENT', name=name)['parentName']
        self.assertEqual(path, ['scsi_generic_sg0', 'scsi_0_0_0_0', 'scsi_target0_0_0',
                                'scsi_host0', 'pci_0000_00_1f_2', 'computer'])

    def test_names_that_nobody_has(self):
        for name in ('nope', '', '../../etc/passwd', 'pci_0000_00_02_0\n', 'x' * 100000):
            self.assert_fails(NO_NODE_DEVICE, 'no node device with matching name', self.rpc,
                              'NODE_DEVICE_LOOKUP_BY_NAME', name=name)

    def test_computer_is_persistent_and_devices_are_not(self):
        for name, expected in (('computer', 1), ('block_sda', 0)):
            self.assertEqual(self.rpc.call('NODE_DEVICE_IS_ACTIVE', name=name)['active'], 1)
            self.assertEqual(self.rpc.call('NODE_DEVICE_IS_PERSISTENT', name=name)['persistent'],
                             expected)
            self.assertEqual(self.rpc.call('NODE_DEVICE_GET_AUTOSTART', name=name)['autostart'],
                             expected)

    def test_inactive_xml_of_a_device_that_has_none(self):
        self.assert_fails(OPERATION_INVALID, "'block_sda' is not persistent", self.rpc,
                          'NODE_DEVICE_GET_XML_DESC', name='block_sda', flags=1)

    def test_xml_is_of_the_present(self):
        self.sysfs.write('devices/pci0000:00/0000:00:04.0/0000:02:00.0/net/ens1/operstate', 'down')
        self.assertIn("<link state='down'/>", self.xml(self.rpc, 'net_ens1_00_27_13_6a_fe_50'))

    def test_broken_vital_product_data_is_left_out(self):
        path = 'devices/pci0000:00/0000:00:05.0/vpd'
        good = (self.sysfs.root / path).read_bytes()
        for broken in (b'', b'\x82', good[:-1], good[:40], bytes([0x82, 0xff, 0xff]) + good,
                       good.replace(b'MT2113X', b'MT2114X'), b'\xff' * 32768):
            self.sysfs.write(path, broken)
            self.assertNotIn('vpd', self.xml(self.rpc, 'pci_0000_00_05_0'))

    def test_device_whose_folder_is_gone_is_missing(self):
        (self.sysfs.root / 'devices/virtual/net/downed/uevent').unlink()
        (self.sysfs.root / 'devices/virtual/net/downed/subsystem').unlink()
        self.assert_fails(NO_NODE_DEVICE, 'net_downed', self.rpc, 'NODE_DEVICE_GET_XML_DESC',
                          name='net_downed_00_27_13_6a_fe_52')


class Firmware(nodedev_case.TestCase):
    """What the firmware's tables say counts before what the kernel tells everybody of them."""

    BIOS = smbios_structure(0, bytes([1, 2, 0, 0xe8, 3]) + bytes(14), b'Maker & Co', b' 1.2 ',
                            b'04/01/2021')
    SYSTEM = smbios_structure(1, bytes([1, 2, 0, 3]) + bytes(range(16)) + bytes(3), b'Example',
                              b'Box <1>', b'S\x01N\xff')

    def setUp(self):
        super().setUp()
        self.made_up('server')
        self.rpc = self.client()

    def computer(self, tables, entry=SMBIOS_ENTRY):
        self.sysfs.write('firmware/dmi/tables/smbios_entry_point', entry)
        self.sysfs.write('firmware/dmi/tables/DMI', tables)
        return self.xml(self.rpc, 'computer')

    def test_strings_and_uuid_are_the_tables(self):
        xml = self.computer(self.SYSTEM + self.BIOS + smbios_structure(127, b''))
        self.assertIn("""
    <product>Box &lt;1&gt;</product>
    <hardware>
      <vendor>Example</vendor>
      <serial>S.N.</serial>
      <uuid>03020100-0504-0706-0809-0a0b0c0d0e0f</uuid>
    </hardware>
    <firmware>
      <vendor>Maker &amp; Co</vendor>
      <version>1.2</version>
      <release_date>04/01/2021</release_date>
    </firmware>
""", xml)

    def test_what_the_tables_have_not_is_the_kernels(self):
        xml = self.computer(self.BIOS)
        self.assertIn('<vendor>Maker &amp; Co</vendor>', xml)
        self.assertIn('<product>2241B36</product>', xml)
        self.assertIn('<uuid>c9488981-5049-11cb-9c1c-993d0230b4cd</uuid>', xml)

    def test_broken_tables_are_none(self):
        whole = self.computer(b'', b'')
        for tables, entry in ((self.SYSTEM, b'_XM3_' + bytes(40)), (self.SYSTEM, b'_SM3_'),
                              (self.SYSTEM[:20], SMBIOS_ENTRY), (b'\xff' * 5000, SMBIOS_ENTRY),
                              (bytes([1, 2]) + bytes(40), SMBIOS_ENTRY),
                              (b'x' * (2 << 20), SMBIOS_ENTRY), (self.SYSTEM, b'x' * 1000)):
            self.assertEqual(self.computer(tables, entry), whole)
        self.assertIn('<product>2241B36</product>', whole)

    def test_uuids_that_are_none(self):
        for uuid in (bytes(16), b'\xff' * 16):
            xml = self.computer(smbios_structure(1, bytes([1, 2, 0, 0]) + uuid + bytes(3), b'a',
                                                 b'b'))
            self.assertIn('<uuid>00000000-0000-0000-0000-000000000000</uuid>', xml)


class BrokenFiles(nodedev_case.TestCase):
    """What the kernel would hardly show: the daemon starts, and lists what it can."""

    def test_nonsense_is_no_device(self):
        root = self.root / 'made-up'
        sysfs = made_up_sysfs.server(root / 'sys')
        sysfs.device('pci0000:00/nonsense', 'pci')
        sysfs.device('pci0000:00/0000:00:99.0', 'pci')
        sysfs.device('x/host', 'scsi', uevent={'DEVTYPE': 'scsi_device'})
        sysfs.device('x/not-a-uuid', 'mdev')
        sysfs.device('x/0.0', 'ccw')
        # Not for guests: nobody has it open by a node.
        sysfs.device('x/vdpa9', 'vdpa', 'virtio_vdpa')
        sysfs.link('class/net/dangling', 'devices/nowhere')
        sysfs.link('class/net/outside', '../../../../etc')
        sysfs.write('class/net/file', 'text')
        wrapper = ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec',
                   f'mount --bind {root}/sys /sys; exec "$0" "$@"']
        client = self.client(self.nodedevd(wrapper=wrapper))
        names = self.names(client)
        self.assertIn('block_sda', names)
        self.assertFalse([name for name in names if re.search(
            'nonsense|99|uuid|dangling|outside|file|ccw|vdpa9', name)])

    def test_no_sysfs_leaves_the_computer(self):
        wrapper = ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec',
                   'mount -t tmpfs tmpfs /sys; exec "$0" "$@"']
        client = self.client(self.nodedevd(wrapper=wrapper))
        self.assertEqual(self.names(client), ['computer'])
        self.assertIn('<uuid>00000000-', self.xml(client, 'computer'))


@harness.needs_private_namespaces
class Virsh(nodedev_case.TestCase):
    def test_tree_and_info(self):
        daemon = self.made_up('server')
        tree = self.virsh(daemon, 'nodedev-list', '--tree')
        self.assertRegex(tree, r'(?s)computer.*\+- pci_0000_00_1f_2.*\+- scsi_host0')
        info = self.virsh(daemon, 'nodedev-info', 'block_sda')
        self.assertRegex(info, r'(?s)Parent: +scsi_0_0_0_0.*Active: +yes.*Persistent: +no')
        xml = self.virsh(daemon, 'nodedev-dumpxml', '2001001b32a9da4e,2101001b32a9da4e')
        self.assertIn('<name>scsi_host5</name>', xml)
