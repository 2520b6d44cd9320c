#!/usr/bin/python3
"""A file system with one file that stops answering when it is told to, as a server does that has
gone: what touches it then waits in the kernel, where no signal reaches it.

    with hanging_fs.HangingFs(self.root / 'far') as fs:
        ... fs.disk ...
        fs.hang()

Run as a program it serves the folder that it is given (the kernel's linux/fuse.h has the messages);
SIGUSR1 makes it keep requests without an answer, SIGUSR2 answer them all and go on.
"""

import contextlib
import ctypes
import errno
import os
import signal
import stat
import struct
import subprocess
import sys
from pathlib import Path

import harness

IS_THERE = os.access('/dev/fuse', os.R_OK | os.W_OK)
SIZE = 1 << 20
NAME = 'disk.raw'
ROOT_NODE, FILE_NODE = 1, 2
LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE = 1, 2, 3, 4, 14, 15, 16
RELEASE, FSYNC, FLUSH, INIT, OPENDIR, RELEASEDIR, INTERRUPT = 18, 20, 25, 26, 27, 29, 36
DESTROY, BATCH_FORGET = 38, 42
SILENT = (FORGET, INTERRUPT, DESTROY, BATCH_FORGET)
SET_UID, SET_GID = 1 << 1, 1 << 2
MNT_DETACH = 2


class Server:
    def __init__(self, fd):
        self.fd = fd
        self.owner = [0, 0]
        self.data = bytearray(SIZE)
        self.is_hanging = False
        self.held = []

    def attributes(self, node):
        mode, size = (stat.S_IFDIR | 0o755, 0) if node == ROOT_NODE else (stat.S_IFREG | 0o600, SIZE)
        uid, gid = (0, 0) if node == ROOT_NODE else self.owner
        return struct.pack('=6Q10I', node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, uid, gid, 0,
                           4096, 0)

    def answer(self, opcode, node, body):
        """What is asked for, in bytes, or the number of an error. Nothing may be cached."""
        if opcode == INIT:
            major, minor, readahead, _ = struct.unpack_from('=4I', body)
            return struct.pack('=4I2H2I2H8I', major, min(minor, 31), readahead, 0, 16, 12, 65536, 1,
                               16, 0, *[0] * 8)
        if opcode == LOOKUP:
            if body.rstrip(b'\0') != NAME.encode():
                return errno.ENOENT
            return struct.pack('=4Q2I', FILE_NODE, 0, 0, 0, 0, 0) + self.attributes(FILE_NODE)
        if opcode == SETATTR:
            valid, = struct.unpack_from('=I', body)
            uid, gid = struct.unpack_from('=2I', body, 76)
            self.owner = [uid if valid & SET_UID else self.owner[0],
                          gid if valid & SET_GID else self.owner[1]]
        if opcode in (GETATTR, SETATTR):
            return struct.pack('=Q2I', 0, 0, 0) + self.attributes(node)
        if opcode in (OPEN, OPENDIR):
            return struct.pack('=Q2I', 1, 0, 0)
        if opcode == READ:
            _, offset, size = struct.unpack_from('=2QI', body)
            return bytes(self.data[offset:offset + size])
        if opcode == WRITE:
            _, offset, size = struct.unpack_from('=2QI', body)
            self.data[offset:offset + size] = body[40:40 + size]
            return struct.pack('=2I', size, 0)
        if opcode in (RELEASE, RELEASEDIR, FLUSH, FSYNC):
            return b''
        return errno.ENOSYS

    def serve(self, message):
        _, opcode, unique, node = struct.unpack_from('=2I2Q', message)
        if opcode in SILENT:
            return
        answer = self.answer(opcode, node, message[40:])
        number, body = (-answer, b'') if isinstance(answer, int) else (0, answer)
        # A request whose process was killed is nobody's any more.
        with contextlib.suppress(FileNotFoundError):
            os.write(self.fd, struct.pack('=IiQ', 16 + len(body), number, unique) + body)

    def hang(self, *_):
        self.is_hanging = True
        os.write(1, b'\n')

    def go_on(self, *_):
        self.is_hanging = False
        held, self.held = self.held, []
        for message in held:
            self.serve(message)

    def run(self):
        while True:
            try:
                message = os.read(self.fd, 1 << 17)
            except OSError as error:
                if error.errno == errno.ENODEV:  # unmounted
                    return
                raise
            if self.is_hanging:
                self.held.append(message)
            else:
                self.serve(message)


def _libc_call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


class HangingFs:
    """The file system at folder. Whatever waits in it ends with the block."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.disk = self.folder / NAME

    def __enter__(self):
        self.folder.mkdir()
        self.server = subprocess.Popen([sys.executable, __file__, self.folder],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        harness.wait_until(self.folder.is_mount, 'the file system is mounted')
        return self

    def __exit__(self, *_):
        # Without a server the kernel answers all that waits with an error.
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()
        _libc_call('umount2', os.fsencode(self.folder), MNT_DETACH)

    def hang(self):
        """From its return on nothing is answered: the server has said so."""
        self.server.send_signal(signal.SIGUSR1)
        self.server.stdout.readline()

    def go_on(self):
        self.server.send_signal(signal.SIGUSR2)


def main():
    folder = sys.argv[1]
    fd = os.open('/dev/fuse', os.O_RDWR | os.O_CLOEXEC)
    server = Server(fd)
    signal.signal(signal.SIGUSR1, server.hang)
    signal.signal(signal.SIGUSR2, server.go_on)
    options = f'fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions'
    _libc_call('mount', b'hanging', os.fsencode(folder), b'fuse', 0, options.encode())
    server.run()


if __name__ == '__main__':
    main()
