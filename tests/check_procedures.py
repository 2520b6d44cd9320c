#!/usr/bin/python3
"""The facts about procedures fit their types. Prints TAP, one test per rule; what breaks a
rule is listed below it.

The rules: procedures.tsv has exactly the procedures that the .x files have, with words that
generate.py knows; every struct of arguments, results or events belongs to a procedure.
"""

import collections
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
WIRE = TOP / 'src' / 'wire'
PREFIXES = {'REMOTE': 'remote_', 'QEMU': 'qemu_', 'ADMIN': 'admin_',
            'VIR_LOG_MANAGER_PROTOCOL': 'virLogManagerProtocol',
            'VIR_LOCK_SPACE_PROTOCOL': 'virLockSpaceProtocol', 'KEEPALIVE': 'keepalive_'}
WORDS = {
    'kind': {'call', 'register', 'deregister', 'callback_event', 'legacy_event', 'event',
             'message'},
    'priority': {'low', 'high'},
    'stream': {'-', 'read', 'write'},
    'owner': {'self', 'primary', 'domain', 'network', 'storage', 'nodedev', 'secret',
              'interface', 'nwfilter'},
    'writes': {'-', 'yes', 'no'},
}
PERMISSION = re.compile(r'[a-z_]+:[a-z_]+(:(!?|\w+=)[A-Z][A-Z_0-9|]*)?$')


def read_x():
    """Text of each .x file, without comments."""
    return {path.name: re.sub(r'/\*.*?\*/', '', path.read_text(), flags=re.S)
            for path in sorted(WIRE.glob('*.x'))}


def read_procedures():
    lines = [line for line in (WIRE / 'procedures.tsv').read_text().splitlines()
             if not line.startswith('#')]
    columns = lines[0].split('\t')
    return [dict(zip(columns, line.split('\t'), strict=True)) for line in lines[1:]]


def known_procedures(x_files):
    text = '\n'.join(x_files.values())
    return {(program, name) for program in PREFIXES
            for name in re.findall(rf'\b{program}_PROC_(\w+) =', text)}


def check_procedures(x_files):
    rows = read_procedures()
    listed = collections.Counter((row['program'], row['procedure']) for row in rows)
    known = known_procedures(x_files)
    for key, count in listed.items():
        if count > 1:
            yield f'{key} is listed {count} times'
    for key in known.symmetric_difference(listed):
        yield f'{key} is not in both procedures.tsv and the .x files'


def check_words(x_files):
    for row in read_procedures():
        for column, words in WORDS.items():
            if row[column] not in words:
                yield f'{row["procedure"]}: {column} is "{row[column]}"'
        for rule in row['acl'].split(' '):
            if rule != '-' and not PERMISSION.match(rule):
                yield f'{row["procedure"]}: acl "{rule}"'


def check_structs_belong_to_procedures(x_files):
    expected = {(PREFIXES[program] + name.replace('_', '')).replace('_', '').lower() + part
                for program, name in known_procedures(x_files) for part in ('args', 'ret', 'msg')}
    for text in x_files.values():
        for name in re.findall(r'\bstruct (\w+(?:_args|_ret|_msg|Args|Ret)) \{', text):
            if name.replace('_', '').lower() not in expected:
                yield f'{name} belongs to no procedure'


RULES = {
    'procedures.tsv and the .x files have the same procedures': check_procedures,
    'procedures.tsv uses known words': check_words,
    'every struct of a call or event belongs to a procedure': check_structs_belong_to_procedures,
}


def main():
    x_files = read_x()
    failed = False
    print(f'1..{len(RULES)}')
    for number, (rule, check) in enumerate(RULES.items(), 1):
        faults = list(check(x_files))
        failed |= bool(faults)
        print(f'{"not ok" if faults else "ok"} {number} - {rule}')
        for fault in faults:
            print(f'#   {fault}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
