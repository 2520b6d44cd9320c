"""A guest that really boots: power button, reset, consoles and channels."""

import os
import time

import domain_case
import guest
import harness
import rpc

PORT = 'org.splitvirt.test.0'
CHANNEL = f"<channel type='unix'><target type='virtio' name='{PORT}'/></channel>"
FORCE, SAFE = 1, 2
CHUNK = 65536


@guest.needs_image
class Boot(domain_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_qemud()

    def boot(self, arguments='', **options):
        """Defines and starts the guest, and waits until it is up."""
        path = self.serial('a')
        # QEMU writes it as its own user.
        self.sh('define', self.write('a.xml', guest.booting_xml(path, 'a', arguments=arguments,
                                                                **options)))
        self.sh('start', 'a')
        return guest.wait_for_marker(path)

    def test_power_button_shuts_it_down(self):
        self.boot()
        self.sh('shutdown', 'a')
        harness.wait_until(lambda: self.state() == 'shut off (shutdown)', 'it is off',
                           guest.BOOT_S)
        self.check_gone()

    def test_end_by_itself_is_told_in_order(self):
        self.boot()
        client = self.client()
        self.watch(client)
        client.timeout_s = guest.BOOT_S
        client.socket.settimeout(guest.BOOT_S)
        self.sh('shutdown', 'a')
        self.assertEqual([self.next_lifecycle(client)[0] for _ in range(2)],
                         [domain_case.SHUTDOWN, domain_case.STOPPED])

    def test_reboot_boots_it_again(self):
        self.boot()
        pid = self.qemu_pid()
        self.sh('reboot', 'a')
        guest.wait_for_marker(self.serial('a'), count=2)
        self.assertEqual(self.qemu_pid(), pid)
        self.assertTrue(self.state().startswith('running'))

    def test_reset_boots_it_again(self):
        self.boot()
        self.sh('reset', 'a')
        guest.wait_for_marker(self.serial('a'), count=2)

    def test_power_button_works_after_the_daemon_was_killed(self):
        self.boot()
        self.crash_qemud()
        self.sh('shutdown', 'a')
        harness.wait_until(lambda: self.state() == 'shut off (shutdown)', 'it is off',
                           guest.BOOT_S)
        self.check_gone()

    def test_reboot_that_was_asked_for_before_the_daemon_was_killed(self):
        self.boot()
        self.sh('reboot', 'a')
        self.crash_qemud()
        guest.wait_for_marker(self.serial('a'), count=2)
        harness.wait_until(lambda: self.state().startswith('running'), 'it runs')

    def test_guest_that_powers_off_while_no_daemon_runs_is_shut_off(self):
        self.boot('guest.exit=1')
        self.qemud.kill()
        guest.wait_for_marker(self.serial('a'), 'GUEST-POWEROFF')
        time.sleep(1)
        self.qemud.start()
        harness.wait_until(lambda: self.state().startswith('shut off'), 'it is off')
        self.check_gone()

    def test_channel_brings_back_what_it_is_sent(self):
        self.boot(devices=CHANNEL)
        stream = Stream(self.client(), 'DOMAIN_OPEN_CHANNEL', dom=self.domain(self.client()),
                        name=PORT)
        stream.send(b'hello there\n')
        stream.wait_for(b'hello there')
        stream.finish()


class Stream:
    """A stream of raw frames, as a client's library would have it."""

    def __init__(self, client, procedure, **args):
        self.client = client
        kind = rpc.struct_name('REMOTE', procedure, 'args')
        self.procedure = rpc.TYPES.procedures('REMOTE')[procedure]
        self.serial = client.send_call('REMOTE', procedure,
                                       rpc.TYPES.pack(kind, {**rpc.TYPES.empty(kind), **args}))
        client.result('REMOTE', procedure, client.reply_to(self.serial))
        self.data = b''

    def frame(self, status, payload=b''):
        return rpc.Frame(rpc.program_number('REMOTE'), 1, self.procedure, rpc.STREAM, self.serial,
                         status, payload)

    def send(self, data):
        self.client.send(self.frame(rpc.CONTINUE, data))

    def receive(self):
        """The next frame of the stream."""
        def is_mine(frame):
            return frame.kind == rpc.STREAM and frame.serial == self.serial
        kept = [frame for frame in self.client.others if is_mine(frame)]
        if kept:
            self.client.others.remove(kept[0])
        frame = kept[0] if kept else self.client.receive_matching(is_mine)
        if frame.status == rpc.ERROR:
            raise rpc.Error(rpc.TYPES.unpack('virNetMessageError', frame.payload))
        return frame

    def wait_for(self, text):
        while text not in self.data:
            frame = self.receive()
            if not frame.payload:
                raise AssertionError(f'the stream ended behind {self.data[-200:]}')
            self.data += frame.payload

    def wait_end(self):
        """Reads to the end, which may be an error."""
        try:
            while self.receive().payload:
                pass
        except rpc.Error:
            pass

    def finish(self):
        self.client.send(self.frame(rpc.OK))
        while self.receive().status != rpc.OK:
            pass


@guest.needs_qemu
class Console(domain_case.TestCase):
    """Who has the console of a guest."""

    def setUp(self):
        super().setUp()
        self.start_qemud()
        self.define_and_start(devices="<serial type='pty'/>")
        self.other = self.client()
        self.dom = self.domain(self.other)

    def open(self, flags=0):
        return Stream(self.client(), 'DOMAIN_OPEN_CONSOLE', dom=self.dom, flags=flags)

    def refused(self, flags=0):
        with self.assertRaises(rpc.Error) as caught:
            self.open(flags)
        return caught.exception

    def test_second_client_is_refused(self):
        first = self.open()
        self.assertIn('Active console session exists', self.refused().message)
        first.finish()

    def test_force_takes_it_from_the_first(self):
        first = self.open()
        second = self.open(FORCE)
        first.wait_end()
        second.finish()

    def test_safe_is_given(self):
        self.open(SAFE).finish()

    def test_it_can_be_opened_again(self):
        for _ in range(10):
            self.open(SAFE).finish()

    def test_it_is_free_when_its_client_has_gone(self):
        self.open().client.close()

        def reopened():
            try:
                return self.open()
            except rpc.Error:
                return None
        harness.wait_until(reopened, 'the console is free').finish()

    def test_it_ends_with_the_guest(self):
        stream = self.open()
        self.sh('destroy', 'a')
        stream.wait_end()

    def test_unknown_console_is_refused(self):
        with self.assertRaises(rpc.Error):
            Stream(self.client(), 'DOMAIN_OPEN_CONSOLE', dom=self.dom, dev_name='serial9')

    def test_guest_without_a_console_is_refused(self):
        self.define_and_start('b')
        with self.assertRaises(rpc.Error):
            Stream(self.client(), 'DOMAIN_OPEN_CONSOLE', dom=self.domain(self.other, 'b'))

    def test_what_a_stuck_guest_is_sent_stops_nobody_else(self):
        with self.stopped_qemu():
            stream = self.open()
            stream.client.socket.settimeout(1)
            try:
                for _ in range(200):
                    stream.send(os.urandom(CHUNK))
            except TimeoutError:
                pass
            self.define('b')
            self.assertEqual(self.state('b'), 'shut off (unknown)')
            stream.client.close()
        self.sh('destroy', 'a')
        self.check_gone()
