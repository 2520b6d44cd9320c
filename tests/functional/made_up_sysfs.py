"""A /sys of machines that are not at hand, written from the kernel's documentation
(Documentation/ABI, sysfs-rules.rst): devices as folders, with the links that the kernel makes."""

import os
import struct
from pathlib import Path


# What udev keeps in /run/udev/data for devices of the server.
UDEV = {
    'b8:0': 'S:disk/by-id/ata-SAMSUNG_SSD_830_S0XYNEAC\nE:ID_BUS=ata\nE:ID_TYPE=disk\n'
            'E:ID_SERIAL=SAMSUNG_SSD_830_S0XYNEAC\nE:ID_SERIAL_SHORT=S0XYNEAC\n'
            'E:ID_MODEL=SAMSUNG_SSD_830\n',
    'b8:16': 'E:ID_BUS=ata\nE:ID_TYPE=cd\nE:ID_CDROM=1\nE:ID_CDROM_MEDIA=1\n'
             'E:ID_FS_LABEL=DEBIAN_12\nE:ID_SERIAL=HL-DT-ST_DVDRAM_K1\n',
    'b8:17': 'E:ID_BUS=ata\nE:ID_TYPE=cd\nE:ID_CDROM=1\nE:ID_SERIAL=HL-DT-ST_BDRE_K2\n',
    'b8:32': 'E:ID_BUS=usb\nE:ID_TYPE=disk\nE:ID_SERIAL=SanDisk_Cruzer_4C53-0:0\n'
             'E:ID_VENDOR=SanDisk\nE:ID_MODEL=Cruzer_Blade\n',
    'b259:0': 'E:ID_SERIAL=Samsung_SSD_970_S466NX0K\nE:ID_SERIAL_SHORT=S466NX0K\n'
              'E:ID_MODEL=Samsung SSD 970\n',
    'c189:0': 'E:ID_VENDOR_ID=1d6b\nE:ID_MODEL_ID=0002\n'
              'E:ID_VENDOR_FROM_DATABASE=Linux Foundation\n'
              'E:ID_MODEL_FROM_DATABASE=2.0 root hub\n',
    'c189:3': 'E:ID_VENDOR=SanDisk\nE:ID_MODEL=Cruzer_Blade\nE:ID_VENDOR_ID=0781\n'
              'E:ID_MODEL_ID=5567\nE:ID_VENDOR_FROM_DATABASE=SanDisk Corp.\n'
              'E:ID_MODEL_FROM_DATABASE=Cruzer Blade\n',
}


def udev_records(folder, machine='server'):
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, text in (WORKBENCH_UDEV if machine == 'workbench' else UDEV).items():
        (Path(folder) / name).write_text('I:1000000\n' + text)


