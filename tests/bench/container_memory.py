#!/usr/bin/python3
"""Memory of each daemon alone in its container, idle, as a table: docs/containers.md has it.

    tests/bench/container_memory.py [--build DIR]

PSS counts a page by its share in it: with libraries of its own, as in an image of its own, a daemon
pays for all of them. Its own data is what it would cost beside others that share all files.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'functional')]
SETTLE_S = 2


class Scratch(contextlib.ExitStack):
    """What containers need of a test."""

    def __init__(self, root):
        super().__init__()
        self.root = Path(root)

    def addCleanup(self, function, *args):
        self.callback(function, *args)


def measure(name, suite_folder, root):
    import container
    import harness
    with Scratch(root) as scratch:
        context = scratch.root / f'{name}.context'
        subprocess.run([container.COLLECT, context / 'rootfs', f'/usr/sbin/{name}'], check=True,
                       env={**os.environ, 'DESTDIR': str(suite_folder)})
        image = container.Image(container.FILES / f'{name}.Containerfile', context,
                                scratch.root / name)
        size = sum(path.lstat().st_size for path in image.folder.rglob('*'))
        running = container.Container(scratch, image, container.capabilities_of(name))
        time.sleep(SETTLE_S)
        pid = running.pid_of(name)
        pss, own = (harness.memory_kib(pid, field) / 1024 for field in ('Pss', 'Anonymous'))
        print(f'| `{name}` | {size / 2**20:.1f} | {pss:.1f} | {own:.1f} |')
        running.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', default='build')
    options = parser.parse_args()
    os.environ['SPLITVIRT_BUILD'] = str(Path(options.build).resolve())
    import namespaces
    if not namespaces.enter():
        sys.exit('needs root, and private namespaces')
    import container
    import harness
    print('| daemon | image, MiB | PSS, MiB | of it its own data, MiB |')
    print('| --- | --- | --- | --- |')
    with tempfile.TemporaryDirectory(prefix='sv-') as root:
        suite_folder = Path(root) / 'suite'
        container.install(suite_folder)
        for name in harness.DAEMONS:
            measure(name, suite_folder, root)


if __name__ == '__main__':
    main()
