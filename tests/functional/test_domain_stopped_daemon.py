"""virtqemud is told to stop while it is busy with a guest: it ends at once, and what it has not
finished the next one does."""

import os
import signal

import domain_case
import guest
import harness
import test_domain_log

NOBODY = 65534


@guest.needs_qemu
@harness.needs_root
class EndsOfGuests(test_domain_log.LogdCase):
    """The end of a guest is held up by a virtlogd that does not answer."""

    def setUp(self):
        super().setUp()
        self.image = self.root / 'disk.img'
        self.image.write_bytes(bytes(1 << 20))
        self.define('a', devices=f"""<disk type='file'><driver name='qemu' type='raw'/>
            <source file='{self.image}'/><target dev='vda' bus='virtio'/></disk>""")
        self.sh('start', 'a', '--paused')

    def start_qemud(self, **options):
        conf = self.root / 'etc/libvirt/qemu.conf'
        conf.parent.mkdir(parents=True, exist_ok=True)
        conf.write_text(f'user = "+{NOBODY}"\ngroup = "+{NOBODY}"\nstdio_handler = "logd"\n')
        return super().start_qemud(**options)

    def is_ending(self):
        return 'domain is not running' in self.sh('domcontrol', 'a', status=None)

    def stop_within_the_end(self):
        """The guest dies, and the daemon stops before it has cleaned up behind it."""
        self.signal_virtlogd(signal.SIGSTOP)
        self.signal_qemu(signal.SIGKILL)
        harness.wait_until(self.is_ending, 'the guest is known to have ended')
        self.qemud.stop()
        self.signal_virtlogd(signal.SIGCONT)

    def signal_virtlogd(self, number):
        os.kill(self.virtlogd_pid(), number)

    def test_next_daemon_gives_the_disk_back(self):
        self.assertEqual(self.image.stat().st_uid, NOBODY)
        self.stop_within_the_end()
        self.qemud.start()
        self.wait_state('shut off (crashed)')
        self.check_gone()
        self.assertEqual(self.image.stat().st_uid, 0)
        self.wait_log('shutting down, reason=crashed$')

    def test_daemon_says_nothing_of_what_the_next_one_does(self):
        self.stop_within_the_end()
        said = self.qemud.output()
        for words in ('keeps QEMU', 'was cancelled', 'cannot be given back'):
            self.assertNotIn(words, said)
