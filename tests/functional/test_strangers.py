"""What a client may do that is not let in yet, or will not be."""

import array
import os
import socket

import harness
import kit
import rpc

LONG = 1024 * 1024
CONFIG = {'auth_unix_rw': 'polkit', 'unix_sock_rw_perms': '0777'}


def long_frame(serial, length=LONG):
    return rpc.Frame(rpc.program_number('REMOTE'), 1,
                     rpc.TYPES.procedures('REMOTE')['CONNECT_GET_TYPE'], rpc.CALL, serial, rpc.OK,
                     bytes(length))


class Strangers(kit.TestCase):
    def assert_cut_off(self, client, length=LONG):
        try:
            client.send(long_frame(7, length))
            client.reply_to(7)
        except (rpc.Closed, OSError):
            return
        self.fail('a long frame was taken')

    @harness.needs_root
    def test_client_that_has_not_authenticated_sends_no_long_frames(self):
        daemon = self.daemon('virtqemud', config=CONFIG)
        self.assert_cut_off(self.connect_as_nobody(daemon))

    @harness.needs_root
    def test_client_that_is_trusted_sends_long_frames(self):
        client = self.connect(self.daemon('virtqemud', config=CONFIG))
        client.send(long_frame(7))
        self.assertEqual(client.reply_to(7).status, rpc.ERROR)

    def test_client_over_the_limit_sends_no_long_frames(self):
        daemon = self.daemon('virtqemud', config={'max_clients': 1, 'max_anonymous_clients': 1})
        first = self.connect(daemon)
        first.auth_list()
        # There may be thousands of them.
        self.assert_cut_off(self.connect(daemon), 20000)

    def send_descriptors(self, client):
        """As many as a send can carry, on bytes of a frame whose end does not come."""
        fd = os.open('/dev/null', os.O_RDONLY)
        client.socket.sendmsg([b'\0\0\0\x64'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                                  array.array('i', [fd] * 32))])
        os.close(fd)

    def assert_descriptors_go(self, daemon, clients, served):
        for client in clients:
            self.send_descriptors(client)
        # The daemon has read what came before this.
        for _ in range(3):
            served.call('CONNECT_GET_TYPE')
        self.assertLess(len(daemon.fds()), 100, daemon.fds())

    @harness.needs_root
    def test_client_that_has_not_authenticated_leaves_no_descriptors(self):
        daemon = self.daemon('virtqemud', config=CONFIG)
        clients = [self.connect_as_nobody(daemon) for _ in range(5)]
        self.assert_descriptors_go(daemon, clients, self.open(daemon))

    def test_client_over_the_limit_leaves_no_descriptors(self):
        daemon = self.daemon('virtqemud', config={'max_clients': 1, 'max_anonymous_clients': 1})
        served = self.open(daemon)
        # They are kept for a moment, to be told.
        self.assert_descriptors_go(daemon, [self.connect(daemon) for _ in range(5)], served)
