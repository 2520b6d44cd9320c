"""Guests as units of a real systemd, and what becomes of them when its host shuts down."""

import guest
import harness
import system_container

SERIAL = '/var/lib/libvirt/images/serial'
LIBVIRT_GUESTS = 'libvirt-guests.service'


def setUpModule():
    system_container.boot()


class ScopesCase(system_container.TestCase):
    timeout_s = 3 * guest.BOOT_S + 240

    def setUp(self):
        self.addCleanup(self.clear)

    def clear(self):
        for name in self.virsh('list', '--name').split():
            self.virsh('destroy', name)
        for name in self.virsh('list', '--all', '--name').split():
            self.virsh('undefine', name)

    def define(self, name, xml):
        self.write(f'/root/{name}.xml', xml)
        self.virsh('define', f'/root/{name}.xml')

    def start_paused(self, name='a', **options):
        self.define(name, guest.paused_xml(name, **options))
        self.virsh('start', name, '--paused')

    def start_booting(self, name='a'):
        self.define(name, guest.booting_xml(f'{SERIAL}.{name}', name, domain_type='qemu'))
        self.virsh('start', name)
        guest.wait_for_marker(self.container.path(f'{SERIAL}.{name}'))

    def pid(self, name='a'):
        return int(self.container.path(f'/run/libvirt/qemu/{name}.pid').read_text())

    def unit_of(self, name='a'):
        """Which unit a guest is in, by the kernel."""
        lines = self.container.path(f'/proc/{self.pid(name)}/cgroup').read_text().splitlines()
        paths = [line.split(':', 2)[2] for line in lines if '.scope' in line]
        return paths[0].split('/libvirt')[0] if paths else None

    def scopes(self):
        return self.systemctl('list-units', '--plain', '--no-legend', 'machine-qemu*.scope').split()

    def state_of(self, name='a'):
        return self.virsh('domstate', '--reason', name).strip()


@guest.needs_qemu
class Scopes(ScopesCase):
    def test_guest_is_a_scope_of_its_own(self):
        self.start_paused()
        self.assertRegex(self.unit_of(), r'/machine\.slice/machine-qemu\\x2d\d+\\x2da\.scope$')

    def test_guest_is_a_machine(self):
        self.start_paused()
        self.assertRegex(self.run_inside('machinectl', 'list', '--no-legend'),
                         r'qemu-\d+-a +vm +libvirt-qemu')

    def test_guest_is_a_scope_without_machined(self):
        self.systemctl('mask', '--runtime', '--now', 'systemd-machined.service')
        self.addCleanup(self.systemctl, 'unmask', '--runtime', 'systemd-machined.service')
        self.start_paused()
        self.assertRegex(self.unit_of(), r'machine-qemu\\x2d\d+\\x2da\.scope$')

    def test_partition_is_a_slice(self):
        self.start_paused(extra='<resource><partition>/machine/testing</partition></resource>')
        self.assertIn('/machine.slice/machine-testing.slice/', self.unit_of())

    def test_each_vcpu_has_a_group_below_the_scope(self):
        self.start_paused(extra='<vcpu>2</vcpu>')

        def groups():
            found = self.run_inside('find', '/sys/fs/cgroup', '-path', '*.scope/libvirt/*',
                                    '-type', 'd')
            return {line.rpartition('/')[2] for line in found.splitlines()}
        harness.wait_until(lambda: groups() == {'emulator', 'vcpu0', 'vcpu1'},
                           'the threads are sorted')

    def test_scope_goes_with_the_guest(self):
        self.start_paused()
        self.assertNotEqual(self.scopes(), [])
        self.virsh('destroy', 'a')
        harness.wait_until(lambda: not self.scopes(), 'the scope is gone')
        self.assertEqual(self.run_inside('machinectl', 'list', '--no-legend').strip(), '')

    def test_name_can_be_used_again_at_once(self):
        """A daemon that has been restarted counts from 1 again."""
        self.start_paused()
        for _ in range(10):
            self.virsh('destroy', 'a')
            self.systemctl('restart', 'virtqemud.service')
            self.virsh('start', 'a', '--paused')

    def test_stopped_daemon_leaves_the_scope(self):
        self.start_paused()
        scope = self.scopes()[0]
        self.systemctl('stop', 'virtqemud.service', 'virtqemud.socket', 'virtqemud-ro.socket',
                       'virtqemud-admin.socket')
        self.assertEqual(self.state(scope), 'active')
        self.systemctl('start', 'virtqemud.socket', 'virtqemud-ro.socket', 'virtqemud-admin.socket')
        self.assertEqual(self.state_of(), 'paused (user)')


@guest.needs_image
class Shutdown(ScopesCase):
    """Each test reboots the host."""

    def conf(self, text):
        self.addCleanup(self.systemctl, 'restart', 'virtqemud.service')
        self.write('/etc/libvirt/qemu.conf', text)
        self.systemctl('restart', 'virtqemud.service')

    def test_guests_are_shut_down_by_the_daemon_and_come_up_again(self):
        self.conf('auto_shutdown_try_shutdown = "all"\nauto_shutdown_wait = 100\n')
        self.start_booting()
        self.define('off', guest.paused_xml('off'))
        self.container.reboot()
        self.assertIn('reason=shutdown', self.container.path('/var/log/libvirt/qemu/a.log').read_text())
        harness.wait_until(lambda: self.state_of() == 'running (booted)', 'it is started again')
        self.assertEqual(self.state_of('off'), 'shut off (unknown)')

    def test_guests_have_the_time_that_the_settings_give_them(self):
        """More than logind waits: what is paused does not shut down, and is ended at last."""
        self.conf('auto_shutdown_try_shutdown = "all"\nauto_shutdown_poweroff = "all"\n'
                  'auto_shutdown_wait = 8\nauto_shutdown_restore = 0\n')
        self.start_paused()
        self.container.reboot()
        self.assertIn('reason=destroyed', self.container.path('/var/log/libvirt/qemu/a.log').read_text())
        self.assertEqual(self.state_of(), 'shut off (unknown)')

    def test_libvirt_guests_shuts_guests_down_and_starts_them_again(self):
        self.write('/etc/default/libvirt-guests', 'ON_BOOT=start\nPARALLEL_SHUTDOWN=2\n')
        self.systemctl('enable', '--now', LIBVIRT_GUESTS)
        self.addCleanup(self.systemctl, 'disable', LIBVIRT_GUESTS)
        self.start_booting()
        self.container.reboot()
        self.assertIn('reason=shutdown', self.container.path('/var/log/libvirt/qemu/a.log').read_text())
        try:
            harness.wait_until(lambda: self.state_of() == 'running (booted)', 'it is started again')
        except AssertionError as error:
            self.fail(f'{error}\n{self.journal(LIBVIRT_GUESTS)}')
