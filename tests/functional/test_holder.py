"""The holder keeps descriptors for a daemon, and gives them to root and its own user alone."""

import os
import resource
import socket
import stat
import subprocess
import time

import descriptors
import harness


class Holder(harness.TestCase):
    def holder(self, env=None):
        holder = descriptors.Holder('virtlogd', self.root)
        self.addCleanup(holder.kill)
        return holder.start(env)

    def client(self, holder):
        client = descriptors.HolderClient(holder.path)
        self.addCleanup(client.close)
        return client

    def pipe(self):
        ends = os.pipe()
        for fd in ends:
            self.addCleanup(os.close, fd)
        return ends

    def test_descriptor_outlives_the_connection_that_brought_it(self):
        holder = self.holder()
        read_end, write_end = self.pipe()
        first = self.client(holder)
        self.assertEqual(first.ask('Pp1', read_end), ('O', None))
        first.close()
        os.write(write_end, b'line')
        answer, fd = self.client(holder).ask('G0')
        self.addCleanup(os.close, fd)
        self.assertEqual((answer, os.read(fd, 100)), ('Fp1', b'line'))

    def test_dropped_descriptor_is_closed(self):
        holder = self.holder()
        client = self.client(holder)
        client.ask('Pp1', self.pipe()[0])
        self.assertEqual(holder.n_held(), 1)
        self.assertEqual(client.ask('Dp1'), ('O', None))
        self.assertEqual(holder.n_held(), 0)

    def test_hundreds_of_descriptors_are_kept(self):
        holder = self.holder()
        client = self.client(holder)
        fd = self.pipe()[0]
        for number in range(500):
            self.assertEqual(client.ask(f'Pp{number}', fd)[0], 'O')
        self.assertEqual(client.ask('G500'), ('O', None))
        self.assertEqual(holder.n_held(), 500)

    def test_bad_packet_ends_the_connection_and_nothing_else(self):
        holder = self.holder()
        client = self.client(holder)
        client.ask('Pp1', self.pipe()[0])
        self.assertEqual(client.ask('what?', self.pipe()[0]), ('', None))
        self.assertEqual(holder.n_held(), 1)
        self.assertEqual(self.client(holder).ask('D1'), ('O', None))

    def test_more_descriptors_than_one_leak_nothing(self):
        holder = self.holder()
        self.client(holder).ask('Pp1', *self.pipe())
        self.assertLessEqual(holder.n_held(), 1)

    def test_empty_packet_with_a_descriptor_leaks_nothing(self):
        holder = self.holder()
        self.assertEqual(self.client(holder).ask('', self.pipe()[0]), ('', None))
        self.assertEqual(holder.n_held(), 0)

    def test_peer_that_there_is_no_descriptor_for_waits_and_costs_nothing(self):
        holder = self.holder()
        pid = holder.process.pid
        first = self.client(holder)
        for number in range(16):
            first.ask(f'Pp{number}', self.pipe()[0])
        most = 1 + max(int(fd) for fd in os.listdir(f'/proc/{pid}/fd'))
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, limits[1]))
        client = self.client(holder)
        before = holder.cpu_s()
        time.sleep(1)
        self.assertLess(holder.cpu_s() - before, 0.1)
        self.assertEqual(first.ask('G16'), ('O', None))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        self.assertEqual(client.ask('G16'), ('O', None))

    def test_service_manager_that_does_not_read_holds_up_nothing(self):
        manager = harness.StuckNotifySocket(self.root / 'stuck.notify')
        self.addCleanup(manager.close)
        holder = self.holder({'NOTIFY_SOCKET': manager.path})
        self.assertEqual(self.client(holder).ask('Pp1', self.pipe()[0]), ('O', None))
        harness.wait_until(lambda: 'READY=1' in manager.collect(0.05), 'the holder is ready')

    def test_socket_passed_to_it_is_served(self):
        holder = descriptors.Holder('virtlogd', self.root)
        self.addCleanup(holder.kill)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(listener.close)
        path = str(self.root / 'passed')
        listener.bind(path)
        listener.listen()
        script = f'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<&{listener.fileno()}'
        holder.process = subprocess.Popen(
            ['bash', '-c', script, 'bash', holder.program, 'virtlogd', '--root', self.root],
            pass_fds=[listener.fileno()])
        client = descriptors.HolderClient(path)
        self.addCleanup(client.close)
        self.assertEqual(client.ask('G0'), ('O', None))
        self.assertFalse(holder.is_served())

    def test_sockets_passed_to_another_process_are_not_its_own(self):
        holder = self.holder({'LISTEN_FDS': '1', 'LISTEN_PID': str(os.getpid())})
        self.assertEqual(self.client(holder).ask('G0'), ('O', None))

    def test_second_holder_is_refused(self):
        holder = self.holder()
        text = self.run_command([holder.program, 'virtlogd', '--root', self.root], status=1)
        self.assertIn('Address already in use', text)
        self.assertTrue(holder.is_served())

    def test_next_holder_takes_the_place_of_a_killed_one(self):
        self.holder().kill()
        self.assertTrue(self.holder().is_served())

    @harness.needs_root
    def test_only_root_reaches_it(self):
        holder = self.holder()
        self.assertEqual(stat.S_IMODE(os.stat(holder.path).st_mode), 0o600)
        os.chmod(holder.path, 0o666)
        for folder in (self.root, self.root / 'run', self.root / 'run/libvirt'):
            os.chmod(folder, 0o755)
        script = ('import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); '
                  's.connect("%s"); s.settimeout(10); '
                  'print(s.recv(100) if s.send(b"G0") else 0)' % holder.path)
        text = self.run_command(['setpriv', '--reuid=65534', '--clear-groups', '/usr/bin/python3',
                                 '-c', script], status=None)
        self.assertNotIn("b'O", text)
        self.assertTrue(holder.is_served())
