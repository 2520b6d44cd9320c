"""Objects that access control hides are in no list and no count, and may still be asked for by name
where that is allowed. (The programs are the daemons with an access driver of hide_objects.c.)"""

import harness
import nodedev_case
import secret_case
from secret_case import VOLUME, xml


def hiding(test, name):
    daemon = test.daemon(name, start=False)
    daemon.program = harness.BUILD / 'tests/functional' / f'{name}_hiding'
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
