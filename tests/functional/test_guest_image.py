"""The tiny guest that other tests boot does what they rely on. It runs in QEMU alone, so that
what fails here is the guest, and what fails elsewhere only is not."""

import os
import re
import shutil
import subprocess
import unittest

import guest
import harness


@guest.needs_image
@unittest.skipIf(harness.IS_SANITIZED, 'has nothing of ours that sanitizers could watch')
class GuestImage(guest.TestCase):
    def boot(self, *words, arguments='', machine='q35', memory_mib=128):
        """Boots it. Returns QEMU's process and monitor; the serial line is self.serial()."""
        files = guest.image()
        return self.bare_qemu(
            '-machine', f'{machine},accel={"kvm" if guest.HAS_KVM else "tcg"}', '-m', memory_mib,
            '-kernel', files.kernel, '-initrd', files.initrd,
            '-append', f'console=ttyS0 quiet {arguments}',
            '-serial', f'file:{self.serial()}', *words)

    def wait_for_end(self, process):
        self.assertEqual(process.wait(guest.BOOT_S), 0)

    def test_power_button_ends_it_as_soon_as_it_is_ready(self):
        for machine in ('q35', 'pc'):
            with self.subTest(machine):
                process, qmp = self.boot(machine=machine)
                guest.wait_for_marker(self.serial())
                qmp.command('system_powerdown')
                guest.wait_for_marker(self.serial(), 'GUEST-POWEROFF')
                self.wait_for_end(process)
                self.serial().unlink()

    def test_ignored_power_button_is_reported_each_time(self):
        _, qmp = self.boot(arguments='guest.ignorepower')
        guest.wait_for_marker(self.serial())
        for presses in (1, 2):
            qmp.command('system_powerdown')
            guest.wait_for_marker(self.serial(), 'GUEST-POWERBUTTON', presses)
        self.assertEqual(qmp.command('query-status')['status'], 'running')

    def test_reset_boots_it_again(self):
        _, qmp = self.boot()
        guest.wait_for_marker(self.serial())
        qmp.command('system_reset')
        guest.wait_for_marker(self.serial(), count=2)

    def test_ctrl_alt_del_reboots_it(self):
        _, qmp = self.boot()
        guest.wait_for_marker(self.serial())
        qmp.command('send-key', keys=[{'type': 'qcode', 'data': key}
                                      for key in ('ctrl', 'alt', 'delete')])
        guest.wait_for_marker(self.serial(), 'GUEST-REBOOT')
        guest.wait_for_marker(self.serial(), count=2)

    def test_guest_exit_powers_off_by_itself(self):
        process, _ = self.boot(arguments='guest.exit')
        self.wait_for_end(process)
        self.assertIn(guest.READY, self.serial().read_text())

    def test_guest_reboot_is_a_reset_by_the_guest(self):
        process, qmp = self.boot('-no-reboot', arguments='guest.reboot=1')
        guest.wait_for_marker(self.serial(), 'GUEST-REBOOT')
        qmp.wait_for_event('SHUTDOWN')
        self.wait_for_end(process)

    def test_guest_panic_is_seen_by_the_panic_device(self):
        _, qmp = self.boot('-device', 'pvpanic', '-action', 'panic=pause',
                           arguments='guest.panic')
        guest.wait_for_marker(self.serial(), 'GUEST-PANIC')
        qmp.wait_for_event('GUEST_PANICKED')

    def test_report_names_disks_with_sizes_and_serials(self):
        disk = guest.image().disk
        drives = [f'if=none,id=d{number},file={disk},format=raw,snapshot=on' for number in range(4)]
        self.boot('-drive', drives[0], '-device', 'virtio-blk-pci,drive=d0,serial=S-VIRTIO',
                  '-drive', drives[1], '-device', 'ide-hd,drive=d1,bus=ide.0,serial=S-IDE',
                  '-drive', drives[2], '-device', 'virtio-scsi-pci',
                  '-device', 'scsi-hd,drive=d2,serial=S-SCSI',
                  '-drive', drives[3] + ',readonly=on', '-device', 'virtio-blk-pci,drive=d3',
                  machine='pc', arguments='guest.report guest.disks=4')
        report = guest.wait_for_marker(self.serial())
        size = os.stat(disk).st_size
        for serial in ('S-VIRTIO', 'S-IDE', 'S-SCSI'):
            self.assertRegex(report, rf'GUEST-DISK \w+ bytes={size} readonly=0 serial={serial}\n')
        self.assertRegex(report, rf'GUEST-DISK \w+ bytes={size} readonly=1 serial=\n')

    def test_report_names_the_rest_of_the_machine(self):
        self.boot('-netdev', 'user,id=n', '-device', 'virtio-net-pci,netdev=n,mac=52:54:00:0a:0b:0c',
                  '-object', 'rng-random,id=r,filename=/dev/urandom',
                  '-device', 'virtio-rng-pci,rng=r', '-device', 'virtio-balloon-pci',
                  '-smp', '2', '-uuid', 'd1fe0003-0000-4000-8000-000000000001',
                  arguments='guest.report guest.dhcp')
        report = guest.wait_for_marker(self.serial())
        self.assertIn('GUEST-NET eth0 52:54:00:0a:0b:0c', report)
        self.assertIn('GUEST-CPUS 0-1', report)
        self.assertIn('GUEST-RNG virtio_rng', report)
        self.assertIn('GUEST-DRIVER virtio_balloon', report)
        self.assertIn('GUEST-UUID d1fe0003-0000-4000-8000-000000000001', report)
        self.assertLess(int(re.search(r'GUEST-MEMORY (\d+)', report)[1]), 128 * 1024)
        guest.wait_for_marker(self.serial(), 'GUEST-IP 10.0.2.15')

    def test_virtio_console_and_port_work(self):
        hvc, port = self.root / 'hvc', self.root / 'port'
        self.boot('-device', 'virtio-serial-pci',
                  '-chardev', f'file,id=c,path={hvc}', '-device', 'virtconsole,chardev=c',
                  '-chardev', f'socket,id=p,path={port},server=on,wait=off',
                  '-device', 'virtserialport,chardev=p,name=org.splitvirt.test.0')
        guest.wait_for_marker(self.serial())
        guest.wait_for_marker(hvc)
        for line in ('first connection\n', 'second connection\n'):
            console = guest.Console(port)
            console.write(line)
            console.wait_for(line)
            console.close()

    def test_shell_waits_on_the_serial_line(self):
        path = self.root / 'line'
        files = guest.image()
        self.bare_qemu('-m', '128', '-kernel', files.kernel, '-initrd', files.initrd,
                       '-append', 'console=ttyS0 quiet',
                       '-serial', f'unix:{path},server=on,wait=off')
        console = guest.Console(path)
        self.addCleanup(console.close)
        console.wait_for('guest# ')
        console.write('echo $((6 * 7)) times\n')
        console.wait_for('42 times')