class Sysfs:
    def __init__(self, root):
        self.root = Path(root)

    def write(self, name, data):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else f'{data}\n'.encode())

    def link(self, name, target):
        """A relative link at name to target, both below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            path.unlink()
        path.symlink_to(os.path.relpath(self.root / target, path.parent))

    def device(self, path, subsystem, driver=None, uevent=None, is_class=False, **attributes):
        """The device devices/PATH. Attributes are files; a dot in a name stands for a slash."""
        path = f'devices/{path}'
        name = path.rsplit('/', 1)[1]
        (self.root / path).mkdir(parents=True, exist_ok=True)
        place = f'class/{subsystem}' if is_class else f'bus/{subsystem}'
        self.link(f'{path}/subsystem', place)
        (self.root / place).mkdir(parents=True, exist_ok=True)
        self.link(f'{place}/{name}' if is_class else f'{place}/devices/{name}', path)
        if driver:
            (self.root / f'bus/{subsystem}/drivers/{driver}').mkdir(parents=True, exist_ok=True)
            self.link(f'{path}/driver', f'bus/{subsystem}/drivers/{driver}')
        uevent = {**(uevent or {}), **({'DRIVER': driver} if driver else {})}
        self.write(f'{path}/uevent', '\n'.join(f'{key}={value}' for key, value in
                                               uevent.items()).encode() + b'\n')
        for attribute, value in attributes.items():
            self.write(f'{path}/{attribute.replace(".", "/")}', value)
        return path

    def pci(self, path, vendor, product, pci_class, driver=None, config=None, **attributes):
        """A PCI device with an all but empty configuration space unless one is given."""
        name = path.rsplit('/', 1)[1]
        return self.device(path, 'pci', driver,
                           {'PCI_CLASS': f'{pci_class:X}', 'PCI_ID': f'{vendor:04X}:{product:04X}',
                            'PCI_SLOT_NAME': name},
                           **{'vendor': f'0x{vendor:04x}', 'device': f'0x{product:04x}',
                              'class': f'0x{pci_class:06x}', 'config': config or config_space(
                                  vendor, product), 'numa_node': '-1', 'driver_override': '(null)',
                              **attributes})

    def iommu_group(self, number, *paths):
        for path in paths:
            name = path.rsplit('/', 1)[1]
            self.link(f'kernel/iommu_groups/{number}/devices/{name}', path)
            self.link(f'{path}/iommu_group', f'kernel/iommu_groups/{number}')


def config_space(vendor, product, header=0, express=None):
    """express: (port, speed, width, speed now, width now) of an endpoint."""
    space = bytearray(4096 if express else 256)
    struct.pack_into('<HH', space, 0, vendor, product)
    space[0x0e] = header
    if express:
        port, speed, width, speed_now, width_now = express
        struct.pack_into('<H', space, 0x06, 0x10)
        space[0x34] = 0x40
        # A power management capability, then the one of PCI Express, version 2.
        struct.pack_into('<BB', space, 0x40, 0x01, 0x50)
        struct.pack_into('<BBH', space, 0x50, 0x10, 0, 2)
        struct.pack_into('<I', space, 0x5c, port << 24 | width << 4 | speed)
        struct.pack_into('<H', space, 0x62, width_now << 4 | speed_now)
    return bytes(space)


def vital_product_data(name, read_only, read_write):
    """The resources of PCI's vital product data, with a correct check sum."""
    def resource(tag, content):
        return struct.pack('<BH', tag, len(content)) + content

    def fields(items):
        return b''.join(key.encode() + bytes([len(value)]) + value.encode()
                        for key, value in items)

    data = resource(0x82, name.encode())
    # The check sum covers the length of its own resource, so the length comes first.
    content = fields(read_only) + b'RV\x02'
    data += struct.pack('<BH', 0x90, len(content) + 2) + content
    data += bytes([-sum(data) & 0xff, 0])
    if read_write:
        data += resource(0x91, fields(read_write) + b'RW\x00')
    return data + b'\x78'


# Of version 3.3.
SMBIOS_ENTRY = b'_SM3_' + bytes([0, 0x18, 3, 3, 0, 1]) + bytes(13)


def smbios_structure(kind, body, *strings):
    return (struct.pack('<BBH', kind, 4 + len(body), 0) + body
            + b''.join(text + b'\0' for text in strings) + (b'\0' if strings else b'\0\0'))


def server(root):
    """A server: SMBIOS, SR-IOV, vital product data, Fibre Channel, disks, USB, graphics."""
    sysfs = Sysfs(root)
    for name, text in {'product_name': '2241B36', 'sys_vendor': 'LENOVO',
                       'product_version': 'ThinkPad T500', 'product_serial': 'R89055N',
                       'product_uuid': 'C9488981-5049-11CB-9C1C-993D0230B4CD',
                       'bios_vendor': 'LENOVO', 'bios_version': '6FET82WW (3.12 )',
                       'bios_date': '11/26/2009'}.items():
        sysfs.write(f'devices/virtual/dmi/id/{name}', text)
    sysfs.write('devices/virtual/dmi/id/uevent', 'MODALIAS=dmi:x')
    sysfs.link('devices/virtual/dmi/id/subsystem', 'class/dmi')
    sysfs.link('class/dmi/id', 'devices/virtual/dmi/id')
    add_pci(sysfs)
    add_storage(sysfs)
    add_usb(sysfs)
    add_fibre_channel(sysfs)
    add_mediated(sysfs)
    add_network(sysfs)
    return sysfs


