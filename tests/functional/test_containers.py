"""Each daemon alone in a minimal container, and virtqemud with virtlogd as those have them who own
one guest: images laid out from the container files of docs/containers, namespaces of their own, a
root that cannot be written to, the capabilities of the daemon's list and no others."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import container
import guest
import harness
import rpc

ENVIRONMENT = re.compile(r' (?:info|warning) : .*\benvironment: (.*)')
DOCUMENT = (harness.TOP / 'docs/containers.md').read_text()
# What virtqemud starts guests with, as the document has it.
HELPERS = re.findall(r'/usr/libexec/\S+', DOCUMENT)
# Installed once, by the test that needs it first; the runner removes it.
SUITE = Path(harness.ROOTS or tempfile.gettempdir()) / 'suite'
IS_POSSIBLE, WHY_NOT = container.is_possible() if harness.IS_PRIVATE else (False, '')


class Containers(guest.TestCase):
    timeout_s = 240

    def setUp(self):
        super().setUp()
        if not harness.IS_PRIVATE:
            self.skipTest('needs private namespaces (root)')
        if not IS_POSSIBLE:
            self.skipTest(f'no containers here: {WHY_NOT.strip().splitlines()[-1:]}')
        if not SUITE.exists():
            container.install(SUITE)

    def image(self, name, *files):
        """The image of docs/containers/NAME.Containerfile, with these files in it."""
        context = self.root / f'{name}.context'
        subprocess.run([container.COLLECT, context / 'rootfs', *files], check=True,
                       env={**os.environ, 'DESTDIR': str(SUITE)})
        return container.Image(container.FILES / f'{name}.Containerfile', context,
                               self.root / name)

    def alone(self, name, **options):
        image = self.image(name, f'/usr/sbin/{name}')
        return container.Container(self, image, container.capabilities_of(name),
                                   volumes={'/run/libvirt': self.root / 'run'}, **options)

    def socket(self, name, kind=''):
        return self.root / 'run' / f'{name}-{kind + "-" if kind else ""}sock'

    def admin(self, name, *words):
        path = self.socket(name, 'admin')
        return self.run_command(['virt-admin', '-q', '-c', f'{name}+unix:///system?socket={path}',
                                 *words])

    def client(self, name, driver, *words, **options):
        uri = f'{driver}+unix:///system?socket={self.socket(name)}'
        return self.run_command(['virsh', '-q', '-c', uri, *words], **options)

    def assert_quiet(self, output):
        """No line at level error, and one on what the place offers for each daemon's start."""
        self.assertNotIn(' error : ', output)
        self.assertNotRegex(output, r'Sanitizer|runtime error')
        return ENVIRONMENT.findall(output)


class Alone:
    name = None
    driver = None

    def test_daemon_works_alone_and_says_what_it_misses(self):
        running = self.alone(self.name)
        self.assertIn(self.name, self.admin(self.name, 'srv-list'))
        if self.driver:
            # The client is somebody whose process and user the daemon cannot see.
            self.assertEqual(self.client(self.name, self.driver, 'uri').strip(),
                             f'{self.driver}+unix:///system?socket={self.socket(self.name)}')
        self.assertEqual(running.stop(), 0)
        lines = self.assert_quiet(running.output())
        self.assertEqual(len(lines), 1, running.output())
        for words in ('a read-only root', 'a user namespace'):
            self.assertIn(words, lines[0].partition('; without ')[0])
        for words in ('systemd', 'D-Bus', 'machine-id'):
            self.assertIn(words, lines[0].partition('; without ')[2])


for _name, _driver in harness.DAEMONS.items():
    _class = _name.capitalize()
    # Nothing owns a driver behind a proxy that is alone.
    globals()[_class] = type(_class, (Alone, Containers),
                             {'name': _name, 'driver': None if _name == 'virtproxyd' else _driver,
                              '__module__': __name__})


