#!/usr/bin/python3
"""Makes the golden files of this folder from what libvirtd 9.0 did with real guests.

    record.py FOLDER

FOLDER has, for each guest NAME that libvirtd has started paused:
    NAME.xml       "virsh dumpxml --security-info NAME" while it ran
    NAME.inactive  "virsh dumpxml --security-info --inactive NAME"
    NAME.log       /var/log/libvirt/qemu/NAME.log

Written here are NAME.xml, the running guest's definition, with its <cpu> as it was defined
(libvirtd puts in what QEMU made of it) and without security labels, and NAME.args: the time
of the start, the environment but for PATH, and an option with its value per line, unchanged.
facts.json is what the installed QEMU says of itself, in the form of virtqemud/qemu/caps_facts.h,
without what no test here asks for.
"""

import datetime
import json
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
EMULATOR = '/usr/bin/qemu-system-x86_64'


def element(name, text):
    found = re.search(rf'  <{name}(?: [^>]*)?/>\n|  <{name}[ >].*?</{name}>\n', text, re.S)
    return found.group() if found else ''


def definition(live, inactive):
    for name in ('seclabel', 'resource'):
        while element(name, live):
            live = live.replace(element(name, live), '', 1)
    return live.replace(element('cpu', live) or '\0', element('cpu', inactive), 1)


def command(log):
    started = log.rindex(': starting up libvirt')
    start = log[:started].rsplit('\n', 1)[-1]
    now = datetime.datetime.strptime(start, '%Y-%m-%d %H:%M:%S.%f%z')
    out = [f'now {int(now.timestamp())}']
    kind = 'env '
    for line in log[started:].split('\n')[1:]:
        words = shlex.split(line.removesuffix('\\'))
        if words == [EMULATOR]:
            kind = ''
        elif not words[0].startswith('PATH='):
            out.append(kind + ' '.join(words))
        if not line.endswith('\\'):
            return '\n'.join(out) + '\n'


def facts():
    questions = [('query-version', {}), ('query-machines', {}),
                 ('qom-list-types', {'implements': 'device', 'abstract': False}),
                 ('qom-list-types', {'implements': 'user-creatable', 'abstract': False}),
                 ('query-command-line-options', {}), ('quit', {})]
    lines = '{"execute":"qmp_capabilities"}\n' + ''.join(
        json.dumps({'execute': name, 'arguments': args}) + '\n' for name, args in questions)
    out = subprocess.run([EMULATOR, '-M', 'none', '-nodefaults', '-display', 'none', '-S', '-qmp',
                          'stdio'], input=lines, capture_output=True, text=True, check=True).stdout
    answers = [json.loads(line) for line in out.splitlines()]
    answers = [answer['return'] for answer in answers if 'return' in answer][1:]
    version = answers[0]['qemu']
    return {
        'target': 'x86_64',
        'version': f"{version['major']}.{version['minor']}.{version['micro']}",
        'package': '', 'kvm': True,
        'machines': [
            {key: value for key, value in (
                ('name', machine['name']), ('alias', machine.get('alias')),
                ('cpu', machine.get('default-cpu-type')), ('ram', machine.get('default-ram-id')),
                ('max-cpus', machine['cpu-max'])) if value is not None}
            for machine in answers[1] if machine.get('alias') in ('pc', 'q35')],
        'tcg-cpus': [], 'kvm-cpus': [], 'commands': [], 'properties': [],
        'devices': sorted(item['name'] for item in answers[2]
                          if 'cpu' not in item['name'] and 'i2c' not in item['name']),
        'objects': sorted(item['name'] for item in answers[3]),
        'options': sorted(item['option'] for item in answers[4] if item['option']),
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    for live in sorted(folder.glob('*.xml')):
        inactive = live.with_suffix('.inactive').read_text()
        (HERE / live.name).write_text(definition(live.read_text(), inactive))
        (HERE / f'{live.stem}.args').write_text(command(live.with_suffix('.log').read_text()))
    (HERE / 'facts.json').write_text(json.dumps(facts(), indent=1) + '\n')


main()