def add_pci(sysfs):
    port = sysfs.pci('pci0000:00/0000:00:04.0', 0x8086, 0x3408, 0x060400, 'pcieport',
                     config_space(0x8086, 0x3408, header=1, express=(4, 2, 8, 1, 4)))
    physical = sysfs.pci('pci0000:00/0000:00:04.0/0000:02:00.0', 0x8086, 0x10c9, 0x020000, 'igb',
                         config_space(0x8086, 0x10c9, express=(1, 1, 4, 1, 4)),
                         numa_node='0', sriov_totalvfs='7', sriov_numvfs='2')
    virtual = [sysfs.pci(f'pci0000:00/0000:00:04.0/0000:02:10.{n}', 0x8086, 0x10ca, 0x020000,
                         'igbvf') for n in (0, 2)]
    for number, path in enumerate(virtual):
        sysfs.link(f'{physical}/virtfn{number}', path)
        sysfs.link(f'{path}/physfn', physical)
    sysfs.iommu_group(12, port, physical)
    sysfs.iommu_group(13, virtual[0])
    sysfs.pci('pci0000:00/0000:00:05.0', 0x15b3, 0xa2d6, 0x020000, vpd=vital_product_data(
        'BlueField-2 DPU 25GbE',
        [('EC', 'B1'), ('MN', 'foobar'), ('PN', 'MBF2H332A-AEEOT'), ('SN', 'MT2113X00000'),
         ('V0', 'PCIeGen4 x8'), ('VA', 'MLX:MN=MLNX')],
        [('YA', 'fooasset'), ('V0', 'vendorfield0'), ('YB', 'systemfieldB'),
         ('Y0', 'systemfield0')]))
    sysfs.pci('pci0000:00/0000:00:1f.2', 0x8086, 0x3a22, 0x010601, 'ahci')


def block(sysfs, path, name, number, **attributes):
    return sysfs.device(f'{path}/block/{name}', 'block', is_class=True,
                        uevent={'MAJOR': 8, 'MINOR': number, 'DEVNAME': name, 'DEVTYPE': 'disk'},
                        **{'size': '1000215216', 'removable': '0',
                           'queue.logical_block_size': '512', 'dev': f'8:{number}', **attributes})


def scsi_chain(sysfs, path, host, kind, **attributes):
    """Host, target and device; returns the device's path."""
    sysfs.device(f'{path}/host{host}', 'scsi', uevent={'DEVTYPE': 'scsi_host'})
    sysfs.device(f'{path}/host{host}/scsi_host/host{host}', 'scsi_host', is_class=True,
                 unique_id=str(host + 1))
    sysfs.device(f'{path}/host{host}/target{host}:0:0', 'scsi', uevent={'DEVTYPE': 'scsi_target'})
    device = f'{path}/host{host}/target{host}:0:0/{host}:0:0:0'
    sysfs.device(device, 'scsi', 'sd' if kind == 0 else 'sr', uevent={'DEVTYPE': 'scsi_device'},
                 type=str(kind), **attributes)
    return device


def add_storage(sysfs):
    ahci = 'pci0000:00/0000:00:1f.2'
    disk = scsi_chain(sysfs, f'{ahci}/ata1', 0, 0, vendor='ATA     ', model='SAMSUNG SSD 830 ')
    path = block(sysfs, disk, 'sda', 0)
    sysfs.link(f'{path}/device', f'devices/{disk}')
    sysfs.device(f'{disk}/scsi_generic/sg0', 'scsi_generic', is_class=True,
                 uevent={'MAJOR': 21, 'MINOR': 0, 'DEVNAME': 'sg0'}, dev='21:0')
    sysfs.device(f'{disk}/block/sda/sda1', 'block', is_class=True, size='2048',
                 uevent={'MAJOR': 8, 'MINOR': 1, 'DEVNAME': 'sda1', 'DEVTYPE': 'partition'})
    cdrom = scsi_chain(sysfs, f'{ahci}/ata2', 1, 5, vendor='HL-DT-ST', model='DVDRAM')
    path = block(sysfs, cdrom, 'sr0', 16, removable='1', size='2097151')
    sysfs.link(f'{path}/device', f'devices/{cdrom}')
    empty = scsi_chain(sysfs, f'{ahci}/ata3', 2, 5, vendor='HL-DT-ST', model='BDRE')
    path = block(sysfs, empty, 'sr1', 17, removable='1', size='2097151')
    sysfs.link(f'{path}/device', f'devices/{empty}')
    sysfs.pci('pci0000:00/0000:00:06.0', 0x144d, 0xa808, 0x010802, 'nvme')
    sysfs.device('pci0000:00/0000:00:06.0/nvme/nvme0', 'nvme', is_class=True,
                 model='Samsung SSD 970', serial='S466NX0K', uevent={'DEVNAME': 'nvme0'})
    path = sysfs.device('pci0000:00/0000:00:06.0/nvme/nvme0/nvme0n1', 'block', is_class=True,
                        uevent={'MAJOR': 259, 'MINOR': 0, 'DEVNAME': 'nvme0n1',
                                'DEVTYPE': 'disk'}, size='976773168', removable='0',
                        **{'queue.logical_block_size': '512', 'dev': '259:0'})
    sysfs.link(f'{path}/device', 'devices/pci0000:00/0000:00:06.0/nvme/nvme0')


