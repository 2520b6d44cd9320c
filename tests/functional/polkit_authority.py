"""Stands in for polkit's authority on a private bus, for what a real one does only with a person
in front of it. The mode file says how the next questions are answered; questions and their
cancellation are written to stdout, a line each."""

import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

INTERFACE = 'org.freedesktop.PolicyKit1.Authority'
# is_authorized, is_challenge, details
ANSWERS = {'allow': (True, False, {}), 'refuse': (False, False, {}),
           'challenge': (False, True, {}),
           'dismiss': (False, False, {'polkit.dismissed': 'true'})}


class PolkitError(dbus.DBusException):
    def __init__(self, name):
        super().__init__('told to fail')
        self._dbus_error_name = f'org.freedesktop.PolicyKit1.Error.{name}'


class Authority(dbus.service.Object):
    mode_path = None

    @dbus.service.method(INTERFACE, in_signature='(sa{sv})sa{ss}us', out_signature='(bba{ss})',
                         async_callbacks=('reply', 'fail'))
    def CheckAuthorization(self, subject, action, details, flags, cancellation_id, reply, fail):
        kind, values = subject
        print('CHECK', kind, int(values['pid']), int(values['start-time']), int(values['uid']),
              action, int(flags), cancellation_id, flush=True)
        with open(self.mode_path) as stream:
            mode = stream.read().strip()
        if mode in ANSWERS:
            reply(ANSWERS[mode])
        elif mode != 'wait':
            fail(PolkitError(mode))

    @dbus.service.method(INTERFACE, in_signature='s')
    def CancelCheckAuthorization(self, cancellation_id):
        print('CANCEL', cancellation_id, flush=True)


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.bus.BusConnection(sys.argv[1])
    Authority.mode_path = sys.argv[2]
    authority = Authority(bus, '/org/freedesktop/PolicyKit1/Authority')
    name = dbus.service.BusName('org.freedesktop.PolicyKit1', bus)
    print('READY', flush=True)
    GLib.MainLoop().run()
    return authority, name


if __name__ == '__main__':
    main()
