"""The sizes of images in statistics: kept while nothing is written, and right all the same."""

import re
import subprocess

import domain_case
import guest
from test_domain_boot import Stream

MIB = 1024 * 1024


def disk(path):
    return (f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
            f"<source file='{path}'/><target dev='vda' bus='virtio'/></disk>")


class TestCase(domain_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_qemud()
        self.image = self.root / 'disk.qcow2'
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', self.image, '64M'], check=True)

    def block(self, key):
        lines = self.sh('domstats', 'a', '--block').split()
        value, = [line.partition('=')[2] for line in lines if line.startswith(f'block.0.{key}=')]
        return int(value)


@guest.needs_qemu
class Resized(TestCase):
    def test_resize_by_a_monitor_command_shows_at_once(self):
        self.define_and_start(devices=disk(self.image))
        for _ in range(2):
            self.assertEqual(self.block('capacity'), 64 * MIB)
        nodes = self.sh('qemu-monitor-command', 'a', '{"execute": "query-blockstats"}')
        name = re.search(r'"node-name": ?"([^"]+-format)"', nodes)[1]
        answer = self.sh('qemu-monitor-command', 'a',
                         f'{{"execute": "block_resize", "arguments": {{"node-name": "{name}", '
                         f'"size": {128 * MIB}}}}}')
        self.assertNotIn('error', answer)
        self.assertEqual(self.block('capacity'), 128 * MIB)


@guest.needs_image
class Written(TestCase):
    def test_image_grows_with_what_the_guest_writes(self):
        self.sh('define', self.write('a.xml', guest.booting_xml(None, 'a',
                                                                devices=disk(self.image))))
        self.sh('start', 'a')
        client = self.client()
        client.timeout_s = guest.BOOT_S
        client.socket.settimeout(guest.BOOT_S)
        console = Stream(client, 'DOMAIN_OPEN_CONSOLE', dom=self.domain(client))
        console.wait_for(b'guest# ')
        before = [self.block('physical') for _ in range(3)]
        self.assertEqual(len(set(before)), 1)
        for n in (1, 2):
            console.send(b'dd if=/dev/zero of=/dev/vda bs=65536 seek=%d count=64 && '
                         b'sync && echo wrote $((%d + 0))\n' % (n * 64, n))
            console.wait_for(b'wrote %d' % n)
            self.assertGreaterEqual(self.block('physical'), before[0] + n * 4 * MIB)
            self.assertGreaterEqual(self.block('wr.bytes'), n * 4 * MIB)
