"""What monitoring does all day: many guests, asked for everything again and again. The daemon's
memory must not grow by it."""

import sys
import time

import libvirt

import guest
import harness

N_GUESTS = 20
WARM_UP_S, DURATION_S = (60, 600) if harness.IS_SOAK else (5, 25)
# A page here and there is the allocator's; a leak of one reply a round would be far more.
GROWTH_KIB = 256
N_SAMPLES = 10
DEVICES = '''<disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='%s'/><target dev='vda' bus='virtio'/></disk>
    <serial type='pty'/><channel type='unix'><target type='virtio' name='org.example.0'/></channel>'''


def poll(connection):
    """One round of a program like virt-top. Returns how many calls it made."""
    domains = connection.listAllDomains()
    for domain in domains:
        domain.info()
        domain.state()
        domain.XMLDesc()
        domain.name(), domain.UUIDString(), domain.autostart(), domain.isUpdated()
    connection.getInfo()
    connection.getCPUStats(-1)
    connection.listDomainsID()
    stats = connection.getAllDomainStats()
    assert len(domains) == len(stats) == N_GUESTS, (len(domains), len(stats))
    return 5 + 5 * len(domains)


@guest.needs_qemu
@harness.not_sanitized
class Polling(guest.TestCase):
    timeout_s = 240 + 2 * DURATION_S

    def start_guests(self, daemon):
        for number in range(N_GUESTS):
            image = self.root / f'{number}.qcow2'
            self.run_command(['qemu-img', 'create', '-q', '-f', 'qcow2', image, '1M'])
            path = self.write(f'{number}.xml', guest.paused_xml(f'guest{number}',
                                                                devices=DEVICES % image))
            self.virsh(daemon, 'create', '--paused', path, timeout_s=harness.PATIENCE_S * 2)

    def test_polling_of_twenty_guests_takes_no_memory(self):
        daemon = self.daemon('virtqemud')
        for folder in (self.root, self.root.parent):
            if folder.name.startswith('sv-'):
                folder.chmod(0o755)  # QEMU may run as a user of its own
        self.start_guests(daemon)
        connection = libvirt.open(daemon.uri())
        self.addCleanup(connection.close)
        begin = time.monotonic()
        n_calls, samples = 0, []
        while time.monotonic() < begin + DURATION_S:
            n_calls += poll(connection)
            if time.monotonic() > begin + WARM_UP_S:
                samples.append((harness.memory_kib(daemon.pid, 'Pss_Anon'), daemon.pss_kib()))
            # Every second where time is long; as often as it goes where it is not.
            time.sleep(1 if harness.IS_SOAK else 0.05)
        early, late = self.least(samples[:N_SAMPLES]), self.least(samples[-N_SAMPLES:])
        sys.stderr.write(f'{n_calls} calls in {DURATION_S} s; own memory and PSS in KiB: {early} '
                         f'after {WARM_UP_S} s, {late} at the end, at most {max(samples)}; '
                         f'{len(daemon.fds())} descriptors\n')
        self.assertGreaterEqual(len(samples), 2 * N_SAMPLES)
        self.assertLessEqual(late[0], early[0] + GROWTH_KIB)

    @staticmethod
    def least(samples):
        """What is left between rounds, of its own memory and of PSS; the latter depends on who
        else has the same libraries loaded."""
        return min(own for own, _ in samples), min(pss for _, pss in samples)
