#!/usr/bin/python3
"""Makes the units of the suite, and the table of capabilities that the daemons are compiled with,
from one description per daemon (daemons/NAME.toml) and what all have in common (defaults.toml).

    generate.py units  [OPTION...] --output DIR DESCRIPTION
    generate.py suite  [OPTION...] --output DIR DESCRIPTION...      splitvirt.target and the preset
    generate.py header --output FILE DESCRIPTION...

README.md beside this file has the format of a description.
"""

import argparse
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOTE = '# Generated; what is not to be as here goes into a drop-in (systemctl edit {}).\n'
SUITE = 'splitvirt.target'
REQUIRED = {'arguments', 'capabilities', 'description', 'serves'}
KEYS = REQUIRED | {'user', 'legacy_socket', 'ports', 'boot', 'holder', 'needs', 'after', 'unit',
                   'service'}


class Description:
    """What a daemon is to systemd."""

    def __init__(self, path):
        self.name = Path(path).stem
        with open(path, 'rb') as text:
            values = tomllib.load(text)
        unknown = values.keys() - KEYS
        if unknown:
            sys.exit(f'{path}: unknown keys: {", ".join(sorted(unknown))}')
        self.serves = values.get('serves')
        if self.serves not in ('clients', 'daemons'):
            sys.exit(f'{path}: serves: clients or daemons')
        missing = REQUIRED - values.keys()
        if missing:
            sys.exit(f'{path}: missing keys: {", ".join(sorted(missing))}')
        self.description, self.capabilities = values['description'], values['capabilities']
        self.arguments, self.user = values['arguments'], values.get('user')
        self.legacy_socket, self.ports = values.get('legacy_socket'), values.get('ports', {})
        self.is_booted, self.has_holder = values.get('boot', False), values.get('holder', False)
        self.needs, self.after = values.get('needs', []), values.get('after', [])
        self.unit, self.service = values.get('unit', {}), values.get('service', {})

    @property
    def local_kinds(self):
        """The unix sockets, by the suffix of their units: the main socket's is empty."""
        return ('', '-ro', '-admin') if self.serves == 'clients' else ('', '-admin')

    @property
    def local_sockets(self):
        return [f'{self.name}{kind}.socket' for kind in self.local_kinds]

    @property
    def network_sockets(self):
        return [f'{self.name}-{port}.socket' for port in self.ports]


def section(title, *tables):
    """A section; later tables replace what earlier ones say, false takes it away."""
    merged = {}
    for table in tables:
        merged.update(table)
    lines = [f'[{title}]']
    for key, value in merged.items():
        if value is False:
            continue
        lines += [f'{key}={one}' for one in (value if isinstance(value, list) else [value])]
    return '\n'.join(lines) + '\n'


def unit_text(name, *sections):
    return NOTE.format(name) + '\n' + '\n'.join(sections)


def load_defaults():
    with open(HERE / 'defaults.toml', 'rb') as text:
        return tomllib.load(text)


def service_text(of, options):
    defaults = load_defaults()
    holders = [f'{of.name}-holder.socket'] if of.has_holder else []
    # The services too, where they run: at shutdown they stop after those that use them.
    others = [f'{name}.{kind}' for name in of.needs + of.after for kind in ('socket', 'service')]
    unit = {
        'Description': of.description,
        'Documentation': f'man:{of.name}(8)',
        # Its sockets are never made by itself, where systemd would not find them again. The
        # others are left out where the administrator has masked them.
        'Requires': of.local_sockets[0],
        'Wants': of.local_sockets[1:] + holders + [f'{name}.socket' for name in of.needs],
        'After': of.local_sockets + of.network_sockets + holders + others + of.unit.get('After', []),
        # A socket that is stopped or started anew goes through the daemon, which holds it.
        'PartOf': [SUITE] + of.local_sockets[1:] + of.network_sockets,
    }
    if of.serves == 'clients':
        unit['Conflicts'] = 'libvirtd.service'
    variable = f'{of.name.upper()}_ARGS'
    service = {
        'Environment': f'"{variable}={of.arguments}"' if of.arguments else f'{variable}=',
        'EnvironmentFile': [f'-/etc/default/{of.name}', f'-/etc/sysconfig/{of.name}'],
        'ExecStart': f'{options.sbindir}/{of.name} ${variable}',
        # Empty: none at all.
        'CapabilityBoundingSet': ' '.join(f'CAP_{name}' for name in of.capabilities),
    }
    if of.user:
        service['User'] = of.user
    if 'FileDescriptorStoreMax' in of.service and options.systemd_version >= 254:
        # Older ones empty the store when the unit is stopped: that is what the holder is for.
        service['FileDescriptorStorePreserve'] = 'yes'
    install = {'WantedBy': ['multi-user.target', SUITE], 'Also': of.local_sockets + holders}
    extra = {key: value for key, value in of.unit.items() if key != 'After'}
    return unit_text(f'{of.name}.service', section('Unit', unit, defaults['unit'], extra),
                     section('Service', service, defaults['service'], of.service),
                     section('Install', install))


