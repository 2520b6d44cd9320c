"""What emulators can do: asked when needed, remembered, asked again when they change, whatever
stands in their place. Emulators are first in PATH; where the real one is meant, a script counts
how often it is started."""

import os
import re
import shutil
import stat
import time
import unittest
from xml.etree import ElementTree

import harness
import rpc

# Error numbers and domains (virterror.h).
INTERNAL_ERROR, FROM_QEMU = 1, 10

ARCH = os.uname().machine
NAME = f'qemu-system-{ARCH}'
QEMU = shutil.which(NAME)
UUID = '5e1f7a7e-1f0a-4c3b-9f5d-0123456789ab'


class EmulatorTestCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.root / 'bin'
        self.folder.mkdir()
        # The account that guests have could not run what is in a test's folder.
        conf = self.root / 'etc/libvirt/qemu.conf'
        conf.parent.mkdir(parents=True)
        conf.write_text('user = "root"\ngroup = "root"\n')
        self.qemud = self.daemon('virtqemud', env={'PATH': str(self.folder)})

    def emulator(self, text, name=NAME):
        """Puts a script in the emulator's place, in one step."""
        temporary = self.folder / 'new'
        temporary.write_text(f'#!/bin/sh\necho {name} >> {self.folder}/asked\n{text}\n')
        temporary.chmod(stat.S_IRWXU)
        temporary.rename(self.folder / name)

    def real_emulator(self, name=NAME):
        if not shutil.which(name):
            self.skipTest(f'{name} is not installed')
        self.emulator(f'exec {shutil.which(name)} "$@"', name)

    def n_asked(self):
        try:
            return len((self.folder / 'asked').read_text().splitlines())
        except FileNotFoundError:
            return 0

    def client(self):
        client = rpc.Client(self.qemud.socket())
        self.addCleanup(client.close)
        client.auth_list()
        client.open()
        return client

    def version(self, client=None):
        return (client or self.client()).call('CONNECT_GET_VERSION')['hv_ver']

    def ask_at_once(self):
        clients = [self.client() for _ in range(20)]
        return [(client, client.send_call('REMOTE', 'CONNECT_GET_VERSION')) for client in clients]

    def fails(self, code=INTERNAL_ERROR):
        with self.assertRaises(rpc.Error) as caught:
            self.version()
        self.assertEqual((caught.exception.code, caught.exception.domain), (code, FROM_QEMU))
        return str(caught.exception)

    def cache_files(self):
        folder = self.root / 'var/cache/libvirt/qemu/capabilities'
        return sorted(folder.glob('*.json')) if folder.exists() else []

    def wait_for_cache(self, count=1):
        harness.wait_until(lambda: len(self.cache_files()) == count, 'the cache is written')