@guest.needs_qemu
class Helpers(guest.TestCase):
    def test_what_names_the_root_is_found_and_ended(self):
        emulator, _ = self.bare_qemu('-machine', 'none')
        reader = subprocess.Popen(['tail', '-f', self.write('read', '')], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL)
        self.addCleanup(reader.wait)
        harness.wait_until(lambda: guest.processes_below(self.root) ==
                           sorted([emulator.pid, reader.pid]), 'both are found')
        self.assertEqual(guest.guests_below(self.root), [emulator.pid])
        guest.end_processes_below(self.root)
        self.assertEqual(guest.processes_below(self.root), [])

    def test_what_is_left_behind_fails_a_test(self):
        (self.root / 'run').mkdir()
        with self.assertRaisesRegex(AssertionError, 'run/left'):
            with self.leaves_nothing_behind(timeout_s=0):
                self.write('run/left', '')
        with self.assertRaisesRegex(AssertionError, 'process: .*qemu-system'):
            with self.leaves_nothing_behind(timeout_s=0):
                self.bare_qemu('-machine', 'none')
        with self.leaves_nothing_behind(timeout_s=0):
            self.write('run/brief', '').unlink()


@guest.needs_image
@unittest.skipIf(harness.IS_SANITIZED, 'has nothing of ours that sanitizers could watch')
class MakeGuest(harness.TestCase):
    def products(self, folder):
        return {name: (folder / name).stat().st_mtime_ns
                for name in ('vmlinuz', 'initrd', 'disk.raw')}

    def folder(self):
        """A folder to make a guest in, with the packages: nothing is downloaded once more."""
        folder = self.root / 'guest'
        shutil.copytree(guest.image().kernel.parent / 'packages', folder / 'packages')
        return folder

    def make(self, folder):
        return subprocess.Popen([guest.MAKE_GUEST, folder], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_callers_at_the_same_time_make_it_once(self):
        folder = self.folder()
        callers = [self.make(folder) for _ in range(3)]
        for caller in callers:
            output, _ = caller.communicate(timeout=60)
            self.assertEqual((output, caller.returncode), (b'', 0))
        before = self.products(folder)
        self.assertEqual(self.make(folder).wait(60), 0)
        self.assertEqual(self.products(folder), before)
        self.assertEqual([path for path in folder.iterdir() if path.name.startswith('work')], [])

    def test_same_packages_give_the_same_guest(self):
        folder = self.folder()
        self.assertEqual(self.make(folder).wait(60), 0)
        for name in ('vmlinuz', 'initrd'):
            self.assertEqual((folder / name).read_bytes(),
                             (guest.image().kernel.parent / name).read_bytes(), name)

    def test_broken_package_is_named(self):
        folder = self.folder()
        package, = (folder / 'packages').glob('linux-image-*')
        package.write_text('no package')
        maker = self.make(folder)
        output, _ = maker.communicate(timeout=60)
        self.assertEqual(maker.returncode, 1)
        self.assertIn(str(package).encode(), output)
        self.assertFalse((folder / 'initrd').exists())
