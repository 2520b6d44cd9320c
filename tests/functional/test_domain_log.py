"""The logs of guests, by way of virtlogd: ours, and Debian's, which speaks the same protocol."""

import os
import re
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

import descriptors
import domain_case
import guest
import harness

ROUNDS = 100 if harness.IS_SOAK else 3
DEBIAN_VIRTLOGD = shutil.which('virtlogd', path='/usr/sbin')
DEBIAN_SOCKET = Path('/run/libvirt/virtlogd-sock')
TIME = r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000: '
SERIAL = "<serial type='{type}'>{source}<log file='{log}' append='{append}'/></serial>"


class LogdCase(domain_case.TestCase):
    """A virtqemud whose guests log through virtlogd."""

    def setUp(self):
        super().setUp()
        self.start_virtlogd()
        self.start_qemud(uses_virtlogd=True)

    def start_virtlogd(self):
        holder = descriptors.Holder('virtlogd', self.root)
        self.addCleanup(holder.kill)
        holder.start()
        self.virtlogd = self.daemon('virtlogd')

    def virtlogd_pid(self):
        return self.virtlogd.pid

    def log_lines(self, name='a'):
        return self.qemu_log(name).splitlines()

    def wait_log(self, pattern, name='a'):
        harness.wait_until(lambda: re.search(pattern, self.qemu_log(name), re.M),
                           f'{pattern} in the log of {name}')

    def qemu_outputs(self, name='a'):
        """Where QEMU's standard output and error lead to."""
        return {os.readlink(f'/proc/{self.qemu_pid(name)}/fd/{number}') for number in (1, 2)}

    def serial(self, log, append='off', kind='null', source=''):
        return SERIAL.format(type=kind, source=source, log=self.root / log, append=append)


@guest.needs_qemu
class Contents:
    """What users find in a log, whoever writes it."""

    def test_log_has_start_command_taints_and_end_in_this_order(self):
        self.define_and_start()
        self.sh('qemu-monitor-command', 'a', '--hmp', 'info version')
        self.wait_log('custom-monitor')
        self.sh('destroy', 'a')
        lines = self.log_lines()
        self.assertRegex(lines[0], f'^{TIME}starting up libvirt version: 11.3.0, package: .*, '
                                   r'qemu version: \d.*, kernel: .*, hostname: ')
        self.assertIn('-name guest=a,debug-threads=on \\', lines)
        self.assertRegex(lines[-1], f'^{TIME}shutting down, reason=destroyed$')
        self.assertEqual([line.split(': ', 2)[-1] for line in lines if 'tainted' in line][-1],
                         'custom-monitor')
        self.assertTrue(any('terminating on signal 15' in line for line in lines[:-1]), lines)

    def test_qemu_writes_into_a_pipe(self):
        self.define_and_start()
        self.assertEqual([path.split(':')[0] for path in self.qemu_outputs()], ['pipe'])

    def test_second_start_is_added(self):
        self.define()
        for count in (1, 2):
            self.sh('start', 'a', '--paused')
            self.sh('destroy', 'a')
            text = self.qemu_log()
            self.assertEqual(text.count('starting up'), count)
            self.assertEqual(text.count('shutting down, reason=destroyed'), count)

    def test_last_words_of_qemu_are_in_the_error(self):
        self.define(devices="<serial type='unix'><source mode='connect' path='/nobody'/></serial>")
        self.assertIn('/nobody', self.fails('start', 'a'))
        text = self.qemu_log()
        self.assertIn("Failed to connect to '/nobody'", text)
        self.assertRegex(text.splitlines()[-1], 'shutting down, reason=failed$')

    def test_chardev_log_is_written_through_virtlogd(self):
        self.define_and_start(devices=self.serial('ser.log'))
        path = str(self.root / 'ser.log')
        self.assertTrue(Path(path).exists())
        open_files = [os.readlink(f'/proc/{self.qemu_pid()}/fd/{number}')
                      for number in os.listdir(f'/proc/{self.qemu_pid()}/fd')]
        self.assertNotIn(path, open_files)
        self.assertIn('opaque=serial0-log', self.qemu_log())

    def test_chardev_log_with_append_is_kept_and_without_is_emptied(self):
        for append, expected in (('on', 'before\n'), ('off', '')):
            path = self.root / f'{append}.log'
            path.write_text('before\n')
            self.define_and_start(name=append, devices=self.serial(path.name, append))
            self.assertEqual(path.read_text(), expected)

    def test_file_of_two_guests_is_refused_by_name(self):
        self.define_and_start(devices=self.serial('shared.log'))
        self.define('b', devices=self.serial('shared.log'))
        self.assertIn('shared.log', self.fails('start', 'b'))
        self.sh('destroy', 'a')
        self.sh('start', 'b', '--paused')

    def test_guest_logs_after_the_daemon_was_killed(self):
        self.define_and_start()
        self.crash_qemud()
        self.wait_state('paused (user)')
        self.sh('destroy', 'a')
        self.assertIn('shutting down, reason=destroyed', self.qemu_log())
        self.sh('start', 'a', '--paused')

    def test_stopped_virtlogd_holds_up_only_who_needs_it(self):
        self.define_and_start()
        self.define('b')
        os.kill(self.virtlogd_pid(), signal.SIGSTOP)
        try:
            starting = subprocess.Popen(
                ['virsh', '-q', '-c', self.qemud.uri(), 'start', 'b', '--paused'],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True)
            self.sh('dominfo', 'a')
            self.sh('resume', 'a')
            self.sh('suspend', 'a')
            self.assertIsNone(starting.poll())
            output = starting.communicate(timeout=3 * harness.PATIENCE_S)[0]
            self.assertIn('virtlogd, which owns the logs of guests, does not answer', output)
            self.sh('destroy', 'a')
        finally:
            os.kill(self.virtlogd_pid(), signal.SIGCONT)
        self.sh('start', 'b', '--paused')


