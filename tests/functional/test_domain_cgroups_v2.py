"""Control groups of guests on a host that has only version 2, made by hand."""

import os
import subprocess
import unittest
from pathlib import Path

import domain_case
import guest
import harness
import namespaces

CGROUPS = Path('/sys/fs/cgroup')


def hide_version_1():
    """In mounts of one's own: version 2 alone, where such hosts have it."""
    while subprocess.run(['umount', '--recursive', '--lazy', str(CGROUPS)],
                         capture_output=True).returncode == 0:
        pass
    return subprocess.run(['mount', '-t', 'cgroup2', 'cgroup2', str(CGROUPS)],
                          capture_output=True).returncode == 0


@guest.needs_qemu
@harness.needs_private_namespaces
class Cgroups2(domain_case.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        namespaces.separate()
        if not hide_version_1() or not os.access(CGROUPS, os.W_OK):
            raise unittest.SkipTest('needs control groups of version 2 to write to')

    def group(self, name='a'):
        return CGROUPS / f'machine/qemu-1-{name}-{guest.instance_of(self.root)}.libvirt-qemu'

    def test_guest_has_one_group(self):
        self.start_qemud()
        self.define_and_start()
        pid = self.qemu_pid()
        self.assertEqual((self.group() / 'cgroup.type').read_text(), 'domain threaded\n')
        self.assertIn(str(pid), (self.group() / 'emulator/cgroup.threads').read_text().split())

    def test_each_vcpu_has_a_group_of_its_own(self):
        self.start_qemud()
        self.define('a', extra='<vcpu>2</vcpu>')
        self.sh('start', 'a', '--paused')
        last = self.group() / 'vcpu1/cgroup.threads'
        # Nobody waits for that: it is done beside the start.
        harness.wait_until(lambda: last.exists() and last.read_text(), 'the threads are sorted')
        threads = [(self.group() / f'vcpu{number}/cgroup.threads').read_text().split()
                   for number in (0, 1)]
        self.assertEqual([len(each) for each in threads], [1, 1])
        self.assertNotEqual(*threads)

    def test_group_goes_with_the_guest(self):
        self.start_qemud()
        self.define_and_start()
        self.sh('destroy', 'a')
        self.assertFalse(self.group().exists())

    def test_devices_that_cannot_be_limited_are_mentioned_once_when_they_should_be(self):
        (self.root / 'etc/libvirt').mkdir(parents=True, exist_ok=True)
        (self.root / 'etc/libvirt/qemu.conf').write_text('cgroup_device_acl = [ "/dev/null" ]\n')
        self.start_qemud()
        for name in ('a', 'b'):
            self.define_and_start(name)
        self.assertEqual(self.qemud.output().count('cgroup_device_acl'), 1)