class FakeEmulator(EmulatorTestCase):
    """Programs that are none."""

    def test_nothing_is_asked_before_somebody_needs_it(self):
        self.emulator('exit 1')
        self.client().call('NODE_GET_INFO')
        self.assertEqual(self.n_asked(), 0)

    def test_missing_emulator_is_said(self):
        self.assertIn('Cannot find suitable emulator', self.fails())

    def test_emulator_that_says_nothing_is_named(self):
        self.emulator('true')
        self.assertIn(str(self.folder / NAME), self.fails())

    def test_last_words_are_repeated(self):
        self.emulator('echo "no such machine" >&2; exit 1')
        self.assertIn('for probing: no such machine', self.fails())

    def test_crash_is_described(self):
        self.emulator('kill -SEGV $$')
        self.assertIn('signal 11', self.fails())

    def test_garbage_is_refused(self):
        self.emulator(f'echo hello >&3; exec {shutil.which("sleep")} 60')
        self.assertIn('something else than QMP', self.fails())

    def test_greeting_and_nothing_else_is_refused(self):
        self.emulator('echo \'{"QMP":{}}\' >&3; exit 0')
        self.assertIn('status 0', self.fails())

    def test_answers_without_sense_are_refused(self):
        # Questions are numbered from 1 and end with their line.
        self.emulator('echo \'{"QMP":{}}\' >&3\nexec <&3\nn=0\n'
                      'while read -r line; do n=$((n+1)); '
                      'echo "{\\"return\\":[],\\"id\\":$n}" >&3; done')
        self.assertIn('gives no sense', self.fails())

    def test_failure_is_asked_again(self):
        self.emulator('exit 1')
        client = self.client()
        for _ in range(2):
            with self.assertRaises(rpc.Error):
                self.version(client)
        self.assertEqual(self.n_asked(), 2)
        self.assertEqual(self.cache_files(), [])

    def test_those_who_ask_at_once_share_one_start(self):
        self.emulator(f'{shutil.which("sleep")} 1; echo "those words" >&2; exit 1')
        for client, serial in self.ask_at_once():
            with self.assertRaisesRegex(rpc.Error, 'those words'):
                client.result('REMOTE', 'CONNECT_GET_VERSION', client.reply_to(serial))
        self.assertEqual(self.n_asked(), 1)

    def test_stuck_emulator_holds_up_no_other_call(self):
        self.emulator(f'exec {shutil.which("sleep")} 60')
        client = self.client()
        client.send_call('REMOTE', 'CONNECT_GET_VERSION')
        started = time.monotonic()
        self.client().call('NODE_GET_INFO')
        self.assertLess(time.monotonic() - started, harness.PATIENCE_S / 2)

    def test_broken_emulator_is_left_out_of_capabilities(self):
        self.emulator('exit 1')
        document = ElementTree.fromstring(self.client().call('CONNECT_GET_CAPABILITIES')
                                          ['capabilities'])
        self.assertEqual(document.findall('guest'), [])
        self.assertEqual(document.findtext('host/cpu/arch'), ARCH)


@unittest.skipUnless(QEMU, 'no emulator is installed')
class RealEmulator(EmulatorTestCase):
    def setUp(self):
        super().setUp()
        self.real_emulator()

    def starts_of_one_probe(self):
        """With KVM a second start asks for the CPU models of TCG."""
        return 2 if os.access('/dev/kvm', os.R_OK | os.W_OK) else 1

    def test_version_is_the_emulators(self):
        text = self.run_command([QEMU, '--version'])
        major, minor, micro = re.search(r'version (\d+)\.(\d+)\.(\d+)', text).groups()
        self.assertEqual(self.version(), int(major) * 10**6 + int(minor) * 1000 + int(micro))

    def test_emulator_is_asked_once(self):
        for _ in range(5):
            self.version()
        self.assertLessEqual(self.n_asked(), self.starts_of_one_probe())

    def test_another_daemon_reads_the_cache(self):
        version = self.version()
        asked = self.n_asked()
        self.wait_for_cache()
        self.qemud.restart()
        self.assertEqual(self.version(), version)
        self.assertEqual(self.n_asked(), asked)

    def test_cache_is_readable_by_the_daemon_alone(self):
        self.version()
        self.wait_for_cache()
        self.assertEqual(self.cache_files()[0].stat().st_mode & 0o7777, 0o600)

    def test_damaged_cache_is_replaced(self):
        version = self.version()
        self.wait_for_cache()
        [file] = self.cache_files()
        whole = file.read_bytes()
        for damage in (b'', whole[:1000], b'{}', whole.replace(b'"facts"', b'"fakts"'), b'\0' * 99):
            asked = self.n_asked()
            file.write_bytes(damage)
            self.qemud.restart()
            self.assertEqual(self.version(), version)
            self.assertGreater(self.n_asked(), asked)
            harness.wait_until(lambda: file.read_bytes() == whole, 'the cache is whole again')

    def test_replaced_emulator_is_asked_again(self):
        self.version()
        asked = self.n_asked()
        self.emulator('echo "a new one" >&2; exit 1')
        self.assertIn('a new one', self.fails())
        self.assertEqual(self.n_asked(), asked + 1)
        self.real_emulator()
        self.version()

    def test_emulator_that_changed_between_daemons_is_asked_again(self):
        self.version()
        self.wait_for_cache()
        self.qemud.stop()
        self.emulator('echo "a new one" >&2; exit 1')
        self.qemud.start()
        self.assertIn('a new one', self.fails())

    def test_folder_that_cannot_be_written_is_no_failure(self):
        folder = self.root / 'var/cache/libvirt/qemu'
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text('in the way')
        self.version()
        harness.wait_until(lambda: 'is not cached' in self.qemud.output(), 'it is said')

    def test_those_who_ask_at_once_share_one_probe(self):
        for client, serial in self.ask_at_once():
            client.result('REMOTE', 'CONNECT_GET_VERSION', client.reply_to(serial))
        self.assertLessEqual(self.n_asked(), self.starts_of_one_probe())

    def capabilities(self):
        return ElementTree.fromstring(self.client().call('CONNECT_GET_CAPABILITIES')['capabilities'])

    def test_capabilities_show_the_emulator(self):
        guest = next(guest for guest in self.capabilities().findall('guest')
                     if guest.find('arch').get('name') == ARCH)
        self.assertEqual(guest.findtext('os_type'), 'hvm')
        self.assertEqual(guest.findtext('arch/emulator'), str(self.folder / NAME))
        self.assertIn('qemu', [domain.get('type') for domain in guest.findall('arch/domain')])
        machines = guest.findall('arch/machine')
        names = {machine.text for machine in machines}
        self.assertNotIn('none', names)
        for machine in machines:
            self.assertGreater(int(machine.get('maxCpus')), 0)
            self.assertIn(machine.get('canonical', machine.text), names)

    @unittest.skipUnless(ARCH == 'x86_64', 'about x86')
    def test_wide_emulator_runs_narrow_guests(self):
        emulators = {guest.find('arch').get('name'): guest.findtext('arch/emulator')
                     for guest in self.capabilities().findall('guest')}
        self.assertEqual(emulators, {'i686': str(self.folder / NAME),
                                     'x86_64': str(self.folder / NAME)})

    @unittest.skipUnless(ARCH == 'x86_64', 'about x86')
    def test_each_architecture_has_its_own_emulator(self):
        self.real_emulator('qemu-system-i386')
        emulators = {guest.find('arch').get('name'): guest.findtext('arch/emulator')
                     for guest in self.capabilities().findall('guest')}
        self.assertEqual(emulators['i686'], str(self.folder / 'qemu-system-i386'))
        self.assertEqual(emulators['x86_64'], str(self.folder / NAME))