class Limits(Containers):
    def test_container_has_the_capabilities_of_the_list_and_no_others(self):
        running = self.alone('virtlockd')
        text = Path(f'/proc/{running.pid_of("virtlockd")}/status').read_text()
        held = int(re.search(r'CapEff:\s+(\w+)', text).group(1), 16)
        # linux/capability.h: DAC_OVERRIDE is 1, KILL is 5, SYS_PTRACE is 19.
        self.assertEqual(held, 1 << 1 | 1 << 5 | 1 << 19)

    def test_missing_capabilities_are_named_and_do_not_keep_the_daemon_from_starting(self):
        image = self.image('virtlockd', '/usr/sbin/virtlockd')
        running = container.Container(self, image, ['DAC_OVERRIDE'],
                                      volumes={'/run/libvirt': self.root / 'run'})
        self.assertEqual(running.stop(), 0)
        self.assertIn('CAP_KILL', self.assert_quiet(running.output())[0])

    def test_client_whose_user_cannot_be_seen_is_not_trusted_by_a_daemon_of_that_number(self):
        image = self.image('virtsecretd', '/usr/sbin/virtsecretd')
        image.user = image.group = 65534
        image.environment.update(HOME='/etc/libvirt', XDG_RUNTIME_DIR='/run')
        container.Container(self, image, [], volumes={'/run/libvirt': self.root / 'run'})
        with rpc.Client(str(self.socket('virtsecretd'))) as client:
            client.open('secret:///session')
            with self.assertRaisesRegex(rpc.Error, 'trusted'):
                client.call('CONNECT_SET_IDENTITY', params=[])

    def test_client_whose_user_cannot_be_seen_is_not_taken_for_somebody(self):
        self.alone('virtsecretd')
        client = subprocess.Popen(
            ['virsh', '-q', '-c', f'secret+unix:///system?socket={self.socket("virtsecretd")}'],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.addCleanup(client.wait)
        self.addCleanup(client.stdin.close)
        harness.wait_until(lambda: self.admin('virtsecretd', 'client-list', 'virtsecretd').strip(),
                           'the client is there')
        text = self.admin('virtsecretd', 'client-info', 'virtsecretd', '1')
        self.assertRegex(text, r'unix_user_id *: 65534')
        self.assertNotIn('unix_process_id', text)


class Compute:
    """virtqemud with virtlogd, and nobody else."""

    file = None
    uri_path = None
    capabilities = ()

    def setUp(self):
        super().setUp()
        image = self.image(self.file, '/usr/sbin/virtqemud', '/usr/sbin/virtlogd',
                           *HELPERS, *container.find_emulator_files())
        volumes = {path: self.root / path.strip('/').replace('/', '-') for path in image.volumes}
        volumes['/run/libvirt'] = self.root / 'run'
        self.container = container.Container(
            self, image, self.capabilities, volumes=volumes,
            commands=[['/usr/sbin/virtlogd'], ['/usr/sbin/virtqemud']])

    def virsh(self, *words, **options):
        path = self.socket('virtqemud')
        return self.run_command(['virsh', '-q', '-c',
                                 f'qemu+unix:///{self.uri_path}?socket={path}', *words], **options)

    def test_guest_starts_and_is_ended(self):
        path = self.write('a.xml', guest.paused_xml('a'))
        self.virsh('create', path, '--paused')
        self.assertEqual(self.virsh('domstate', 'a').strip(), 'paused')
        self.virsh('destroy', 'a')
        self.assertEqual(self.container.stop(), 0)
        self.assertEqual(len(self.assert_quiet(self.container.output())), 2)

    def test_call_that_needs_an_absent_sibling_names_it(self):
        for words, sibling in ((['net-list'], 'virtnetworkd'), (['pool-list'], 'virtstoraged'),
                               (['nodedev-list'], 'virtnodedevd'), (['secret-list'], 'virtsecretd')):
            with self.subTest(words):
                text = self.virsh(*words, status=1)
                self.assertIn(f"'/run/libvirt/{sibling}-sock'", text)
                self.assertIn(f'{sibling}, which owns', text)


@guest.needs_qemu
class ComputeAsRoot(Compute, Containers):
    file = 'compute'
    uri_path = 'system'
    capabilities = container.capabilities_of('virtqemud')


@guest.needs_qemu
class ComputeAsAUser(Compute, Containers):
    file = 'compute-rootless'
    uri_path = 'session'


@guest.needs_qemu
class FirstProcess(Containers):
    def test_virtqemud_as_the_first_process_leaves_no_zombies(self):
        image = self.image('virtqemud', '/usr/sbin/virtqemud', *HELPERS,
                           *container.find_emulator_files())
        settings = self.root / 'settings'
        settings.mkdir()
        (settings / 'qemu.conf').write_text('stdio_handler = "file"\n')
        running = container.Container(self, image, container.capabilities_of('virtqemud'),
                                      volumes={'/run/libvirt': self.root / 'run',
                                               '/etc/libvirt': settings})
        path = self.write('a.xml', guest.paused_xml('a'))
        for _ in range(3):
            self.client('virtqemud', 'qemu', 'create', path, '--paused')
            self.client('virtqemud', 'qemu', 'destroy', 'a')
        first = running.pid_of('virtqemud')
        harness.wait_until(
            lambda: not Path(f'/proc/{first}/task/{first}/children').read_text().split(),
            'every child was collected')
        self.assertEqual(running.stop(), 0)


class Document(harness.TestCase):
    def test_capabilities_are_those_of_the_units(self):
        rows = dict(re.findall(r'^\| `(\w+)` \| \[.*\| ([A-Z_ ]+|none) \|$', DOCUMENT, re.M))
        self.assertEqual({name: words.replace('none', '').split() for name, words in rows.items()},
                         {name: container.capabilities_of(name) for name in harness.DAEMONS})

    def test_every_container_file_is_tried_and_described(self):
        tried = {*harness.DAEMONS, ComputeAsRoot.file, ComputeAsAUser.file}
        self.assertEqual({path.stem for path in container.FILES.glob('*.Containerfile')}, tried)
        self.assertEqual({name for name in tried
                          if f'(containers/{name}.Containerfile)' not in DOCUMENT}, set())


del Alone, Compute
