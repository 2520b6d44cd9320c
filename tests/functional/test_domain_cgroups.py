"""Control groups of guests where there is no systemd: made by hand, below machine/ in each
hierarchy that the host has mounted."""

import contextlib
import os
import subprocess
import unittest

import domain_case
import guest
import harness
from guest import cgroup_mounts

HAS_V1 = harness.IS_ROOT and all(os.access(cgroup_mounts().get(name, '/nowhere'), os.W_OK)
                                 for name in ('cpu', 'cpuset', 'devices'))


@guest.needs_qemu
@harness.needs_private_namespaces
@unittest.skipUnless(HAS_V1, 'needs control groups of version 1 to write to')
class Cgroups(domain_case.TestCase):
    def groups(self, partition='machine', name='a', number=1):
        """Controller → the guest's folder, of those that there are."""
        machine = f'qemu-{number}-{name}-{guest.instance_of(self.root)}'
        return {controller: mount / partition / f'{machine}.libvirt-qemu'
                for controller, mount in cgroup_mounts().items()
                if (mount / partition / f'{machine}.libvirt-qemu').is_dir()}

    def partition(self, name):
        """Makes a partition everywhere, and takes it away after the test."""
        for mount in set(cgroup_mounts().values()):
            folder = mount / f'{name}.partition'
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
            self.addCleanup(folder.rmdir)
            for file in ('cpuset.cpus', 'cpuset.mems'):
                if (folder / file).exists() and not (folder / file).read_text().strip():
                    (folder / file).write_text((mount / file).read_text())

    def test_guest_has_a_group_in_every_hierarchy(self):
        self.start_qemud()
        self.define_and_start()
        self.assertEqual(sorted(self.groups()), sorted(cgroup_mounts()))

    def test_processes_of_the_guest_are_in_its_groups(self):
        self.start_qemud()
        self.define_and_start()
        pid = str(self.qemu_pid())
        for name, folder in self.groups().items():
            inner = folder / 'emulator' if name in ('cpu', 'cpuacct', 'cpuset') else folder
            self.assertIn(pid, (inner / 'cgroup.procs').read_text().split(), name)

    def test_each_vcpu_has_a_group_of_its_own(self):
        self.start_qemud()
        self.define('a', extra='<vcpu>2</vcpu>')
        self.sh('start', 'a', '--paused')
        cpu = self.groups()['cpu']
        # Nobody waits for that: it is done beside the start.
        harness.wait_until(lambda: (cpu / 'vcpu1').exists() and (cpu / 'tasks').read_text() == '' and
                           (cpu / 'vcpu1/tasks').read_text(), 'the threads are sorted')
        threads = [(cpu / f'vcpu{number}/tasks').read_text().split() for number in (0, 1)]
        self.assertEqual([len(each) for each in threads], [1, 1])
        self.assertNotEqual(*threads)

    def test_groups_go_with_the_guest(self):
        self.start_qemud()
        self.define_and_start()
        self.sh('destroy', 'a')
        self.assertEqual(self.groups(), {})

    def test_groups_go_when_the_guest_ended_without_the_daemon(self):
        self.start_qemud()
        self.define_and_start()
        pid = self.qemu_pid()
        self.qemud.kill()
        os.kill(pid, 9)
        self.assertNotEqual(self.groups(), {})
        self.qemud.start()
        harness.wait_until(lambda: not self.groups(), 'the groups are gone')

    def test_groups_of_a_guest_that_was_found_again_go_with_it(self):
        self.start_qemud()
        self.define_and_start()
        self.crash_qemud()
        self.wait_state('paused (user)')
        self.sh('destroy', 'a')
        self.assertEqual(self.groups(), {})

    def test_groups_of_a_failed_start_go(self):
        self.start_qemud()
        self.define('a', devices="<serial type='file'><source path='/proc/version/x'/></serial>")
        self.fails('start', 'a')
        self.assertEqual(self.groups(), {})

    def test_guest_opens_only_devices_that_it_may(self):
        self.start_qemud()
        self.define_and_start()
        allowed = (self.groups()['devices'] / 'devices.list').read_text().splitlines()
        self.assertIn('c 1:3 rw', allowed)     # /dev/null
        self.assertIn('c 136:* rw', allowed)   # pseudo terminals
        self.assertNotIn('a *:* rwm', allowed)
        self.assertFalse([line for line in allowed if line.startswith('b')])

    def loop_device(self, *options):
        """A block device of the test's own."""
        image = self.root / f'loop-{len(os.listdir(self.root))}.img'
        image.write_bytes(bytes(1 << 20))
        image.chmod(0o666)
        made = subprocess.run(['losetup', '--find', '--show', *options, str(image)],
                              capture_output=True, text=True)
        if made.returncode:
            self.skipTest(f'needs loop devices: {made.stderr}')
        device = made.stdout.strip()
        self.addCleanup(subprocess.run, ['losetup', '--detach', device], check=True)
        return device

    def test_guest_may_open_its_block_devices_as_its_disks_are(self):
        self.start_qemud()
        written, read = self.loop_device(), self.loop_device('--read-only')
        self.define('a', devices=f"""
            <disk type='block' device='disk'><source dev='{written}'/><target dev='vda'/></disk>
            <disk type='block' device='disk'><source dev='{read}'/><target dev='vdb'/><readonly/>
            </disk>""")
        self.sh('start', 'a', '--paused')
        allowed = (self.groups()['devices'] / 'devices.list').read_text().splitlines()
        for device, access in ((written, 'rw'), (read, 'r')):
            number = os.stat(device).st_rdev
            self.assertIn(f'b {os.major(number)}:{os.minor(number)} {access}', allowed)
        self.sh('destroy', 'a')

    def test_conf_names_the_devices_of_every_guest(self):
        (self.root / 'etc/libvirt').mkdir(parents=True, exist_ok=True)
        (self.root / 'etc/libvirt/qemu.conf').write_text(
            'cgroup_device_acl = [ "/dev/null", "/dev/urandom", "/dev/not-there" ]\n')
        self.start_qemud()
        self.define_and_start()
        allowed = (self.groups()['devices'] / 'devices.list').read_text().splitlines()
        self.assertEqual(allowed, ['c 1:3 rw', 'c 1:9 rw', 'c 136:* rw'])

    def test_conf_names_the_controllers(self):
        (self.root / 'etc/libvirt').mkdir(parents=True, exist_ok=True)
        (self.root / 'etc/libvirt/qemu.conf').write_text('cgroup_controllers = [ "cpuset" ]\n')
        self.start_qemud()
        self.define_and_start()
        self.assertEqual(set(self.groups()) - {'unified'}, {'cpuset'})

    def test_running_guest_shows_its_partition(self):
        self.start_qemud()
        self.define_and_start()
        self.assertIn('<partition>/machine</partition>', self.sh('dumpxml', 'a'))
        self.assertNotIn('<partition>', self.sh('dumpxml', 'a', '--inactive'))

    def test_partition_of_the_definition_is_used(self):
        self.partition('sv-part')
        self.start_qemud()
        self.define('a', extra='<resource><partition>/sv-part</partition></resource>')
        self.sh('start', 'a', '--paused')
        self.assertEqual(self.groups(), {})
        self.assertEqual(sorted(self.groups('sv-part.partition')), sorted(cgroup_mounts()))
        self.assertIn('<partition>/sv-part</partition>', self.sh('dumpxml', 'a', '--inactive'))
        self.sh('destroy', 'a')
        self.assertEqual(self.groups('sv-part.partition'), {})

    def test_partition_that_is_not_there_is_named(self):
        self.start_qemud()
        self.define('a', extra='<resource><partition>/sv-none</partition></resource>')
        self.assertIn('there is no control group', self.fails('start', 'a'))
        self.assertEqual(self.state(), 'shut off (failed)')

    def test_partition_must_be_an_absolute_path(self):
        self.start_qemud()
        self.define('a', extra='<resource><partition>machine</partition></resource>')
        self.assertIn("Resource partition 'machine' must start with '/'", self.fails('start', 'a'))

    def test_name_keeps_to_what_machines_may_be_called(self):
        self.start_qemud()
        self.define_and_start('b_c -d..e')
        self.assertIn('cpu', self.groups(name='bc-d.e'))
