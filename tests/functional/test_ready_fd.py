"""--ready-fd: readiness for parents that are not systemd."""

import os
import subprocess

import harness


class ReadyFd(harness.TestCase):
    def start(self, *options, config=None):
        """Starts virtlogd with a pipe's end. Returns the process and the other end."""
        daemon = harness.Daemon('virtlogd', self.root, config=config)
        read_end, write_end = os.pipe()
        with open(daemon.output_path, 'ab') as output:
            process = subprocess.Popen(
                [daemon.program, *daemon.place(), '--ready-fd', str(write_end), *options],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[write_end])
        os.close(write_end)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return daemon, process, open(read_end, encoding='ascii')

    def test_line_comes_when_the_sockets_answer_and_the_descriptor_is_closed(self):
        daemon, _, pipe = self.start()
        with pipe:
            self.assertEqual(pipe.readline(), 'READY=1\n')
            self.assertIn('virtlogd', self.virt_admin(daemon, 'srv-list'))
            self.assertEqual(pipe.read(), '')

    def test_daemon_that_cannot_start_ends_the_file_without_the_line(self):
        _, process, pipe = self.start(config='max_clients = "many"\n')
        with pipe:
            self.assertEqual(pipe.read(), '')
        self.assertEqual(process.wait(), 1)

    def test_daemon_in_the_background_says_it_too(self):
        daemon, process, pipe = self.start('--daemon')
        with pipe:
            self.assertEqual(pipe.read(), 'READY=1\n')
        self.assertEqual(process.wait(), 0)
        pid = int((self.root / 'run/virtlogd.pid').read_text())
        os.kill(pid, 15)
        harness.wait_until(lambda: not os.path.exists(daemon.socket()), 'the daemon has gone')

    def test_parent_that_has_gone_does_not_matter(self):
        daemon, process, pipe = self.start()
        pipe.close()
        harness.wait_until(lambda: harness.is_listening(daemon.socket()), 'the daemon listens')
        self.assertIsNone(process.poll())

    def test_process_that_executes_itself_anew_says_it_once(self):
        daemon = harness.Daemon('virtlogd', self.root, args=['--ready-fd', '77'],
                                wrapper=['sh', '-c', 'SPLITVIRT_READY_PID=$$ exec "$@"', 'sh'])
        self.adopt(daemon)
        self.assertIn('virtlogd', self.virt_admin(daemon, 'srv-list'))

    def refused(self, *options, **extra):
        return self.run_command([harness.BUILD / 'virtlogd/virtlogd', '--root', self.root,
                                 '--ready-fd', *options], status=1, **extra)

    def test_descriptor_that_is_not_open_is_refused(self):
        self.assertIn('option --ready-fd: descriptor 77 is not open', self.refused('77'))

    def test_descriptor_that_cannot_be_written_to_is_refused(self):
        with open('/dev/null') as null:
            self.assertIn('is not open for writing',
                          self.refused(str(null.fileno()), pass_fds=[null.fileno()]))
