"""Routing with Debian's libvirtd as every sibling: real networks, pools, secrets and guests
behind virtproxyd, driven by Debian's virsh."""

import os
import re
import select
import subprocess
import unittest

import harness
import libvirtd
import rpc

SIBLINGS = ('virtqemud', 'virtnetworkd', 'virtstoraged', 'virtnodedevd', 'virtsecretd',
            'virtinterfaced', 'virtnwfilterd')
NETWORK = '''<network><name>%s</name><bridge name='%s'/>
<ip address='192.0.2.1' netmask='255.255.255.0'/></network>'''

_libvirtd = None


def setUpModule():
    global _libvirtd
    _libvirtd = libvirtd.start_for_module()


@libvirtd.needs_libvirtd
class ForeignSiblings(harness.TestCase):
    def setUp(self):
        super().setUp()
        _libvirtd.stand_in(self.root, SIBLINGS)
        self.proxy = self.daemon('virtproxyd')

    def write(self, name, text):
        path = self.root / name
        path.write_text(text)
        return path

    def test_hypervisor_calls_reach_the_hypervisor_daemon(self):
        self.assertIn('QEMU', self.virsh(self.proxy, 'version'))
        with rpc.Client(self.proxy.socket()) as client:
            client.auth_list()
            client.open('')
            self.assertEqual(client.call('CONNECT_GET_URI')['uri'], 'qemu:///system')
            self.assertEqual(client.call('CONNECT_GET_TYPE')['type'], 'QEMU')

    def test_secondary_uri_reaches_its_daemon(self):
        self.virsh(self.proxy, 'net-list', driver='network')

    def test_network_comes_and_goes(self):
        path = self.write('net.xml', NETWORK % ('routed', 'vrouted'))
        self.virsh(self.proxy, 'net-define', path)
        self.addCleanup(self.virsh, self.proxy, 'net-undefine', 'routed')
        self.assertIn('routed', self.virsh(self.proxy, 'net-list', '--all'))
        self.assertIn('vrouted', self.virsh(self.proxy, 'net-dumpxml', 'routed'))

    def test_volume_survives_the_way_up_and_down(self):
        pool = self.root / 'pool'
        pool.mkdir()
        data = os.urandom(9_000_000)
        self.write('up', '')
        (self.root / 'up').write_bytes(data)
        self.virsh(self.proxy, 'pool-create-as', 'routed', 'dir', '--target', pool)
        self.addCleanup(self.virsh, self.proxy, 'pool-destroy', 'routed')
        self.virsh(self.proxy, 'vol-create-as', 'routed', 'v', '9000000')
        self.virsh(self.proxy, 'vol-upload', '--pool', 'routed', 'v', self.root / 'up')
        self.virsh(self.proxy, 'vol-download', '--pool', 'routed', 'v', self.root / 'down')
        self.assertEqual((self.root / 'down').read_bytes(), data)

    def test_network_event_arrives(self):
        events = subprocess.Popen(
            ['stdbuf', '-oL', 'virsh', '-c', self.proxy.uri(), 'net-event', '--event', 'lifecycle', '--loop'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(events.wait)
        self.addCleanup(events.kill)
        path = self.write('net.xml', NETWORK % ('eventful', 'veventful'))

        def is_announced():
            # What happens before virsh has registered is not told.
            self.virsh(self.proxy, 'net-define', path)
            self.virsh(self.proxy, 'net-undefine', 'eventful')
            return select.select([events.stdout], [], [], 0.1)[0]
        harness.wait_until(is_announced, 'an event is told')
        text = ''
        while 'eventful' not in text:
            text += events.stdout.readline() or self.fail(text)
        self.assertIn('lifecycle', text)

    def test_callbacks_of_two_siblings_have_different_numbers(self):
        with rpc.Client(self.proxy.socket()) as client:
            client.auth_list()
            client.open()
            numbers = [client.call('CONNECT_NETWORK_EVENT_REGISTER_ANY', eventID=0)['callbackID'],
                       client.call('CONNECT_SECRET_EVENT_REGISTER_ANY', eventID=0)['callbackID'],
                       client.call('CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY',
                                   eventID=0)['callbackID']]
            self.assertEqual(len(set(numbers)), 3)
            self.virsh(self.proxy, 'net-define',
                       self.write('n.xml', NETWORK % ('numbered', 'vnumbered')))
            self.addCleanup(self.virsh, self.proxy, 'net-undefine', 'numbered')
            name, fields = client.next_event()
            self.assertEqual((name, fields['callbackID']), ('NETWORK_EVENT_LIFECYCLE', numbers[0]))
            client.call('CONNECT_SECRET_EVENT_DEREGISTER_ANY', callbackID=numbers[1])
            with self.assertRaises(rpc.Error):
                client.call('CONNECT_SECRET_EVENT_DEREGISTER_ANY', callbackID=numbers[1])

    def test_read_only_client_is_refused_by_the_router(self):
        path = self.write('net.xml', NETWORK % ('no', 'vno'))
        text = self.virsh(self.proxy, 'net-define', path, kind='ro', status=1)
        self.assertIn('read only access prevents virNetworkDefineXML', text)

    def test_read_only_client_sees_networks(self):
        self.virsh(self.proxy, 'net-list', '--all', kind='ro')

    def test_secret_keeps_its_value(self):
        xml = "<secret ephemeral='no' private='no'><description>x</description></secret>"
        self.virsh(self.proxy, 'secret-define', self.write('s.xml', xml))
        text = self.virsh(self.proxy, 'secret-list')
        uuid = re.search(r'[0-9a-f-]{36}', text).group(0)
        self.addCleanup(self.virsh, self.proxy, 'secret-undefine', uuid)
        self.virsh(self.proxy, 'secret-set-value', uuid, '--base64', 'Zm9v')
        self.assertEqual(self.virsh(self.proxy, 'secret-get-value', uuid).strip(), 'Zm9v')

    def test_unknown_scheme_is_refused_by_the_proxy(self):
        with rpc.Client(self.proxy.socket()) as client:
            client.auth_list()
            with self.assertRaisesRegex(rpc.Error, 'no connection driver available for nosuch:///'):
                client.open('nosuch:///system')
            with self.assertRaises(rpc.Error) as caught:
                client.open('qemu:///nosuch')
            self.assertIn('nosuch', caught.exception.message)
            client.open('qemu:///system')

    def test_thousand_pipelined_calls_are_all_answered(self):
        with rpc.Client(self.proxy.socket()) as client:
            client.auth_list()
            client.open()
            client.call('CONNECT_NUM_OF_NETWORKS')
            with self.proxy.returns_to_base_line():
                serials = [client.send_call('REMOTE', 'CONNECT_NUM_OF_NETWORKS')
                           for _ in range(1000)]
                left = set(serials)
                while left:
                    left.remove(client.receive_matching(lambda frame: frame.kind == rpc.REPLY)
                                .serial)

    def test_descriptor_passes_back(self):
        emulator = '/usr/bin/qemu-system-x86_64'
        if not os.path.exists(emulator):
            raise unittest.SkipTest('needs QEMU')
        xml = f'''<domain type='qemu'><name>fds</name><memory>65536</memory>
          <os><type>hvm</type></os><devices><emulator>{emulator}</emulator>
          <console type='pty'/><graphics type='vnc' autoport='yes'/></devices></domain>'''
        self.virsh(self.proxy, 'create', self.write('d.xml', xml), timeout_s=60)
        self.addCleanup(self.virsh, self.proxy, 'destroy', 'fds')
        with rpc.Client(self.proxy.socket()) as client:
            client.auth_list()
            client.open()
            domain = client.call('DOMAIN_LOOKUP_BY_NAME', name='fds')['dom']
            fds = client.call('DOMAIN_OPEN_GRAPHICS_FD', dom=domain, idx=0, flags=0)['fds']
            self.assertEqual(os.read(fds[0], 4), b'RFB ')
            rpc.close_all(fds)
            self.check_console(client, domain)

    def test_event_registrations_outlive_their_sibling(self):
        with rpc.Client(self.proxy.socket()) as client:
            client.auth_list()
            client.open()
            client.call('CONNECT_REGISTER_CLOSE_CALLBACK')
            number = client.call('CONNECT_NETWORK_EVENT_REGISTER_ANY', eventID=0)['callbackID']
            _libvirtd.kill()
            name, _ = client.next_event()
            self.assertEqual(name, 'CONNECT_EVENT_CONNECTION_CLOSED')
            _libvirtd.start()
            path = self.write('n.xml', NETWORK % ('again', 'vagain'))
            client.socket.setblocking(False)

            def is_announced():
                self.virsh(self.proxy, 'net-define', path)
                self.virsh(self.proxy, 'net-undefine', 'again')
                return select.select([client.socket], [], [], 0.1)[0]
            harness.wait_until(is_announced, 'an event is told')
            client.socket.setblocking(True)
            name, fields = client.next_event()
            self.assertEqual((name, fields['callbackID']), ('NETWORK_EVENT_LIFECYCLE', number))
            client.call('CONNECT_NETWORK_EVENT_DEREGISTER_ANY', callbackID=number)

    def check_console(self, client, domain):
        """A console is a stream in both directions that the client aborts."""
        procedure = rpc.TYPES.procedures('REMOTE')['DOMAIN_OPEN_CONSOLE']
        payload = rpc.TYPES.pack('remote_domain_open_console_args',
                                 {'dom': domain, 'dev_name': None, 'flags': 0})
        serial = client.send_call('REMOTE', procedure, payload)
        self.assertEqual(client.reply_to(serial).status, rpc.OK)

        def stream(status, data=b''):
            client.send(rpc.Frame(rpc.program_number('REMOTE'), 1, procedure, rpc.STREAM, serial,
                                  status, data))
        stream(rpc.CONTINUE, b'hello\r')
        stream(rpc.ERROR, rpc.TYPES.pack('virNetMessageError', {
            **rpc.TYPES.empty('virNetMessageError'), 'code': 1, 'message': 'enough'}))
        end = client.receive_matching(lambda frame: frame.kind == rpc.STREAM and
                                      frame.status != rpc.CONTINUE)
        self.assertEqual((end.serial, end.status), (serial, rpc.OK))
