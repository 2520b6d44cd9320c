"""virtlogd is killed, stopped, replaced: no guest notices, and no line is lost."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import descriptors
import harness
import log_case

ROUNDS = 100 if harness.IS_SOAK else 5


def blocks_signals(pid):
    """Whether the process has blocked SIGTERM."""
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('SigBlk:'):
            return int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1
    return False


class Rounds(log_case.TestCase):
    """Guests write all the time while their daemon goes and comes. At the end every line is
    there, once, in order."""

    timeout_s = 1800 if harness.IS_SOAK else 180
    # Each roll-over renames all files of a log: there must not be thousands.
    config = {'max_size': 1 << (20 if harness.IS_SOAK else 16), 'max_backups': 100000}

    def run_rounds(self, daemon, next_round):
        """Lines are written at a pace that 100 rounds leave in memory."""
        guests = [self.guest(daemon, f'{number}.log', pause_s=0.002) for number in range(6)]
        for number in range(ROUNDS):
            time.sleep(0.05 + number % 7 / 100)
            next_round()
            if number % 5 == 0:
                guests.append(self.guest(daemon, f'late-{number}.log', pause_s=0.002))
        for path, guest in guests:
            count = guest.finish()
            self.wait_ended(path)
            self.assert_has_lines(path, count)
        self.assertEqual([log['path'] for log in self.state()], [])

    def kill_and_start(self, daemon):
        daemon.kill()
        daemon.start()

    def stop_and_start(self, daemon):
        daemon.stop()
        daemon.start()

    def execute_anew(self, daemon):
        pid = daemon.pid
        daemon.notify.lines.clear()
        daemon.process.send_signal(signal.SIGUSR1)
        daemon.wait_ready()
        self.assertEqual(daemon.pid, pid)

    def test_kill_with_a_holder(self):
        holder, daemon = self.holder(), self.virtlogd(config=self.config)
        self.run_rounds(daemon, lambda: self.kill_and_start(daemon))
        harness.wait_until(lambda: holder.n_held() == 0, 'the holder has nothing any more')

    def test_stop_with_a_holder(self):
        holder, daemon = self.holder(), self.virtlogd(config=self.config)
        self.run_rounds(daemon, lambda: self.stop_and_start(daemon))
        harness.wait_until(lambda: holder.n_held() == 0, 'the holder has nothing any more')

    def test_kill_with_a_descriptor_store(self):
        daemon = self.stored_virtlogd(config=self.config)
        self.run_rounds(daemon, lambda: self.kill_and_start(daemon))
        harness.wait_until(lambda: not daemon.store, 'the store has nothing any more')

    def test_stop_with_a_descriptor_store(self):
        daemon = self.stored_virtlogd(config=self.config)
        self.run_rounds(daemon, lambda: self.stop_and_start(daemon))
        harness.wait_until(lambda: not daemon.store, 'the store has nothing any more')

    def test_stop_with_a_store_that_forgets_and_a_holder(self):
        # systemd before 254.
        holder, daemon = self.holder(), self.stored_virtlogd(config=self.config)

        def stop_and_forget():
            daemon.stop()
            daemon.forget()
            daemon.start()
        self.run_rounds(daemon, stop_and_forget)
        harness.wait_until(lambda: holder.n_held() == 0 and not daemon.store, 'nothing is left')

    def test_executing_anew_with_nobody_to_keep_anything(self):
        daemon = self.virtlogd(config=self.config)
        self.run_rounds(daemon, lambda: self.execute_anew(daemon))

    def test_executing_anew_with_both(self):
        holder, daemon = self.holder(), self.stored_virtlogd(config=self.config)
        self.run_rounds(daemon, lambda: self.execute_anew(daemon))
        harness.wait_until(lambda: holder.n_held() == 0 and not daemon.store, 'nothing is left')

    def test_stop_in_the_middle_of_the_start(self):
        holder, daemon = self.holder(), self.virtlogd(config=self.config)

        def next_round():
            daemon.stop()
            for number in range(8):
                daemon.start(wait=False)
                # Signals that come before the daemon blocks them end it as any other program.
                harness.wait_until(lambda: blocks_signals(daemon.pid) or not daemon.is_running(),
                                   'the daemon begins')
                time.sleep(number / 1000)
                daemon.stop()
            daemon.start()
        self.run_rounds(daemon, next_round)
        harness.wait_until(lambda: holder.n_held() == 0, 'the holder has nothing any more')

    def test_kill_of_daemon_and_holder_in_turn(self):
        holder, daemon = self.holder(), self.virtlogd(config=self.config)

        def next_round():
            self.kill_and_start(daemon)
            self.client(daemon).append(self.folder / 'x.log', 'the daemon has started\n')
            n_open = len(self.state())
            holder.kill()
            holder.start()
            harness.wait_until(lambda: holder.n_held() == n_open, 'the holder has all again')
        self.run_rounds(daemon, next_round)


class Restart(log_case.TestCase):
    timeout_s = 120

    def reload_with(self, daemon, signum):
        daemon.notify.lines.clear()
        daemon.process.send_signal(signum)
        daemon.wait_ready()

    def test_answer_comes_when_the_pipe_is_safe(self):
        holder, daemon = self.holder(), self.stored_virtlogd()
        _path, pipe = self.open(daemon, 'a.log')
        self.assertEqual(holder.n_held(), 1)
        harness.wait_until(lambda: len(daemon.store) == 1, 'the store has the pipe')
        pipe.close()
        harness.wait_until(lambda: holder.n_held() == 0 and not daemon.store, 'both dropped it')

    def test_pipe_whose_guest_ended_meanwhile_is_written_and_closed(self):
        self.holder()
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        daemon.kill()
        pipe.write(b'last words\n')
        pipe.close()
        daemon.start()
        self.wait_ended(path)
        self.assertEqual(path.read_bytes(), b'last words\n')

    def test_open_log_is_still_refused_to_others_naming_the_owner(self):
        self.holder()
        daemon = self.virtlogd()
        path, _pipe = self.open(daemon, 'a.log', domain='first')
        daemon.kill()
        daemon.start()
        (self.folder / 'link').symlink_to('a.log')
        process = '' if harness.IS_ROOT else f', process {os.getpid()},'
        for name in (path, self.folder / 'link'):
            with self.assertRaisesRegex(Exception, f"{path}.*'first' \\(00010203-.*\\){process} "
                                                   "still.*busy"):
                self.client(daemon).open_log(name)

    def test_last_lines_are_written_when_nobody_keeps_the_pipe(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        os.kill(daemon.pid, signal.SIGSTOP)
        pipe.write(log_case.lines(100))
        daemon.process.send_signal(signal.SIGTERM)
        os.kill(daemon.pid, signal.SIGCONT)
        daemon.stop()
        self.assert_has_lines(path, 100)
        daemon.start()
        harness.wait_until(lambda: f"log '{path}' of domain 'guest' has lost its pipe"
                           in daemon.output(), 'the loss is told')

    def test_damaged_state_file_stops_no_guest_and_loses_no_line(self):
        self.holder()
        daemon = self.virtlogd()
        for number, text in enumerate((b'', b'{', b'[]', b'{"version":2,"logs":[]}',
                                       b'{"version":1,"logs":[{"pipe":"p1"}]}', os.urandom(500))):
            path, pipe = self.open(daemon, f'{number}.log')
            pipe.write(b'before\n')
            self.wait_content(path, b'before\n')
            daemon.kill()
            (self.root / 'run/libvirt/virtlogd-state.json').write_bytes(text)
            daemon.start()
            pipe.write(b'after\n')
            inode = os.fstat(pipe.fileno()).st_ino
            self.wait_content(self.root / f'var/log/libvirt/virtlogd-rescued-p{inode}.log',
                              b'after\n')
            pipe.close()
        self.assertIn('virtlogd-state.json is of no use', daemon.output())
        self.assertIn('nothing is known of pipe', daemon.output())

    def test_descriptor_that_belongs_to_nothing_is_dropped(self):
        holder, daemon = self.holder(), self.virtlogd()
        daemon.kill()
        client = descriptors.HolderClient(holder.path)
        self.addCleanup(client.close)
        read_end, write_end = os.pipe()
        os.close(write_end)
        client.ask('Pp1', read_end)
        with open('/dev/null', 'rb') as null:
            client.ask('Pp2', null.fileno())
        os.close(read_end)
        daemon.start()
        harness.wait_until(lambda: holder.n_held() == 0, 'the holder has nothing any more')

    def test_state_that_is_whole_in_part_is_used_in_part(self):
        self.holder()
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        daemon.kill()
        state_path = self.root / 'run/libvirt/virtlogd-state.json'
        state = json.loads(state_path.read_text())
        state['logs'] = ['?', {'pipe': 'p0', 'path': 'relative'}, *state['logs'], *state['logs']]
        state_path.write_text(json.dumps(state))
        daemon.start()
        pipe.write(b'line\n')
        self.wait_content(path, b'line\n')

    def test_holder_that_comes_later_gets_everything(self):
        daemon = self.virtlogd()
        _path, first = self.open(daemon, 'a.log')
        holder = self.holder()
        _path, second = self.open(daemon, 'b.log')
        self.assertEqual(holder.n_held(), 2)
        daemon.kill()
        daemon.start()
        first.write(b'x')
        second.write(b'x')
        self.wait_content(self.folder / 'a.log', b'x')

    def test_holder_that_is_stopped_is_an_error_naming_it(self):
        holder, daemon = self.holder(), self.virtlogd()
        self.client(daemon).append(self.folder / 'x.log', 'the daemon has started\n')
        os.kill(holder.process.pid, signal.SIGSTOP)
        try:
            with self.assertRaisesRegex(Exception, 'virtlogd-holder-sock did not answer'):
                self.client(daemon, timeout_s=60).open_log(self.folder / 'a.log')
        finally:
            os.kill(holder.process.pid, signal.SIGCONT)
        self.assertEqual(self.state(), [])
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b'x')
        self.wait_content(path, b'x')
        harness.wait_until(lambda: holder.n_held() == 1, 'the holder has the new pipe alone')

    def test_holder_that_is_stopped_at_the_start_costs_no_log(self):
        holder, daemon = self.holder(), self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        daemon.stop()
        os.kill(holder.process.pid, signal.SIGSTOP)
        daemon.start()
        with self.assertRaisesRegex(Exception, 'virtlogd-holder-sock did not answer'):
            self.client(daemon, timeout_s=60).append(path, 'x')
        os.kill(holder.process.pid, signal.SIGCONT)
        daemon.stop()
        daemon.start()
        pipe.write(b'line\n')
        self.wait_content(path, b'line\n')

    def test_service_manager_that_stores_nothing_is_not_asked(self):
        daemon = self.stored_virtlogd(env={'FDSTORE': '0'})
        self.open(daemon, 'a.log')
        self.assertEqual(daemon.store, {})

    def test_wrong_configuration_keeps_the_daemon_going(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        daemon.configure('max_size = "much"\n')
        daemon.process.send_signal(signal.SIGUSR1)
        harness.wait_until(lambda: 'not executed anew' in daemon.output(), 'the refusal')
        pipe.write(b'line\n')
        self.wait_content(path, b'line\n')

    def test_new_configuration_counts_after_executing_anew(self):
        daemon = self.virtlogd(config={'max_size': 0})
        path, pipe = self.open(daemon, 'a.log')
        daemon.configure({'max_size': 50})
        self.reload_with(daemon, signal.SIGUSR1)
        pipe.write(b'x' * 40 + b'\n' + b'y' * 40 + b'\n')
        self.wait_content(path, b'y' * 40 + b'\n')

    @harness.needs_root
    def test_new_permissions_count_for_the_sockets_that_go_on_listening(self):
        daemon = self.virtlogd()
        paths = [Path(daemon.socket()), Path(daemon.socket('admin'))]
        before = [path.stat().st_ino for path in paths]

        def permissions():
            self.assertEqual([path.stat().st_ino for path in paths], before)
            return [(oct(path.stat().st_mode & 0o777), path.group()) for path in paths]
        self.assertEqual(permissions(), [('0o700', 'root'), ('0o700', 'root')])
        daemon.configure({'unix_sock_rw_perms': '0770', 'unix_sock_admin_perms': '0740',
                          'unix_sock_group': 'nogroup'})
        self.reload_with(daemon, signal.SIGUSR1)
        self.assertEqual(permissions(), [('0o770', 'nogroup'), ('0o740', 'root')])
        daemon.configure({})
        self.reload_with(daemon, signal.SIGUSR1)
        self.assertEqual(permissions(), [('0o700', 'root'), ('0o700', 'root')])

    def test_sockets_move_to_a_new_folder_when_it_executes_itself_anew(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        daemon.configure({'unix_sock_dir': str(self.root / 'other')})
        self.reload_with(daemon, signal.SIGUSR1)
        self.assertFalse(os.path.exists(daemon.socket()))
        with log_case.LogClient(str(self.root / 'other/virtlogd-sock')) as client:
            client.append(path, 'here\n')
        pipe.write(b'line\n')
        self.wait_content(path, b'here\nline\n')

    def test_executing_anew_is_announced_to_the_service_manager(self):
        daemon = self.virtlogd()
        daemon.notify.lines.clear()
        daemon.process.send_signal(signal.SIGUSR1)
        daemon.wait_ready()
        self.assertEqual([line.split('=')[0] for line in daemon.notify.lines],
                         ['RELOADING', 'MONOTONIC_USEC', 'READY'])

    def test_client_that_connects_while_it_executes_itself_anew_is_served(self):
        daemon = self.virtlogd()
        for number in range(20):
            daemon.notify.collect()
            daemon.process.send_signal(signal.SIGUSR1)
            # Who was accepted by the old execution is disconnected, nobody is refused.
            def is_served():
                try:
                    with log_case.LogClient(daemon.socket()) as client:
                        client.append(self.folder / 'a.log', f'{number}\n')
                except (log_case.rpc.Closed, ConnectionResetError, BrokenPipeError):
                    return False
                return True
            harness.wait_until(is_served, 'a client is served')

    def test_upgraded_program_is_executed(self):
        daemon = self.virtlogd(start=False)
        program = self.root / 'virtlogd'
        shutil.copy(daemon.program, program)
        daemon.program = program
        daemon.start()
        path, pipe = self.open(daemon, 'a.log')
        shutil.copy(program, self.root / 'new')
        os.rename(self.root / 'new', program)
        self.assertIn('deleted', os.readlink(f'/proc/{daemon.pid}/exe'))
        self.reload_with(daemon, signal.SIGUSR1)
        self.assertEqual(os.readlink(f'/proc/{daemon.pid}/exe'), str(program))
        pipe.write(b'line\n')
        self.wait_content(path, b'line\n')
        # Without any program there the old one goes on.
        program.unlink()
        self.reload_with(daemon, signal.SIGUSR1)
        self.reload_with(daemon, signal.SIGUSR1)
        pipe.write(b'line\n')
        self.wait_content(path, b'line\nline\n')

    def test_daemon_that_can_execute_nothing_has_failed(self):
        daemon = self.virtlogd(start=False)
        daemon.program = self.root / 'virtlogd'
        shutil.copy(harness.BUILD / 'virtlogd/virtlogd', daemon.program)
        daemon.start()
        daemon.program.chmod(0o600)
        daemon.process.send_signal(signal.SIGUSR1)
        # The service manager starts those again that have failed.
        self.assertEqual(daemon.wait(), 1)
        self.assertIn('cannot execute', daemon.output())

    def test_daemon_in_the_background_finds_its_files_again(self):
        daemon = self.virtlogd(start=False, config={'max_backups': 1})
        pid_path = self.root / 'run/virtlogd.pid'
        # Paths as people type them: in the background they are seen from another folder.
        self.run_command([daemon.program, '--root', self.root.name, '--daemon', '-t', '0', '-f',
                          f'{self.root.name}/etc/libvirt/virtlogd.conf'], cwd=self.root.parent)
        pid = int(pid_path.read_text())
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        path, pipe = self.open(daemon, 'a.log')
        words = []
        for number in range(3):
            with log_case.LogClient(daemon.socket()) as client:
                os.kill(pid, signal.SIGUSR1)
                with self.assertRaises((log_case.rpc.Closed, ConnectionError)):
                    client.receive()
            with log_case.LogClient(daemon.socket()) as client:
                client.append(self.folder / 'b.log', 'x')
            pipe.write(b'line\n')
            self.wait_content(path, b'line\n' * (number + 1))
            self.assertEqual(int(pid_path.read_text()), pid)
            words.append(Path(f'/proc/{pid}/cmdline').read_bytes())
        # Nothing is added each time.
        self.assertEqual(words[1:], words[:-1])

    def test_daemon_in_the_background_keeps_pid_and_pid_file(self):
        daemon = self.virtlogd(start=False)
        pid_path = self.root / 'run/virtlogd.pid'
        self.run_command([daemon.program, '--root', self.root, '--daemon'])
        pid = int(pid_path.read_text())
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        path, pipe = self.open(daemon, 'a.log')
        start_time = os.stat(f'/proc/{pid}').st_mtime
        os.kill(pid, signal.SIGUSR1)
        pipe.write(b'line\n')
        self.wait_content(path, b'line\n')
        log_case.LogClient(daemon.socket()).close()
        self.assertEqual(int(pid_path.read_text()), pid)
        self.assertEqual(os.stat(f'/proc/{pid}').st_mtime, start_time)
        second = self.run_command([daemon.program, '--root', self.root, '--daemon'], status=1)
        self.assertIn(f'held by running process {pid}', second)

    def test_stop_while_it_executes_itself_anew_stops_it(self):
        daemon = self.virtlogd()
        daemon.process.send_signal(signal.SIGUSR1)
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)
        self.assertFalse(os.path.exists(daemon.socket()))
