"""Values encrypted on disk: where the key comes from, what is wrong with it, how it is changed."""

import os
import shutil
import subprocess
import threading

import harness
import rpc
import secret_case
from secret_case import FAILED, uuid_of, wire

SEALED_HEAD = b'splitvirt-secret-1\n'


class KeyCase(secret_case.TestCase):
    @property
    def key(self):
        return self.root / 'secrets.key'

    def start_encrypting(self, content=None, create=False, **config):
        """content: of the key's file; None: there is none."""
        if content is not None:
            self.put_key(content)
        return self.start_secretd(config={'encryption_key_file': str(self.key),
                                          'encryption_key_create': create, **config})

    def put_key(self, content):
        self.key.unlink(missing_ok=True)
        self.key.write_bytes(content)
        self.key.chmod(0o600)

    def sealed(self, number):
        return self.file(number, '.sealed').read_bytes()

    def rotate(self, **options):
        return self.run_command([self.secretd.program, '--root', self.root, '--rotate-key'],
                                **options)


class Encrypt(KeyCase):
    def test_values_are_encrypted_and_come_back(self):
        self.start_encrypting(os.urandom(32))
        secret = self.define(1)
        for value in (b'x', b'hush hush', os.urandom(65536)):
            self.set(secret, value)
            self.assertEqual(self.get(secret), value)
            self.assertEqual(len(self.sealed(1)), len(SEALED_HEAD) + 8 + 12 + len(value) + 16)
            self.assertNotIn(value[:16] if len(value) > 1 else b'\0' * 16, self.sealed(1))
        self.restart(is_killed=True)
        self.assertEqual(self.get(secret), value)
        self.assertEqual(self.files(), [uuid_of(1) + '.sealed', uuid_of(1) + '.xml'])

    def test_the_same_value_never_looks_the_same(self):
        self.start_encrypting(os.urandom(32))
        secret = self.define(1)
        seen = set()
        for _ in range(5):
            self.set(secret, b'same')
            seen.add(self.sealed(1))
        self.assertEqual(len(seen), 5)

    def test_key_is_made_at_the_first_value(self):
        self.start_encrypting(create=True)
        secret = self.define(1)
        self.assertFalse(self.key.exists())
        self.set(secret, b'x')
        self.assertEqual(len(self.key.read_bytes()), 32)
        self.assertEqual(self.key.stat().st_mode & 0o777, 0o600)
        self.assertNotEqual(self.key.read_bytes(), bytes(32))
        self.assertEqual(self.get(secret), b'x')
        self.assertNotIn('key', self.secretd.output())

    def test_one_key_is_made_by_many_at_once(self):
        self.start_encrypting(create=True)
        secrets = [self.define(number) for number in range(8)]

        def work(secret):
            self.connect(self.secretd).call('SECRET_SET_VALUE', secret=secret, value=b'x')
        threads = [threading.Thread(target=work, args=(secret,)) for secret in secrets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for secret in secrets:
            self.assertEqual(self.get(secret), b'x')

    def test_plain_values_are_read_and_encrypted_when_they_are_set(self):
        self.start_secretd()
        for number in (1, 2):
            self.set(self.define(number), b'plain %d' % number)
        self.secretd.stop()
        self.start_encrypting(os.urandom(32))
        self.assertEqual(self.get(wire(1)), b'plain 1')
        self.set(wire(1), b'new')
        self.assertEqual(self.files(), [uuid_of(1) + '.sealed', uuid_of(1) + '.xml',
                                        uuid_of(2) + '.base64', uuid_of(2) + '.xml'])
        self.assertEqual(self.get(wire(1)), b'new')
        self.assertEqual(self.get(wire(2)), b'plain 2')

    def test_without_a_key_they_become_plain_again_when_they_are_set(self):
        self.start_encrypting(os.urandom(32))
        self.set(self.define(1), b'x')
        self.secretd.stop()
        self.start_secretd(config={})
        self.assert_fails(FAILED, 'it is encrypted, and encryption_key_file in virtsecretd.conf '
                          'names no key$', self.get, wire(1))
        self.set(wire(1), b'y')
        self.assertEqual(self.files(), [uuid_of(1) + '.base64', uuid_of(1) + '.xml'])
        self.assertEqual(self.get(wire(1)), b'y')

    def test_credential_of_the_unit(self):
        folder = self.root / 'credentials'
        folder.mkdir()
        (folder / 'secrets-encryption-key').write_bytes(os.urandom(32))
        self.start_secretd(env={'CREDENTIALS_DIRECTORY': str(folder)})
        self.set(self.define(1), b'x')
        self.assertTrue(self.sealed(1).startswith(SEALED_HEAD))
        self.assertEqual(self.get(wire(1)), b'x')

    def test_unit_with_other_credentials_encrypts_nothing(self):
        self.start_secretd(env={'CREDENTIALS_DIRECTORY': str(self.root)})
        self.set(self.define(1), b'x')
        self.assertEqual(self.files(), [uuid_of(1) + '.base64', uuid_of(1) + '.xml'])

    def test_gnutls_is_not_loaded_before_it_is_needed(self):
        self.start_encrypting(os.urandom(32))
        secret = self.define(1)

        def maps():
            with open(f'/proc/{self.secretd.pid}/maps', encoding='ascii') as file:
                return file.read()
        self.assertNotIn('gnutls', maps())
        self.set(secret, b'x')
        self.assertIn('gnutls', maps())

    def test_a_value_is_bound_to_its_secret(self):
        self.start_encrypting(os.urandom(32))
        for number in (1, 2):
            self.set(self.define(number), b'of %d' % number)
        shutil.copy(self.file(1, '.sealed'), self.file(2, '.sealed'))
        self.assert_fails(FAILED, f"'{uuid_of(2)}' cannot be used: its file is damaged", self.get,
                          wire(2))
        self.assertEqual(self.get(wire(1)), b'of 1')

    def test_every_damage_is_found(self):
        self.start_encrypting(os.urandom(32))
        secret = self.define(1)
        self.set(secret, b'0123456789')
        whole = self.sealed(1)
        damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]
                   for at in range(len(whole))]
        damaged += [whole[:length] for length in range(len(whole))] + [whole + b'x']
        for content in damaged if harness.IS_SOAK else damaged[::5] + damaged[-1:]:
            self.file(1, '.sealed').write_bytes(content)
            self.assert_fails(FAILED, 'is damaged|another key', self.get, secret)
        self.file(1, '.sealed').write_bytes(whole)
        self.assertEqual(self.get(secret), b'0123456789')

    def test_ephemeral_values_need_no_key(self):
        self.start_encrypting(b'short')
        secret = self.define(1, ephemeral=True)
        self.set(secret, b'x')
        self.assertEqual(self.get(secret), b'x')

    def test_becoming_ephemeral_and_back(self):
        self.start_encrypting(os.urandom(32))
        secret = self.define(1)
        self.set(secret, b'moves')
        self.define(1, ephemeral=True)
        self.assertEqual((self.files(), self.get(secret)), ([], b'moves'))
        self.define(1)
        self.assertTrue(self.sealed(1))
        self.assertEqual(self.get(secret), b'moves')


