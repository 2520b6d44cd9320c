"""What tests of the splitvirt tool share: a host of their own, with or without a systemd."""

import json
import os
import shutil
import socket

import harness
import json_schema
import namespaces
import private_bus

TOOL = harness.BUILD / 'common/splitvirt/splitvirt'
SCHEMA = harness.TOP / 'docs/splitvirt-status.schema.json'
NOBODY = 65534
# load, active, sub, result, file state, main pid, exit status
LISTENING = ['loaded', 'active', 'listening', 'success', 'enabled', 0, 0]
CLOSED = ['loaded', 'inactive', 'dead', 'success', 'disabled', 0, 0]
LEFT = ['loaded', 'inactive', 'dead', 'success', 'static', 0, 0]
MASKED = ['masked', 'inactive', 'dead', '', 'masked', 0, 0]


class TestCase(harness.TestCase):
    """The system's folders are empty ones, and only what a test installs is installed."""

    def setUp(self):
        super().setUp()
        if not harness.IS_PRIVATE:
            self.skipTest('needs private namespaces (root)')
        namespaces.separate()
        self.programs = self.root / 'programs'
        self.programs.mkdir()
        self.env = {'PATH': str(self.programs), 'HOME': str(self.root)}

    def install(self, *names):
        for name in names:
            (self.programs / name).symlink_to(harness.BUILD / name / name)

    def run_systemd(self, units):
        """A systemd that has these units: name to one of the lists above."""
        os.makedirs('/run/systemd/system')
        path = self.root / 'units.json'
        path.write_text(json.dumps(units))
        bus = private_bus.PrivateBus(self)
        bus.start()
        bus.start_service('fake_systemd.py', self.root / 'systemd.output', path)
        self.env['DBUS_SYSTEM_BUS_ADDRESS'] = bus.address

    def listen(self, path, mode=0o777):
        """Holds a socket as systemd does. Returns it, never to be connected to."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        os.chmod(path, mode)
        listener.listen(8)
        listener.setblocking(False)
        self.addCleanup(listener.close)
        return listener

    def assert_untouched(self, listener):
        with self.assertRaises(BlockingIOError):
            listener.accept()

    def tool(self, *words, status=0, **options):
        return self.run_command([TOOL, *words], status=status, env=self.env, **options)

    def tool_as_nobody(self, *words, status=0, groups=(), **env):
        """As an ordinary user, who may not come where the tree lies."""
        copy = self.root / 'splitvirt'
        if not copy.exists():
            shutil.copy(TOOL, copy)
        for path in filter(None, (harness.ROOTS, self.root)):
            os.chmod(path, 0o711)
        options = ['--groups', ','.join(map(str, groups))] if groups else ['--clear-groups']
        setpriv = shutil.which('setpriv')
        return self.run_command([setpriv, '--reuid', NOBODY, '--regid', NOBODY, *options, copy,
                                 *words], status=status, env={**self.env, **env})

    def status(self, *words, status=0, run=None):
        """The daemons of the JSON form, by name, after holding it against its schema."""
        value = json.loads((run or self.tool)('status', '--json', *words, status=status))
        self.assertEqual(json_schema.Schema(SCHEMA).problems(value), [])
        self.assertEqual([daemon['name'] for daemon in value['daemons']],
                         ['virtqemud', 'virtnetworkd', 'virtstoraged', 'virtnodedevd',
                          'virtsecretd', 'virtproxyd', 'virtlogd', 'virtlockd'])
        return {daemon['name']: daemon for daemon in value['daemons']}
