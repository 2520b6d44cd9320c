"""Private namespaces: what touches /run, /etc/libvirt or the network runs where it cannot
reach the host's. Everything started inside dies with the process that entered."""

import ctypes
import os
import subprocess
import sys
import tempfile

INSIDE = 'SPLITVIRT_PRIVATE_NAMESPACES'
HIDDEN = ('/run', '/etc/libvirt', '/var/lib/libvirt', '/var/log/libvirt', '/var/cache/libvirt')
WRITTEN_BY_INSTALLERS = {
    '/etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
    '/etc/resolv.conf': '',
}


def is_inside():
    return os.environ.get(INSIDE) == '1'


def _propagation():
    """How mounts can be kept from the host: 'private'; 'unchanged' in a chroot whose root is no
    mount point, which cannot be made private, but where nothing is shared to begin with."""
    try:
        subprocess.run(_unshare('private') + ['true'], stdin=subprocess.DEVNULL,
                       capture_output=True, check=True)
        return 'private'
    except subprocess.CalledProcessError:
        pass
    with open('/proc/self/mountinfo', encoding='utf-8') as mounts:
        is_shared = any(' shared:' in line for line in mounts)
    if is_shared or subprocess.run(_unshare('unchanged') + ['true'], stdin=subprocess.DEVNULL,
                                   capture_output=True).returncode != 0:
        return None
    return 'unchanged'


def _unshare(propagation):
    # Only a private mount of /proc shows the processes of the new namespace.
    return ['unshare', '-m', '-n', '-p', '-i', '--fork', '--kill-child', '--propagation', propagation,
            'sh', '-c', 'mount -t proc proc /proc && exec "$@"', 'sh']


def enter():
    """Runs this program again inside private namespaces, with empty folders in place of the
    host's /run and libvirt folders. Returns whether it is inside: an ordinary user, or root in
    a container that forbids it, goes on outside."""
    if is_inside():
        _prepare()
        return True
    propagation = _propagation() if os.geteuid() == 0 else None
    if not propagation:
        return False
    os.environ[INSIDE] = '1'
    sys.stdout.flush()
    command = _unshare(propagation) + [sys.executable, *sys.argv]
    os.execvp(command[0], command)


def separate():
    """Gives this process, inside the private namespaces, empty folders and a network of its own:
    what others inside have in /run is out of its reach, and its own out of theirs; /proc/net/unix
    names the sockets of both alike. Before any thread."""
    clone_newns, clone_newnet = 0x00020000, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(clone_newns | clone_newnet) != 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    _prepare()


def pretend_libvirt_account():
    """Gives these namespaces the account that libvirtd looks up: on a host it is made by a
    package that also starts services, which tests have no business to install."""
    for database, line in (('passwd', 'libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin\n'),
                           ('group', 'libvirt-qemu:x:64055:\n')):
        path = f'/etc/{database}'
        with open(path) as accounts:
            text = accounts.read()
        if 'libvirt-qemu:' in text:
            continue
        copy = f'/run/{database}.{os.getpid()}'
        with open(copy, 'w') as accounts:
            accounts.write(text + line)
        subprocess.run(['mount', '--bind', copy, path], check=True)


def _complete_etc():
    """Installers write these files; debootstrap does not. The machine's own folder stays as it is."""
    missing = {path: text for path, text in WRITTEN_BY_INSTALLERS.items()
               if not os.path.exists(path)}
    if not missing:
        return
    layers = tempfile.mkdtemp(dir='/run')
    os.makedirs(f'{layers}/upper')
    os.makedirs(f'{layers}/work')
    subprocess.run(['mount', '-t', 'overlay', '-o', f'lowerdir=/etc,upperdir={layers}/upper,'
                    f'workdir={layers}/work', 'overlay', '/etc'], check=True)
    for path, text in missing.items():
        with open(path, 'w') as stream:
            stream.write(text)


def _prepare():
    for path in HIDDEN:
        os.makedirs(path, exist_ok=True)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', path], check=True)
        if path == '/run':
            _complete_etc()
    os.makedirs('/run/lock', exist_ok=True)
    os.makedirs('/run/user/0', mode=0o700, exist_ok=True)
    os.environ['XDG_RUNTIME_DIR'] = '/run/user/0'
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=False)