class Trouble(KeyCase):
    """The daemon runs, says so once, and refuses only what needs the key."""

    def break_key(self, spoil):
        """A plain and an encrypted value, then a key that spoil() has been at."""
        self.put_key(os.urandom(32))
        self.start_secretd(config={})
        self.set(self.define(1), b'plain')
        self.secretd.stop()
        self.start_encrypting()
        self.set(self.define(2), b'encrypted')
        self.secretd.stop()
        spoil()
        self.secretd.output_path.unlink()
        self.secretd.start()
        self.client = self.connect(self.secretd)

    def check(self, pattern, is_seen_at_start=True):
        for call in (lambda: self.get(wire(2)), lambda: self.set(wire(2), b'y'),
                     lambda: self.set(wire(1), b'y')):
            self.assert_fails(FAILED, pattern, call)
        self.assertEqual(self.get(wire(1)), b'plain')
        self.set(self.define(3, ephemeral=True), b'z')
        self.undefine(self.define(4))
        self.assertEqual(len(self.listed()), 3)
        if is_seen_at_start:
            self.assertEqual(self.secretd.output().count('until this is repaired'), 1)

    def repair(self, content):
        """Without a restart."""
        self.put_key(content)
        self.assertEqual(self.get(wire(2)), b'encrypted')

    def test_missing(self):
        content = []
        self.break_key(lambda: content.append(self.key.read_bytes()) or self.key.unlink())
        self.check("secrets.key', cannot be used: there is no such file.*; restore it from a backup")
        self.repair(content[0])

    def test_missing_is_not_replaced_while_values_need_it(self):
        self.break_key(self.key.unlink)
        self.secretd.configure({'encryption_key_file': str(self.key),
                                'encryption_key_create': True})
        self.restart()
        for number in (1, 2):
            self.assert_fails(FAILED, 'there is no such file, and it encrypts 1 value;', self.set,
                              wire(number), b'y')
        self.assertFalse(self.key.exists())
        self.undefine(wire(2))
        self.set(wire(1), b'y')
        self.assertEqual(self.get(wire(1)), b'y')

    def test_truncated(self):
        content = []

        def spoil():
            content.append(self.key.read_bytes())
            self.put_key(content[0][:31])
        self.break_key(spoil)
        self.check('it has 31 bytes, where a key has 32')
        self.repair(content[0])

    def test_empty_too_long_or_no_file(self):
        for spoil, pattern in ((lambda: self.put_key(b''), 'it has 0 bytes'),
                               (lambda: self.put_key(b'x' * 129), 'is larger than 128 bytes'),
                               (lambda: self.key.unlink() or self.key.mkdir(),
                                'is not a regular file')):
            with self.subTest(pattern):
                self.break_key(spoil)
                self.check(pattern)
                self.secretd.stop()
                shutil.rmtree(self.folder)
                if self.key.is_dir():
                    self.key.rmdir()

    def test_open_to_others(self):
        self.break_key(lambda: self.key.chmod(0o640))
        self.check('others than its owner may read or write it; run chmod 600')
        self.key.chmod(0o600)
        self.assertEqual(self.get(wire(2)), b'encrypted')

    def test_foreign(self):
        content = []

        def spoil():
            content.append(self.key.read_bytes())
            self.put_key(os.urandom(32))
        self.break_key(spoil)
        self.assert_fails(FAILED, f"'{uuid_of(2)}' cannot be used: it was encrypted with another "
                          "key than that in '.*'; restore that key, or set the value anew$",
                          self.get, wire(2))
        self.assertEqual(self.get(wire(1)), b'plain')
        self.assertEqual(self.secretd.output().count('until this is repaired'), 1)
        # A former key behind the present one decrypts.
        self.put_key(self.key.read_bytes() + content[0])
        self.assertEqual(self.get(wire(2)), b'encrypted')
        self.set(wire(2), b'anew')
        self.put_key(self.key.read_bytes()[:32])
        self.assertEqual(self.get(wire(2)), b'anew')

    @harness.needs_root
    def test_unreadable(self):
        self.break_key(lambda: None)
        self.secretd.stop()
        self.secretd.wrapper = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search']
        os.chown(self.key, 1, 1)
        self.secretd.output_path.unlink()
        self.secretd.start()
        self.client = self.connect(self.secretd)
        self.check('secrets.key.: Permission denied; restore the file')


