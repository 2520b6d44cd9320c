#!/usr/bin/python3
"""Every fact of the wire is written down once. Prints TAP.

The .x files of src/wire and the two error headers of src/base are where wire names and numbers
are defined; this looks for a second definition among them, or anywhere else in C. The load
generator in tests/bench is exempt: it shares nothing with the daemons on purpose. Tests may
state program numbers: that is how they check them.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

import check_style

TOP = Path(__file__).resolve().parent.parent
ERROR_HEADERS = ('src/base/error_codes.h', 'src/base/error_from.h')
OF_THE_WIRE = re.compile(r'^(VIR|REMOTE|QEMU_PROC|QEMU_PROTOCOL|ADMIN_PROC|KEEPALIVE)_')

RULES = ('a name of the wire is defined once',
         'a procedure number is used once in its program',
         'names of the wire are defined in .x files and error headers alone',
         'program numbers stand in .x files alone')


def definitions(text):
    """(name, line) of each constant, enumerator, macro and type that text defines."""
    code = check_style.blank(text)
    for match in re.finditer(r'^\s*(?:const\s+(\w+)\s*=|#\s*define\s+(\w+)'
                             r'|(?:struct|union|enum)\s+(\w+)[^;{}()]*\{'
                             r'|typedef\s+[^;{}]*?\b(\w+)\s*(?:[<\[][^;]*)?;)', code, re.M):
        name = next(group for group in match.groups() if group)
        yield name, code[:match.start(match.lastindex)].count('\n') + 1
    for body in re.finditer(r'\benum\b[^;{}()]*\{([^}]*)\}', code):
        for match in re.finditer(r'(?:^|,)\s*(\w+)', body.group(1)):
            yield match.group(1), code[:body.start(1) + match.start(1)].count('\n') + 1


def twice(sources):
    """Names that sources (path to text) define more than once."""
    places = defaultdict(list)
    for path, text in sources.items():
        for name, line in definitions(text):
            places[name].append(f'{path}:{line}')
    return [f'{name}: {", ".join(where)}' for name, where in places.items() if len(where) > 1]


def numbers_used_twice(sources):
    broken = []
    for path, text in sources.items():
        for match in re.finditer(r'\benum\s+(\w*procedure)\s*\{([^}]*)\}', check_style.blank(text), re.I):
            names = defaultdict(list)
            for name, number in re.findall(r'(\w+)\s*=\s*(\w+)', match.group(2)):
                names[int(number, 0)].append(name)
            broken += [f'{path}: {number} is {" and ".join(same)}'
                       for number, same in names.items() if len(same) > 1]
    return broken


def defined_elsewhere(wire, others):
    known = {name for text in wire.values() for name, _ in definitions(text)}
    return [f'{path}:{line}: {name}' for path, text in others.items()
            for name, line in definitions(text) if name in known or OF_THE_WIRE.match(name)]


def program_numbers_elsewhere(wire, others):
    numbers = {int(number, 0) for text in wire.values()
               for number in re.findall(r'const\s+\w+_PROGRAM\s*=\s*(\w+)', text)}
    return [f'{path}: {literal}' for path, text in others.items()
            for literal in re.findall(r'\b0[xX][0-9a-fA-F]{6,8}\b', check_style.blank(text))
            if int(literal, 0) in numbers and not path.startswith('tests/')]


def check(wire, others):
    return (twice(wire), numbers_used_twice(wire), defined_elsewhere(wire, others),
            program_numbers_elsewhere(wire, others))


def self_test():
    """Each rule must catch its sample, and what is fine must pass."""
    wire = {'a.x': 'const A_PROGRAM = 0x20008086;\nenum a_procedure { VIR_A = 1, VIR_B = 2 };\n'
                   'struct c { int d; };\ntypedef opaque e[4];\n'}
    samples = (({**wire, 'b.x': 'struct c { int f; };'}, {}),
               ({'a.x': wire['a.x'].replace('B = 2', 'B = 1')}, {}),
               (wire, {'g.c': '#define VIR_NEW 3\n'}),
               (wire, {'g.c': 'int h = 0x20008086;\n'}))
    for rule, sample in enumerate(samples):
        hit = [index for index, broken in enumerate(check(*sample)) if broken]
        if hit != [rule]:
            return f'the sample of rule {rule + 1} broke {hit}'
    good = check(wire, {'g.c': 'enum { G, H };\nstruct g { int c; };\nint i = VIR_A;\n'})
    return f'the good sample broke {good}' if any(good) else None


def main():
    paths = sorted((TOP / 'src/wire').glob('*.x')) + [TOP / name for name in ERROR_HEADERS]
    wire = {str(path.relative_to(TOP)): path.read_text() for path in paths}
    others = {str(path.relative_to(TOP)): path.read_text(errors='replace')
              for path in check_style.sources()}
    others = {path: text for path, text in others.items()
              if path not in wire and not path.startswith('tests/bench/')}
    fault = self_test()
    print(f'1..{len(RULES) + 1}')
    print(f'{"not ok" if fault else "ok"} 1 - the check of wire definitions catches what it must')
    if fault:
        print(f'#   {fault}')
    failed = bool(fault)
    for number, (rule, broken) in enumerate(zip(RULES, check(wire, others)), 2):
        print(f'{"not ok" if broken else "ok"} {number} - {rule}')
        for line in broken:
            print(f'#   {line}')
        failed |= bool(broken)
    return failed


if __name__ == '__main__':
    sys.exit(main())