def socket_base(of, what):
    return {'Description': f'{of.description} ({what})',
            'Documentation': f'man:{of.name}(8)', 'PartOf': SUITE,
            # A socket that an administrator restarts a few times is not to be refused.
            'StartLimitIntervalSec': 0}


def socket_names(of, kind):
    """The files of a socket: libvirt has the kind before "sock" for admin, and behind it for ro."""
    middle, end = ('-admin', '') if kind == '-admin' else ('', kind)
    stems = [of.name] + ([of.legacy_socket] if of.legacy_socket else [])
    return [f'/run/libvirt/{stem}{middle}-sock{end}' for stem in stems]


def trigger_limit(of):
    """Clients of a daemon that cannot start are refused in the end, and do not wait for ever; no
    daemon that starts is started so often. Daemons that guests need are never given up."""
    if of.serves == 'daemons':
        return {'TriggerLimitIntervalSec': 0}
    return {'TriggerLimitIntervalSec': '10s', 'TriggerLimitBurst': 200}


def local_socket_text(of, kind, options):
    unit = socket_base(of, {'': 'local', '-ro': 'local, read-only', '-admin': 'administration'}[kind])
    if kind:
        unit['BindsTo'] = unit['After'] = f'{of.name}.socket'
    if of.legacy_socket:
        unit['Conflicts'] = f'libvirtd{kind}.socket'
    socket = {'ListenStream': socket_names(of, kind), 'Service': f'{of.name}.service'}
    if kind == '-admin' or of.serves == 'daemons':
        socket['SocketMode'] = '0600'
    elif kind == '-ro' or options.polkit:
        # Who may do what is asked after connecting.
        socket['SocketMode'] = '0666'
    else:
        socket['SocketMode'], socket['SocketGroup'] = '0660', 'libvirt'
    socket['RemoveOnStop'] = 'yes'
    socket |= trigger_limit(of)
    return unit_text(f'{of.name}{kind}.socket', section('Unit', unit), section('Socket', socket),
                     section('Install', {'WantedBy': ['sockets.target', SUITE]}))


def network_socket_text(of, port):
    name = f'{of.name}-{port}.socket'
    unit = socket_base(of, {'tcp': 'plain TCP', 'tls': 'TLS'}[port])
    unit |= {'BindsTo': f'{of.name}.socket', 'Conflicts': f'libvirtd-{port}.socket'}
    # systemd starts no socket whose service runs already. What the target conflicts with is
    # stopped first, and comes back, with the new socket, at the next connection.
    unit |= {'Wants': f'{of.name}-pause.target',
             'After': [f'{of.name}.socket', f'{of.name}-pause.target']}
    socket = {'ListenStream': of.ports[port], 'Service': f'{of.name}.service'}
    socket |= trigger_limit(of)
    return unit_text(name, section('Unit', unit), section('Socket', socket),
                     section('Install', {'WantedBy': ['sockets.target']}))