class Ours(Contents, LogdCase):
    timeout_s = LogdCase.timeout_s + (20 * ROUNDS if harness.IS_SOAK else 0)

    def say(self, word):
        """Has QEMU write a line with the word into its log, which it does for each command."""
        self.sh('qemu-monitor-command', 'a', '{"execute": "qom-get", "arguments": '
                '{"path": "/%s", "property": "type"}}' % word, status=None)

    def check_rounds(self, restart):
        self.define_and_start()
        self.sh('qemu-monitor-command', 'a', '--hmp', 'trace-event handle_qmp_command on')
        for number in range(ROUNDS):
            restart(number)
            self.say(f'after-{number}')
            self.wait_log(f'/after-{number}"')
            # The next guest needs a new pipe.
            if number == 0:
                self.define_and_start('b')
        text = self.qemu_log()
        for number in range(ROUNDS):
            self.assertEqual(text.count(f'/during-{number}"'), 1)
        self.sh('destroy', 'a')
        self.wait_log('shutting down, reason=destroyed')

    def test_guest_logs_through_kills_of_virtlogd(self):
        def restart(number):
            self.virtlogd.kill()
            self.say(f'during-{number}')
            self.virtlogd.start()
        self.check_rounds(restart)

    def test_guest_logs_through_restarts_of_virtlogd(self):
        def restart(number):
            self.virtlogd.stop()
            self.say(f'during-{number}')
            self.virtlogd.start()
        self.check_rounds(restart)

    def test_guest_logs_through_reexecutions_of_virtlogd(self):
        def restart(number):
            os.kill(self.virtlogd.pid, signal.SIGUSR1)
            self.say(f'during-{number}')
            self.virtlogd.notify.collect()
        self.check_rounds(restart)

    def test_absent_virtlogd_is_named_with_its_socket_and_unit(self):
        self.define()
        self.virtlogd.stop()
        error = self.fails('start', 'a')
        self.assertIn(self.virtlogd.socket(), error)
        self.assertIn('virtlogd.socket', error)
        self.virtlogd.start()
        self.sh('start', 'a', '--paused')

    def test_guest_that_ends_without_virtlogd_ends(self):
        self.define_and_start()
        self.virtlogd.kill()
        self.sh('destroy', 'a')
        self.check_gone()


@unittest.skipUnless(DEBIAN_VIRTLOGD and harness.IS_PRIVATE, 'needs virtlogd, private namespaces')
class Debians(Contents, LogdCase):
    def start_virtlogd(self):
        os.makedirs('/run/libvirt', exist_ok=True)
        os.makedirs('/var/log/libvirt', exist_ok=True)
        self.process = subprocess.Popen([DEBIAN_VIRTLOGD], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end_virtlogd)
        harness.wait_until(lambda: harness.is_listening(DEBIAN_SOCKET), 'virtlogd listens')
        folder = self.root / 'run/libvirt'
        folder.mkdir(parents=True)
        (folder / 'virtlogd-sock').symlink_to(DEBIAN_SOCKET)

    def end_virtlogd(self):
        self.process.kill()
        self.process.wait()

    def virtlogd_pid(self):
        return self.process.pid


@guest.needs_qemu
class WithoutVirtlogd(domain_case.TestCase):
    def test_file_handler_needs_no_virtlogd(self):
        self.start_qemud()
        self.define_and_start()
        self.assertEqual(os.readlink(f'/proc/{self.qemu_pid()}/fd/1'),
                         str(self.root / 'var/log/libvirt/qemu/a.log'))
        self.assertIn('starting up', self.qemu_log())
