"""virtqemud is killed between any two steps of a call. After a restart the domain is as it was
before the call or as the call makes it, in the latter case alone when the call was acknowledged,
and nothing half done is left."""

import contextlib
import os
import random
import shutil

import domain_case
import guest
import harness
import rpc

SHIM = harness.BUILD / 'tests/functional/libkill_at.so'
# A call makes fewer steps.
STEPS_MAX = 400
N_SAMPLES = 6

UUID = domain_case.uuid_of(1)
LEAVING = (rpc.Closed, ConnectionError)


def call_named(procedure, **args):
    """A call about the domain."""
    return lambda test, client, domain: (procedure, {**({'dom': domain} if domain else {}), **args})


@guest.needs_qemu
class Killed(domain_case.TestCase):
    timeout_s = 1800 if harness.IS_SOAK else 240

    def setUp(self):
        super().setUp()
        self.trigger = self.root / 'kill-at'
        self.kernel = None
        self.start_qemud(env={
            'LD_PRELOAD': str(SHIM), 'KILL_AT': str(self.trigger),
            'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'})

    # What is compared

    def facts(self):
        """What clients see of the domain: None when there is none."""
        client = self.client()
        try:
            return self.facts_of(client, self.domain(client))
        except rpc.Error as error:
            # It may go between two questions.
            self.assertEqual(error.code, domain_case.NO_DOMAIN)
            return None
        finally:
            client.close()

    @staticmethod
    def facts_of(client, domain):
        def ask(procedure, **args):
            return client.call(procedure, dom=domain, **args)
        state = ask('DOMAIN_GET_STATE')
        facts = {'state': state['state'],
                 'is_starting': (state['state'], state['reason']) == (domain_case.PAUSED, 11),
                 'persistent': ask('DOMAIN_IS_PERSISTENT')['persistent'],
                 'autostart': ask('DOMAIN_GET_AUTOSTART')['autostart']}
        if facts['persistent']:
            xml = ask('DOMAIN_GET_XML_DESC', flags=2)['xml']
            facts['memory'] = xml.split('</memory>')[0].split('>')[-1]
            facts['title'] = xml.split('</title>')[0].split('>')[-1] if '<title>' in xml else None
        return facts

    def files(self):
        """The files that belong to the domain, without what differs from start to start."""
        found = {str(path.relative_to(self.root))
                 for top in ('etc/libvirt/qemu', 'run/libvirt/qemu', 'var/lib/libvirt/qemu')
                 for path in (self.root / top).rglob('*')
                 if not path.is_dir() or 'domain-' in path.name}
        found.discard('run/libvirt/qemu/autostarted')
        return sorted(name.replace(part, 'domain-N-a') for name in found
                      for part in [next((piece for piece in name.split('/')
                                         if piece.startswith('domain-')), '\0')])

    def snapshot(self):
        return self.facts(), self.files(), len(guest.guests_below(self.root)), self.kernel_users()

    def kernel_users(self):
        """How many guests have the shared kernel, and whose it is."""
        if not self.kernel:
            return None
        users = None
        with contextlib.suppress(OSError):
            users = os.getxattr(self.kernel, 'trusted.libvirt.security.ref_dac')
        return users, os.stat(self.kernel).st_uid

    # Steps

    def restore(self, prepare):
        """Back to the state before the call."""
        for words in (('destroy', 'a'), ('undefine', 'a')):
            self.sh(*words, status=None)
        prepare(self)

    def call_killed(self, call, at):
        """Makes the call while the daemon is to end at a step. Returns whether the call was
        acknowledged, and whether the daemon has ended."""
        client = self.client()
        domain = self.domain(client) if self.facts() else None
        procedure, args = call(self, client, domain)
        kind = rpc.struct_name('REMOTE', procedure, 'args')
        payload = rpc.TYPES.pack(kind, {**rpc.TYPES.empty(kind), **args})
        self.trigger.with_suffix('.new').write_text(str(at))
        self.trigger.with_suffix('.new').rename(self.trigger)
        is_acknowledged = False
        try:
            serial = client.send_call('REMOTE', procedure, payload)
            client.result('REMOTE', procedure, client.reply_to(serial))
            is_acknowledged = True
            # What it does behind its answer is looked at, too.
            client.call('CONNECT_GET_LIB_VERSION')
            self.trigger.unlink()
            client.call('CONNECT_GET_LIB_VERSION')
            # A thread that knew the step before that may be about to make it.
            has_ended = self.qemud.ends_within(0.1)
        except LEAVING:
            self.trigger.unlink(missing_ok=True)
            has_ended = True
        client.close()
        return is_acknowledged, has_ended

    def settle(self, wanted):
        """Waits until what is seen is one of wanted. Returns what was seen last."""
        seen = []

        def is_wanted():
            # Folders may go while they are looked into.
            with contextlib.suppress(FileNotFoundError):
                seen[:] = [self.snapshot()]
                return seen[0] in wanted
            return False
        try:
            harness.wait_until(is_wanted, 'a whole state')
        except AssertionError:
            pass
        return seen[0]

    def check(self, prepare, call):
        """The call at some or all of its steps."""
        self.restore(prepare)
        old = self.snapshot()
        self.assertEqual(self.call_killed(call, STEPS_MAX), (True, False))
        new = self.snapshot()
        n_steps = int((self.root / 'kill-at.count').read_text())
        # Reading the call takes none, answering it does.
        self.assertGreater(n_steps, 2)
        self.crash_qemud()
        points = [sign * number for number in range(1, n_steps + 1) for sign in (-1, 1)]
        if not harness.IS_SOAK:
            points = sorted(random.Random(1).sample(points, min(N_SAMPLES, len(points))))
        for at in points:
            self.restore(prepare)
            self.assertEqual(self.snapshot(), old)
            is_acknowledged, has_ended = self.call_killed(call, at)
            if not has_ended:
                continue
            self.qemud.kill()
            self.qemud.start()
            wanted = [new] if is_acknowledged else [old, new]
            self.assertIn(self.settle(wanted), wanted,
                          f'step {at} of {n_steps}, acknowledged: {is_acknowledged}')

    # States to begin with

    def nothing(self):
        pass

    def defined(self):
        self.define(uuid=UUID)

    def started(self):
        self.define_and_start(uuid=UUID)

    def running(self):
        self.started()
        self.sh('resume', 'a')

    def autostarted(self):
        self.defined()
        self.sh('autostart', 'a')

    def created(self):
        self.sh('create', self.xml(uuid=UUID), '--paused')

    def share_kernel(self):
        """Guests run as another user, to whom their kernel is given; a second guest has it."""
        self.kernel = self.root / 'kernel'
        shutil.copy(guest.image().kernel, self.kernel)
        try:
            os.setxattr(self.kernel, 'trusted.test', b'1')
        except OSError as error:
            self.skipTest(f'no trusted attributes here: {error}')
        # The daemon may not have made its folders yet.
        self.config_folder().mkdir(parents=True, exist_ok=True)
        (self.root / 'etc/libvirt/qemu.conf').write_text('user = "+61001"\ngroup = "+61002"\n')
        self.qemud.restart()
        self.sh('create', self.kernel_xml('other', domain_case.uuid_of(2)), '--paused')
        self.assertEqual(self.kernel_users(), (b'1', 61001))

    def kernel_xml(self, name, uuid):
        xml = guest.paused_xml(name, uuid, memory_mib=128)
        return self.write(f'{name}.xml', xml.replace('</os>',
                                                     f'<kernel>{self.kernel}</kernel></os>'))

    def defined_with_kernel(self):
        self.sh('define', self.kernel_xml('a', UUID))

    def started_with_kernel(self):
        self.defined_with_kernel()
        self.sh('start', 'a', '--paused')

    # Calls

    @harness.needs_root
    @guest.needs_image
    def test_start_with_a_shared_kernel(self):
        self.share_kernel()
        self.check(Killed.defined_with_kernel, call_named('DOMAIN_CREATE_WITH_FLAGS', flags=1))
        self.check_owner_comes_back()

    @harness.needs_root
    @guest.needs_image
    def test_destroy_with_a_shared_kernel(self):
        self.share_kernel()
        self.check(Killed.started_with_kernel, call_named('DOMAIN_DESTROY'))
        self.check_owner_comes_back()

    def check_owner_comes_back(self):
        self.sh('destroy', 'a', status=None)
        self.assertEqual(self.kernel_users(), (b'1', 61001))
        self.sh('destroy', 'other')
        self.assertEqual(self.kernel_users(), (None, 0))

    def test_define(self):
        self.check(Killed.nothing,
                   call_named('DOMAIN_DEFINE_XML', xml=guest.paused_xml('a', UUID)))

    def test_define_anew(self):
        self.check(Killed.defined,
                   lambda test, client, domain:
                   ('DOMAIN_DEFINE_XML', {'xml': guest.paused_xml('a', UUID, memory_mib=32)}))

    def test_define_of_a_transient_guest(self):
        self.check(Killed.created,
                   lambda test, client, domain:
                   ('DOMAIN_DEFINE_XML', {'xml': guest.paused_xml('a', UUID)}))

    def test_undefine(self):
        self.check(Killed.autostarted, call_named('DOMAIN_UNDEFINE'))

    def test_undefine_of_a_guest(self):
        self.check(Killed.started, call_named('DOMAIN_UNDEFINE'))

    def test_autostart(self):
        self.check(Killed.defined, call_named('DOMAIN_SET_AUTOSTART', autostart=1))

    def test_no_autostart(self):
        self.check(Killed.autostarted, call_named('DOMAIN_SET_AUTOSTART', autostart=0))

    def test_title(self):
        self.check(Killed.defined, call_named('DOMAIN_SET_METADATA', type=1, metadata='of mine',
                                              flags=2))

    def test_start(self):
        self.check(Killed.defined, call_named('DOMAIN_CREATE_WITH_FLAGS', flags=1))

    def test_create(self):
        self.check(Killed.nothing, call_named('DOMAIN_CREATE_XML', flags=1,
                                              xml_desc=guest.paused_xml('a', UUID)))

    def test_destroy(self):
        self.check(Killed.started, call_named('DOMAIN_DESTROY'))

    def test_destroy_of_a_transient_guest(self):
        self.check(Killed.created, call_named('DOMAIN_DESTROY'))

    def test_suspend(self):
        self.check(Killed.running, call_named('DOMAIN_SUSPEND'))

    def test_resume(self):
        self.check(Killed.started, call_named('DOMAIN_RESUME'))

    def test_reset(self):
        self.check(Killed.running, call_named('DOMAIN_RESET'))
