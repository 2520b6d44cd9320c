"""A guest that cannot be started: the error says why, in QEMU's own words where it has any, and
nothing of it is left. Emulators are stood in for by programs that pass the probe on to the real
one and misbehave when a guest is started."""

import os
import signal
import threading

import domain_case
import guest
import harness
import rpc

# The probe alone gives the monitor as descriptor 3 of an anonymous socket.
PASS_PROBE = f'''#!/bin/sh
case " $* " in *" none,accel="*) exec {guest.EMULATOR} "$@" ;; esac
'''
# The descriptor of the listening monitor socket of a start, for python.
MONITOR = '''#!/usr/bin/python3
import os, re, socket, sys, time
words = ' '.join(sys.argv)
if 'none,accel=' in words:
    os.execv('%s', sys.argv)
fd = int(re.search(r'socket,id=charmonitor,fd=([0-9]+)', words).group(1))
listener = socket.socket(fileno=fd)
def accept():
    return listener.accept()[0]
''' % guest.EMULATOR
GREETING = r'''
def greet(connection):
    connection.sendall(b'{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, '
                       b'"package": ""}, "capabilities": []}}\r\n')
'''


class StartFault(domain_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_qemud()

    def fake(self, text, name='emulator', mode=0o755):
        """A program in the place of the emulator. Returns what goes into <devices>."""
        path = self.write(name, text)
        path.chmod(mode)
        return f'<emulator>{path}</emulator>'

    def start_fails(self, name='a', **options):
        error = self.sh('start', name, '--paused', status=1, **options)
        self.check_gone(name)
        self.assertEqual(self.sh('domstate', name), 'shut off')
        return error

    def define_fake(self, text, **options):
        self.define(devices=self.fake(text, **options))

    def check_others_start(self):
        self.define_and_start('other')
        self.assertEqual(self.state('other'), 'paused (user)')

    def send_start(self, name='a'):
        """Starts without waiting. Returns the client and the call's serial."""
        client = self.client()
        payload = rpc.TYPES.pack('remote_domain_create_with_flags_args',
                                 {'dom': self.domain(client, name), 'flags': 1})
        return client, client.send_call('REMOTE', 'DOMAIN_CREATE_WITH_FLAGS', payload)

    @staticmethod
    def result_of(sent):
        client, serial = sent
        return client.result('REMOTE', 'DOMAIN_CREATE_WITH_FLAGS', client.reply_to(serial))


@guest.needs_qemu
class Emulator(StartFault):
    """Emulators that do not do what one expects of them."""

    def test_exit_with_a_message_tells_it(self):
        self.define_fake(PASS_PROBE + 'echo "no way to do that" >&2; exit 1\n')
        self.assertIn('no way to do that', self.start_fails())

    def test_exit_without_a_word_fails(self):
        self.define_fake(PASS_PROBE + 'exit 1\n')
        self.start_fails()

    def test_exit_with_status_0_fails(self):
        self.define_fake(PASS_PROBE + 'exit 0\n')
        self.start_fails()

    def test_crash_fails(self):
        self.define_fake(PASS_PROBE + 'kill -SEGV $$\n')
        self.start_fails()

    def test_endless_last_words_are_cut(self):
        self.define_fake(PASS_PROBE + 'seq 100000 >&2; exit 1\n')
        error = self.start_fails()
        self.assertIn('100000', error)
        self.assertLess(len(error), 4000)

    def test_binary_last_words_do_no_harm(self):
        self.define_fake(PASS_PROBE + r"printf 'gone \377\376\033[2J\001 away\n' >&2; exit 1" + '\n')
        self.assertIn('away', self.start_fails())
        self.assertEqual(self.names(), ['a'])

    def test_garbage_on_the_monitor_fails(self):
        self.define_fake(MONITOR + "accept().sendall(b'what is QMP?\\n'); time.sleep(600)\n")
        self.start_fails()

    def test_binary_garbage_on_the_monitor_fails(self):
        self.define_fake(MONITOR + "accept().sendall(os.urandom(65536)+b'\\n'); time.sleep(600)\n")
        self.start_fails()

    def test_endless_line_on_the_monitor_fails(self):
        self.define_fake(MONITOR + '''
connection = accept()
while True:
    connection.sendall(b'{"QMP": "' + b'x' * 1000000)
''')
        self.start_fails(timeout_s=60)

    def test_endless_events_on_the_monitor_do_not_stop_others(self):
        self.define_fake(MONITOR + GREETING + '''
connection = accept()
greet(connection)
while True:
    connection.sendall(b'{"event": "NOTHING", "timestamp": {"seconds": 1, "microseconds": 1}}\\n'
                       * 1000)
''')
        self.send_start()
        self.check_others_start()
        self.sh('destroy', 'a', timeout_s=60)
        self.check_gone()

    def test_monitor_that_is_closed_at_once_fails(self):
        self.define_fake(MONITOR + 'accept().close(); time.sleep(600)\n')
        self.start_fails()

    def test_monitor_that_is_closed_after_the_greeting_fails(self):
        self.define_fake(MONITOR + GREETING + '''
connection = accept()
greet(connection)
connection.close()
time.sleep(600)
''')
        self.start_fails()

    def test_monitor_that_errors_every_command_fails(self):
        self.define_fake(MONITOR + GREETING + r'''
import json
connection = accept()
greet(connection)
for line in connection.makefile():
    number = json.loads(line).get('id')
    connection.sendall(json.dumps({'id': number, 'error': {
        'class': 'GenericError', 'desc': 'not in the mood'}}).encode() + b'\r\n')
''')
        self.assertIn('not in the mood', self.start_fails())

    def test_late_answer_is_waited_for(self):
        self.define_fake(PASS_PROBE + f'sleep 2; exec {guest.EMULATOR} "$@"\n')
        self.sh('start', 'a', '--paused')
        self.assertEqual(self.state(), 'paused (user)')

    def test_silent_emulator_can_be_destroyed(self):
        self.define_fake(MONITOR + 'connection = accept(); time.sleep(600)\n')
        sent = self.send_start()
        harness.wait_until(lambda: (self.run_folder() / 'a.pid').exists(), 'it starts')
        self.assertIn('a', self.names('--all'))
        self.check_others_start()
        self.sh('destroy', 'a')
        with self.assertRaises(rpc.Error):
            self.result_of(sent)
        self.check_gone()

    def test_emulator_that_never_accepts_can_be_destroyed(self):
        self.define_fake(PASS_PROBE + 'exec sleep 600\n')
        sent = self.send_start()
        harness.wait_until(lambda: (self.run_folder() / 'a.pid').exists(), 'it starts')
        self.sh('destroy', 'a')
        with self.assertRaises(rpc.Error):
            self.result_of(sent)
        self.check_gone()

    def test_stubborn_silent_emulator_can_be_destroyed(self):
        self.define_fake(MONITOR + '''
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
connection = accept()
time.sleep(600)
''')
        sent = self.send_start()
        harness.wait_until(lambda: (self.run_folder() / 'a.pid').exists(), 'it starts')
        self.sh('destroy', 'a', timeout_s=60)
        with self.assertRaises(rpc.Error):
            self.result_of(sent)
        self.check_gone()

    def test_destroy_while_the_emulator_is_probed_leaves_no_guest(self):
        flag = self.root / 'goes-on'
        self.define_fake(PASS_PROBE)
        self.fake('''#!/bin/sh
case " $* " in *" none,accel="*) while ! [ -e %s ]; do sleep 0.1; done ;; esac
exec %s "$@"
''' % (flag, guest.EMULATOR))
        sent = self.send_start()
        harness.wait_until(lambda: self.state() != 'shut off (unknown)', 'it starts')
        self.sh('destroy', 'a')
        flag.touch()
        with self.assertRaises(rpc.Error):
            self.result_of(sent)
        self.check_gone()
        self.assertEqual(guest.guests_below(self.root), [])
        self.sh('start', 'a', '--paused')

    def define_fails(self, emulator):
        error = self.fails('define', self.xml(devices=emulator))
        self.assertEqual(self.names(), [])
        self.check_others_start()
        return error

    def test_emulator_that_is_missing_is_named(self):
        self.assertIn(f'{self.root}/nothing',
                      self.define_fails(f'<emulator>{self.root}/nothing</emulator>'))

    def test_folder_in_place_of_an_emulator_is_named(self):
        self.assertIn(str(self.root), self.define_fails(f'<emulator>{self.root}</emulator>'))

    def test_emulator_that_is_not_executable_is_named(self):
        self.assertIn(f'{self.root}/emulator',
                      self.define_fails(self.fake(PASS_PROBE, mode=0o644)))

    def test_emulator_that_crashes_in_the_probe_is_named(self):
        self.assertIn(f'{self.root}/emulator',
                      self.define_fails(self.fake('#!/bin/sh\nkill -SEGV $$\n')))

    def test_emulator_that_prints_garbage_in_the_probe_is_named(self):
        self.assertIn(f'{self.root}/emulator',
                      self.define_fails(self.fake('#!/bin/sh\necho garbage >&3; sleep 60\n')))

    def test_emulator_that_ends_in_the_probe_tells_its_last_words(self):
        self.assertIn('out of order',
                      self.define_fails(self.fake('#!/bin/sh\necho out of order >&2; exit 1\n')))

    def test_emulator_that_is_repaired_is_probed_again(self):
        self.define_fails(self.fake('#!/bin/sh\nexit 1\n'))
        self.define_fake(PASS_PROBE + f'exec {guest.EMULATOR} "$@"\n')
        self.sh('start', 'a', '--paused')

    def test_emulator_that_breaks_later_is_named(self):
        self.define_fake(PASS_PROBE + f'exec {guest.EMULATOR} "$@"\n')
        self.sh('start', 'a', '--paused')
        self.sh('destroy', 'a')
        (self.root / 'emulator').chmod(0o644)
        self.assertIn(f'{self.root}/emulator', self.start_fails())

    def test_emulator_that_vanishes_after_the_probe_is_named(self):
        self.define_fake(PASS_PROBE + f'exec {guest.EMULATOR} "$@"\n')
        self.sh('start', 'a', '--paused')
        self.sh('destroy', 'a')
        (self.root / 'emulator').unlink()
        self.assertIn(f'{self.root}/emulator', self.start_fails())

    def test_failed_start_of_a_transient_domain_leaves_no_domain(self):
        emulator = self.fake(PASS_PROBE + 'exit 1\n')
        self.fails('create', self.xml(devices=emulator))
        self.check_gone()
        self.assertEqual(self.names(), [])

    def test_failed_start_tells_no_lifecycle_event(self):
        self.define_fake(PASS_PROBE + 'exit 1\n')
        client = self.client()
        self.watch(client)
        self.start_fails()
        self.define('marker')
        self.assertEqual(self.next_lifecycle(client)[0], domain_case.DEFINED)

    def test_fifty_failed_starts_leave_nothing_in_the_daemon(self):
        self.define_fake(PASS_PROBE + 'exit 1\n')
        client = self.client()
        domain = self.domain(client)
        with self.assertRaises(rpc.Error):
            client.call('DOMAIN_CREATE', dom=domain)
        with self.qemud.returns_to_base_line():
            for _ in range(1000 if harness.IS_SOAK else 50):
                with self.assertRaises(rpc.Error):
                    client.call('DOMAIN_CREATE', dom=domain)


@guest.needs_qemu
class Killed(StartFault):
    """QEMU is killed at every stage of its start."""

    def relay(self, n_lines):
        """An emulator that passes n_lines of the daemon's to the real one, then kills it and
        itself."""
        return MONITOR + r'''
import signal, socket, subprocess, threading
inner = socket.socket(socket.AF_UNIX)
inner.bind('\0splitvirt-test-%%d' %% os.getpid())
inner.listen(1)
os.set_inheritable(inner.fileno(), True)
argv = [re.sub(r'(socket,id=charmonitor,fd=)[0-9]+', r'\g<1>%%d' %% inner.fileno(), word)
        for word in sys.argv[1:]]
qemu = subprocess.Popen(['%s', *argv], close_fds=False)
def die():
    qemu.kill()
    os.kill(os.getpid(), signal.SIGKILL)
outer = accept()
if %d == 0:
    die()
to_qemu = socket.socket(socket.AF_UNIX)
to_qemu.connect('\0splitvirt-test-%%d' %% os.getpid())
def answers():
    while data := to_qemu.recv(65536):
        outer.sendall(data)
threading.Thread(target=answers, daemon=True).start()
for number, line in enumerate(outer.makefile('rb')):
    if number + 1 == %d:
        die()
    to_qemu.sendall(line)
die()
''' % (guest.EMULATOR, n_lines, n_lines)

    def test_before_it_is_connected(self):
        self.define_fake(PASS_PROBE + 'kill -9 $$\n')
        self.start_fails()

    def test_at_each_line_of_the_conversation(self):
        n_ends = 0
        for n_lines in range(0, 12):
            name = f'g{n_lines}'
            self.define(name, devices=self.fake(self.relay(n_lines), f'emulator-{n_lines}'))
            error = self.sh('start', name, '--paused', status=None)
            if self.names('--state-running', '--state-paused'):
                break
            n_ends += 1
            self.assertIn('error:', error + self.fails('start', name))
            self.check_gone(name)
        # Capabilities and two questions are the least that there is.
        self.assertGreaterEqual(n_ends, 3)

    def test_by_somebody_else_while_it_starts(self):
        self.define_fake(MONITOR + 'connection = accept(); time.sleep(600)\n')
        sent = self.send_start()
        harness.wait_until(lambda: (self.run_folder() / 'a.pid').exists()
                           and (self.run_folder() / 'a.xml').exists(), 'it starts')
        self.signal_qemu(signal.SIGKILL)
        with self.assertRaises(rpc.Error):
            self.result_of(sent)
        self.check_gone()

    def test_racing_with_its_start(self):
        self.define()
        for i in range(200 if harness.IS_SOAK else 20):
            sent = self.send_start()
            path = self.run_folder() / 'a.pid'
            harness.wait_until(path.exists, 'it starts')
            threading.Event().wait(i * 0.002)
            try:
                self.signal_qemu(signal.SIGKILL)
            except (ProcessLookupError, FileNotFoundError, ValueError):
                pass
            try:
                self.result_of(sent)
            except rpc.Error:
                pass
            harness.wait_until(lambda: not (self.run_folder() / 'a.xml').exists(), 'it ended')
            self.check_gone()


@guest.needs_qemu
class Disk(StartFault):
    """Images that cannot be used."""

    def disk(self, path, kind='qcow2', extra=''):
        return (f"<disk type='file' device='disk'><driver name='qemu' type='{kind}'/>"
                f"<source file='{path}'/><target dev='vda' bus='virtio'/>{extra}</disk>")

    def image(self, name, *words, kind='qcow2'):
        path = self.root / name
        self.run_command(['qemu-img', 'create', '-q', '-f', kind, *words, path, '1M'])
        return path

    def fails_naming(self, path):
        error = self.start_fails()
        self.assertIn(str(path), error)
        return error

    def test_missing_image_is_named(self):
        self.define(devices=self.disk(self.root / 'none.img'))
        self.fails_naming(self.root / 'none.img')

    def test_folder_in_place_of_an_image_is_named(self):
        self.define(devices=self.disk(self.root, 'raw'))
        self.fails_naming(self.root)

    def test_empty_file_is_no_qcow2(self):
        self.define(devices=self.disk(self.write('empty.img', '')))
        self.start_fails()

    def test_binary_file_is_no_qcow2(self):
        (self.root / 'x.img').write_bytes(os.urandom(100000))
        self.define(devices=self.disk(self.root / 'x.img'))
        self.start_fails()

    def test_truncated_qcow2_fails(self):
        path = self.image('x.img')
        os.truncate(path, 40)
        self.define(devices=self.disk(path))
        self.start_fails()

    def test_fifo_in_place_of_an_image_does_not_hang(self):
        os.mkfifo(self.root / 'fifo')
        self.define(devices=self.disk(self.root / 'fifo'))
        self.start_fails()
        self.check_others_start()

    def test_missing_backing_file_is_named(self):
        base = self.image('base.img')
        top = self.image('top.img', '-F', 'qcow2', '-b', base)
        base.unlink()
        self.define(devices=self.disk(top))
        self.fails_naming(base)

    def test_loop_of_backing_files_fails(self):
        first = self.image('first.img')
        second = self.image('second.img', '-F', 'qcow2', '-b', first)
        self.run_command(['qemu-img', 'rebase', '-u', '-F', 'qcow2', '-b', second, first])
        self.define(devices=self.disk(second))
        self.start_fails()

    def test_image_that_backs_itself_fails(self):
        path = self.image('self.img')
        self.run_command(['qemu-img', 'rebase', '-u', '-F', 'qcow2', '-b', path, path])
        self.define(devices=self.disk(path))
        self.start_fails()

    def test_backing_file_of_unknown_format_fails(self):
        base = self.image('base.img')
        top = self.image('top.img', '-F', 'qcow2', '-b', base)
        data = top.read_bytes()
        self.assertIn(b'qcow2', data)
        top.write_bytes(data.replace(b'qcow2', b'wrong', 1))
        self.define(devices=self.disk(top))
        self.start_fails()

    def test_image_in_use_by_another_guest_fails(self):
        path = self.image('x.img')
        self.define_and_start('other', devices=self.disk(path))
        self.define(devices=self.disk(path))
        self.start_fails()
        self.assertEqual(self.state('other'), 'paused (user)')

    def test_long_chain_of_backing_files_starts(self):
        path = self.image('0.img')
        for i in range(1, 20):
            path = self.image(f'{i}.img', '-F', 'qcow2', '-b', path)
        self.define_and_start(devices=self.disk(path))
        self.assertEqual(self.sh('dumpxml', 'a').count('<backingStore'), 20)

    def test_image_in_a_folder_that_is_no_folder_fails(self):
        self.write('file', '')
        self.define(devices=self.disk(self.root / 'file/x.img'))
        self.start_fails()
