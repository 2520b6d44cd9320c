"""Debian's libvirtd with our virtlogd in the place of its own: real guests log through it."""

import os
import re
import signal
from pathlib import Path

import descriptors
import guest
import harness
import libvirtd

QEMU_SCHEMA = 'http://libvirt.org/schemas/domain/qemu/1.0'
XML_LOG = '''<serial type='pty'><log file='%s' append='off'/></serial>'''


@libvirtd.needs_libvirtd
@guest.needs_image
class ForeignDaemon(harness.TestCase):
    timeout_s = 400

    def setUp(self):
        super().setUp()
        self.folder = Path('/var/log/libvirt/qemu')
        self.folder.mkdir(parents=True, exist_ok=True)
        self.holder = descriptors.Holder('virtlogd', Path('/'))
        self.addCleanup(self.holder.kill)
        os.makedirs('/run/libvirt', exist_ok=True)
        self.holder.start()
        self.virtlogd = self.adopt(harness.SystemDaemon('virtlogd', self.root,
                                                        config={'max_backups': 5}))
        self.libvirtd = libvirtd.Libvirtd(self.root, stdio_handler='logd')
        self.addCleanup(self.libvirtd.stop)
        self.libvirtd.start()

    def run_virsh(self, *words):
        return self.run_command(['virsh', '-q', '-c',
                                 f'qemu+unix:///system?socket={libvirtd.SOCKET}', *words],
                                timeout_s=120)

    def start_guest(self):
        """Boots a guest that logs its console. Returns the paths of both of its logs."""
        name = f'logd{os.getpid()}'
        console, own = self.folder / f'{name}.serial', self.folder / f'{name}.log'
        for path in (console, own):
            path.unlink(missing_ok=True)
            self.addCleanup(path.unlink, missing_ok=True)
        xml = guest.booting_xml(None, name=name).replace("<serial type='pty'/>", XML_LOG % console)
        (self.root / 'guest.xml').write_text(xml)
        self.run_virsh('create', self.root / 'guest.xml')
        self.addCleanup(self.run_command, ['virsh', '-q', '-c', 'qemu+unix:///system?socket='
                                           + libvirtd.SOCKET, 'destroy', name], status=None)
        return name, console, own

    def test_guest_starts_and_logs_and_goes_on_when_virtlogd_is_killed(self):
        name, console, own = self.start_guest()
        self.assertEqual(self.holder.n_held(), 2)
        text = own.read_text()
        self.assertRegex(text, r'starting up libvirt version: ')
        self.assertRegex(text, rf'-name guest={name}')
        for kill in (self.virtlogd.kill, self.virtlogd.stop):
            kill()
            self.virtlogd.start()
        self.virtlogd.process.send_signal(signal.SIGUSR1)
        self.virtlogd.notify.lines.clear()
        self.virtlogd.wait_ready()
        guest.wait_for_marker(console)
        self.run_virsh('destroy', name)
        harness.wait_until(lambda: self.holder.n_held() == 0, 'both logs have ended')
        self.assertTrue(re.search(r'shutting down, reason=destroyed\n', own.read_text()))

    def test_guest_that_cannot_start_leaves_its_logs_free(self):
        name, console, own = self.start_guest()
        self.run_virsh('destroy', name)
        xml = (self.root / 'guest.xml').read_text()
        (self.root / 'guest.xml').write_text(
            xml.replace('<domain ', f'<domain xmlns:qemu="{QEMU_SCHEMA}" ').replace(
                '</domain>', '<qemu:commandline><qemu:arg value="-no-such-option"/>'
                '</qemu:commandline></domain>'))
        for _ in range(3):
            self.run_command(['virsh', '-c', f'qemu+unix:///system?socket={libvirtd.SOCKET}',
                              'create', self.root / 'guest.xml'], status=1, timeout_s=120)
        self.assertIn('no-such-option: invalid option', own.read_text())
        (self.root / 'guest.xml').write_text(xml)
        self.run_virsh('create', self.root / 'guest.xml')
        guest.wait_for_marker(console)
