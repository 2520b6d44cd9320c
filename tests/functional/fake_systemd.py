"""Stands in for systemd on a private bus. The file that it is given holds its units as JSON, name
to a list of load, active, sub, result, file state, main pid and exit status; it is read anew for
each question. Every call is written to stdout, a line each."""

import json
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

PATH = '/org/freedesktop/systemd1'
NOT_FOUND = ['not-found', 'inactive', 'dead', '', '', 0, 0]
PROPERTIES = {'Result': 3, 'UnitFileState': 4, 'MainPID': 5, 'ExecMainStatus': 6}


def name_to_path(name):
    return f'{PATH}/unit/' + ''.join(c if c.isalnum() else f'_{ord(c):02x}' for c in name)


class Manager(dbus.service.FallbackObject):
    units_path = None

    def units(self):
        with open(self.units_path) as stream:
            return json.load(stream)

    @dbus.service.method('org.freedesktop.systemd1.Manager', in_signature='as',
                         out_signature='a(ssssssouso)', rel_path_keyword='path')
    def ListUnitsByNames(self, names, path):
        print('ListUnitsByNames', flush=True)
        units = self.units()
        return [(name, name, *units.get(name, NOT_FOUND)[:3], '', name_to_path(name), 0, '', '/')
                for name in names]

    @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss', out_signature='v',
                         rel_path_keyword='path')
    def Get(self, interface, name, path):
        for unit, values in self.units().items():
            if name_to_path(unit) == PATH + path:
                value = values[PROPERTIES[name]]
                return dbus.UInt32(value) if name == 'MainPID' else \
                    dbus.Int32(value) if name == 'ExecMainStatus' else dbus.String(value)
        raise dbus.DBusException('no such unit', name='org.freedesktop.systemd1.NoSuchUnit')


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.bus.BusConnection(sys.argv[1])
    Manager.units_path = sys.argv[2]
    manager = Manager(bus, PATH)
    name = dbus.service.BusName('org.freedesktop.systemd1', bus)
    print('READY', flush=True)
    GLib.MainLoop().run()
    return manager, name


if __name__ == '__main__':
    main()
