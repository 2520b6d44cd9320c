"""QEMU takes the command lines that virtqemud builds, and has the devices that they name: every
recorded definition of tests/unit/data/command is started, paused, and looked at over QMP."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import guest
import harness

DATA = harness.TOP / 'tests/unit/data/command'
IMAGES = Path('/var/lib/libvirt/images')
EMULATOR = '/usr/bin/qemu-system-x86_64'
FIRST_FD = 100
# Firmware images and block devices that not every machine has.
NEEDED_FILES = ('/usr/share/seabios/bios-256k.bin', '/usr/share/seabios/vgabios.bin',
                '/dev/loop6', '/dev/loop7')


class Qmp:
    """A monitor: one command after the other."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(harness.PATIENCE_S)
        self.socket.connect(path)
        self.file = self.socket.makefile('rw')
        assert 'QMP' in json.loads(self.file.readline())
        self.run('qmp_capabilities')

    def run(self, command, **arguments):
        print(json.dumps({'execute': command, 'arguments': arguments}), file=self.file, flush=True)
        while True:
            answer = json.loads(self.file.readline())
            if 'error' in answer:
                raise AssertionError(f'{command}: {answer["error"]}')
            if 'return' in answer:
                return answer['return']

    def close(self):
        self.file.close()
        self.socket.close()


@harness.needs_private_namespaces
class QemuCommand(harness.TestCase):
    timeout_s = 300

    def setUp(self):
        super().setUp()
        if not shutil.which('qemu-img') or not Path(EMULATOR).exists():
            self.skipTest('no QEMU')
        self.make_images()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(IMAGES / 'listening.sock'))
        listener.listen(16)
        self.addCleanup(listener.close)

    def make_images(self):
        IMAGES.mkdir(parents=True, exist_ok=True)
        self.addCleanup(shutil.rmtree, IMAGES)
        for name in (*(f'{letter}.raw' for letter in 'abcdefgh'), 'comma,a b.raw', 'base.raw',
                     'c.iso', 'initrd.img'):
            with open(IMAGES / name, 'wb') as image:
                image.truncate(1 << 20)
        for name, backing in (('b', None), ('base', None), ('o', 'base.qcow2'), ('m', 'base.raw'),
                              ('o2', 'm.qcow2')):
            args = ['-b', str(IMAGES / backing), '-F', backing.split('.')[-1]] if backing else []
            subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', *args,
                            str(IMAGES / f'{name}.qcow2'), '1M'], check=True)
        (IMAGES / 'vm,linuz').write_bytes(self.kernel())

    @staticmethod
    def kernel():
        """The header of a Linux kernel, as much as QEMU reads (x86 boot protocol 2.12)."""
        data = bytearray(65536)
        data[0x1f1] = 4
        data[0x1fe:0x200] = b'\x55\xaa'
        data[0x202:0x208] = b'HdrS\x0c\x02'
        data[0x211] = 1
        data[0x22c:0x230] = (0x7fffffff).to_bytes(4, 'little')
        data[0x238:0x23c] = (2047).to_bytes(4, 'little')
        return bytes(data)

    @staticmethod
    def can_start(xml):
        # A KVM without the processor's help takes few processor models; and any takes the host's
        # own frequency alone, unless the processor can scale it.
        if "type='kvm'" in xml and (not guest.HAS_KVM or "name='tsc' frequency=" in xml):
            return False
        for name in NEEDED_FILES:
            if f"'{name}'" in xml or f'>{name}<' in xml:
                if name.startswith('/dev/loop'):
                    return False
                if not os.access(name, os.R_OK):
                    return False
        return True

    def command(self, xml, state_dir):
        done = subprocess.run([harness.BUILD / 'tests/functional/qemu_command',
                               DATA / 'facts.json', state_dir, str(FIRST_FD)],
                              input=xml, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def opened(self, fds):
        numbers = []
        try:
            for kind, number, path in fds:
                if kind == 'listen':
                    opened = socket.socket(socket.AF_UNIX)
                    Path(path).parent.mkdir(parents=True, exist_ok=True)
                    Path(path).unlink(missing_ok=True)
                    opened.bind(path)
                    opened.listen(1)
                else:
                    opened = open(path, 'ab')
                os.dup2(opened.fileno(), number)
                opened.close()
                numbers.append(number)
            yield numbers
        finally:
            for number in numbers:
                os.close(number)

    def check(self, name):
        state_dir = str(self.root / name)
        os.mkdir(state_dir)
        xml = (DATA / f'{name}.xml').read_text()
        # The folder of vnc.sock is another guest's.
        for line in xml.splitlines():
            if '/vnc.sock' in line:
                xml = xml.replace(line.split("socket='")[1].split("'")[0], f'{state_dir}/vnc.sock')
        command = self.command(xml, state_dir)
        log = open(f'{state_dir}/log', 'w+', encoding='utf-8')
        with log, self.opened(command['fds']) as numbers:
            process = subprocess.Popen(
                command['argv'], pass_fds=numbers, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=dict(item.split('=', 1) for item in command['env']))
        try:
            self.look(name, f'{state_dir}/monitor.sock', command['argv'])
            self.assertEqual(process.wait(harness.PATIENCE_S), 0)
        except (ValueError, OSError, AssertionError) as error:
            process.kill()
            process.wait()
            raise AssertionError(
                f'{name}: {error}\n{Path(state_dir, "log").read_text()}') from error

    def look(self, name, path, argv):
        """The guest waits, and what the command line names is there."""
        qmp = Qmp(path)
        try:
            self.assertEqual(qmp.run('query-status')['status'], 'prelaunch')
            wanted = {value['id']: value['driver'] for value in self.values(argv, '-device')
                      if 'id' in value}
            found = {item['name']: item['type'] for item in
                     qmp.run('qom-list', path='/machine/peripheral')}
            for alias, driver in wanted.items():
                self.assertEqual(found.get(alias), f'child<{driver}>', alias)
            nodes = {node['node-name'] for node in qmp.run('query-named-block-nodes', flat=True)}
            self.assertLessEqual({value['node-name'] for value in self.values(argv, '-blockdev')},
                                 nodes)
            labels = {item['label'] for item in qmp.run('query-chardev')}
            self.assertLessEqual({text.split('id=')[1].split(',')[0] for option, text in
                                  zip(argv, argv[1:]) if option == '-chardev'}, labels)
            pci = sum(len(bus['devices']) for bus in qmp.run('query-pci'))
            self.assertGreaterEqual(pci, 2)
            qmp.run('quit')
        finally:
            qmp.close()

    @staticmethod
    def values(argv, option):
        return [json.loads(text) for name, text in zip(argv, argv[1:]) if name == option]

    def test_every_recorded_definition_starts_and_has_its_devices(self):
        names = sorted(path.stem for path in DATA.glob('*.xml'))
        self.assertGreater(len(names), 100)
        started = 0
        for name in names:
            if self.can_start((DATA / f'{name}.xml').read_text()):
                self.check(name)
                started += 1
        self.assertGreater(started, len(names) // 2)