def add_usb(sysfs):
    hub = 'pci0000:00/0000:00:1d.0/usb1'

    def uevent(product, number):
        return {'DEVTYPE': 'usb_device', 'MAJOR': 189, 'MINOR': number - 1, 'BUSNUM': '001',
                'DEVNUM': f'{number:03}', 'DEVNAME': f'bus/usb/001/{number:03}',
                'PRODUCT': product, 'TYPE': '9/0/0'}

    sysfs.pci('pci0000:00/0000:00:1d.0', 0x8086, 0x3a34, 0x0c0300, 'ehci-pci')
    sysfs.device(hub, 'usb', 'usb', uevent('1d6b/2/606', 1),
                 busnum='1', devnum='1', idVendor='1d6b', idProduct='0002', product='EHCI Host',
                 manufacturer='Linux', dev='189:0')
    stick = f'{hub}/1-5'
    sysfs.device(stick, 'usb', 'usb', uevent('781/5567/126', 4),
                 busnum='1', devnum='4', idVendor='0781', idProduct='5567', dev='189:3',
                 product='Cruzer Blade', manufacturer='SanDisk')
    sysfs.device(f'{stick}/1-5:1.0', 'usb', 'usb-storage', {'DEVTYPE': 'usb_interface',
                                                           'INTERFACE': '8/6/80'},
                 bInterfaceNumber='00', bInterfaceClass='08', bInterfaceSubClass='06',
                 bInterfaceProtocol='50')
    sysfs.device(f'{hub}/1-0:1.0', 'usb', 'hub', {'DEVTYPE': 'usb_interface',
                                                       'INTERFACE': '9/0/0'},
                 bInterfaceNumber='00', bInterfaceClass='09', bInterfaceSubClass='00',
                 bInterfaceProtocol='00', interface='Hub')
    disk = scsi_chain(sysfs, f'{stick}/1-5:1.0', 7, 0, vendor='SanDisk', model='Cruzer Blade')
    path = block(sysfs, disk, 'sdb', 32, removable='1', size='7821312')
    sysfs.link(f'{path}/device', f'devices/{disk}')


def add_fibre_channel(sysfs):
    card = 'pci0000:00/0000:00:07.0'
    sysfs.pci(card, 0x1077, 0x2532, 0x0c0400, 'qla2xxx')
    sysfs.device(f'{card}/host5', 'scsi', uevent={'DEVTYPE': 'scsi_host'})
    sysfs.device(f'{card}/host5/scsi_host/host5', 'scsi_host', is_class=True, unique_id='5')
    sysfs.device(f'{card}/host5/fc_host/host5', 'fc_host', is_class=True,
                 node_name='0x2001001b32a9da4e', port_name='0x2101001b32a9da4e',
                 fabric_name='0x2001001b32a9da4f', max_npiv_vports='254', npiv_vports_inuse='2',
                 vport_create='', vport_delete='')
    port = f'{card}/host5/rport-5:0-0'
    sysfs.device(f'{port}/fc_remote_ports/rport-5:0-0', 'fc_remote_ports', is_class=True,
                 port_name='0x9d73bc45f0e21a86')
    sysfs.device(f'{port}/target5:0:0', 'scsi', uevent={'DEVTYPE': 'scsi_target'})
    sysfs.device(f'{port}/target5:0:0/5:0:0:3', 'scsi', uevent={'DEVTYPE': 'scsi_device'},
                 type='0', vendor='IBM', model='2107900')
    sysfs.pci('pci0000:00/0000:00:08.0', 0x1077, 0x2532, 0x0c0400, 'qla2xxx')
    sysfs.device('pci0000:00/0000:00:08.0/host6', 'scsi', uevent={'DEVTYPE': 'scsi_host'})
    sysfs.device('pci0000:00/0000:00:08.0/host6/fc_host/host6', 'fc_host', is_class=True,
                 node_name='0x2002001b32a9da4e', port_name='0x2102001b32a9da4e', fabric_name='')


