"""Guests under a real systemd: whatever is done to the daemons, they live; what is to come up with
the host comes up; and polkit decides who may do what."""

import guest
import harness
import system_container

SERIAL = '/var/lib/libvirt/images/serial'


def setUpModule():
    system_container.boot()


@guest.needs_image
class Guests(system_container.TestCase):
    """One guest for each test, emulated: what the unit forbids, it cannot do."""
    timeout_s = 2 * guest.BOOT_S + 240

    def define(self, name, xml):
        self.addCleanup(self.virsh, 'undefine', name, status=None)
        self.addCleanup(self.virsh, 'destroy', name, status=None)
        self.virsh('define', self.write(f'/tmp/{name}.xml', xml))

    def start_booting(self, name='guest'):
        self.define(name, guest.booting_xml(f'{SERIAL}.{name}', name, domain_type='qemu'))
        self.virsh('start', name)
        guest.wait_for_marker(self.container.path(f'{SERIAL}.{name}'))
        return self.emulator(name)

    def emulator(self, name):
        """The pid of a guest's emulator, as numbered inside."""
        return int(self.run_inside('pgrep', '-f', f'qemu-system-.*guest={name}[,]'))

    def assert_lives(self, name, pid):
        self.assertEqual(self.virsh('domstate', name).strip(), 'running')
        self.assertEqual(self.emulator(name), pid)

    def test_guest_lives_through_whatever_happens_to_the_daemons(self):
        pid = self.start_booting()
        for daemon in self.kinds:
            self.systemctl('restart', f'{daemon}.service')
            self.assert_lives('guest', pid)
            # Guests without a scope of their own are still in the daemon's control group.
            self.systemctl('kill', '-s', 'KILL', '--kill-whom=main', f'{daemon}.service')
            self.assert_serves(daemon)
            self.assert_lives('guest', pid)
        self.systemctl('stop', 'splitvirt.target')
        self.systemctl('start', 'splitvirt.target')
        self.assert_lives('guest', pid)
        # It is not only there, but can still be managed.
        self.virsh('shutdown', 'guest')
        harness.wait_until(lambda: self.virsh('domstate', 'guest').strip() == 'shut off',
                           'its power button works', guest.BOOT_S)

    def test_daemon_with_a_guest_does_not_leave(self):
        self.write('/etc/default/virtqemud', 'VIRTQEMUD_ARGS=--timeout 1\n')
        self.systemctl('restart', 'virtqemud.service')
        self.define('paused', guest.paused_xml('paused'))
        self.virsh('start', '--paused', 'paused')
        pid = self.main_pid('virtqemud')
        self.run_inside('sleep', '3')
        self.assertEqual(self.main_pid('virtqemud'), pid)
        self.virsh('destroy', 'paused')
        harness.wait_until(lambda: self.state('virtqemud.service') == 'inactive', 'it leaves')

    def test_guest_comes_up_with_the_host_and_without_a_client(self):
        self.define('autostarted', guest.booting_xml(f'{SERIAL}.autostarted', 'autostarted',
                                                     domain_type='qemu'))
        self.define('other', guest.paused_xml('other'))
        self.virsh('autostart', 'autostarted')
        self.container.reboot()
        harness.wait_until(lambda: self.container.run(
            ['pgrep', '-f', 'guest=autostarted[,]'], status=None)[0], 'it is started')
        # The proxy is not started at boot: nobody has asked for anything yet.
        self.assertEqual(self.state('virtproxyd.service'), 'inactive')
        guest.wait_for_marker(self.container.path(f'{SERIAL}.autostarted'))
        self.assertEqual(self.virsh('domstate', 'autostarted').strip(), 'running')
        self.assertEqual(self.virsh('domstate', 'other').strip(), 'shut off')


class Polkit(system_container.TestCase):
    """With a real polkitd, which has our policy and our rule."""

    @classmethod
    def setUpClass(cls):
        run = system_container.container().run
        run(['useradd', 'stranger'])
        run(['useradd', '--groups', 'libvirt', 'member'])

    def test_member_of_the_group_manages_guests(self):
        for uri in ('qemu:///system', 'qemu:///system?mode=legacy'):
            self.assertIn('system', self.virsh('uri', uri=uri, user='member'))
            self.assertEqual(self.virsh('list', '--all', '--name', uri=uri, user='member').strip(), '')

    def test_others_are_refused_where_nobody_can_be_asked(self):
        for uri in ('qemu:///system', 'qemu:///system?mode=legacy', 'secret:///system'):
            output = self.container.run(['virsh', '-q', '-c', uri, 'uri'], user='stranger', status=1)
            self.assertIn("no polkit agent available to authenticate action "
                          "'org.libvirt.unix.manage'", output[1])

    def test_everybody_may_look(self):
        for uri in ('qemu:///system', 'qemu:///system?mode=legacy'):
            self.virsh('-r', 'list', uri=uri, user='stranger')

    def test_nobody_but_root_administers(self):
        output = self.container.run(['virt-admin', '-c', 'virtqemud:///system', 'srv-list'],
                                    user='member', status=1)
        self.assertIn('Permission denied', output[1])
