"""virtqemud is told to stop while it is busy with a guest: it ends at once, and what it has not
finished the next one does."""

import contextlib
import os
import signal
import socket
import threading
from pathlib import Path

import domain_case
import guest
import hanging_fs
import harness
import test_domain_log
from test_domain_hanging_files import needs_fuse

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


@needs_fuse
class Load(domain_case.TestCase):
    """The daemon is stopped while it reads its definitions, one of which takes its time."""

    def waits_for_file(self):
        """Whether a thread of the daemon waits for the file system."""
        for task in Path(f'/proc/{self.qemud.pid}/task').iterdir():
            with contextlib.suppress(OSError):
                if 'request_wait_answer' in (task / 'wchan').read_text():
                    return True
        return False

    def test_daemon_ends_when_the_file_is_read(self):
        self.start_qemud()
        for name in 'abcd':
            self.define(name)
        self.qemud.stop()
        self.qemud.configure({'log_level': 2})
        with hanging_fs.HangingFs(self.root / 'far') as fs:
            # Not the first of those that are read side by side, which is waited for first.
            (self.config_folder() / 'b.xml').unlink()
            (self.config_folder() / 'b.xml').symlink_to(fs.disk)
            fs.hang()
            self.qemud.start()
            harness.wait_until(self.waits_for_file, 'the file is read')
            self.qemud.process.send_signal(signal.SIGTERM)
            harness.wait_until(lambda: '0 calls in flight' in self.qemud.output(), 'it stops')
            fs.go_on()
            self.assertEqual(self.qemud.wait(), 0)


@guest.needs_qemu
class Streams(domain_case.TestCase):
    """The daemon is stopped while it sends what a channel says to a client."""

    def serve_channel(self, path):
        """In QEMU's place: says something for as long as it is listened to."""
        path.unlink()
        listening = socket.socket(socket.AF_UNIX)
        self.addCleanup(listening.close)
        listening.bind(str(path))
        listening.listen(1)

        def serve():
            with contextlib.suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    while connection.send(b'line\n' * 10000):
                        continue
        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)

    def test_client_that_does_not_read(self):
        self.start_qemud()
        self.define_and_start(devices="""<channel type='unix'><source mode='bind'/>
            <target type='virtio' name='said'/></channel>""")
        path, = (self.root / 'var/lib/libvirt/qemu/channel/target').glob('*/said')
        self.serve_channel(path)
        client = self.client()
        client.call('DOMAIN_OPEN_CHANNEL', dom=self.domain(client), name='said')
        seen = [0]

        def reads_no_more():
            """The daemon, by the kernel's account: the client's queue is full."""
            with open(f'/proc/{self.qemud.pid}/io', encoding='ascii') as lines:
                seen.append(int(next(lines).split()[1]))
            return seen[-1] > 1 << 20 and seen[-1] == seen[-2]
        harness.wait_until(reads_no_more, 'the queue is full')
        self.qemud.stop()