MDEV = '4b20d080-1b54-4048-85b3-a6a62d165c01'


def add_mdev(sysfs, uuid, kind='nvidia-11'):
    """What the kernel makes when a uuid is written to the type's file "create"."""
    card = 'pci0000:00/0000:00:02.0'
    mdev = sysfs.device(f'{card}/{uuid}', 'mdev', 'vfio_mdev', remove='')
    sysfs.link(f'{mdev}/mdev_type', f'devices/{card}/mdev_supported_types/{kind}')
    sysfs.iommu_group(20, mdev)


def add_mediated(sysfs):
    card = 'pci0000:00/0000:00:02.0'
    path = sysfs.pci(card, 0x10de, 0x13f2, 0x030000, 'nvidia')
    for kind, count in (('nvidia-11', 16), ('nvidia-35', 0)):
        base = f'{path}/mdev_supported_types/{kind}'
        sysfs.write(f'{base}/name', f'GRID {kind}')
        sysfs.write(f'{base}/device_api', 'vfio-pci')
        sysfs.write(f'{base}/available_instances', str(count))
        sysfs.write(f'{base}/create', '')
    sysfs.link('class/mdev_bus/0000:00:02.0', path)
    add_mdev(sysfs, MDEV)
    for name, number in (('card0', 0), ('renderD128', 128), ('controlD64', 64)):
        sysfs.device(f'{card}/drm/{name}', 'drm', is_class=True, dev=f'226:{number}',
                     uevent={'MAJOR': 226, 'MINOR': number, 'DEVNAME': f'dri/{name}',
                             'DEVTYPE': 'drm_minor'})
    sysfs.device(f'{card}/drm/card0/card0-DP-1', 'drm', is_class=True,
                 uevent={'DEVTYPE': 'drm_connector'})
    sysfs.device('pci0000:00/0000:00:05.0/vdpa0', 'vdpa', 'vhost_vdpa')
    sysfs.device('pci0000:00/0000:00:05.0/vdpa0/vhost-vdpa-0', 'vhost-vdpa', is_class=True,
                 uevent={'MAJOR': 510, 'MINOR': 0, 'DEVNAME': 'vhost-vdpa-0'})


def interface(sysfs, path, name, index, devtype=None, **attributes):
    uevent = {'INTERFACE': name, 'IFINDEX': index}
    if devtype:
        uevent = {'DEVTYPE': devtype, **uevent}
    return sysfs.device(f'{path}/net/{name}', 'net', is_class=True, uevent=uevent,
                        **{'address': f'00:27:13:6a:fe:{index:02x}', 'operstate': 'up',
                           'speed': '1000', 'ifindex': str(index), **attributes})


def add_network(sysfs):
    interface(sysfs, 'pci0000:00/0000:00:04.0/0000:02:00.0', 'ens1', 80)
    interface(sysfs, 'virtual', 'wl-x.0', 81, 'wlan', speed='-1')
    interface(sysfs, 'virtual', 'downed', 82, operstate='down')
    interface(sysfs, 'virtual', 'nolink', 83, operstate='unknown', speed='100')
    for index, kind in enumerate(('vlan', 'bond', 'vxlan', 'bridge', 'gretap', 'wwan', 'team'), 84):
        interface(sysfs, 'virtual', f'x{kind}', index, kind)


def mainframe(root):
    """A mainframe's channels, crypto cards and queues (kernel: Documentation/arch/s390)."""
    sysfs = Sysfs(root)
    sysfs.device('css0/0.0.0052', 'css', 'io_subchannel', {'ST_TYPE': 0}, type='0')
    sysfs.device('css0/0.0.0052/0.0.10b7', 'ccw', 'dasd-eckd', online='1')
    path = sysfs.device('css0/0.0.0070', 'css', 'vfio_ccw', type='0', dev_busid='0.0.0900')
    base = f'{path}/mdev_supported_types/vfio_ccw-io'
    sysfs.write(f'{base}/name', 'I/O subchannel (Non-QDIO)')
    sysfs.write(f'{base}/device_api', 'vfio-ccw')
    sysfs.write(f'{base}/available_instances', '1')
    members = [sysfs.device(f'css0/0.0.00{i}/0.0.bd0{n}', 'ccw', 'qeth', online='1')
               for n, i in enumerate(('61', '62', '63'))]
    for i in ('61', '62', '63'):
        sysfs.device(f'css0/0.0.00{i}', 'css', 'io_subchannel', type='0')
    group = sysfs.device('qeth/0.0.bd00', 'ccwgroup', 'qeth', {'DEVTYPE': 'qeth_generic'},
                         online='1', card_type='OSD_1000', chpid='F6')
    for number, member in enumerate(members):
        sysfs.link(f'{group}/cdev{number}', member)
        sysfs.link(f'{member}/group_device', group)
    sysfs.device('ap/card07', 'ap', 'cex4card', {'DEVTYPE': 'ap_card'})
    sysfs.device('ap/card07/07.0038', 'ap', 'vfio_ap', {'DEVTYPE': 'ap_queue'})
    matrix = sysfs.device('vfio_ap/matrix', 'matrix', 'vfio_ap')
    base = f'{matrix}/mdev_supported_types/vfio_ap-passthrough'
    sysfs.write(f'{base}/name', 'VFIO AP Passthrough Device')
    sysfs.write(f'{base}/device_api', 'vfio-ap')
    sysfs.write(f'{base}/available_instances', '65536')
    return sysfs


