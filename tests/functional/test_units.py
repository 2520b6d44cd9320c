"""The units as they are built: how much of the host each service is open to, and that what its
unit allows and what the daemon keeps are the same."""

import json
import re
import subprocess
import tomllib
import unittest
from pathlib import Path

import harness

UNITS = harness.BUILD / 'systemd'
DESCRIPTIONS = harness.TOP / 'systemd/daemons'
# Of systemd-analyze security, which gives libvirt's own units up to 9.6 of 10.
MAX_EXPOSURE = {'virtsecretd': 1.0, 'virtlogd': 1.2, 'virtproxyd': 1.5, 'virtlockd': 2.0,
                'virtnodedevd': 3.0, 'virtnetworkd': 3.2, 'virtstoraged': 4.3, 'virtqemud': 5.6}
# What root needs besides when it starts a daemon by hand: see daemon_limit_privileges().
BY_HAND = {'CHOWN', 'DAC_OVERRIDE'}


def can_analyze_files():
    try:
        text = subprocess.run(['systemd-analyze', '--help'], capture_output=True, text=True).stdout
    except FileNotFoundError:
        return False
    return '--offline' in text


def unit_lines(name):
    return (UNITS / name).read_text().splitlines()


def capability_numbers():
    """Names of capabilities and their bits, from the kernel's header."""
    text = Path('/usr/include/linux/capability.h').read_text()
    return {name: int(bit) for name, bit in re.findall(r'^#define CAP_(\w+)\s+(\d+)$', text, re.M)}


class Units(harness.TestCase):
    @unittest.skipUnless(can_analyze_files(), 'this systemd-analyze has no --offline')
    def test_services_are_open_to_no_more_of_the_host_than_they_must_be(self):
        found = {}
        for name in MAX_EXPOSURE:
            text = self.run_command(['systemd-analyze', 'security', '--offline=true', '--no-pager',
                                     UNITS / f'{name}.service'])
            found[name] = float(re.search(r'exposure level for \S+ ([\d.]+)', text).group(1))
        above = {name: value for name, value in found.items() if value > MAX_EXPOSURE[name]}
        self.assertEqual(above, {}, f'exposure {found}')

    def test_unit_and_daemon_have_the_same_capabilities(self):
        for name in harness.DAEMONS:
            with open(DESCRIPTIONS / f'{name}.toml', 'rb') as text:
                wanted = {f'CAP_{word}' for word in tomllib.load(text)['capabilities']}
            lines = [line for line in unit_lines(f'{name}.service')
                     if line.startswith('CapabilityBoundingSet=')]
            self.assertEqual([set(line.partition('=')[2].split()) for line in lines], [wanted], name)

    @harness.needs_root
    def test_daemon_that_root_starts_keeps_only_what_it_needs(self):
        bits = capability_numbers()
        own = self.status_of('self')
        for name in harness.DAEMONS:
            with self.subTest(name), open(DESCRIPTIONS / f'{name}.toml', 'rb') as text:
                wanted = set(tomllib.load(text)['capabilities']) | BY_HAND
                mask = sum(1 << bits[word] for word in wanted)
                found = self.status_of(self.daemon(name).pid)
                # What the test itself does not have, nobody gets.
                self.assertEqual(found, {'CapPrm': mask & own['CapPrm'], 'CapInh': 0,
                                         'CapEff': mask & own['CapPrm'],
                                         'CapBnd': mask & own['CapBnd'], 'CapAmb': 0})

    @staticmethod
    def status_of(pid):
        text = Path(f'/proc/{pid}/status').read_text()
        return {name: int(value, 16) for name, value in re.findall(r'^(Cap\w+):\s+(\w+)$', text, re.M)}

    def test_units_run_nothing_but_the_daemons_and_what_is_in_the_path(self):
        for path in UNITS.glob('*.service'):
            for line in path.read_text().splitlines():
                if re.match(r'Exec\w+=', line):
                    word = line.partition('=')[2].split()[0]
                    self.assertRegex(word, rf'^(/usr/sbin/{path.stem}|/usr/libexec/splitvirt_holder|kill)$', path.name)

    def test_sockets_are_those_that_the_daemon_has_when_it_makes_them_itself(self):
        for name in ('virtqemud', 'virtproxyd', 'virtlogd'):
            self.daemon(name)
        made = {f'/{path.relative_to(self.root)}' for path in (self.root / 'run/libvirt').iterdir()
                if path.is_socket()}
        listed = {line.partition('=')[2] for name in ('virtqemud', 'virtproxyd', 'virtlogd')
                  for path in UNITS.glob(f'{name}*.socket') for line in path.read_text().splitlines()
                  if line.startswith('ListenStream=/')}
        self.assertEqual(listed, made)

    def test_broken_descriptions_are_refused_with_the_reason(self):
        path = self.root / 'virtfood.toml'
        for text, reason in (('colour = "red"\n', 'unknown keys: colour'),
                             ('serves = "dinner"\n', 'serves: clients or daemons'),
                             ('serves = "clients"\n', 'missing keys: arguments')):
            path.write_text(text)
            output = self.run_command(
                ['/usr/bin/python3', harness.TOP / 'systemd/generate.py', 'units', '--output',
                 self.root, path], status=1)
            self.assertIn(reason, output)
