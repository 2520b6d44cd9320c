"""What tests of virtqemud share that need a logind and a systemd which do as they are told:
host_manager.py on a bus of the test's own."""

import subprocess

import domain_case
import harness
import private_bus

# What logind hears from a daemon that wants to end guests.
HOLDS = 'INHIBIT shutdown virtqemud delay'


class HostManager(private_bus.PrivateBus):
    """The bus of one test, and who is on it."""

    def __init__(self, test, cgroup_folder='/nowhere'):
        super().__init__(test)
        self.cgroup_folder = cgroup_folder
        self.n_starts = 0
        self.begin()

    def begin(self):
        self.n_starts += 1
        self.said_path = self.test.root / f'host-manager.said{self.n_starts}'
        self.daemon = self.start()
        self.manager = self.start_service('host_manager.py', self.said_path,
                                          str(self.cgroup_folder), stdin=subprocess.PIPE, text=True)

    def restart(self):
        """The bus goes and comes back, and so does who was on it."""
        for process in (self.manager, self.daemon):
            process.kill()
            process.wait()
        self.path.unlink()
        self.begin()

    def tell(self, command):
        """Gives a command, and waits until it was carried out."""
        count = self.said().count(f'DONE {command}')
        self.manager.stdin.write(f'{command}\n')
        self.manager.stdin.flush()
        self.wait_for(f'DONE {command}', count + 1)

    def said(self):
        return self.said_path.read_text().splitlines()

    def wait_for(self, line, count=1):
        def is_said():
            return sum(each.startswith(line) for each in self.said()) >= count
        harness.wait_until(is_said, f'the host manager says {line!r} {count} times')


class TestCase(domain_case.TestCase):
    def conf(self, **values):
        """Writes qemu.conf."""
        folder = self.root / 'etc/libvirt'
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'qemu.conf').write_text(''.join(
            f'{key} = {value}\n' if isinstance(value, int) else f'{key} = "{value}"\n'
            for key, value in values.items()))

    def start_with(self, cgroup_folder='/nowhere', **values):
        """virtqemud with these settings and a logind, whose lock it holds if it wants to."""
        self.conf(**values)
        self.bus = HostManager(self, cgroup_folder)
        self.start_qemud(env={'DBUS_SYSTEM_BUS_ADDRESS': self.bus.address})
        if {'all', 'persistent', 'transient'} & set(values.values()):
            self.bus.wait_for(HOLDS)
