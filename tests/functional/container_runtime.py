"""Runs commands in a container, as a container engine would: namespaces of its own, a root folder
that cannot be written to, a list of capabilities and no others, no way to more. The one argument is
JSON, see container.py. What the commands inherit is what this program was started with."""

import contextlib
import ctypes
import json
import os
import signal
import sys

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
SYS_PIVOT_ROOT = {'x86_64': 155, 'aarch64': 41}[os.uname().machine]
# Any folder that everybody may come to; only this mount namespace sees what is put there.
TOP = '/mnt'
DEVICES = ('null', 'zero', 'full', 'random', 'urandom', 'tty')
# linux/capability.h, in the order of their numbers.
CAPABILITIES = '''CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE
SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'''.split()
LIBC = ctypes.CDLL(None, use_errno=True)


def call(name, *args):
    if getattr(LIBC, name)(*args) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f'{name}: {os.strerror(number)}')


def mount(source, target, kind=None, flags=0, options=None):
    encoded = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    call('mount', *encoded, ctypes.c_ulong(flags), options and options.encode())


def enter_namespaces(first_id):
    """A user namespace whose ids begin at first_id of ours, and all other kinds below it."""
    reader, writer = os.pipe()
    parent = os.getpid()
    mapper = os.fork()
    if mapper == 0:
        os.close(writer)
        # Nothing to read: there is no namespace, because a chroot, say, may have none.
        if not os.read(reader, 1):
            os._exit(1)
        for kind in ('uid', 'gid'):
            with open(f'/proc/{parent}/{kind}_map', 'w') as stream:
                stream.write(f'0 {first_id} 65536\n')
        os._exit(0)
    call('unshare', NEWUSER | NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWPID | NEWNET)
    os.write(writer, b'x')
    if os.waitpid(mapper, 0)[1] != 0:
        sys.exit('the ids could not be mapped')
    os.close(reader)
    os.close(writer)


def make_devices(folder):
    mount('tmpfs', folder, 'tmpfs', MS_NOSUID, 'mode=755,uid=0,gid=0')
    for name in DEVICES:
        path = f'{folder}/{name}'
        open(path, 'w').close()
        mount(f'/dev/{name}', path, None, MS_BIND)
    os.mkdir(f'{folder}/shm')
    mount('tmpfs', f'{folder}/shm', 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=1777')


def enter_root(root, volumes, user, group):
    """volumes: path inside to a folder of ours, or to null: an empty one in memory. Becomes the
    root of the user namespace: nobody else may make files in it, but folders of ours may be closed
    to that user, so they are opened before."""
    root_fd = os.open(root, os.O_PATH)
    sources = {path: source and os.open(source, os.O_PATH) for path, source in volumes.items()}
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(0, 0, 0)
    mount(None, '/', None, MS_REC | MS_PRIVATE)
    mount(f'/proc/self/fd/{root_fd}', TOP, None, MS_BIND | MS_REC)
    make_devices(f'{TOP}/dev')
    for path, fd in sources.items():
        if fd:
            mount(f'/proc/self/fd/{fd}', TOP + path, None, MS_BIND)
        else:
            mount('tmpfs', TOP + path, 'tmpfs', MS_NOSUID | MS_NODEV,
                  f'mode=755,uid={user},gid={group}')
    for fd in (root_fd, *filter(None, sources.values())):
        os.close(fd)
    mount('proc', f'{TOP}/proc', 'proc', MS_NOSUID | MS_NODEV | MS_NOEXEC)
    with contextlib.suppress(OSError):
        mount('sysfs', f'{TOP}/sys', 'sysfs', MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount(None, TOP, None, MS_REMOUNT | MS_BIND | MS_RDONLY)
    os.chdir(TOP)
    call('syscall', SYS_PIVOT_ROOT, b'.', b'.')
    call('umount2', b'.', MNT_DETACH)
    os.chdir('/')


def give_up(user, capabilities):
    for number, name in enumerate(CAPABILITIES):
        if name not in capabilities:
            # A kernel that is older than the list has no such capability to give.
            with contextlib.suppress(OSError):
                call('prctl', PR_CAPBSET_DROP, number, 0, 0, 0)
    if user != 0:
        os.setresuid(user, user, user)
    call('prctl', PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def run_all(commands, environment):
    """The container's first process: starts all, ends all when told to, and collects every
    process that is left to it. The status is that of the first command that failed, or 0."""
    pids = []
    for command in commands:
        pid = os.fork()
        if pid == 0:
            os.execve(command[0], command, environment)
        pids.append(pid)

    def end(signum, _):
        for pid in pids:
            os.kill(pid, signum)
    signal.signal(signal.SIGTERM, end)
    left, status = set(pids), 0
    while left:
        pid, result = os.wait()
        if pid in left:
            left.remove(pid)
            status = status or os.waitstatus_to_exitcode(result)
    os._exit(status if status >= 0 else 128 - status)


def main():
    given = json.loads(sys.argv[1])
    enter_namespaces(given['first_id'])
    child = os.fork()
    if child == 0:
        call('prctl', PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        enter_root(given['root'], given['volumes'], given['user'], given['group'])
        give_up(given['user'], given['capabilities'])
        commands = given['commands']
        if len(commands) == 1:
            os.execve(commands[0][0], commands[0], given['environment'])
        run_all(commands, given['environment'])
    # What the commands hold, a pipe's end for one, must not stay open here.
    os.closerange(3, 256)
    signal.signal(signal.SIGTERM, lambda signum, _: os.kill(child, signum))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == '__main__':
    main()
