"""Values of secrets: what can be one, who may see it, and where it must not be seen."""

import base64
import os
import re
import subprocess
import threading
import time

import harness
import rpc
import secret_case
from secret_case import DENIED, INVALID_ARG, INVALID_SECRET, NO_SECRET, wire

VALUE_MAX = 65536
DRIVER = 'splitvirt-driver'
BOOLEAN = rpc.TYPES.constant('VIR_TYPED_PARAM_BOOLEAN')
NOBODY = 65534


def declare(client, value=1):
    """What a driver says of its own connection."""
    client.call('CONNECT_SET_IDENTITY',
                params=[{'field': DRIVER, 'value': (BOOLEAN, value)}])


class Values(secret_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_secretd()

    def test_any_bytes_come_back(self):
        for ephemeral in (False, True):
            secret = self.define(1 + ephemeral, ephemeral=ephemeral)
            for value in (b'\0', b'x', bytes(range(256)), b'not base64!', os.urandom(4095),
                          os.urandom(VALUE_MAX)):
                self.set(secret, value)
                self.assertEqual(self.get(secret), value)

    def test_no_value_says_so(self):
        for ephemeral in (False, True):
            secret = self.define(1 + ephemeral, ephemeral=ephemeral)
            self.assert_fails(NO_SECRET, 'does not have a value$', self.get, secret)

    def test_empty_value_is_refused(self):
        secret = self.define(1)
        self.assert_fails(INVALID_ARG, '^value in virSecretSetValue must not be NULL$',
                          self.set, secret, b'')

    def test_longer_value_is_refused_and_the_connection_lives(self):
        kind = rpc.struct_name('REMOTE', 'SECRET_SET_VALUE', 'args')
        secret = self.define(1)
        payload = rpc.TYPES.pack(kind, {'secret': secret, 'value': b'x' * VALUE_MAX, 'flags': 0})
        at = payload.index(b'\0\1\0\0x')
        payload = payload[:at] + b'\0\1\0\4xxxx' + payload[at + 4:]
        reply = self.client.call_raw('REMOTE', 'SECRET_SET_VALUE', payload)
        self.assertEqual(reply.status, rpc.ERROR)
        self.assert_fails(NO_SECRET, 'does not have a value$', self.get, secret)

    def test_broken_plain_files(self):
        secret = self.define(1)
        path = self.file(1, '.base64')
        for content in (b'not base64!', b'YQ', b'Y===', b'YQ==YQ==', b'\xff' * 8,
                        base64.b64encode(b'x' * (VALUE_MAX + 3)), b'A' * 200000):
            path.write_bytes(content)
            with self.assertRaises(rpc.Error) as caught:
                self.get(secret)
            self.assertRegex(caught.exception.message, 'set the value anew|is larger than')
        path.write_bytes(b' aGVs\nbG8=\n')
        self.assertEqual(self.get(secret), b'hello')
        path.unlink()
        path.mkdir()
        self.assert_fails(secret_case.FAILED, 'is not a regular file', self.get, secret)
        path.rmdir()

    def test_many_at_once(self):
        """Of clients that set and get one value each answer is a value that was set whole."""
        secret = self.define(1)
        self.set(secret, b'0' * 5000)
        wrong = []

        def work(number):
            client = self.connect(self.secretd)
            for _ in range(20):
                client.call('SECRET_SET_VALUE', secret=secret, value=b'%d' % number * 5000)
                value = client.call('SECRET_GET_VALUE', secret=secret)['value']
                if value != value[:1] * 5000:
                    wrong.append(value)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_set_beside_undefine_ends_in_nothing(self):
        for _ in range(10):
            secret = self.define(1)
            other = self.connect(self.secretd)
            serial = other.send_call('REMOTE', 'SECRET_SET_VALUE', rpc.TYPES.pack(
                rpc.struct_name('REMOTE', 'SECRET_SET_VALUE', 'args'),
                {'secret': secret, 'value': b'x', 'flags': 0}))
            self.undefine(secret)
            other.reply_to(serial)
            self.assertEqual(self.files(), [])


class Private(secret_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_secretd()
        self.secret = self.define(1, private=True)
        self.set(self.secret, b'for drivers')

    def refused(self, client, **args):
        self.assert_fails(INVALID_SECRET, '^Invalid secret: secret is private$', client.call,
                          'SECRET_GET_VALUE', secret=self.secret, **args)

    def test_no_client_gets_it(self):
        self.refused(self.client)

    def test_no_flag_asks_for_it(self):
        for bit in range(32):
            self.assert_fails(INVALID_ARG, '^unsupported flags', self.client.call,
                              'SECRET_GET_VALUE', secret=self.secret, flags=1 << bit)

    @harness.needs_root
    def test_a_sibling_gets_it(self):
        declare(self.client)
        self.assertEqual(self.get(self.secret), b'for drivers')

    @harness.needs_root
    def test_a_sibling_that_speaks_for_a_client_does_not(self):
        declare(self.client)
        self.client.call('CONNECT_SET_IDENTITY',
                         params=[{'field': 'unix-user-id',
                                  'value': (rpc.TYPES.constant('VIR_TYPED_PARAM_ULLONG'), 0)}])
        self.refused(self.client)
        declare(self.client, 0)
        self.refused(self.client)

    @harness.needs_root
    def test_another_user_cannot_pass_for_a_sibling(self):
        self.secretd.stop()
        self.secretd.configure({'unix_sock_rw_perms': '0777', 'auth_unix_rw': 'none'})
        for folder in (self.root, self.root.parent, self.root / 'run', self.root / 'run/libvirt'):
            folder.chmod(0o755)
        self.secretd.start()
        os.seteuid(NOBODY)
        try:
            client = self.connect(self.secretd)
        finally:
            os.seteuid(0)
        self.assert_fails(DENIED, 'only a trusted peer', declare, client)
        self.refused(client)

    def test_read_only_client_gets_no_value_at_all(self):
        client = self.connect(self.secretd, kind='ro', flags=rpc.READ_ONLY)
        pattern = 'read only access prevents virSecretGetValue$'
        self.assert_fails(DENIED, pattern, client.call, 'SECRET_GET_VALUE', secret=self.secret)
        self.assert_fails(DENIED, pattern, client.call, 'SECRET_GET_VALUE',
                          secret=self.define(2))
        client = self.connect(self.secretd, flags=rpc.READ_ONLY)
        self.assert_fails(DENIED, pattern, client.call, 'SECRET_GET_VALUE', secret=self.secret)

    def test_clients_of_routers_do_not_get_it(self):
        for name in ('virtqemud', 'virtproxyd'):
            router = self.daemon(name)
            client = self.connect(router)
            self.refused(client)
            if harness.IS_ROOT:
                declare(client)
                self.refused(client)
            client = self.connect(router)
            if harness.IS_ROOT:
                declare(client)
            self.refused(client)
            client = self.connect(router, kind='ro', flags=rpc.READ_ONLY)
            self.assert_fails(DENIED, 'read only', client.call, 'SECRET_GET_VALUE',
                              secret=self.secret)

    def test_becoming_private_hides_the_value(self):
        secret = self.define(2)
        self.set(secret, b'x')
        self.define(2, private=True)
        self.assert_fails(INVALID_SECRET, 'secret is private', self.get, secret)


class Traces(secret_case.TestCase):
    """Of a value that was set and read nothing is left where others can see it."""

    timeout_s = 120
    MARK = b'Tr4ce0fAvalue-'

    def values(self):
        """Short ones and the largest, each marked all over."""
        yield self.MARK * 3
        yield (self.MARK * VALUE_MAX)[:VALUE_MAX]

    def forms(self):
        yield self.MARK
        for shift in range(3):
            text = base64.b64encode(b'\0' * shift + self.MARK * 2)
            yield text[4:-4]

    def work(self, daemon, number=1, **options):
        client = self.connect(daemon)
        client.call('SECRET_DEFINE_XML', xml=secret_case.xml(number, **options))
        for value in self.values():
            client.call('SECRET_SET_VALUE', secret=wire(number), value=value)
            self.assertEqual(client.call('SECRET_GET_VALUE', secret=wire(number))['value'], value)
        # Small steps: frames are put together from parts.
        kind = rpc.struct_name('REMOTE', 'SECRET_SET_VALUE', 'args')
        for value in self.values():
            frame = rpc.Frame(rpc.program_number('REMOTE'), 1,
                              rpc.TYPES.procedures('REMOTE')['SECRET_SET_VALUE'], rpc.CALL, 77,
                              rpc.OK, rpc.TYPES.pack(kind, {'secret': wire(number), 'flags': 0,
                                                            'value': value})).encode()
            for begin in range(0, len(frame), 7001):
                client.send_bytes(frame[begin:begin + 7001])
                if begin == 0:
                    time.sleep(0.01)
            client.reply_to(77)
        client.close()

    @staticmethod
    def dumped_memory(pid):
        """All that a core dump would have: readable, and not left out of dumps."""
        with open(f'/proc/{pid}/smaps', encoding='ascii') as lines, \
                open(f'/proc/{pid}/mem', 'rb', buffering=0) as memory:
            where = None
            for line in lines:
                head = re.match(r'([0-9a-f]+)-([0-9a-f]+) (\S+)', line)
                if head:
                    where = int(head[1], 16), int(head[2], 16), head[3]
                elif line.startswith('VmFlags:') and where[2].startswith('r') \
                        and 'dd' not in line.split():
                    try:
                        memory.seek(where[0])
                        yield memory.read(where[1] - where[0])
                    except (OSError, OverflowError):
                        continue  # the kernel's own pages

    def traces(self, daemon):
        pieces = list(self.dumped_memory(daemon.pid))
        self.assertGreater(sum(map(len, pieces)), 100000)
        return sum(piece.count(form) for form in self.forms() for piece in pieces)

    def check(self, daemon):
        # An answer is sent before what it answers is let go.
        harness.wait_until(lambda: self.traces(daemon) == 0,
                           f'no trace in the memory of {daemon.name}')
        for form in self.forms():
            self.assertNotIn(form.decode(), daemon.output(10 ** 9))

    def debugging(self):
        return {'log_outputs': '1:stderr', 'log_filters': '1:*'}

    @harness.not_sanitized
    def test_memory_and_log_of_the_daemon(self):
        self.start_secretd(config=self.debugging())
        self.work(self.secretd)
        self.work(self.secretd, 2, ephemeral=True)
        self.check(self.secretd)

    @harness.not_sanitized
    def test_memory_of_a_daemon_that_encrypts(self):
        key = self.root / 'key'
        self.start_secretd(config={**self.debugging(), 'encryption_key_file': str(key),
                                   'encryption_key_create': True})
        self.work(self.secretd)
        self.check(self.secretd)
        secret = key.read_bytes()
        for piece in self.dumped_memory(self.secretd.pid):
            self.assertNotIn(secret, piece)
            self.assertNotIn(secret[:16], piece)
        for path in self.folder.iterdir():
            self.assertNotIn(self.MARK, path.read_bytes())

    @harness.not_sanitized
    def test_memory_of_routers(self):
        self.start_secretd()
        for name in ('virtqemud', 'virtproxyd'):
            router = self.daemon(name)
            self.work(router)
            self.check(router)
        self.check(self.secretd)

    @harness.not_sanitized
    def test_core_of_the_daemon(self):
        """The real thing, where there is a program that makes one."""
        gcore = '/usr/bin/gcore'
        if not os.path.exists(gcore):
            self.skipTest('needs gdb')
        self.start_secretd()
        self.work(self.secretd)
        self.work(self.secretd, 2, ephemeral=True)
        self.check(self.secretd)
        subprocess.run([gcore, '-o', str(self.root / 'core'), str(self.secretd.pid)], check=True,
                       capture_output=True, timeout=harness.PATIENCE_S)
        core = next(self.root.glob('core.*')).read_bytes()
        self.assertIn(b'virtsecretd', core)
        for form in self.forms():
            self.assertEqual(core.count(form), 0, form)

    def test_errors_show_no_value(self):
        self.start_secretd()
        secret = self.define(1)
        self.set(secret, self.MARK)
        self.file(1, '.base64').write_bytes(base64.b64encode(self.MARK)[:-1])
        with self.assertRaises(rpc.Error) as caught:
            self.get(secret)
        for form in self.forms():
            self.assertNotIn(form.decode(), caught.exception.message)

    def test_locked_memory_is_given_back(self):
        self.start_secretd()
        secret = self.define(1)
        self.work(self.secretd, 2)

        def locked_kib():
            with open(f'/proc/{self.secretd.pid}/status', encoding='ascii') as lines:
                return next(int(line.split()[1]) for line in lines if line.startswith('VmLck'))
        self.assertEqual(locked_kib(), 0)
        for _ in range(200):
            self.set(secret, b'x' * 10000)
            self.get(secret)
        self.assertEqual(locked_kib(), 0)
