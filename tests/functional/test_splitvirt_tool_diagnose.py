"""splitvirt diagnose: what it says, to the word, of a connection that works and of each way in
which one fails."""

import os
import signal

import harness
import private_bus
import tool_case
from tool_case import CLOSED, LEFT, LISTENING, MASKED

URI = 'qemu:///system'
SOCKET = '/run/libvirt/virtqemud-sock'
FROM_OTHERS = '''
from other hosts: by ssh and these sockets, or by virtproxyd, TLS at port 16514 and TCP at 16509
'''
NO_SOCKETS = '''
sockets, the first is the one that is opened
  /run/libvirt/virtqemud-sock        driver: is not there
  /run/libvirt/libvirt-sock          legacy: is not there
  /run/libvirt/virtqemud-sock-ro     read-only: is not there
  /run/libvirt/virtqemud-admin-sock  admin: is not there
'''
NO_SYSTEMD = '''
units: there is no systemd here
'''


class WithoutSystemd(tool_case.TestCase):
    def system_daemon(self, name, **options):
        return self.adopt(harness.SystemDaemon(name, self.root, **options))

    def diagnosed(self, *words, status=1):
        return self.tool('diagnose', *words, status=status)

    def reason(self, *words, status=1, run=None):
        text = (run or self.tool)('diagnose', *words, status=status)
        return text.splitlines()[1].removeprefix('reason: ')

    def test_nothing_installed(self):
        self.assertEqual(self.diagnosed(URI), '''\
qemu:///system: does not connect
reason: virtqemud is not installed
to do: install virtqemud, or use a URI of a daemon that is installed
''' + NO_SOCKETS + NO_SYSTEMD + FROM_OTHERS)

    def test_installed_but_stopped(self):
        self.install('virtqemud')
        self.assertEqual(self.diagnosed(URI), f'''\
qemu:///system: does not connect
reason: virtqemud is installed, but not running
to do: start {self.programs}/virtqemud
''' + NO_SOCKETS + NO_SYSTEMD + FROM_OTHERS)

    def test_working(self):
        self.system_daemon('virtqemud')
        self.assertEqual(self.diagnosed(URI, status=0), '''\
qemu:///system: connects
reason: virtqemud answers at /run/libvirt/virtqemud-sock

sockets, the first is the one that is opened
  /run/libvirt/virtqemud-sock        driver: listens, owner root, group root, mode 0700
  /run/libvirt/libvirt-sock          legacy: is not there
  /run/libvirt/virtqemud-sock-ro     read-only: listens, owner root, group root, mode 0777
  /run/libvirt/virtqemud-admin-sock  admin: listens, owner root, group root, mode 0700
''' + NO_SYSTEMD + FROM_OTHERS)

    def test_refused(self):
        self.install('virtqemud')
        self.system_daemon('virtqemud').kill()
        self.assertEqual(self.diagnosed(URI), f'''\
qemu:///system: does not connect
reason: nobody listens at /run/libvirt/virtqemud-sock: virtqemud was killed, or has crashed
to do: start {self.programs}/virtqemud

sockets, the first is the one that is opened
  /run/libvirt/virtqemud-sock        driver: nobody listens, owner root, group root, mode 0700
  /run/libvirt/libvirt-sock          legacy: is not there
  /run/libvirt/virtqemud-sock-ro     read-only: nobody listens, owner root, group root, mode 0777
  /run/libvirt/virtqemud-admin-sock  admin: nobody listens, owner root, group root, mode 0700
''' + NO_SYSTEMD + FROM_OTHERS)

    def test_permission_denied(self):
        self.system_daemon('virtqemud')
        text = self.tool_as_nobody('diagnose', URI, status=1)
        self.assertEqual(text.partition('\n\n')[0], '''\
qemu:///system: does not connect
reason: user nobody cannot connect to /run/libvirt/virtqemud-sock (owner root, group root, mode 0700)
to do: connect as root, or have the daemon's unit or configuration open the socket to a group''')

    def test_group_that_lets_in_is_named(self):
        self.listen(SOCKET, 0o770)
        os.chown(SOCKET, 0, 4)  # base-passwd: adm
        text = self.tool_as_nobody('diagnose', URI, status=1)
        self.assertIn('(owner root, group adm, mode 0770)\n'
                      'to do: usermod --append --groups adm nobody, then log in anew\n', text)

    def test_member_of_the_group_is_let_in(self):
        self.system_daemon('virtqemud')
        os.chmod(SOCKET, 0o770)
        os.chown(SOCKET, 0, 4)
        text = self.tool_as_nobody('diagnose', URI, groups=[4])
        self.assertIn('virtqemud answers', text)

    def test_closed_folder_is_named(self):
        self.system_daemon('virtqemud')
        os.chmod('/run/libvirt', 0o700)
        self.assertEqual(self.reason(URI, run=self.tool_as_nobody),
                         'user nobody cannot pass through /run/libvirt (owner root, group root, '
                         'mode 0700)')

    def test_read_only_uri_of_an_ordinary_user_works(self):
        self.system_daemon('virtqemud')
        text = self.tool_as_nobody('diagnose', '--readonly', URI)
        self.assertIn('virtqemud answers at /run/libvirt/virtqemud-sock-ro', text)

    def test_daemon_that_hangs(self):
        daemon = self.system_daemon('virtqemud')
        daemon.process.send_signal(signal.SIGSTOP)
        self.assertEqual(self.reason(URI), f'virtqemud does not answer at {SOCKET}')

    def test_legacy_socket_is_opened_where_the_drivers_own_is_missing(self):
        self.system_daemon('virtproxyd')
        self.assertIn('/run/libvirt/libvirt-sock',
                      self.diagnosed('network:///system').splitlines()[4])

    def test_error_of_the_daemon_is_passed_on(self):
        self.system_daemon('virtqemud')
        self.assertIn("unexpected qemu URI path '/nonsense'",
                      self.reason('qemu:///nonsense'))

    def test_polkit_is_named_where_it_decides(self):
        self.system_daemon('virtqemud', config={'auth_unix_rw': 'polkit',
                                                'unix_sock_rw_perms': '0777'})
        text = self.tool_as_nobody('diagnose', URI)
        self.assertIn('virtqemud answers at /run/libvirt/virtqemud-sock; polkit is asked for '
                      'org.libvirt.unix.manage\n', text)

    def test_file_that_is_no_socket(self):
        os.makedirs('/run/libvirt')
        with open(SOCKET, 'w') as stream:
            stream.write('')
        self.assertEqual(self.reason(URI), f'{SOCKET} is no socket')

    def test_socket_of_the_uri_is_looked_at_alone(self):
        daemon = self.daemon('virtqemud')
        text = self.diagnosed(daemon.uri(), status=0)
        self.assertIn(f'virtqemud answers at {daemon.socket()}', text)
        self.assertNotIn('legacy', text)

    def test_admin_uri(self):
        self.system_daemon('virtlogd')
        self.assertIn('virtlogd answers at /run/libvirt/virtlogd-admin-sock',
                      self.diagnosed('virtlogd:///system', status=0))

    def test_users_own_daemon(self):
        text = self.tool_as_nobody('diagnose', 'qemu:///session', status=1,
                                   XDG_RUNTIME_DIR='/run/user/1')
        self.assertIn('/run/user/1/libvirt/virtqemud-sock', text)

    def test_suite_below_a_root(self):
        self.daemon('virtqemud')
        self.assertIn(f'answers at {self.root}/run/libvirt/virtqemud-sock',
                      self.diagnosed('--root', self.root, URI, status=0))

    def test_default_uri_comes_from_the_environment(self):
        self.assertIn('a URI is missing', self.tool('diagnose', status=2))
        self.env['LIBVIRT_DEFAULT_URI'] = 'secret:///system'
        self.assertIn('secret:///system: does not connect', self.diagnosed())

    def test_remote_uri_is_only_named(self):
        self.assertEqual(self.diagnosed('qemu+tcp://host:1/system', status=3), '''\
qemu+tcp://host:1/system: cannot be told from here
reason: transport tcp goes to host, port 1, of virtproxyd: nothing of that can be seen from here
to do: on the other host: splitvirt diagnose qemu:///system
''')

    def test_text_that_is_no_uri_is_refused(self):
        self.assertIn("URI 'nonsense': it has to look like qemu:///system",
                      self.tool('diagnose', 'nonsense', status=2))


