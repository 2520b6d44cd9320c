"""What a client may do that is not let in yet, or will not be."""

import harness
import kit
import rpc

LONG = 1024 * 1024
CONFIG = {'auth_unix_rw': 'polkit', 'unix_sock_rw_perms': '0777'}


def long_frame(serial):
    return rpc.Frame(rpc.program_number('REMOTE'), 1,
                     rpc.TYPES.procedures('REMOTE')['CONNECT_GET_TYPE'], rpc.CALL, serial, rpc.OK,
                     bytes(LONG))


class Strangers(kit.TestCase):
    def assert_cut_off(self, client):
        try:
            client.send(long_frame(7))
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
        self.assert_cut_off(self.connect(daemon))
