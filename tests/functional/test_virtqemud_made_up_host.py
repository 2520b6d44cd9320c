"""Host calls that cannot be tried on the machine at hand, or would change it: virtqemud sees a
/sys that the test has made. Everything else, the daemon and its clients, is real."""

import time

import harness
import rpc
from made_up_sysfs import SMBIOS_ENTRY, smbios_structure

ARGUMENT_UNSUPPORTED, OPERATION_INVALID, CONFIG_UNSUPPORTED, OPERATION_FAILED = 74, 55, 67, 9


@harness.needs_private_namespaces
class MadeUpHost(harness.TestCase):
    FILES = {'devices/system/cpu/present': '0-1', 'devices/system/cpu/online': '0-1',
             'power/state': 'freeze mem', 'class/rtc/rtc0/wakealarm': '',
             'kernel/mm/hugepages/hugepages-2048kB/nr_hugepages': '3',
             'kernel/mm/hugepages/hugepages-2048kB/free_hugepages': '2'}

    def setUp(self):
        super().setUp()
        self.sys = self.root / 'sys'
        for name, text in self.FILES.items():
            self.write(name, text)

    def write(self, name, data):
        path = self.sys / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)

    def read(self, name):
        return (self.sys / name).read_text()

    def client(self):
        script = f'mount --bind {self.sys} /sys && exec "$0" "$@"'
        qemud = self.daemon('virtqemud', wrapper=['unshare', '--mount', '--propagation', 'private',
                                                  'sh', '-c', script])
        client = rpc.Client(qemud.socket())
        self.addCleanup(client.close)
        client.auth_list()
        client.open()
        return client

    def assert_fails(self, code, client, procedure, **args):
        with self.assertRaises(rpc.Error) as caught:
            client.call(procedure, **args)
        self.assertEqual(caught.exception.code, code)

    def test_sleep_is_answered_before_it_begins(self):
        client = self.client()
        client.call('NODE_SUSPEND_FOR_DURATION', target=0, duration=60)
        self.assertEqual(self.read('power/state'), self.FILES['power/state'])
        self.assertEqual(self.read('class/rtc/rtc0/wakealarm'), '+60')

    def test_host_is_sent_to_sleep(self):
        client = self.client()
        client.call('NODE_SUSPEND_FOR_DURATION', target=0, duration=60)
        harness.wait_until(lambda: self.read('power/state').startswith('mem'), 'the host sleeps')

    def test_second_sleep_is_refused_while_the_first_is_coming(self):
        client = self.client()
        # Sent together: the first is answered, and the host asleep, in half a second.
        first, second = (client.send_call('REMOTE', 'NODE_SUSPEND_FOR_DURATION', rpc.TYPES.pack(
            'remote_node_suspend_for_duration_args',
            {'target': 0, 'duration': duration, 'flags': 0})) for duration in (60, 90))
        self.assertEqual(client.reply_to(first).status, rpc.OK)
        with self.assertRaises(rpc.Error) as caught:
            client.result('REMOTE', 'NODE_SUSPEND_FOR_DURATION', client.reply_to(second))
        self.assertEqual(caught.exception.code, OPERATION_INVALID)

    def test_host_can_sleep_again(self):
        client = self.client()

        def can_sleep():
            self.write('power/state', self.FILES['power/state'])
            try:
                client.call('NODE_SUSPEND_FOR_DURATION', target=0, duration=60)
            except rpc.Error:
                time.sleep(0.1)
                return False
            return True
        client.call('NODE_SUSPEND_FOR_DURATION', target=0, duration=60)
        harness.wait_until(can_sleep, 'the host can be sent to sleep again')

    def test_sleep_that_the_host_has_not_is_refused(self):
        self.assert_fails(ARGUMENT_UNSUPPORTED, self.client(), 'NODE_SUSPEND_FOR_DURATION',
                          target=1, duration=60)

    def test_daemon_that_ends_lets_the_host_awake(self):
        client = self.client()
        client.call('NODE_SUSPEND_FOR_DURATION', target=0, duration=60)
        self.daemons[0].stop()
        self.assertEqual(self.read('power/state'), self.FILES['power/state'])

    def test_huge_pages_are_added(self):
        result = self.client().call('NODE_ALLOC_PAGES', pageSizes=[2048], pageCounts=[4],
                                    cellCount=1)
        self.assertEqual(result['ret'], 1)
        self.assertEqual(self.read('kernel/mm/hugepages/hugepages-2048kB/nr_hugepages'), '7')

    def test_huge_pages_are_set(self):
        self.client().call('NODE_ALLOC_PAGES', pageSizes=[2048], pageCounts=[4], cellCount=1,
                           flags=1)
        self.assertEqual(self.read('kernel/mm/hugepages/hugepages-2048kB/nr_hugepages'), '4')

    def test_free_huge_pages_are_counted(self):
        result = self.client().call('NODE_GET_FREE_PAGES', pages=[2048], cellCount=1)
        self.assertEqual(result['counts'], [2])

    def test_pool_that_the_host_has_not_is_refused(self):
        self.assert_fails(OPERATION_FAILED, self.client(), 'NODE_ALLOC_PAGES',
                          pageSizes=[1048576], pageCounts=[1], cellCount=1)

    def test_system_information_is_the_firmwares(self):
        self.write('firmware/dmi/tables/smbios_entry_point', SMBIOS_ENTRY)
        self.write('firmware/dmi/tables/DMI',
                   smbios_structure(1, bytes([1, 2, 0, 0]) + bytes(19), b'Maker & Co', b'Box <1>')
                   + smbios_structure(127, b''))
        text = self.client().call('CONNECT_GET_SYSINFO')['sysinfo']
        self.assertIn("<entry name='manufacturer'>Maker &amp; Co</entry>", text)
        self.assertIn("<entry name='product'>Box &lt;1&gt;</entry>", text)

    def test_host_is_known_by_the_uuid_of_its_firmware(self):
        self.write('firmware/dmi/tables/smbios_entry_point', SMBIOS_ENTRY)
        self.write('firmware/dmi/tables/DMI',
                   smbios_structure(1, bytes([1, 2, 0, 0]) + bytes(range(16)) + bytes(3), b'M', b'B')
                   + smbios_structure(127, b''))
        self.write('devices/system/cpu/cpu0/topology/core_id', '0')
        text = self.client().call('CONNECT_GET_CAPABILITIES')['capabilities']
        self.assertIn('<uuid>03020100-0504-0706-0809-0a0b0c0d0e0f</uuid>', text)

    def test_host_without_firmware_tables_says_so(self):
        self.assert_fails(CONFIG_UNSUPPORTED, self.client(), 'CONNECT_GET_SYSINFO')

    def test_kernel_that_merges_no_pages_has_no_parameters(self):
        self.assertEqual(self.client().call('NODE_GET_MEMORY_PARAMETERS')['nparams'], 0)

    def test_host_that_cannot_be_read_says_so_for_each_call(self):
        (self.sys / 'devices/system/cpu/present').unlink()
        client = self.client()
        with self.assertRaises(rpc.Error) as caught:
            client.call('NODE_GET_CPU_MAP')
        self.assertIn('/sys/devices/system/cpu/present', caught.exception.message)
        self.assertEqual(client.call('CONNECT_NUM_OF_DOMAINS')['num'], 0)