@private_bus.needs_bus
class WithSystemd(tool_case.TestCase):
    def diagnosed(self, service, main, status=1):
        self.run_systemd({'virtqemud.service': service, 'virtqemud.socket': main,
                          'virtqemud-ro.socket': CLOSED, 'virtqemud-admin.socket': CLOSED})
        return self.tool('diagnose', URI, status=status)

    def test_nothing_installed(self):
        self.run_systemd({})
        self.assertEqual(self.tool('diagnose', URI, status=1), '''\
qemu:///system: does not connect
reason: virtqemud is not installed
to do: install virtqemud, or use a URI of a daemon that is installed
''' + NO_SOCKETS + '''
units
  virtqemud.service: not-found
  virtqemud.socket: not-found
  virtproxyd.service: not-found
  virtproxyd.socket: not-found
  virtqemud-ro.socket: not-found
  virtqemud-admin.socket: not-found
''' + FROM_OTHERS)

    def test_installed_but_stopped(self):
        self.assertEqual(self.diagnosed(LEFT, CLOSED), '''\
qemu:///system: does not connect
reason: virtqemud is installed, but virtqemud.socket is inactive
to do: systemctl enable --now virtqemud.socket
''' + NO_SOCKETS + '''
units
  virtqemud.service: inactive (dead), success, static
  virtqemud.socket: inactive (dead), success, disabled
  virtproxyd.service: not-found
  virtproxyd.socket: not-found
  virtqemud-ro.socket: inactive (dead), success, disabled
  virtqemud-admin.socket: inactive (dead), success, disabled
''' + FROM_OTHERS)

    def test_masked(self):
        self.assertEqual(self.diagnosed(MASKED, MASKED), '''\
qemu:///system: does not connect
reason: virtqemud.service is masked: an administrator has switched it off
to do: systemctl unmask virtqemud.service virtqemud.socket, then systemctl enable --now \
virtqemud.socket
''' + NO_SOCKETS + '''
units
  virtqemud.service: masked
  virtqemud.socket: masked
  virtproxyd.service: not-found
  virtproxyd.socket: not-found
  virtqemud-ro.socket: inactive (dead), success, disabled
  virtqemud-admin.socket: inactive (dead), success, disabled
''' + FROM_OTHERS)

    def test_failed(self):
        failed = ['loaded', 'failed', 'failed', 'start-limit-hit', 'static', 0, 1]
        text = self.diagnosed(failed, CLOSED)
        self.assertEqual(text.partition('\n\n')[0], '''\
qemu:///system: does not connect
reason: virtqemud.service has failed: start-limit-hit, status 1
to do: journalctl --unit virtqemud.service says why; then systemctl restart virtqemud.socket''')

    def test_stopped_daemon_with_a_socket_is_not_started_by_looking(self):
        listener = self.listen(SOCKET)
        text = self.diagnosed(LEFT, LISTENING, status=0)
        self.assertEqual(text.partition('\n\n')[0], '''\
qemu:///system: connects
reason: virtqemud.socket listens, and starts virtqemud at the first connection''')
        self.assert_untouched(listener)

    def test_working(self):
        daemon = self.adopt(harness.SystemDaemon('virtqemud', self.root))
        running = ['loaded', 'active', 'running', 'success', 'static', daemon.pid, 0]
        self.assertIn('virtqemud answers at', self.diagnosed(running, LISTENING, status=0))

    def test_single_daemon_is_named_and_not_started(self):
        listener = self.listen('/run/libvirt/libvirt-sock')
        self.run_systemd({'libvirtd.service': LEFT, 'libvirtd.socket': LISTENING})
        self.assertIn('libvirtd.socket listens, and starts libvirtd at the first connection',
                      self.tool('diagnose', URI))
        self.assert_untouched(listener)

    def test_daemon_of_another_make_is_not_started_by_looking(self):
        listener = self.listen('/run/libvirt/virtlxcd-sock')
        self.run_systemd({'virtlxcd.service': LEFT, 'virtlxcd.socket': LISTENING})
        self.assertIn('starts virtlxcd', self.tool('diagnose', 'lxc:///system'))
        self.assert_untouched(listener)
