"""virtlogd's calls: what a hypervisor's daemon asks for, and how it is refused."""

import os
import signal
import stat
import time

import harness
import log_case
import rpc

SYSTEM_ERROR, INTERNAL_ERROR, INVALID_ARG = 38, 1, 8
FROM_LOGGING = 63
# At most, of virtlogd that has just started.
IDLE_KIB = 3 * 1024


class Calls(log_case.TestCase):
    def refused(self, code, *words):
        """A context in which a call is refused with all these words."""
        test = self

        class Refused:
            def __enter__(self):
                return self

            def __exit__(self, kind, error, _trace):
                test.assertIs(kind, rpc.Error)
                test.assertEqual((error.code, error.domain), (code, FROM_LOGGING), error)
                for word in words:
                    test.assertIn(str(word), error.message)
                return True
        return Refused()

    # Opening

    def test_what_comes_through_the_pipe_is_in_the_log(self):
        path, pipe = self.open(self.virtlogd(), 'a.log')
        pipe.write(b'one\ntwo')
        self.wait_content(path, b'one\ntwo')
        pipe.write(b' and a half\n')
        self.wait_content(path, b'one\ntwo and a half\n')

    def test_log_is_the_owners_alone(self):
        path, _pipe = self.open(self.virtlogd(), 'a.log')
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_guests_end_of_the_pipe_waits_when_full(self):
        _path, pipe = self.open(self.virtlogd(), 'a.log')
        self.assertTrue(os.get_blocking(pipe.fileno()))

    def test_log_is_continued(self):
        daemon = self.virtlogd()
        path = self.folder / 'a.log'
        path.write_bytes(b'before\n')
        position, fd = self.client(daemon).open_log(path)
        with os.fdopen(fd, 'wb', buffering=0) as pipe:
            pipe.write(b'after\n')
        self.assertEqual(position, {'inode': path.stat().st_ino, 'offset': 7})
        self.wait_content(path, b'before\nafter\n')

    def test_log_is_begun_anew_when_asked_for(self):
        daemon = self.virtlogd()
        path = self.folder / 'a.log'
        for name in ('a.log', 'a.log.0', 'a.log.1', 'b.log'):
            (self.folder / name).write_text('old\n')
        position, fd = self.client(daemon).open_log(path, flags=log_case.TRUNCATE)
        os.close(fd)
        self.assertEqual(position['offset'], 0)
        self.assertEqual(sorted(os.listdir(self.folder)), ['a.log', 'b.log'])
        self.assertEqual(path.read_bytes(), b'')

    def test_log_with_a_live_owner_is_refused_naming_it(self):
        daemon = self.virtlogd()
        path, _pipe = self.open(daemon, 'a.log', domain='first')
        client = self.client(daemon)
        # As root it has given up the right to look into the processes of others.
        process = '' if harness.IS_ROOT else f'process {os.getpid()}'
        with self.refused(SYSTEM_ERROR, path, "'first'", '00010203-0405-0607-0809-0a0b0c0d0e0f',
                          process, 'Device or resource busy'):
            client.open_log(path, domain='second')

    def test_other_spelling_of_an_open_log_is_refused(self):
        daemon = self.virtlogd()
        path, _pipe = self.open(daemon, 'a.log')
        (self.folder / 'link').symlink_to('a.log')
        client = self.client(daemon)
        for name in (f'{self.folder}//a.log', f'{self.folder}/../qemu/a.log',
                     f'{self.folder}/link'):
            with self.refused(SYSTEM_ERROR, 'Device or resource busy'):
                client.open_log(name)

    def test_owner_that_has_gone_does_not_block_the_next(self):
        daemon = self.virtlogd()
        path = self.folder / 'a.log'
        client = self.client(daemon)
        for number in range(20):
            fd = client.open_log(path)[1]
            os.write(fd, b'%d\n' % number * 1000)
            os.close(fd)
        self.wait_ended(path)
        self.assertEqual(path.read_bytes(), b''.join(b'%d\n' % n * 1000 for n in range(20)))

    def test_client_that_dies_before_the_answer_does_not_block_the_next(self):
        daemon = self.virtlogd()
        path = self.folder / 'a.log'
        payload = rpc.TYPES.pack('virLogManagerProtocolDomainOpenLogFileArgs', {
            'driver': 'qemu', 'dom': {'name': 'x', 'uuid': log_case.UUID}, 'path': str(path),
            'flags': 0})
        for _ in range(20):
            client = self.client(daemon)
            client.send_call(log_case.PROGRAM, 'DOMAIN_OPEN_LOG_FILE', payload)
            client.close()
        client = self.client(daemon)

        def is_open():
            try:
                os.close(client.open_log(path)[1])
            except rpc.Error:
                return False
            return True
        harness.wait_until(is_open, 'the log can be opened')

    def test_log_of_a_killed_guest_is_complete_and_closed(self):
        daemon = self.virtlogd()
        self.client(daemon).append(self.folder / 'first.log', 'it has started\n')
        with daemon.returns_to_base_line(kib=256):
            path, guest = self.guest(daemon, 'a.log')
            harness.wait_until(lambda: path.stat().st_size > 10000, 'the guest writes')
            guest.process.send_signal(signal.SIGKILL)
            self.wait_ended(path)
        content = path.read_bytes()
        self.assertTrue(content.startswith(log_case.lines(100)))

    def test_bad_paths_are_refused(self):
        daemon = self.virtlogd()
        client = self.client(daemon)
        fifo = self.root / 'fifo'
        os.mkfifo(fifo)
        with self.refused(INVALID_ARG, 'absolute', 'a.log'):
            client.open_log('a.log')
        with self.refused(INVALID_ARG, 'absolute'):
            client.append('', 'text')
        with self.refused(SYSTEM_ERROR, self.folder, 'Is a directory'):
            client.open_log(self.folder)
        with self.refused(SYSTEM_ERROR, '/no/such/a.log', 'No such file'):
            client.open_log('/no/such/a.log')
        with self.refused(SYSTEM_ERROR, '/no/such/a.log', 'No such file'):
            client.append('/no/such/a.log', 'text')
        with self.refused(SYSTEM_ERROR, fifo, 'Invalid argument'):
            client.open_log(fifo)
        self.assertEqual(self.state(), [])

    def test_device_can_be_a_log(self):
        daemon = self.virtlogd()
        _position, fd = self.client(daemon).open_log('/dev/null')
        os.write(fd, b'x' * 1000000)
        os.close(fd)
        self.wait_ended('/dev/null')
        self.assertTrue(os.path.exists('/dev/null'))

    def test_unknown_flags_are_refused_naming_the_call(self):
        daemon = self.virtlogd()
        path, _pipe = self.open(daemon, 'a.log')
        client = self.client(daemon)
        position = client.position(path)
        for call in (lambda: client.open_log(path, flags=2), lambda: client.append(path, 'x', 8),
                     lambda: client.position(path, 1), lambda: client.read(path, position, flags=4)):
            with self.assertRaisesRegex(rpc.Error, r'unsupported flags \(0x\d\).*LOG_FILE'):
                call()

    # Appending, positions, reading

    def test_text_is_appended_to_an_open_log_behind_what_the_guest_said(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        client = self.client(daemon)
        for number in range(50):
            pipe.write(b'guest %d\n' % number)
            self.assertEqual(client.append(path, f'daemon {number}\n'), {'ret': 0})
        self.assertEqual(path.read_text(), ''.join(f'guest {n}\ndaemon {n}\n' for n in range(50)))

    def test_text_is_appended_to_a_log_that_is_not_open(self):
        daemon = self.virtlogd()
        client = self.client(daemon)
        client.append(self.folder / 'first.log', 'it has started\n')
        with daemon.returns_to_base_line():
            client.append(self.folder / 'new.log', 'one\n')
            client.append(self.folder / 'new.log', 'two\n')
        self.assertEqual((self.folder / 'new.log').read_text(), 'one\ntwo\n')
        self.assertEqual(self.state(), [])

    def test_position_is_behind_everything_that_was_written(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        client = self.client(daemon)
        for number in range(1, 50):
            pipe.write(b'0123456789')
            self.assertEqual(client.position(path)['offset'], 10 * number)

    def test_position_of_a_log_that_is_not_open_is_refused(self):
        daemon = self.virtlogd()
        (self.folder / 'a.log').write_text('text')
        client = self.client(daemon)
        with self.refused(INTERNAL_ERROR, 'No open log file', self.folder / 'a.log'):
            client.position(self.folder / 'a.log')

    def test_reading_from_a_position(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        client = self.client(daemon)
        start = client.position(path)
        pipe.write(b'0123456789')
        self.assertEqual(client.read(path, start), '0123456789')
        self.assertEqual(client.read(path, {**start, 'offset': 3}, 4), '3456')
        self.assertEqual(client.read(path, {**start, 'offset': 3}, 0), '')
        self.assertEqual(client.read(path, {**start, 'offset': 3000}), '')

    def test_reading_from_nowhere_is_refused(self):
        daemon = self.virtlogd()
        path, _pipe = self.open(daemon, 'a.log')
        client = self.client(daemon)
        with self.refused(SYSTEM_ERROR, path, 'inode 1', 'offset 5', 'Bad file descriptor'):
            client.read(path, {'inode': 1, 'offset': 5})
        with self.refused(SYSTEM_ERROR, 'none.log'):
            client.read(self.folder / 'none.log', client.position(path))

    def test_reading_more_than_a_reply_holds_is_refused(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        client = self.client(daemon)
        start = client.position(path)
        for _ in range(70):
            pipe.write(b'x' * 65536)
        self.assertEqual(len(client.read(path, start, 4194304)), 4194304)
        with self.refused(INTERNAL_ERROR, 'Requested data len 4194305 is larger than maximum '
                          '4194304'):
            client.read(path, start, 4194305)

    def test_zero_bytes_do_not_end_what_is_read(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        client = self.client(daemon)
        start = client.position(path)
        pipe.write(b'a\0b\xff\n')
        frame = client.call_raw(log_case.PROGRAM, 'DOMAIN_READ_LOG_FILE', rpc.TYPES.pack(
            'virLogManagerProtocolDomainReadLogFileArgs',
            {'path': str(path), 'pos': start, 'maxlen': 100, 'flags': 0}))
        self.assertEqual(frame.payload[4:9], b'a?b\xff\n')
        self.assertEqual(path.read_bytes(), b'a\0b\xff\n')

    # The daemon

    def test_idle_daemon_stays_for_its_logs(self):
        daemon = self.virtlogd(args=['--timeout', '1'])
        path, pipe = self.open(daemon, 'a.log')
        time.sleep(2.5)
        pipe.write(b'still there\n')
        self.wait_content(path, b'still there\n')
        pipe.close()
        self.assertEqual(daemon.wait(), 0)

    def test_limits_of_clients_count(self):
        daemon = self.virtlogd(config={'max_clients': 2, 'max_anonymous_clients': 0,
                                       'admin_max_clients': 1})
        text = self.virt_admin(daemon, 'srv-clients-info', 'virtlogd')
        self.assertRegex(text, r'nclients_max *: 2\n')
        self.assertRegex(self.virt_admin(daemon, 'srv-clients-info', 'admin'),
                         r'nclients_max *: 1\n')
        clients = [self.client(daemon) for _ in range(3)]
        for client in clients[:2]:
            client.append(self.folder / 'a.log', 'x')
        with self.assertRaisesRegex(rpc.Error, 'max_clients'):
            clients[2].append(self.folder / 'a.log', 'x')

    def test_statistics_count_bytes(self):
        daemon = self.virtlogd()
        path, pipe = self.open(daemon, 'a.log')
        pipe.write(b'12345')
        self.wait_content(path, b'12345')
        daemon.process.send_signal(signal.SIGUSR2)
        harness.wait_until(lambda: 'logs=1 written_bytes=5 dropped_bytes=0' in daemon.output(),
                           'statistics')

    @harness.not_sanitized
    def test_idle_daemon_needs_little_memory(self):
        self.holder()
        daemon = self.virtlogd()
        harness.wait_until(lambda: harness.memory_alone_kib(daemon.pid) <= IDLE_KIB,
                           f'{IDLE_KIB} KiB are enough')

    @harness.not_sanitized
    def test_guest_costs_a_few_kib(self):
        daemon = self.virtlogd()
        client = self.client(daemon)
        def open_logs(begin, count):
            for number in range(begin, begin + count):
                fd = client.open_log(self.folder / f'{number}.log', domain=f'guest{number}')[1]
                self.addCleanup(os.close, fd)
                os.write(fd, b'booted\n')
        open_logs(0, 10)
        before = harness.memory_kib(daemon.pid, 'Pss_Anon')
        open_logs(10, 200)
        client.append(self.folder / '209.log', 'all there\n')
        self.assertLess(harness.memory_kib(daemon.pid, 'Pss_Anon') - before, 200 * 4)