class Rotate(KeyCase):
    timeout_s = 120

    def prepare(self, n_values=20):
        self.start_encrypting(os.urandom(32))
        self.n_values = n_values
        for number in range(n_values):
            self.set(self.define(number), b'value %d' % number)

    def check_values(self):
        for number in range(self.n_values):
            self.assertEqual(self.get(wire(number)), b'value %d' % number)

    def test_beside_the_daemon(self):
        self.prepare()
        old_key, old = self.key.read_bytes(), [self.sealed(n) for n in range(self.n_values)]
        self.assertEqual(self.rotate(), 'Encrypted 20 values with the new key, the old one '
                                        'is gone\n')
        self.assertEqual(len(self.key.read_bytes()), 32)
        self.assertNotEqual(self.key.read_bytes(), old_key)
        for number in range(self.n_values):
            self.assertNotEqual(self.sealed(number), old[number])
        self.check_values()

    def test_plain_value_that_was_left_beside_an_encrypted_one_goes(self):
        self.prepare(1)
        # As a roll-over leaves it that was cut short: the first of two keys encrypts.
        self.key.write_bytes(os.urandom(32) + self.key.read_bytes())
        self.set(wire(0), b'new')
        self.put_value(0, b'old')
        self.rotate()
        self.assertFalse(self.file(0, '.base64').exists())
        self.assertEqual(self.get(wire(0)), b'new')

    def test_while_the_daemon_is_stopped(self):
        self.prepare()
        self.secretd.stop()
        self.rotate()
        self.secretd.start()
        self.client = self.connect(self.secretd)
        self.check_values()

    def test_while_values_are_set_and_read(self):
        self.prepare(8)
        is_over, wrong = threading.Event(), []

        def work(number):
            client = self.connect(self.secretd)
            turn = 0
            try:
                while not is_over.is_set():
                    turn += 1
                    value = b'%d of %d' % (turn, number)
                    client.call('SECRET_SET_VALUE', secret=wire(number), value=value)
                    if self.get(wire(number), client) != value:
                        wrong.append(value)
            except rpc.Error as error:
                wrong.append(error)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20 if harness.IS_SOAK else 5):
            self.rotate()
        is_over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(len(self.key.read_bytes()), 32)

    def test_plain_values_are_encrypted_too(self):
        self.start_secretd()
        for number in range(3):
            self.set(self.define(number), b'value %d' % number)
        self.secretd.stop()
        self.n_values = 3
        self.start_encrypting(create=True)
        self.assertEqual(self.rotate(), 'Encrypted 3 values with the new key, the old one '
                                        'is gone\n')
        self.assertEqual(len(self.files()), 6)
        self.assertNotIn('base64', ' '.join(self.files()))
        self.check_values()

    def test_old_key_stays_while_a_value_needs_it(self):
        self.prepare(3)
        self.file(1, '.sealed').write_bytes(self.sealed(1)[:-1])
        text = self.rotate(status=1)
        self.assertIn(f"secret '{uuid_of(1)}' cannot be used: its file is damaged", text)
        self.assertIn('1 value could not be encrypted anew, and the old key is kept', text)
        self.assertEqual(len(self.key.read_bytes()), 64)
        self.set(wire(1), b'value 1')
        key = self.key.read_bytes()
        self.assertIn('Encrypted 0 values', self.rotate())
        self.assertEqual(self.key.read_bytes(), key[:32])
        self.check_values()

    def test_what_cannot_be_rotated_is_said(self):
        self.start_secretd()
        self.assertIn('encryption_key_file in virtsecretd.conf names no key', self.rotate(status=1))
        self.secretd.stop()
        self.start_encrypting()
        self.assertIn('there is no such file', self.rotate(status=1))
        self.put_key(b'short')
        self.assertIn('it has 5 bytes', self.rotate(status=1))

    def test_value_that_stays_plain_is_said_and_the_old_key_stays(self):
        self.prepare(1)
        # No daemon gives a file such a name: it stands for one that another daemon has just set.
        path = self.folder / (uuid_of(0xabc).upper() + '.base64')
        path.write_text('YQ==')
        self.assertRegex(self.rotate(status=1), f"'{path}' is not encrypted, and the old key is "
                         'kept: restart virtsecretd')
        self.assertEqual(len(self.key.read_bytes()), 64)
        path.unlink()
        self.rotate()
        self.assertEqual(len(self.key.read_bytes()), 32)
        self.check_values()

    def credential(self):
        """Its path, and the environment of a unit that has it."""
        folder = self.root / 'credentials'
        folder.mkdir()
        path = folder / 'secrets-encryption-key'
        path.write_bytes(os.urandom(32))
        return path, {'CREDENTIALS_DIRECTORY': str(folder)}

    def test_credential_is_changed_by_its_owner(self):
        path, credentials = self.credential()
        env = {**os.environ, **credentials}
        self.start_secretd(env=credentials)
        self.set(self.define(0), b'value 0')
        self.n_values = 1
        self.assertIn('the key is a credential', self.rotate(status=1, env=env))
        path.write_bytes(os.urandom(32) + path.read_bytes())
        self.assertIn('Encrypted 1 value with', self.rotate(env=env))
        path.write_bytes(path.read_bytes()[:32])
        self.check_values()

    def test_plain_values_are_encrypted_with_the_first_credential(self):
        path, credentials = self.credential()
        env = {**os.environ, **credentials}
        self.start_secretd()
        for number in range(2):
            self.set(self.define(number), b'value %d' % number)
        self.secretd.stop()
        self.assertEqual(self.rotate(env=env), 'Encrypted 2 values with the new key\n')
        self.assertNotIn('base64', ' '.join(self.files()))
        # Beside those that have this key already, which it cannot change.
        self.put_value(1, b'value 1')
        self.file(1, '.sealed').unlink()
        text = self.rotate(status=1, env=env)
        self.assertIn('Encrypted 1 value that had not been\n', text)
        self.assertIn('the key is a credential', text)
        self.assertNotIn('base64', ' '.join(self.files()))
        self.start_secretd(env=credentials)
        self.n_values = 2
        self.check_values()

    def test_other_daemons_have_no_such_option(self):
        self.assertIn('--rotate-key is unknown', self.run_command(
            [harness.BUILD / 'virtnodedevd/virtnodedevd', '--rotate-key'], status=1))

    def test_killed_at_any_step(self):
        self.prepare(3)
        trigger = self.root / 'kill-at'
        env = {**os.environ, 'LD_PRELOAD': str(harness.BUILD / 'tests/functional/libkill_at.so'),
               'KILL_AT': str(trigger),
               'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'}
        command = [self.secretd.program, '--root', self.root, '--rotate-key']
        trigger.write_text('100000')
        self.run_command(command, env=env)
        n_steps = int((self.root / 'kill-at.count').read_text())
        self.assertGreater(n_steps, 10)
        points = [sign * number for number in range(1, n_steps + 1) for sign in (-1, 1)]
        for at in points if harness.IS_SOAK else points[::5]:
            trigger.write_text(str(at))
            result = subprocess.run([str(word) for word in command], env=env,
                                    capture_output=True, timeout=harness.PATIENCE_S)
            self.assertIn(result.returncode, (-9, 0))
            self.check_values()
            trigger.unlink()
            self.rotate()
            self.assertEqual(len(self.key.read_bytes()), 32)
            self.check_values()
