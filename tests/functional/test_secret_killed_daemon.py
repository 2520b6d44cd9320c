"""virtsecretd is killed between any two steps of a call. After a restart the secret is as it was
before the call or as the call makes it, in the latter case alone when the call was acknowledged,
and nothing half done is left."""

import os
import random

import harness
import rpc
import secret_case
from secret_case import TLS, wire, xml

SHIM = harness.BUILD / 'tests/functional/libkill_at.so'
# A call makes fewer steps.
STEPS_MAX = 400
N_SAMPLES = 8
LEAVING = (rpc.Closed, ConnectionError)


class Killed(secret_case.TestCase):
    timeout_s = 900 if harness.IS_SOAK else 120
    config = None

    def setUp(self):
        super().setUp()
        self.trigger = self.root / 'kill-at'
        if self.config:
            self.config = {'encryption_key_file': str(self.root / 'key'),
                           'encryption_key_create': True}
        self.start_secretd(config=self.config, env={
            'LD_PRELOAD': str(SHIM), 'KILL_AT': str(self.trigger),
            'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'})

    def facts(self):
        """What clients see, and the files."""
        secrets = self.listed()
        seen = []
        for secret in secrets:
            try:
                value = self.get(secret)
            except rpc.Error as error:
                self.assertEqual(error.code, secret_case.NO_SECRET, error)
                value = None
            seen.append((self.describe(secret), value))
        return seen, [path.name for path in sorted(self.folder.iterdir())]

    def restore(self, prepare):
        for secret in self.listed():
            self.undefine(secret)
        prepare(self)

    def call_killed(self, procedure, args, at):
        """Returns whether the call was acknowledged, and whether the daemon has ended."""
        kind = rpc.struct_name('REMOTE', procedure, 'args')
        payload = rpc.TYPES.pack(kind, {**rpc.TYPES.empty(kind), **args})
        self.trigger.with_suffix('.new').write_text(str(at))
        self.trigger.with_suffix('.new').rename(self.trigger)
        is_acknowledged, has_ended = False, True
        try:
            serial = self.client.send_call('REMOTE', procedure, payload)
            self.client.result('REMOTE', procedure, self.client.reply_to(serial))
            is_acknowledged = True
            self.trigger.unlink()
            self.client.call('CONNECT_GET_LIB_VERSION')
            # A thread that knew the step before that may be about to make it.
            has_ended = self.secretd.ends_within(0.1)
        except LEAVING:
            self.trigger.unlink(missing_ok=True)
        return is_acknowledged, has_ended

    def check(self, prepare, procedure, **args):
        self.restore(prepare)
        old = self.facts()
        self.assertEqual(self.call_killed(procedure, args, STEPS_MAX), (True, False))
        new = self.facts()
        self.assertNotEqual(new, old)
        n_steps = int((self.root / 'kill-at.count').read_text())
        self.assertGreater(n_steps, 1)
        self.restart(is_killed=True)
        points = [sign * number for number in range(1, n_steps + 1) for sign in (-1, 1)]
        if not harness.IS_SOAK:
            points = sorted(random.Random(1).sample(points, min(N_SAMPLES, len(points))))
        for at in points:
            self.restore(prepare)
            self.assertEqual(self.facts(), old)
            is_acknowledged, has_ended = self.call_killed(procedure, args, at)
            if has_ended:
                self.restart(is_killed=True)
            self.assertIn(self.facts(), [new] if is_acknowledged else [old, new],
                          f'step {at} of {n_steps}, acknowledged: {is_acknowledged}')

    def nothing(self):
        pass

    def defined(self):
        self.define(1, TLS, 'a')

    def with_value(self):
        self.defined()
        self.set(wire(1), b'old')

    def test_define(self):
        self.check(Killed.nothing, 'SECRET_DEFINE_XML', xml=xml(1, TLS, 'a'))

    def test_define_anew(self):
        self.check(Killed.with_value, 'SECRET_DEFINE_XML', xml=xml(1, TLS, 'a', description='d'))

    def test_first_value(self):
        self.check(Killed.defined, 'SECRET_SET_VALUE', secret=wire(1), value=b'new')

    def test_next_value(self):
        self.check(Killed.with_value, 'SECRET_SET_VALUE', secret=wire(1), value=b'new' * 1000)

    def test_undefine(self):
        self.check(Killed.with_value, 'SECRET_UNDEFINE', secret=wire(1))


class KilledEncrypting(Killed):
    config = True

    def plain_value(self):
        """From before there was a key."""
        self.defined()
        self.put_value(1, b'old')

    def test_value_in_place_of_a_plain_one(self):
        self.check(KilledEncrypting.plain_value, 'SECRET_SET_VALUE', secret=wire(1), value=b'new')


class KilledBetweenKinds(Killed):
    """What is ephemeral is gone with the daemon: nothing, or the secret whole."""

    def facts(self):
        seen, files = super().facts()
        return [(text, value) for text, value in seen if "ephemeral='no'" in text], files

    def ephemeral(self):
        self.define(1, TLS, 'a', ephemeral=True)
        self.set(wire(1), b'old')

    def test_to_disk(self):
        self.check(KilledBetweenKinds.ephemeral, 'SECRET_DEFINE_XML', xml=xml(1, TLS, 'a'))

    def test_to_memory(self):
        self.check(Killed.with_value, 'SECRET_DEFINE_XML', xml=xml(1, TLS, 'a', ephemeral=True))
