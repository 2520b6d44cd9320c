"""Guests where their daemon may not make control groups, as in many containers."""

import subprocess

import domain_case
import guest
import harness
import namespaces


@guest.needs_qemu
@harness.needs_private_namespaces
class NoCgroups(domain_case.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        namespaces.separate()
        # A bind mount of one's own can be read-only: nobody else's is changed.
        for mount in set(guest.cgroup_mounts().values()):
            subprocess.run(['mount', '--bind', mount, mount], check=True)
            subprocess.run(['mount', '-o', 'remount,bind,ro', mount], check=True)

    def test_guests_run_without(self):
        self.start_qemud()
        self.define_and_start()
        self.assertEqual(self.state(), 'paused (user)')
        self.assertNotIn('<partition>', self.sh('dumpxml', 'a'))

    def test_nothing_is_said_by_default(self):
        self.start_qemud()
        self.define_and_start()
        self.assertNotIn('control groups', self.qemud.output())

    def test_it_is_said_once_when_groups_were_asked_for(self):
        (self.root / 'etc/libvirt').mkdir(parents=True, exist_ok=True)
        (self.root / 'etc/libvirt/qemu.conf').write_text('cgroup_controllers = [ "cpu" ]\n')
        self.start_qemud()
        for name in ('a', 'b'):
            self.define_and_start(name)
        self.assertEqual(self.qemud.output().count('without control groups'), 1)

    def test_guest_that_must_be_in_a_partition_is_refused(self):
        self.start_qemud()
        self.define('a', extra='<resource><partition>/machine/x</partition></resource>')
        self.assertIn('control group', self.fails('start', 'a'))