def pause_text(of):
    name = f'{of.name}-pause.target'
    return unit_text(name, section('Unit', {
        'Description': f'{of.description} (stopped, for its sockets to change)',
        'Conflicts': f'{of.name}.service', 'After': f'{of.name}.service',
        'StopWhenUnneeded': 'no', 'RefuseManualStart': 'yes'}))


def holder_texts(of, options):
    """The program that keeps descriptors while the daemon is stopped: nothing is to stop it as well."""
    name, defaults = f'{of.name}-holder', load_defaults()
    description = f'{of.description} (what is kept while the daemon is stopped)'
    unit = {'Description': description, 'Documentation': f'man:{of.name}(8)'}
    service = {'ExecStart': f'{options.holder} {of.name}', 'CapabilityBoundingSet': ''}
    changes = {'ExecReload': False, 'WatchdogSec': False, 'LogsDirectory': False,
               'Restart': 'always', 'OOMScoreAdjust': of.service['OOMScoreAdjust']}
    socket = {'ListenSequentialPacket': f'/run/libvirt/{name}-sock', 'SocketMode': '0600',
              'RemoveOnStop': 'yes'} | trigger_limit(of)
    return {
        f'{name}.service': unit_text(f'{name}.service', section('Unit', unit, defaults['unit']),
                                     section('Service', service, defaults['service'], changes)),
        f'{name}.socket': unit_text(f'{name}.socket', section('Unit', unit, defaults['unit']),
                                    section('Socket', socket),
                                    section('Install', {'WantedBy': ['sockets.target', SUITE]})),
    }


def units(of, options):
    texts = {f'{of.name}.service': service_text(of, options)}
    for kind in of.local_kinds:
        texts[f'{of.name}{kind}.socket'] = local_socket_text(of, kind, options)
    for port in of.ports:
        texts[f'{of.name}-{port}.socket'] = network_socket_text(of, port)
    if of.ports:
        texts[f'{of.name}-pause.target'] = pause_text(of)
    if of.has_holder:
        texts |= holder_texts(of, options)
    return texts


def suite(all_of, options):
    enabled, disabled = [SUITE], []
    for of in all_of:
        enabled += of.local_sockets
        if of.has_holder:
            enabled.append(f'{of.name}-holder.socket')
        (enabled if of.is_booted else disabled).append(f'{of.name}.service')
        # Nobody is on the network without having asked for it.
        disabled += of.network_sockets
    target = unit_text(SUITE,
                       section('Unit', {'Description': 'All that a virtualization host needs',
                                        'Documentation': 'man:virtqemud(8)'}),
                       section('Install', {'WantedBy': 'multi-user.target', 'Also': enabled[1:]}))
    preset = ''.join(f'enable {name}\n' for name in enabled)
    preset += ''.join(f'disable {name}\n' for name in disabled)
    return {SUITE: target, '90-splitvirt.preset': preset}


def header(all_of):
    lines = ['/* Generated by systemd/generate.py: the capabilities of each daemon. */',
             '#pragma once', '', '#include <linux/capability.h>', '#include <stdint.h>', '']
    for of in all_of:
        bits = ' | '.join(f'UINT64_C(1) << CAP_{name}' for name in of.capabilities)
        lines.append(f'#define CAPABILITIES_{of.name.upper()} ({bits or "UINT64_C(0)"})')
    return '\n'.join(lines) + '\n'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('what', choices=('units', 'suite', 'header'))
    parser.add_argument('--output', type=Path, required=True)
    parser.add_argument('--sbindir', default='/usr/sbin')
    parser.add_argument('--polkit', action='store_true', help='the daemons ask it who may come in')
    parser.add_argument('--holder', default='/usr/libexec/splitvirt_holder',
                        help='the program that keeps descriptors')
    parser.add_argument('--systemd-version', type=int, default=252)
    parser.add_argument('descriptions', nargs='+')
    options = parser.parse_args()
    all_of = [Description(path) for path in options.descriptions]
    if options.what == 'header':
        options.output.write_text(header(all_of))
        return
    texts = suite(all_of, options) if options.what == 'suite' else units(all_of[0], options)
    for name, text in texts.items():
        (options.output / name).write_text(text)


if __name__ == '__main__':
    main()