# The same of the workbench's.
WORKBENCH_UDEV = {
    'b179:0': 'E:ID_SERIAL=0x12345678\nE:ID_NAME=SD16G\nE:ID_DRIVE_FLASH_SD=1\n'
              'E:ID_DRIVE_MEDIA_FLASH_SD=1\n',
    'b8:48': 'E:ID_BUS=scsi\nE:ID_TYPE=generic\nE:ID_VENDOR=ACME\nE:ID_MODEL=Box\n'
             'E:ID_REVISION=1\nE:ID_SERIAL_SHORT=short\n',
    'b8:64': 'E:ID_BUS=usb\nE:ID_TYPE=floppy\nE:ID_DRIVE_FLOPPY=1\nE:ID_FS_LABEL=BOOT\n'
             'E:ID_SERIAL=TEAC_FD-05PUB\n',
    'b8:80': 'E:ID_BUS=usb\nE:ID_TYPE=disk\nE:ID_DRIVE_FLOPPY_ZIP=1\nE:ID_SERIAL=IOMEGA_ZIP\n',
    'b8:96': 'E:ID_BUS=ata\nE:ID_TYPE=optical\nE:ID_SERIAL=MO_1\n',
    'b8:112': 'E:ID_TYPE=disk\nE:ID_FS_LABEL=plain\n',
    'b2:0': 'E:ID_PATH=floppy-0\n',
    **{f'c189:{256 + port}': f'E:ID_VENDOR_ID=ffff\nE:ID_MODEL_ID=0001\nE:ID_MODEL=Stick_{port}\n'
       for port in (1, 2, 3)},
    **{f'b8:{160 + ord(letter)}': 'E:ID_BUS=usb\nE:ID_TYPE=disk\n' for letter in 'klm'},
    'b11:2': 'E:ID_PATH=none\n',
}


def workbench(root):
    """What a hardware engineer has lying around: cards, drives and adapters of every kind."""
    sysfs = Sysfs(root)
    add_odd_pci(sysfs)
    add_odd_drives(sysfs)
    add_odd_scsi(sysfs)
    add_odd_links(sysfs)
    return sysfs