class ConfiguredUser(harness.TestCase):
    """qemu.conf says as whom emulators run, also while they are asked."""

    def capabilities(self, conf):
        path = self.root / 'etc/libvirt/qemu.conf'
        path.parent.mkdir(parents=True)
        path.write_text(conf)
        return ElementTree.fromstring(self.virsh(self.daemon('virtqemud'), 'capabilities'))

    @harness.needs_root
    def test_label_is_the_users(self):
        document = self.capabilities('user = "+65534"\ngroup = "+65533"\n')
        labels = {secmodel.findtext('model'): secmodel.findtext('baselabel')
                  for secmodel in document.findall('host/secmodel')}
        self.assertEqual(labels['dac'], '+65534:+65533')

    @harness.needs_root
    @unittest.skipUnless(QEMU, 'no emulator is installed')
    def test_another_user_can_be_asked_too(self):
        document = self.capabilities('user = "+65534"\ngroup = "+65533"\n')
        self.assertIn(ARCH, [arch.get('name') for arch in document.findall('guest/arch')])


class HostUuid(harness.TestCase):
    def uuid(self, daemon):
        return self.virsh(daemon, 'capabilities').split('<uuid>')[1].split('<')[0]

    def test_configured_uuid_is_shown(self):
        self.assertEqual(self.uuid(self.daemon('virtqemud', config={'host_uuid': UUID})), UUID)

    def test_uuid_of_the_machine_is_shown(self):
        daemon = self.daemon('virtqemud', config={'host_uuid_source': 'machine-id'})
        with open('/etc/machine-id', encoding='ascii') as file:
            self.assertEqual(self.uuid(daemon).replace('-', ''), file.read().strip())

    def test_uuid_stays_while_the_daemon_lives(self):
        daemon = self.daemon('virtqemud')
        first = self.uuid(daemon)
        self.assertRegex(first, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
        self.assertEqual(self.uuid(daemon), first)

    def test_configured_uuid_is_not_reported_as_without_effect(self):
        daemon = self.daemon('virtqemud', config={'host_uuid': UUID})
        self.uuid(daemon)
        self.assertNotIn('host_uuid', daemon.output())
