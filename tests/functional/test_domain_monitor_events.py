"""Events of QEMU's monitor: registrations by name and by pattern."""

import guest
import rpc

REGEX, NOCASE = 1, 2
INVALID_ARG = 8


@guest.needs_qemu
class MonitorEvents(guest.TestCase):
    def setUp(self):
        super().setUp()
        self.qemud = self.daemon('virtqemud')
        self.virsh(self.qemud, 'create', self.write('m.xml', guest.paused_xml('m')), '--paused')

    def client(self):
        client = rpc.Client(self.qemud.socket())
        self.addCleanup(client.close)
        client.auth_list()
        client.open('qemu:///system')
        return client

    def names(self, event, flags):
        """The events that a registration brings while the guest is resumed and suspended."""
        client = self.client()
        client.call('CONNECT_DOMAIN_MONITOR_EVENT_REGISTER', program='QEMU', dom=None,
                    event=event, flags=flags)
        self.virsh(self.qemud, 'resume', 'm')
        self.virsh(self.qemud, 'suspend', 'm')
        client.call('CONNECT_GET_URI')  # what was sent before is here
        return [client.next_event('QEMU')[1]['event'] for _ in list(client.others)]

    def test_all_are_told_without_a_name(self):
        self.assertEqual(self.names(None, 0), ['RESUME', 'STOP'])

    def test_name_is_matched_whole(self):
        self.assertEqual(self.names('STOP', 0), ['STOP'])
        self.assertEqual(self.names('STO', 0), [])
        self.assertEqual(self.names('stop', 0), [])

    def test_name_without_case(self):
        self.assertEqual(self.names('stop', NOCASE), ['STOP'])

    def test_pattern_matches_anywhere(self):
        self.assertEqual(self.names('S[TU]', REGEX), ['RESUME', 'STOP'])
        self.assertEqual(self.names('^s', REGEX | NOCASE), ['STOP'])

    def test_broken_pattern_is_refused(self):
        with self.assertRaises(rpc.Error) as caught:
            self.names('(', REGEX)
        self.assertEqual(caught.exception.code, INVALID_ARG)
