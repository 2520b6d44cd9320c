"""Objects that access control hides are in no list, no count and no event, and may still be asked
for by name where that is allowed. (The programs are the daemons with an access driver of hide_objects.c.)"""

import domain_case
import guest
import harness
import nodedev_case
import secret_case
from secret_case import VOLUME, xml

# VIR_DOMAIN_START_PAUSED
START_PAUSED = 1


def hiding(test, name):
    daemon = test.daemon(name, start=False)
    daemon.program = harness.BUILD / 'tests/functional' / f'{name}_hiding'
    # Its helpers lie beside the real one.
    daemon.env.update({path.name.upper(): str(path)
                       for path in (harness.BUILD / name).glob('*/splitvirt_*') if path.is_file()})
    return daemon.start()


class Devices(nodedev_case.TestCase):
    def test_hidden_devices_are_neither_listed_nor_counted(self):
        client = self.client(hiding(self, 'virtnodedevd'))
        everything = client.call('CONNECT_LIST_ALL_NODE_DEVICES', need_results=1)
        self.assertEqual((everything['ret'], everything['devices']), (0, []))
        self.assertEqual(client.call('CONNECT_LIST_ALL_NODE_DEVICES', need_results=0)['ret'], 0)
        for capability in (None, 'system'):
            self.assertEqual(client.call('NODE_NUM_OF_DEVICES', cap=capability)['num'], 0)
            self.assertEqual(client.call('NODE_LIST_DEVICES', cap=capability,
                                         maxnames=100)['names'], [])
        self.assertIn('<name>computer</name>', self.xml(client, 'computer'))


@guest.needs_qemu
class Domains(domain_case.TestCase):
    def setUp(self):
        super().setUp()
        self.qemud = hiding(self, 'virtqemud')
        self.watcher = self.client()

    def test_hidden_domains_are_neither_listed_nor_counted(self):
        client = self.watcher
        client.call('DOMAIN_DEFINE_XML', xml=guest.paused_xml('off'))
        client.call('DOMAIN_CREATE_XML', xml_desc=guest.paused_xml('on'), flags=START_PAUSED)
        everything = client.call('CONNECT_LIST_ALL_DOMAINS', need_results=1)
        self.assertEqual((everything['ret'], everything['domains']), (0, []))
        self.assertEqual(client.call('CONNECT_LIST_ALL_DOMAINS', need_results=0)['ret'], 0)
        self.assertEqual(client.call('CONNECT_NUM_OF_DOMAINS')['num'], 0)
        self.assertEqual(client.call('CONNECT_LIST_DOMAINS', maxids=100)['ids'], [])
        self.assertEqual(client.call('CONNECT_NUM_OF_DEFINED_DOMAINS')['num'], 0)
        self.assertEqual(client.call('CONNECT_LIST_DEFINED_DOMAINS', maxnames=100)['names'], [])
        named = [self.domain(client, name) for name in ('off', 'on')]
        for doms in ([], named):
            self.assertEqual(client.call('CONNECT_GET_ALL_DOMAIN_STATS', doms=doms)['retStats'], [])

    def test_nothing_is_told_of_hidden_domains(self):
        self.watcher.call('CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY', eventID=0)
        self.client().call('DOMAIN_DEFINE_XML', xml=guest.paused_xml('off'))
        self.domain(self.watcher, 'off')
        # An event would have come before the answer.
        self.assertEqual(self.watcher.others, [])


class Secrets(secret_case.TestCase):
    def test_hidden_secrets_are_neither_listed_nor_counted(self):
        client = self.connect(hiding(self, 'virtsecretd'))
        client.call('SECRET_DEFINE_XML', xml=xml(1, VOLUME, '/a'))
        everything = client.call('CONNECT_LIST_ALL_SECRETS', need_results=1)
        self.assertEqual((everything['ret'], everything['secrets']), (0, []))
        self.assertEqual(client.call('CONNECT_NUM_OF_SECRETS')['num'], 0)
        self.assertEqual(client.call('CONNECT_LIST_SECRETS', maxuuids=100)['uuids'], [])
        found = client.call('SECRET_LOOKUP_BY_USAGE', usageType=VOLUME, usageID='/a')
        self.assertEqual(found['secret']['usageID'], '/a')
