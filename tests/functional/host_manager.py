"""Stands in for logind and for systemd on a private bus, for what a real one does only with a
whole host in its hands. Commands come on stdin, a line each:

    prepare yes|no      the host is about to shut down; that is called off
    state STATE         what systemd says of itself from now on
    scopes MODE         how scopes are answered from now on: start, fail, wait

What is asked of it is written to stdout. Scopes are made as control groups of version 2 below
the folder in argv[2]."""

import os
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

LOGIND = 'org.freedesktop.login1'
SYSTEMD = 'org.freedesktop.systemd1'


def say(*words):
    print(*words, flush=True)


class Refused(dbus.DBusException):
    _dbus_error_name = 'org.freedesktop.DBus.Error.AccessDenied'


class Logind(dbus.service.Object):
    @dbus.service.method(f'{LOGIND}.Manager', in_signature='ssss', out_signature='h')
    def Inhibit(self, what, who, why, mode):
        ours, theirs = os.pipe()
        say('INHIBIT', what, who, mode)

        def on_end(fd, condition):
            say('RELEASED')
            os.close(fd)
            return False
        # The last copy of the other end is the holder's.
        GLib.io_add_watch(ours, GLib.IO_HUP, on_end)
        lock = dbus.types.UnixFd(theirs)
        os.close(theirs)
        return lock

    @dbus.service.signal(f'{LOGIND}.Manager', signature='b')
    def PrepareForShutdown(self, is_starting):
        say('PREPARE', bool(is_starting))


class Systemd(dbus.service.Object):
    state = 'running'
    mode = 'start'
    folder = None

    @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss', out_signature='v')
    def Get(self, interface, name):
        say('GET', name)
        return self.state

    @dbus.service.method(f'{SYSTEMD}.Manager')
    def Subscribe(self):
        pass

    @dbus.service.signal(f'{SYSTEMD}.Manager', signature='uoss')
    def JobRemoved(self, number, job, unit, result):
        pass

    @dbus.service.method(f'{SYSTEMD}.Manager', in_signature='ssa(sv)a(sa(sv))', out_signature='o',
                         async_callbacks=('reply', 'fail'))
    def StartTransientUnit(self, name, mode, properties, others, reply, fail):
        values = {key: value for key, value in properties}
        say('SCOPE', name, values['Slice'], bool(values['Delegate']), *values['Before'])
        if self.mode == 'wait':
            return
        if self.mode == 'fail':
            fail(Refused('told to fail'))
            return
        group = f'{self.folder}/{values["Slice"]}/{name}'
        os.makedirs(group, exist_ok=True)
        with open(f'{group}/cgroup.procs', 'w') as file:
            file.write(str(int(values['PIDs'][0])))
        job = f'/org/freedesktop/systemd1/job/{os.getpid()}'
        reply(job)
        self.JobRemoved(1, job, name, 'done')


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.bus.BusConnection(sys.argv[1])
    Systemd.folder = sys.argv[2]
    logind = Logind(bus, '/org/freedesktop/login1')
    systemd = Systemd(bus, '/org/freedesktop/systemd1')
    names = [dbus.service.BusName(name, bus) for name in (LOGIND, SYSTEMD)]

    def on_command(stream, condition):
        words = stream.readline().split()
        if not words:
            return False
        if words[0] == 'prepare':
            logind.PrepareForShutdown(words[1] == 'yes')
        elif words[0] == 'state':
            Systemd.state = words[1]
        elif words[0] == 'scopes':
            Systemd.mode = words[1]
        say('DONE', *words)
        return True
    GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, on_command)
    say('READY')
    GLib.MainLoop().run()
    return names


if __name__ == '__main__':
    main()
