"""Reading TAP: how many tests passed, failed and were skipped in a text."""

import re
from dataclasses import dataclass, field

LINE = re.compile(r'^(not )?ok\b\s*\d*\s*-?\s*(.*)$')
PLAN = re.compile(r'^1\.\.(\d+)')


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list = field(default_factory=list)
    skips: list = field(default_factory=list)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures
        self.skips += other.skips

    def fail(self, name):
        self.failed += 1
        self.failures.append(name)

    @property
    def total(self):
        return self.passed + self.failed + self.skipped


def count(text):
    """The counts of the TAP lines in text, subtests (indented) aside. A plan that
    promised more tests than were reported is one failure."""
    counts = Counts()
    planned = None
    for line in text.splitlines():
        plan = PLAN.match(line)
        if plan:
            planned = int(plan.group(1))
        if line.startswith('Bail out!'):
            counts.fail(line)
        match = LINE.match(line)
        if not match:
            continue
        name = match.group(2)
        directive = re.search(r'#\s*(SKIP|TODO)\b', name, re.I)
        if directive:
            counts.skipped += 1
            counts.skips.append(name)
        elif match.group(1):
            counts.fail(name)
        else:
            counts.passed += 1
    if planned is not None and counts.total < planned:
        counts.fail(f'{planned - counts.total} of {planned} planned tests never reported')
    return counts
