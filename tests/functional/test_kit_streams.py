"""Streams of the daemon kit: data both ways, ends of every kind, and bounded memory."""

import socket
import struct
import time

import harness
import kit
import rpc

UPLOAD, DOWNLOAD = 'STORAGE_VOL_UPLOAD', 'STORAGE_VOL_DOWNLOAD'
CHUNK = b'u' * (256 * 1024 - 24)
LARGE = (400 if harness.IS_SOAK else 30) * kit.MIB


class Streams(kit.TestCase):
    timeout_s = 120

    def setUp(self):
        super().setUp()
        self.server = self.kitd('virtstoraged')
        self.other = self.open(self.server)

    def running(self):
        return self.other.call('CONNECT_NUM_OF_STORAGE_POOLS')['num']

    def wait_for_running(self, count):
        harness.wait_until(lambda: self.running() == count, f'{count} streams run')

    def received(self):
        info = self.other.call('STORAGE_VOL_GET_INFO', vol=kit.volume('any'))
        return info['capacity'], info['allocation']

    def stream(self, procedure, name, client=None):
        return kit.Stream(client or self.open(self.server), procedure, name).opened()

    def test_download_brings_all_data(self):
        data = self.stream(DOWNLOAD, f'bytes-{LARGE}').read()
        self.assertEqual((len(data), data.count(b'd')), (LARGE, LARGE))
        self.wait_for_running(0)

    def test_empty_download_ends_at_once(self):
        self.assertEqual(self.stream(DOWNLOAD, 'bytes-0').read(), b'')

    def test_download_brings_holes(self):
        stream = self.stream(DOWNLOAD, 'holes-1000000')
        data = stream.read()
        self.assertEqual(len(data), 1000000)
        self.assertEqual(data[65536:131072], bytes(65536))

    def test_upload_takes_all_data(self):
        stream = self.stream(UPLOAD, 'take')
        for _ in range(LARGE // len(CHUNK)):
            stream.send(CHUNK)
        self.assertEqual(stream.finish().status, rpc.OK)
        self.assertEqual(self.received(), (LARGE // len(CHUNK) * len(CHUNK), 0))

    def test_upload_takes_holes(self):
        stream = self.stream(UPLOAD, 'take')
        stream.send(b'abc')
        stream.send_hole(1 << 40)
        stream.send(b'def')
        stream.finish()
        self.assertEqual(self.received(), (6, 1 << 40))

    def test_nothing_is_sent_or_waited_for_behind_the_end(self):
        stream = self.stream(UPLOAD, 'again')
        stream.send(b'abc')
        self.assertEqual(stream.finish().status, rpc.OK)
        self.wait_for_running(0)
        self.assertEqual(self.received(), (3, 0))

    def test_negative_hole_aborts_the_stream(self):
        stream = self.stream(UPLOAD, 'take')
        stream.send_hole(-1)
        with self.assertRaises(rpc.Error):
            stream.next()
        self.wait_for_running(0)

    def test_hole_cut_short_aborts_the_stream(self):
        stream = self.stream(UPLOAD, 'take')
        stream.send(b'\0\0\0\0', kind=rpc.STREAM_HOLE)
        with self.assertRaises(rpc.Error):
            stream.next()
        self.wait_for_running(0)

    def test_unknown_status_aborts_the_stream(self):
        stream = self.stream(UPLOAD, 'take')
        stream.send(b'abcd', status=9)
        with self.assertRaises(rpc.Error):
            stream.next()
        self.wait_for_running(0)

    def test_daemon_aborts_a_download_with_its_reason(self):
        stream = self.stream(DOWNLOAD, 'abort-100000')
        with self.assertRaises(rpc.Error) as caught:
            stream.read()
        self.assertIn('the disk is gone', str(caught.exception))
        self.wait_for_running(0)

    def test_daemon_aborts_an_upload_with_its_reason(self):
        stream = self.stream(UPLOAD, 'abort-100000')
        for _ in range(10):
            stream.send(CHUNK)
        with self.assertRaises(rpc.Error) as caught:
            stream.next()
        self.assertIn('the disk is gone', str(caught.exception))
        self.assertEqual(stream.client.call('CONNECT_GET_TYPE')['type'], 'storage')

    def test_stream_that_nobody_ended_is_aborted(self):
        stream = self.stream(DOWNLOAD, 'leave-1000')
        with self.assertRaises(rpc.Error):
            stream.read()

    def test_client_aborts_a_download(self):
        stream = self.stream(DOWNLOAD, 'bytes-100000000')
        stream.next()
        stream.abort()
        while stream.next().status != rpc.OK:
            pass
        self.assertEqual(stream.client.call('CONNECT_GET_TYPE')['type'], 'storage')
        self.wait_for_running(0)

    def test_client_aborts_an_upload(self):
        stream = self.stream(UPLOAD, 'take')
        stream.send(CHUNK)
        stream.abort()
        self.assertEqual(stream.next().status, rpc.OK)
        self.wait_for_running(0)

    def test_client_that_vanishes_ends_its_streams(self):
        self.running()
        with self.server.returns_to_base_line(kib=8192):
            for procedure, name in ((DOWNLOAD, 'bytes-100000000'), (UPLOAD, 'take'),
                                    (UPLOAD, 'slow-1000')):
                client = self.open(self.server)
                stream = self.stream(procedure, name, client)
                if procedure == UPLOAD:
                    stream.send(CHUNK)
                else:
                    stream.next()
                client.close()
            self.wait_for_running(0)

    def test_client_that_vanishes_while_a_stream_opens_leaves_nothing_behind(self):
        self.running()
        with self.server.returns_to_base_line():
            for _ in range(50):
                client = self.open(self.server)
                kit.Stream(client, DOWNLOAD, 'bytes-100000000')
                client.close()
            self.wait_for_running(0)

    def test_download_that_nobody_reads_waits_in_bounded_memory(self):
        before = self.server.pss_kib()
        stream = self.stream(DOWNLOAD, 'bytes-500000000')
        time.sleep(0.5)
        self.assertLess(self.server.pss_kib(), before + 16 * 1024)
        self.assertLess(self.latencies_ms(self.other)[25], 20)
        stream.client.close()
        self.wait_for_running(0)

    def upload_until_stopped(self, stream, data, most):
        """Sends data again and again until the daemon takes no more; returns the bytes taken."""
        stream.client.socket.settimeout(1)
        n_sent = 0
        try:
            while n_sent < most:
                stream.client.socket.sendall(data)
                n_sent += len(data)
        except socket.timeout:
            pass
        return n_sent

    def assert_held_up(self, frame, most, kib):
        before = self.server.pss_kib()
        stream = self.stream(UPLOAD, 'slow-300000')
        frame = rpc.Frame(kit.PROGRAM, 1, stream.procedure, frame.kind, stream.serial,
                          frame.status, frame.payload).encode()
        data = frame * max(1, 65536 // len(frame))
        self.assertLess(self.upload_until_stopped(stream, data, most), most)
        self.assertLess(self.server.pss_kib(), before + kib)
        self.assert_serves(self.server)
        stream.client.close()
        self.wait_for_running(0)

    def frame(self, payload, kind=rpc.STREAM, status=rpc.CONTINUE):
        return rpc.Frame(0, 0, 0, kind, 0, status, payload)

    def test_upload_that_nobody_takes_is_held_up(self):
        self.assert_held_up(self.frame(CHUNK), 60 * kit.MIB, 16 * 1024)

    def test_upload_of_empty_frames_is_held_up(self):
        self.assert_held_up(self.frame(b''), 20 * kit.MIB, 16 * 1024)

    def test_upload_of_holes_is_held_up(self):
        hole = struct.pack('>qI', 1, 0)
        self.assert_held_up(self.frame(hole, rpc.STREAM_HOLE), 20 * kit.MIB, 16 * 1024)

    def test_slow_upload_comes_to_its_end(self):
        stream = self.stream(UPLOAD, 'slow-1000')
        for _ in range(60):
            stream.send(CHUNK)
        stream.finish()
        self.assertEqual(self.received(), (60 * len(CHUNK), 0))

    def test_frames_behind_the_end_abort_the_stream(self):
        stream = self.stream(UPLOAD, 'slow-100000')
        stream.send(status=rpc.OK)
        stream.send(b'more')
        with self.assertRaises(rpc.Error):
            stream.next()
        self.wait_for_running(0)

    def test_many_streams_run_at_once(self):
        client = self.open(self.server)
        count = 100
        streams = [self.stream(DOWNLOAD, 'bytes-300000', client) for _ in range(count)]
        sizes = {stream.serial: 0 for stream in streams}
        by_serial = {stream.serial: stream for stream in streams}
        left = count
        frames = client.others
        while left:
            frame = frames.pop(0) if frames else client.receive()
            sizes[frame.serial] += len(frame.payload)
            if frame.status == rpc.OK:
                left -= 1
            elif not frame.payload:
                by_serial[frame.serial].send(status=rpc.OK)
        self.assertEqual(set(sizes.values()), {300000})
        self.wait_for_running(0)

    def test_streams_of_one_client_are_limited(self):
        client = self.open(self.server)
        for _ in range(256):
            self.stream(DOWNLOAD, 'silent', client)
        with self.assertRaises(rpc.Error) as caught:
            self.stream(DOWNLOAD, 'silent', client)
        self.assertIn('at most 256', str(caught.exception))
        self.stream(DOWNLOAD, 'bytes-10')
        client.close()
        self.wait_for_running(257 - 1 + 1)

    def test_serial_of_an_open_stream_is_not_given_to_another(self):
        client = self.open(self.server)
        payload = kit.pack(DOWNLOAD, vol=kit.volume('bytes-100000000'))
        for _ in range(2):
            client.send(rpc.Frame(kit.PROGRAM, 1, kit.number_of(DOWNLOAD), rpc.CALL, 9, rpc.OK,
                                  payload))
        replies = []
        while len(replies) < 2:
            frame = client.receive()
            if frame.kind == rpc.REPLY:
                replies.append(frame.status)
        self.assertEqual(sorted(replies), [rpc.OK, rpc.ERROR])
        client.close()
        self.wait_for_running(0)

    def test_calls_go_on_beside_a_stream(self):
        client = self.open(self.server)
        stream = self.stream(DOWNLOAD, 'bytes-20000000', client)
        serials = [client.send_call('REMOTE', 'CONNECT_GET_TYPE') for _ in range(50)]
        size = 0
        while size < 20000000 or serials:
            frame = client.receive()
            if frame.kind == rpc.REPLY:
                serials.remove(frame.serial)
            else:
                size += len(frame.payload)
        stream.send(status=rpc.OK)

    def test_stop_of_the_daemon_ends_streams(self):
        stream = self.stream(DOWNLOAD, 'bytes-500000000')
        self.stream(UPLOAD, 'take')
        self.server.stop()
        with self.assertRaises((rpc.Closed, ConnectionError)):
            while True:
                stream.next()
