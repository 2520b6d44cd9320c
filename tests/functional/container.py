"""Containers for tests: images laid out as an image builder would from the container files of
docs/containers, and containers run from them without an engine."""

import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import harness

FILES = harness.TOP / 'docs/containers'
COLLECT = FILES / 'collect'
RUNTIME = Path(__file__).with_name('container_runtime.py')
# Where the ids of containers begin: those of nobody else.
FIRST_ID = 0x40000000


def capabilities_of(daemon):
    """The list of the daemon's description, from which its unit is made, too."""
    with open(harness.TOP / f'systemd/daemons/{daemon}.toml', 'rb') as stream:
        return tomllib.load(stream)['capabilities']


def install(folder):
    """The suite as a package would hold it, below folder."""
    subprocess.run(['meson', 'install', '-C', harness.BUILD, '--no-rebuild', '--quiet',
                    '--destdir', folder], check=True, stdout=subprocess.DEVNULL)


class Image:
    """What a container file makes: a folder, and how to run what is in it. The file may have FROM
    scratch, COPY, USER, VOLUME, ENV, ENTRYPOINT and CMD."""

    def __init__(self, path, context, folder):
        self.context, self.folder = Path(context), Path(folder)
        self.volumes, self.environment = [], {}
        self.user = self.group = 0
        self.command, self.arguments = [], []
        os.makedirs(folder)
        lines = [line for line in path.read_text().splitlines()
                 if line.strip() and not line.startswith('#')]
        if lines[:1] != ['FROM scratch']:
            raise AssertionError(f'{path}: does not begin with FROM scratch')
        for line in lines[1:]:
            word, _, rest = line.partition(' ')
            getattr(self, f'do_{word.lower()}')(rest)
        for name in ('proc', 'sys', 'dev', *(path.lstrip('/') for path in self.volumes)):
            os.makedirs(self.folder / name, exist_ok=True)
        subprocess.run(['chown', '-R', '--no-dereference', f'{FIRST_ID}:{FIRST_ID}', folder],
                       check=True)

    def do_copy(self, rest):
        *sources, target = shlex.split(rest)
        for source in sources:
            found = self.context / source
            place = self.folder / target.lstrip('/')
            if found.is_dir():
                shutil.copytree(found, place, symlinks=True, dirs_exist_ok=True)
            else:
                os.makedirs(place if target.endswith('/') else place.parent, exist_ok=True)
                shutil.copy(found, place)

    def do_user(self, rest):
        self.user, self.group = map(int, rest.split(':'))

    def do_volume(self, rest):
        self.volumes.append(rest)

    def do_env(self, rest):
        name, _, value = rest.partition('=')
        self.environment[name] = value

    def do_entrypoint(self, rest):
        self.command = json.loads(rest)

    def do_cmd(self, rest):
        self.arguments = json.loads(rest)


class Container:
    """One that runs. Its volumes are shared with the test where volumes says so."""

    def __init__(self, test, image, capabilities, volumes=None, commands=None, options=()):
        """commands: in place of the image's own one. Each gets --ready-fd."""
        self.output_path = test.root / f'{image.folder.name}.output'
        given = {path: None for path in image.volumes}
        for path, source in (volumes or {}).items():
            os.makedirs(source, exist_ok=True)
            # Below folders that only this user may pass; the engine gives them to the container.
            os.chown(source, FIRST_ID + image.user, FIRST_ID + image.group)
            given[path] = str(source)
        commands = commands or [[*image.command, *image.arguments, *options]]
        readers, writers = zip(*(os.pipe() for _ in commands))
        commands = [[*command, '--ready-fd', str(fd)] for command, fd in zip(commands, writers)]
        order = {'root': str(image.folder), 'volumes': given, 'commands': commands,
                 'capabilities': capabilities, 'first_id': FIRST_ID, 'user': image.user,
                 'group': image.group,
                 'environment': {**image.environment, **sanitizer_environment()}}
        with open(self.output_path, 'ab') as output:
            self.process = subprocess.Popen(
                [sys.executable, RUNTIME, json.dumps(order)], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, pass_fds=writers)
        for fd in writers:
            os.close(fd)
        test.addCleanup(self.kill)
        lines = [open(fd, encoding='ascii') for fd in readers]
        for pipe in lines:
            with pipe:
                line = pipe.readline()
            if line != 'READY=1\n':
                raise AssertionError(f'{commands}: not ready but {line!r}\n{self.output()}')

    def output(self):
        return self.output_path.read_text(errors='replace')

    def pid_of(self, program):
        """Of the process in the container that runs it."""
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                if Path(os.readlink(f'/proc/{pid}/exe')).name == program and \
                        os.stat(f'/proc/{pid}/ns/user').st_ino == self.namespace():
                    return int(pid)
            except OSError:
                continue
        raise AssertionError(f'{program} does not run in the container')

    def namespace(self):
        return os.stat(f'/proc/{self.process.pid}/ns/user').st_ino

    def stop(self):
        """Tells it to end. Returns its status."""
        self.process.terminate()
        return self.process.wait(harness.PATIENCE_S)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def sanitizer_environment():
    return {name: value for name, value in os.environ.items() if name.endswith('SAN_OPTIONS')}


def find_emulator_files():
    """What a QEMU guest needs of this host's QEMU: the emulator, its firmware, and how it runs
    code where that is a module."""
    if not (emulator := shutil.which('qemu-system-x86_64')):
        return []
    firmware = ['/usr/share/seabios', '/usr/share/qemu/kvmvapic.bin',
                '/usr/share/qemu/linuxboot_dma.bin']
    modules = glob.glob('/usr/lib/*/qemu/accel-*.so')
    return [emulator, *modules, *(path for path in firmware if os.path.exists(path))]


def is_possible():
    """Whether this machine lets us make user namespaces with mounts of their own."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ('proc', 'sys', 'dev'):
            os.mkdir(f'{folder}/{name}')
        os.chown(folder, FIRST_ID, FIRST_ID)
        order = {'root': folder, 'volumes': {}, 'capabilities': [], 'first_id': FIRST_ID,
                 'user': 0, 'group': 0, 'environment': {}, 'commands': [['/nothing']]}
        result = subprocess.run([sys.executable, RUNTIME, json.dumps(order)], text=True,
                                capture_output=True, stdin=subprocess.DEVNULL)
        # All went well as far as to the program that is not there.
        return bool(re.search(r"FileNotFoundError: .*'/nothing'|No such file or directory: '/nothing'",
                              result.stderr)), result.stderr
