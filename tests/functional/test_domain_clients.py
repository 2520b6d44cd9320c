"""Programs that people run: one in python3-libvirt with an event loop, and virt-install, both as
they come, with real guests."""

import os
import re
import shutil
import sys
import unittest

import guest
import harness

STARTED, SUSPENDED, RESUMED, STOPPED, SHUTDOWN = 2, 3, 4, 5, 6
VIRT_INSTALL = shutil.which('virt-install')

# A client of its own process: the default event loop is one for each process, and for ever.
PROGRAM = '''
import sys, libvirt
libvirt.virEventRegisterDefaultImpl()
connection = libvirt.open(sys.argv[1])
events, heard, is_over = [], b"", False

def on_lifecycle(connection, domain, event, detail, opaque):
    events.append((event, detail))

def on_stream(stream, happened, opaque):
    global heard
    try:
        data = stream.recv(1024)
    except libvirt.libvirtError:
        data = b""
    if data == -2:
        return
    if not data:
        stream.eventRemoveCallback()
        return
    heard += data

connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_lifecycle, None)
domain = connection.createXML(open(sys.argv[2]).read(), libvirt.VIR_DOMAIN_START_PAUSED)
stream = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
domain.openConsole(None, stream, 0)
stream.eventAddCallback(libvirt.VIR_STREAM_EVENT_READABLE, on_stream, None)
domain.resume()

def turn_until(condition):
    timer = libvirt.virEventAddTimeout(200, lambda *unused: None, None)
    while not condition():
        libvirt.virEventRunDefaultImpl()
    libvirt.virEventRemoveTimeout(timer)

turn_until(lambda: b"GUEST-READY" in heard)
stream.send(b"said to the guest\\n")
turn_until(lambda: heard.count(b"said to the guest") >= 1)
domain.destroy()
turn_until(lambda: any(event == libvirt.VIR_DOMAIN_EVENT_STOPPED for event, detail in events))
stream.abort()
print("events:", events)
print("left:", [one.name() for one in connection.listAllDomains()])
connection.close()
'''


class ClientTestCase(guest.TestCase):
    def start_front(self):
        for folder in (self.root, self.root.parent):
            if folder.name.startswith('sv-'):
                folder.chmod(0o755)  # QEMU may run as a user of its own
        # virt-install asks for pools, networks and devices, too.
        return self.suite([name for name in harness.DAEMONS if name != 'virtproxyd'])['virtqemud']


@guest.needs_image
class Python(ClientTestCase):
    timeout_s = 2 * guest.BOOT_S

    def test_program_creates_watches_talks_and_destroys(self):
        daemon = self.start_front()
        path = self.write('a.xml', guest.booting_xml(None, 'a'))
        text = self.run_command([sys.executable, '-c', PROGRAM, daemon.uri(), path],
                                timeout_s=guest.BOOT_S)
        self.assertEqual(
            eval(re.search(r'events: (.*)', text).group(1)),
            [(STARTED, 0), (SUSPENDED, 0), (RESUMED, 0), (SHUTDOWN, 2), (STOPPED, 1)])
        self.assertIn('left: []', text)


@unittest.skipUnless(VIRT_INSTALL, 'needs virt-install')
@guest.needs_qemu
class VirtInstall(ClientTestCase):
    timeout_s = 240

    def virt_install(self, daemon, *words, **options):
        # It keeps a log at home.
        env = {**os.environ, 'HOME': str(self.root), 'XDG_CACHE_HOME': str(self.root / 'cache')}
        return self.run_command(
            [VIRT_INSTALL, '--connect', daemon.uri(), '--import', '--name', 'vi', '--memory', '64',
             '--virt-type', 'qemu', '--network', 'none', '--osinfo', 'detect=off,require=off',
             *words], env=env, timeout_s=100, **options)

    def image(self):
        path = self.root / 'vi.qcow2'
        self.run_command(['qemu-img', 'create', '-q', '-f', 'qcow2', path, '8M'])
        return path

    def disk(self):
        """Without storage pools virt-install takes a path by this name only."""
        return f'source.file={self.image()},driver.type=qcow2'

    def test_print_xml_is_a_definition_that_is_accepted(self):
        daemon = self.start_front()
        text = self.virt_install(daemon, '--graphics', 'none', '--print-xml', '--disk', self.disk())
        self.assertIn(f'<source file="{self.root}/vi.qcow2"/>', text)
        self.assertRegex(text, '<type arch="x86_64" machine="pc-i440fx-[^"]*">hvm</type>')
        self.virsh(daemon, 'define', self.write('vi.xml', text))
        self.assertEqual(self.virsh(daemon, 'list', '--all', '--name').split(), ['vi'])

    def test_transient_guest_is_created_and_leaves_nothing(self):
        daemon = self.start_front()
        self.virt_install(daemon, '--graphics', 'none', '--transient', '--noautoconsole',
                          '--disk', self.disk())
        self.assertEqual(self.virsh(daemon, 'domstate', 'vi').strip(), 'running')
        self.assertIn('Persistent:     no', self.virsh(daemon, 'dominfo', 'vi'))
        xml = self.virsh(daemon, 'dumpxml', 'vi')
        self.assertIn("<driver name='qemu' type='qcow2'/>", xml)
        self.assertEqual(xml.count("<controller type='usb' index='0' model='ich9-"), 4)
        self.virsh(daemon, 'destroy', 'vi')
        self.assertEqual(self.virsh(daemon, 'list', '--all', '--name').split(), [])

    def test_persistent_guest_with_a_display_is_started(self):
        daemon = self.start_front()
        self.virt_install(daemon, '--graphics', 'vnc', '--noautoconsole', '--disk', self.disk())
        self.assertEqual(self.virsh(daemon, 'domstate', 'vi').strip(), 'running')
        self.assertIn('Persistent:     yes', self.virsh(daemon, 'dominfo', 'vi'))
        self.assertRegex(self.virsh(daemon, 'vncdisplay', 'vi'), r'^(127\.0\.0\.1)?:\d+')
        self.virsh(daemon, 'destroy', 'vi')
        self.virsh(daemon, 'undefine', 'vi')

    def test_name_that_is_taken_is_refused(self):
        daemon = self.start_front()
        self.virsh(daemon, 'define', self.write('vi.xml', guest.paused_xml('vi')))
        text = self.virt_install(daemon, '--graphics', 'none', '--noautoconsole', '--disk', 'none',
                                 status=1)
        self.assertIn("Guest name 'vi' is already in use", text)