def add_odd_pci(sysfs):
    base = 'pci0000:00'
    # SR-IOV as kernels before 3.8 show it, and one that could have none.
    physical = sysfs.pci(f'{base}/0000:00:01.0', 0x8086, 0x10c9, 0x020000, 'igb')
    virtual = sysfs.pci(f'{base}/0000:00:01.4', 0x8086, 0x10ca, 0x020000)
    sysfs.link(f'{physical}/virtfn0', virtual)
    sysfs.link(f'{virtual}/physfn', physical)
    sysfs.pci(f'{base}/0000:00:02.0', 0x8086, 0x1520, 0x020000, sriov_totalvfs='0')
    for number, speed in enumerate((1, 2, 3, 4, 5, 6, 7), 3):
        sysfs.pci(f'{base}/0000:00:{number:02x}.0', 0x1b36, 0x000d, 0x0c0330, None,
                  config_space(0x1b36, 0x000d, express=(0, speed, 16, 1, 0)))
    # Built into the processor, with no link (device type 9).
    config = bytearray(config_space(0x8086, 0x1234, express=(0, 0, 0, 0, 0)))
    config[0x52] = 0x92
    sysfs.pci(f'{base}/0000:00:0a.0', 0x8086, 0x1234, 0x088000, None, bytes(config))
    sysfs.pci(f'{base}/0000:00:0b.0', 0x104c, 0xac56, 0x060700, 'yenta_cardbus',
              config_space(0x104c, 0xac56, header=2))
    sysfs.pci(f'{base}/0000:00:0c.0', 0xfff0, 0x0001, 0xff0000, numa_node='3')
    sysfs.pci('pci10000:e0/10000:e0:1f.7', 0x8086, 0x2030, 0x060400)
    sysfs.pci(f'{base}/0000:00:0e.0', 0x15b3, 0x101d, 0x020700, 'mlx5_core',
              vpd=vital_product_data('Name only', [], []))
    sysfs.pci(f'{base}/0000:00:0f.0', 0x15b3, 0x101d, 0x020700, 'mlx5_core', vpd=vital_product_data(
        ' A/B (rev. 2)\0', [('PN', 'A/B'), ('SN', ' padded\0\0'), ('V1', 'x'), ('ZZ', 'other'),
                            ('PN', 'again'), ('EC', 'no\x01text')],
        [('YA', ''), ('Y1', 'one'), ('YZ', 'z'), ('VZ', 'v')]))
    # What no card should have: no check sum, and something behind the part that is free.
    data = vital_product_data('Card', [('PN', 'p')], [('YA', 'a')])
    sysfs.pci(f'{base}/0000:00:0e.1', 0x15b3, 0x101d, 0x020700, vpd=data.replace(b'RV', b'RX'))
    sysfs.pci(f'{base}/0000:00:0e.2', 0x15b3, 0x101d, 0x020700,
              vpd=data.replace(b'YA\x01aRW\0', b'RW\0YA\x01a'))
    sysfs.pci(f'{base}/0000:00:0e.3', 0x15b3, 0x101d, 0x020700, vpd=b'\x82\x04\0Card\x78')


def add_odd_drives(sysfs):
    base = 'pci0000:00/0000:00:10.0'
    sysfs.pci(base, 0x8086, 0x3a22, 0x010601, 'ahci')

    def drive(path, name, major, minor, **attributes):
        return sysfs.device(f'{path}/block/{name}', 'block', is_class=True,
                            uevent={'MAJOR': major, 'MINOR': minor, 'DEVTYPE': 'disk',
                                    'DEVNAME': name.replace('!', '/')},
                            **{'size': '2048', 'removable': '0',
                               'queue.logical_block_size': '512', **attributes})

    card = sysfs.device(f'{base}/mmc0/mmc0:aaaa', 'mmc', 'mmcblk', type='SD', name='SD16G',
                        serial='0x12345678')
    path = drive(f'{base}/mmc0/mmc0:aaaa', 'mmcblk0', 179, 0, removable='1')
    sysfs.link(f'{path}/device', card)
    for name, number, attributes in (
            ('sdd', 48, {'queue.logical_block_size': '4096'}), ('sde', 64, {'removable': '1'}),
            ('sdf', 80, {'removable': '1'}), ('sdg', 96, {'removable': '1', 'size': '0'}),
            ('sdh', 112, {'removable': '1', 'size': '0'}), ('sdi', 128, {'removable': '1'}),
            ('sdj', 144, {'size': '7'})):
        drive(f'{base}/{name}', name, 8, number, **attributes)
    drive('virtual', 'loop0', 7, 0)
    drive('virtual', 'loop1', 7, 1, size='0')
    drive('virtual', 'nbd0', 43, 0)
    drive('virtual', 'nbd1', 43, 16, size='0')
    drive('virtual', 'ram0', 1, 0)
    drive('virtual', 'zram0', 252, 0, size='0')
    drive('virtual', 'dm-0', 253, 0, **{'dm.name': 'vg-lv'})
    drive('virtual', 'md127', 9, 127)
    drive('platform/floppy.0', 'fd0', 2, 0, removable='1', size='8')
    drive(f'{base}/x', 'sr2', 11, 2, removable='1')
    drive(f'{base}/y', 'cciss!c0d0', 104, 0)
    # In a case on a cable, and behind a port that the user has access to.
    sysfs.pci('pci0000:00/0000:00:13.0', 0x144d, 0xa808, 0x010802, 'nvme', removable='removable')
    drive('pci0000:00/0000:00:13.0/nvme/nvme1', 'nvme1n1', 259, 1)
    hub = 'pci0000:00/0000:00:14.0/usb3'
    sysfs.pci('pci0000:00/0000:00:14.0', 0x8086, 0x3a34, 0x0c0330, 'xhci_hcd')
    for port, (name, place) in enumerate((('sdk', 'removable'), ('sdl', 'fixed'),
                                          ('sdm', 'unknown')), 1):
        usb = sysfs.device(f'{hub}/3-{port}', 'usb', 'usb',
                           {'DEVTYPE': 'usb_device', 'MAJOR': 189, 'MINOR': 256 + port,
                            'BUSNUM': '003', 'DEVNUM': f'{port:03}', 'PRODUCT': 'ffff/1/1',
                            'DEVNAME': f'bus/usb/003/{port:03}', 'TYPE': '0/0/0'},
                           busnum='3', devnum=str(port), idVendor='ffff', idProduct='0001',
                           product=f'Stick {port}', removable=place,
                           **({'manufacturer': 'Sticks & Co'} if port < 3 else {}))
        drive(usb.removeprefix('devices/'), name, 8, 160 + ord(name[2]), removable='1')
    path = drive(f'{base}/virtio0', 'vda', 254, 0, serial='disk-serial')
    sysfs.link(f'{path}/device', sysfs.device(f'{base}/virtio0', 'virtio', 'virtio_blk',
                                              vendor='0x1af4', device='0x0002'))


