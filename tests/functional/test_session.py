"""Session daemons: started by an ordinary user without options, in the folders of that user."""

import os
import shutil
import stat

import harness

NOBODY = 65534


class SessionDaemon(harness.Daemon):
    def place(self):
        return []


class Session(harness.TestCase):
    names = ('virtnetworkd', 'virtqemud', 'virtproxyd')

    def setUp(self):
        super().setUp()
        self.home = self.root / 'home'
        self.run = self.home / 'run'
        self.run.mkdir(parents=True)
        self.wrapper = []
        self.env = {'HOME': str(self.home), 'XDG_RUNTIME_DIR': str(self.run),
                    'XDG_CONFIG_HOME': str(self.home / 'config'),
                    'XDG_CACHE_HOME': str(self.home / 'cache')}
        if harness.IS_ROOT:
            self.become_somebody()

    def become_somebody(self):
        self.wrapper = ['setpriv', '--reuid', str(NOBODY), '--regid', str(NOBODY),
                        '--clear-groups']
        for path in filter(None, (harness.ROOTS, self.root)):
            os.chmod(path, 0o711)
        for path in (self.home, self.run):
            os.chown(path, NOBODY, NOBODY)

    def start(self, *names):
        for name in names or self.names:
            daemon = SessionDaemon(name, self.root, env=self.env, wrapper=self.wrapper)
            # The tree may lie where that user cannot come.
            daemon.program = self.root / name
            shutil.copy(harness.BUILD / name / name, daemon.program)
            # READY=1 is written to a socket of the test's, which that user must be able to.
            umask = os.umask(0)
            try:
                self.adopt(daemon)
            finally:
                os.umask(umask)

    def as_user(self, *words, **options):
        return self.run_command([*self.wrapper, *words], env={**os.environ, **self.env},
                                **options).strip()

    def virsh_uri(self, uri):
        return self.as_user('virsh', '-q', '-c', uri, 'uri')

    def test_session_uris_open_directly(self):
        self.start()
        for uri in ('qemu:///session', 'network:///session'):
            self.assertEqual(self.virsh_uri(uri), uri)

    def test_session_uris_open_through_virtproxyd(self):
        self.start()
        for uri in ('qemu:///session?mode=legacy', 'network:///session?mode=legacy'):
            self.assertEqual(self.virsh_uri(uri), uri)

    def test_system_uri_is_refused_and_the_right_one_named(self):
        self.start('virtqemud')
        text = self.as_user('virsh', '-q', '-c', 'qemu+unix:///system?socket='
                            f'{self.run}/libvirt/virtqemud-sock', 'uri', status=1)
        self.assertIn("unexpected qemu URI path '/system', try qemu:///session", text)

    def test_folder_of_the_sockets_is_the_users_alone(self):
        self.start('virtqemud')
        status = os.stat(self.run / 'libvirt')
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o700)
        self.assertEqual(sorted(path.name for path in (self.run / 'libvirt').iterdir()
                                if path.is_socket()),
                         ['virtqemud-admin-sock', 'virtqemud-sock'])

    def test_admin_of_the_session_answers(self):
        self.start()
        for name in ('virtqemud', 'libvirtd'):
            self.assertIn('admin', self.as_user('virt-admin', '-q', '-c', f'{name}:///session',
                                                'srv-list'))

    def test_missing_sibling_of_the_session_is_named(self):
        self.start('virtqemud')
        text = self.as_user('virsh', '-q', '-c', 'qemu:///session', 'net-list', status=1)
        self.assertIn(f"'{self.run}/libvirt/virtnetworkd-sock'", text)
