"""What virtlogd does with files: rolling over, full and hanging disks, files that others touch."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

import hanging_fs
import harness
import log_case
import rpc

DAY_S = 86400
needs_fuse = unittest.skipUnless(hanging_fs.IS_THERE, 'needs /dev/fuse')


class RollOver(log_case.TestCase):
    timeout_s = 1200 if harness.IS_SOAK else 120

    def test_lines_are_never_split(self):
        daemon = self.virtlogd(config={'max_size': 100, 'max_backups': 2})
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b''.join(b'line %03d of the log\n' % n for n in range(12)))
        self.wait_content(path, b'line 010 of the log\nline 011 of the log\n')
        self.assertEqual([part.name for part in log_case.files(path)],
                         ['a.log.1', 'a.log.0', 'a.log'])
        self.assertEqual(log_case.files(path)[0].read_bytes()[:20], b'line 000 of the log\n')
        self.assertEqual([part.stat().st_size for part in log_case.files(path)], [100, 100, 40])

    def test_line_that_comes_in_parts_is_not_split(self):
        daemon = self.virtlogd(config={'max_size': 20, 'max_backups': 9})
        path, pipe = self.open(daemon, 'a.log')
        client = self.client(daemon)
        for part in (b'0123456789', b'0123456789', b'0123456789', b'\n', b'next', b' one\n'):
            pipe.write(part)
            client.position(path)
        self.assertEqual([part.read_bytes() for part in log_case.files(path)],
                         [b'0123456789' * 3 + b'\n', b'next one\n'])

    def test_line_longer_than_a_file_is_kept_whole(self):
        daemon = self.virtlogd(config={'max_size': 100, 'max_backups': 9})
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b'short\n' + b'x' * 5000 + b'\ntail\n')
        self.wait_content(path, b'tail\n')
        self.assertEqual([part.read_bytes() for part in log_case.files(path)],
                         [b'short\n', b'x' * 5000 + b'\n', b'tail\n'])

    def test_line_without_an_end_is_cut_and_no_byte_lost(self):
        daemon = self.virtlogd(config={'max_size': 1000, 'max_backups': 99})
        path, pipe = self.open(daemon, 'a.log')
        block = bytes(range(32, 127)) * 1000
        for _ in range(5):
            pipe.write(block)
        self.client(daemon).position(path)
        parts = [part.read_bytes() for part in log_case.files(path)]
        self.assertEqual(b''.join(parts), block * 5)
        self.assertLessEqual(max(map(len, parts)), 1000 + 65536)

    def test_size_0_is_no_limit(self):
        daemon = self.virtlogd(config={'max_size': 0})
        path, guest = self.guest(daemon, 'a.log', limit=200000)
        count = guest.finish_by_itself()
        self.wait_ended(path)
        self.assert_has_lines(path, count)
        self.assertEqual(os.listdir(self.folder), ['a.log'])
        self.assertGreater(path.stat().st_size, 2097152)

    def test_without_backups_the_log_begins_anew(self):
        daemon = self.virtlogd(config={'max_size': 100, 'max_backups': 0})
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b''.join(b'line %03d of the log\n' % n for n in range(7)))
        self.wait_content(path, b'line 005 of the log\nline 006 of the log\n')
        self.assertEqual(os.listdir(self.folder), ['a.log'])

    def test_backups_over_a_lowered_number_are_deleted(self):
        daemon = self.virtlogd(config={'max_size': 50, 'max_backups': 2})
        for number in range(5):
            (self.folder / f'a.log.{number}').write_text(str(number))
        (self.folder / 'a.log.old').write_text('not ours')
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b'x' * 40 + b'\n' + b'y' * 40 + b'\n')
        self.wait_content(path, b'y' * 40 + b'\n')
        self.assertEqual(sorted(os.listdir(self.folder)),
                         ['a.log', 'a.log.0', 'a.log.1', 'a.log.old'])
        self.assertEqual((self.folder / 'a.log.1').read_text(), '0')

    def test_gap_that_a_killed_daemon_left_costs_no_backup(self):
        daemon = self.virtlogd(config={'max_size': 50, 'max_backups': 3})
        for number in (1, 2):
            (self.folder / f'a.log.{number}').write_text(str(number))
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b'x' * 40 + b'\n' + b'y' * 40 + b'\n')
        self.wait_content(path, b'y' * 40 + b'\n')
        self.assertEqual([part.read_bytes()[:1] for part in log_case.files(path)],
                         [b'2', b'1', b'x', b'y'])

    def test_limits_that_are_loaded_anew_count(self):
        daemon = self.virtlogd(config={'max_size': 0})
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b'x' * 40 + b'\n')
        self.wait_content(path, b'x' * 40 + b'\n')
        daemon.configure({'max_size': 50})
        daemon.notify.lines.clear()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_ready()
        pipe.write(b'y' * 40 + b'\n')
        self.wait_content(path, b'y' * 40 + b'\n')

    def test_appending_rolls_over_too(self):
        daemon = self.virtlogd(config={'max_size': 100, 'max_backups': 9})
        client = self.client(daemon)
        path = self.folder / 'a.log'
        client.append(path, 'x' * 60 + '\n')
        client.append(path, 'y' * 60 + '\n' + 'z' * 60 + '\n')
        self.assertEqual([part.read_bytes()[:1] for part in log_case.files(path)],
                         [b'x', b'y', b'z'])

    def test_reading_and_positions_go_on_over_roll_over(self):
        daemon = self.virtlogd(config={'max_size': 1000, 'max_backups': 20})
        path, pipe = self.open(daemon, 'a.log')
        client = self.client(daemon)
        positions, text = [], ''
        for number in range(200):
            positions.append((client.position(path), len(text)))
            pipe.write(log_case.line(number))
            text += log_case.line(number).decode()
        for position, offset in positions:
            self.assertEqual(client.read(path, position, 5000), text[offset:offset + 5000])

    def test_position_in_a_deleted_file_is_refused(self):
        daemon = self.virtlogd(config={'max_size': 1000, 'max_backups': 1})
        path, pipe = self.open(daemon, 'a.log')
        client = self.client(daemon)
        start = client.position(path)
        # So that nobody else gets its number.
        with open(path, 'rb'):
            pipe.write(log_case.lines(100))
            with self.assertRaisesRegex(rpc.Error, f'inode {start["inode"]}.*none of its files'):
                client.read(path, start)

    def test_writers_at_full_speed_lose_no_byte(self):
        count = 2000000 if harness.IS_SOAK else 150000
        daemon = self.virtlogd(config={'max_size': 65536, 'max_backups': 100000})
        guests = [self.guest(daemon, f'{number}.log', limit=count) for number in range(4)]
        for path, guest in guests:
            written = guest.finish_by_itself()
            self.wait_ended(path)
            self.assert_has_lines(path, written)

    def test_two_hundred_guests_at_once_lose_no_line(self):
        daemon = self.virtlogd(config={'max_size': 4096, 'max_backups': 1000})
        logs = [self.open(daemon, f'{number}.log', domain=f'guest{number}')
                for number in range(200)]
        for number in range(300):
            for _path, pipe in logs:
                pipe.write(log_case.line(number))
        for path, pipe in logs:
            pipe.close()
        for path, _pipe in logs:
            self.wait_ended(path)
            self.assert_has_lines(path, 300)


class OldFiles(log_case.TestCase):
    def make(self, name, age_days):
        path = self.root / 'var/log/libvirt' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        then = time.time() - age_days * DAY_S
        os.utime(path, (then, then))
        return path

    def test_files_that_have_not_changed_are_deleted(self):
        old = [self.make(name, 11) for name in ('qemu/a.log', 'qemu/b.log.0', 'x/y/z.txt')]
        young = [self.make(name, 9) for name in ('qemu/c.log', 'd.log')]
        outside = self.make('../other.log', 11)
        self.virtlogd(config={'max_age_days': 10})
        harness.wait_until(lambda: not any(path.exists() for path in old), 'old files are gone')
        self.assertTrue(all(path.exists() for path in [*young, outside]))

    def test_open_log_is_never_too_old(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b'quiet\n')
        self.wait_content(path, b'quiet\n')
        old = [self.make('qemu/a.log.0', 2), self.make('qemu/b.log', 2)]
        os.utime(path, (0, 0))
        daemon.configure({'max_age_days': 1})
        daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: not any(path.exists() for path in old), 'old files are gone')
        self.assertTrue(path.exists())

    def test_root_of_logs_can_be_another(self):
        old, other = self.make('qemu/a.log', 5), self.make('mine/a.log', 5)
        self.virtlogd(config={'max_age_days': 1, 'log_root': str(other.parent)})
        harness.wait_until(lambda: not other.exists(), 'the old file is gone')
        self.assertTrue(old.exists())


class Others(log_case.TestCase):
    """Files that somebody else touches."""

    def test_log_that_is_cut_by_somebody_goes_on_without_a_hole(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b'before\n')
        self.wait_content(path, b'before\n')
        os.truncate(path, 0)
        pipe.write(b'after\n')
        self.wait_content(path, b'after\n')

    def test_log_that_is_removed_is_made_again(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b'before\n')
        self.wait_content(path, b'before\n')
        path.unlink()
        pipe.write(b'after\n')
        harness.wait_until(path.exists, 'the log is there again')
        self.wait_content(path, b'after\n')

    def test_file_that_somebody_put_in_place_is_not_put_aside(self):
        daemon = self.virtlogd(config={'max_size': 50})
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b'x' * 40 + b'\n')
        self.wait_content(path, b'x' * 40 + b'\n')
        path.rename(self.folder / 'a.moved')
        path.write_bytes(b'new ')
        pipe.write(b'y' * 40 + b'\n')
        self.wait_content(path, b'new ' + b'y' * 40 + b'\n')
        self.assertEqual(sorted(os.listdir(self.folder)), ['a.log', 'a.moved'])


@harness.needs_private_namespaces
class Disks(log_case.TestCase):
    """Disks that are full, or hang."""

    timeout_s = 120

    def mount(self, *words):
        folder = self.root / 'disk'
        folder.mkdir()
        self.run_command(['mount', *words, folder])
        self.addCleanup(subprocess.run, ['umount', '-l', folder], check=False)
        return folder

    def warnings(self, daemon):
        # What the place lacks is said by every daemon, and not of disks.
        return [line for line in daemon.output().splitlines()
                if ': warning :' in line and ' environment: ' not in line]

    def test_guest_runs_on_while_the_disk_is_full(self):
        daemon = self.virtlogd(config={'max_size': 0})
        self.folder = self.mount('-t', 'tmpfs', '-o', 'size=256k', 'none')
        path, guest = self.guest(daemon, 'a.log', limit=100000)
        written = guest.finish_by_itself()
        self.assertEqual(written, 100000)
        self.wait_ended(path)
        size = sum(len(log_case.line(number)) for number in range(written))
        dropped = size - path.stat().st_size
        first, last = self.warnings(daemon)
        self.assertIn(f"cannot write log '{path}' of domain 'a.log': No space left", first)
        self.assertIn(f'{dropped} bytes were dropped', last)
        self.assertTrue(log_case.lines(written).startswith(path.read_bytes()))

    def test_log_goes_on_with_whole_lines_when_there_is_room_again(self):
        daemon = self.virtlogd(config={'max_size': 0})
        self.folder = self.mount('-t', 'tmpfs', '-o', 'size=256k', 'none')
        filler = self.folder / 'filler'
        path, pipe = self.open(daemon, 'a.log')
        client = self.client(daemon)
        for number in range(8000):
            pipe.write(log_case.line(number))
        client.position(path)
        harness.wait_until(lambda: self.warnings(daemon), 'the warning')
        kept = path.read_bytes()
        filler.touch()
        self.run_command(['mount', '-o', 'remount,size=1m', self.folder])
        pipe.write(b'first after the gap\n')
        client.position(path)
        self.assertEqual(path.read_bytes(), kept.rpartition(b'\n')[0] + b'\n'
                         + kept.rpartition(b'\n')[2] + (b'' if kept.endswith(b'\n') else b'\n')
                         + b'first after the gap\n')

        def is_over():
            pipe.write(b'.\n')
            return 'is written again' in daemon.output()
        harness.wait_until(is_over, 'the end of the gap is told')
        self.assertEqual(len(self.warnings(daemon)), 2)
        daemon.process.send_signal(signal.SIGUSR2)
        harness.wait_until(lambda: f'log={path}' in daemon.output(), 'statistics of the log')

    def test_append_to_a_full_disk_is_refused_naming_the_log(self):
        daemon = self.virtlogd()
        self.folder = self.mount('-t', 'tmpfs', '-o', 'size=64k', 'none')
        client = self.client(daemon)
        with self.assertRaisesRegex(rpc.Error, "log '.*a.log'.*No space left"):
            client.append(self.folder / 'a.log', 'x' * 100000)

    def hang(self, daemon):
        """A client whose call hangs, its serial, and the file system that does."""
        fs = self.enterContext(hanging_fs.HangingFs(self.root / 'far'))
        fs.hang()
        client = self.client(daemon)
        serial = client.send_call(log_case.PROGRAM, 'DOMAIN_OPEN_LOG_FILE', rpc.TYPES.pack(
            'virLogManagerProtocolDomainOpenLogFileArgs', {
                'driver': 'qemu', 'dom': {'name': 'x', 'uuid': log_case.UUID},
                'path': str(fs.disk), 'flags': 0}))
        harness.wait_until(lambda: waits_for_file_server(daemon.pid), 'the daemon hangs there')
        return client, serial, fs

    @needs_fuse
    def test_folder_that_hangs_holds_up_nobody_else(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        waiting, serial, fs = self.hang(daemon)
        client = self.client(daemon)
        for number in range(100):
            pipe.write(log_case.line(number))
            client.append(path, 'x\n')
        os.close(client.open_log(self.folder / 'c.log')[1])
        fs.go_on()
        result = waiting.result(log_case.PROGRAM, 'DOMAIN_OPEN_LOG_FILE', waiting.reply_to(serial))
        os.close(result['fds'][0])
        self.assertEqual(result['pos']['offset'], 1 << 20)
        self.wait_ended(fs.disk)

    @needs_fuse
    def test_daemon_does_not_execute_itself_anew_while_a_folder_hangs(self):
        daemon = self.virtlogd()
        client, serial, fs = self.hang(daemon)
        time.sleep(2.5)
        daemon.process.send_signal(signal.SIGUSR1)
        harness.wait_until(lambda: f"'{fs.folder}' does not answer" in daemon.output(),
                           'the refusal')
        self.client(daemon).append(self.folder / 'a.log', 'x\n')
        fs.go_on()
        os.close(client.result(log_case.PROGRAM, 'DOMAIN_OPEN_LOG_FILE',
                               client.reply_to(serial))['fds'][0])
        daemon.notify.lines.clear()
        daemon.process.send_signal(signal.SIGUSR1)
        daemon.wait_ready()

    @unittest.skipUnless(shutil.which('mkfs.ext4') and shutil.which('fsfreeze'), 'needs ext4')
    def test_frozen_disk_holds_up_its_own_guest_alone(self):
        daemon = self.virtlogd()
        image = self.root / 'image'
        with open(image, 'wb') as file:
            file.truncate(16 << 20)
        self.run_command(['mkfs.ext4', '-q', image])
        quick_folder, self.folder = self.folder, self.mount('-o', 'loop', image)
        slow_path, slow = self.guest(daemon, 'slow.log')
        harness.wait_until(lambda: slow_path.stat().st_size, 'the guest writes')
        self.run_command(['fsfreeze', '-f', self.folder])
        try:
            self.folder = quick_folder
            for number in range(20):
                path, guest = self.guest(daemon, f'{number}.log', limit=1000)
                guest.finish_by_itself()
                self.wait_ended(path)
                self.assert_has_lines(path, 1000)
        finally:
            self.run_command(['fsfreeze', '-u', slow_path.parent])
        count = slow.finish()
        self.wait_ended(slow_path)
        self.assertGreater(count, 0)


def waits_for_file_server(pid):
    """Whether a thread of the process waits in a file system that is a process itself."""
    for thread in os.listdir(f'/proc/{pid}/task'):
        with contextlib.suppress(FileNotFoundError):
            place = Path(f'/proc/{pid}/task/{thread}/wchan').read_text()
            if 'fuse' in place or place == 'request_wait_answer':
                return True
    return False
