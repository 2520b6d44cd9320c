#!/usr/bin/python3
"""Holds a built page or example file against the program. Prints TAP.

    check_docs.py keys|options|example PRINT_CONFIG DAEMON FILE
    check_docs.py help PROGRAM --help FILE

keys: the page of a configuration file has every key of the table. options: the page of a
daemon has every option of its help text. example: the example file has every key, each
commented out, and nothing that is not a comment. help: the page of a program has every option of
its help text.
"""

import re
import subprocess
import sys
from pathlib import Path


def printed(*words):
    return subprocess.run(words, check=True, text=True,
                          capture_output=True).stdout


def plain(page):
    """The words of a manual page without the most common escapes of troff."""
    text = re.sub(r'\\f(\[\w*\]|\(..|.)', '', page)
    return text.replace('\\-', '-').replace('\\_', '_').replace('\\', '')


def main():
    kind, program, daemon, path = sys.argv[1:]
    text = Path(path).read_text()
    results = []
    if kind in ('options', 'help'):
        words = [program, '--help'] if kind == 'help' else [program, 'options', daemon]
        wanted = re.findall(r'--[a-z-]+', printed(*words))
        results += [(f'{word} is in the page', word in plain(text)) for word in wanted]
    else:
        wanted = re.findall(r'^``(\w+)``', printed(program, 'rst', daemon), re.M)
    if kind == 'keys':
        results += [(f'{key} is in the page', re.search(rf'\b{key}\b = ', plain(text)))
                    for key in wanted]
    if kind == 'example':
        results += [(f'{key} is commented out', re.search(rf'^#{key} = .', text, re.M))
                    for key in wanted]
        lines = [line for line in text.splitlines() if line and not line.startswith('#')]
        results.append(('all else is comments', not lines))
    results.append(('something was looked for', wanted))
    print(f'1..{len(results)}')
    for number, (name, is_good) in enumerate(results, 1):
        print(f'{"ok" if is_good else "not ok"} {number} - {name}')


if __name__ == '__main__':
    main()
