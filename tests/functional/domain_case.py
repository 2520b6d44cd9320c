"""Tests of domains with real, tiny guests.

    class Life(domain_case.TestCase):
        def test_destroy_ends_the_guest(self):
            self.start_qemud()
            self.define('a')
            self.run_guest('a')
            self.sh('destroy', 'a')

A guest of paused_xml() has no kernel: paused it does nothing, running its firmware looks for
something to boot.
"""

import contextlib
import os
import shutil
import signal
import struct
import time
from pathlib import Path

import guest
import harness
import rpc

# virDomainState, and some reasons (libvirt-domain.h).
RUNNING, PAUSED, SHUTOFF, CRASHED = 1, 3, 5, 6
# virDomainEventType of life-cycle events.
DEFINED, UNDEFINED, STARTED, SUSPENDED, RESUMED, STOPPED, SHUTDOWN = range(7)
EVENT_ID_LIFECYCLE, EVENT_ID_REBOOT = 0, 1
OPERATION_INVALID = 55
# What virtqemud knows of the host's emulators, below its root. It asks QEMU for half a second, and
# the tests of a file hand the answers on.
CAPABILITIES = 'var/cache/libvirt/qemu/capabilities'
NO_DOMAIN = 42


def uuid_of(number):
    return '00000000-0000-4000-8000-%012d' % number


class TestCase(guest.TestCase):
    timeout_s = 2 * guest.BOOT_S

    def start_qemud(self, **options):
        # Guests may run as a user of their own, who has to get here.
        for folder in (self.root, self.root.parent):
            if str(folder.name).startswith('sv-'):
                folder.chmod(0o755)
        if harness.ROOTS:
            self.share_capabilities(Path(harness.ROOTS) / 'capabilities')
        self.qemud = self.daemon('virtqemud', **options)
        return self.qemud

    def share_capabilities(self, known):
        def keep():
            if any(own.glob('*.json')):
                shutil.copytree(own, known)
        own = self.root / CAPABILITIES
        if not known.exists():
            self.addCleanup(keep)
        elif not own.exists():
            shutil.copytree(known, own)

    def crash_qemud(self, **changes):
        """kill -9, and a new start."""
        self.qemud.kill()
        self.qemud.env.update(changes)
        self.qemud.start()

    def sh(self, *words, **options):
        """virsh."""
        return self.virsh(self.qemud, *words, **options).strip()

    def fails(self, *words):
        """What virsh says to a command that must fail."""
        return self.sh(*words, status=1)

    def client(self, kind='', flags=0):
        client = rpc.Client(self.qemud.socket(kind), timeout_s=harness.PATIENCE_S)
        self.addCleanup(client.close)
        client.auth_list()
        return client.open(flags=flags)

    def xml(self, name='a', **options):
        """Writes a definition. Returns its path."""
        return self.write(f'{name}.xml', guest.paused_xml(name, **options))

    def define(self, name='a', **options):
        self.sh('define', self.xml(name, **options))

    def define_and_start(self, name='a', **options):
        self.define(name, **options)
        self.sh('start', name, '--paused')

    def domain(self, client, name='a'):
        return client.call('DOMAIN_LOOKUP_BY_NAME', name=name)['dom']

    def names(self, *flags):
        return sorted(self.sh('list', '--name', *(flags or ('--all',))).split())

    def state(self, name='a'):
        return self.sh('domstate', '--reason', name)

    def wait_state(self, text, name='a'):
        harness.wait_until(lambda: self.state(name) == text, f'{name} is {text}')

    def run_folder(self):
        return self.root / 'run/libvirt/qemu'

    def config_folder(self):
        return self.root / 'etc/libvirt/qemu'

    def qemu_pid(self, name='a'):
        return int((self.run_folder() / f'{name}.pid').read_text())

    def signal_qemu(self, number, name='a'):
        os.kill(self.qemu_pid(name), number)

    @contextlib.contextmanager
    def stopped_qemu(self, name='a'):
        """The guest's process does nothing inside the block; it may end there."""
        pid = self.qemu_pid(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def qemu_log(self, name='a'):
        return (self.root / f'var/log/libvirt/qemu/{name}.log').read_text(errors='replace')

    def leftovers(self, name='a'):
        """What is there of a guest that should be no more: processes, and files of its name."""
        found = [str(path.relative_to(self.root))
                 for top in ('run/libvirt/qemu', 'var/lib/libvirt/qemu')
                 for path in (self.root / top).rglob('*')
                 if path.stem == name or path.name.endswith(f'-{name}')
                 or path.parent.name.endswith(f'-{name}')]
        return found + [f'process {pid}' for pid in guest.guests_below(self.root)
                        if _is_guest(pid, name)]

    def check_gone(self, name='a'):
        with contextlib.suppress(AssertionError):
            harness.wait_until(lambda: not self.leftovers(name), 'gone')
        self.assertEqual(self.leftovers(name), [])

    def watch(self, client, event_id=EVENT_ID_LIFECYCLE):
        """Registers for events of all domains, in callback form."""
        return client.call('CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY',
                           eventID=event_id, dom=None)['callbackID']

    @staticmethod
    def next_lifecycle(client):
        """The next life-cycle event in callback form: (event, detail)."""
        name, fields = client.next_event()
        while name != 'DOMAIN_EVENT_CALLBACK_LIFECYCLE':
            name, fields = client.next_event()
        return fields['msg']['event'], fields['msg']['detail']


def _is_guest(pid, name):
    with contextlib.suppress(OSError):
        return f'guest={name},'.encode() in Path(f'/proc/{pid}/cmdline').read_bytes()
    return False