def add_odd_scsi(sysfs):
    base = 'pci0000:00/0000:00:11.0'
    sysfs.pci(base, 0x1000, 0x0097, 0x010700, 'mpt3sas')
    sysfs.device(f'{base}/host20', 'scsi', uevent={'DEVTYPE': 'scsi_host'})
    sysfs.device(f'{base}/host20/port-20:0/end_device-20:0/target20:0:0', 'scsi',
                 uevent={'DEVTYPE': 'scsi_target'})
    for kind in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 20, 30, 31):
        sysfs.device(f'{base}/host20/port-20:0/end_device-20:0/target20:0:0/20:0:0:{kind}', 'scsi',
                     uevent={'DEVTYPE': 'scsi_device'}, type=str(kind))
    sysfs.device(f'{base}/host20/port-20:0/end_device-20:0/target20:0:0/20:0:0:99', 'scsi',
                 uevent={'DEVTYPE': 'scsi_device'})
    # Fibre Channel: a port of another one, and one without names.
    card = 'pci0000:00/0000:00:12.0'
    sysfs.pci(card, 0x1077, 0x2532, 0x0c0400, 'qla2xxx')
    sysfs.device(f'{card}/host21', 'scsi', uevent={'DEVTYPE': 'scsi_host'})
    sysfs.device(f'{card}/host21/scsi_host/host21', 'scsi_host', is_class=True, unique_id='0',
                 vport_create='', vport_delete='', max_npiv_vports='63', npiv_vports_inuse='1')
    sysfs.device(f'{card}/host21/fc_host/host21', 'fc_host', is_class=True,
                 node_name='0x2001001b32a9da4e', port_name='0x2101001b32a9da4e',
                 fabric_name='0xffffffffffffffff')
    port = f'{card}/host21/vport-21:0-0/host22'
    sysfs.device(port, 'scsi', uevent={'DEVTYPE': 'scsi_host'})
    sysfs.device(f'{port}/fc_host/host22', 'fc_host', is_class=True, node_name='0x2001001b32a9da4f',
                 port_name='0x2101001b32a9da4f', fabric_name='0x2001001b32a9da50')


def add_odd_links(sysfs):
    base = 'pci0000:00/0000:00:0e.0'
    sysfs.device(f'{base}/infiniband/mlx5_0', 'infiniband', is_class=True, node_type='1: CA')
    path = interface(sysfs, base, 'ib0', 90, address=':'.join(['80'] * 20), type='32')
    sysfs.link(f'{path}/device', f'devices/{base}')
    path = interface(sysfs, base, 'roce1', 91, operstate='lowerlayerdown')
    sysfs.link(f'{path}/device', f'devices/{base}')
    interface(sysfs, 'virtual', 'noaddress', 93, address='')
    interface(sysfs, 'virtual', 'zerospeed', 95, speed='0')
    interface(sysfs, 'virtual', 'testing', 96, operstate='testing')


MACHINES = {'server': server, 'mainframe': mainframe, 'workbench': workbench}
