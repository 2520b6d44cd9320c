"""Secrets beside Debian's libvirtd: the same calls to both, answers and events compared. Where we
answer otherwise on purpose, DIFFERENCES says how and why."""

import libvirtd
import rpc
import secret_case
from secret_case import CEPH, ISCSI, TLS, VALIDATE, VOLUME, VTPM, uuid_of, wire, xml

# Call: why libvirtd's answer is not ours.
DIFFERENCES = {
    'other type of usage': 'a uuid and its usage stay together, and the type is part of that',
    'usage for none': 'it prints a null pointer',
    'validated path': 'it names no element, and the file of the schema',
    'validated element': 'the same',
    'empty document': 'it prints a null pointer',
    'wrong event callback': 'it calls it one of a node device',
}


def setUpModule():
    libvirtd.start_for_module()


def usage(kind, inside='', number=9):
    return f"<secret><uuid>{uuid_of(number)}</uuid><usage{kind}>{inside}</usage></secret>"


def define(text, flags=0):
    return 'SECRET_DEFINE_XML', {'xml': text, 'flags': flags}


def about(procedure, number, **args):
    return procedure, {'secret': wire(number), **args}


def find(kind, name):
    return 'SECRET_LOOKUP_BY_USAGE', {'usageType': kind, 'usageID': name}


def listing(flags, need=1):
    return 'CONNECT_LIST_ALL_SECRETS', {'need_results': need, 'flags': flags}


# In this order, on one connection: name to procedure and arguments.
CALLS = {
    'define': define(xml(1, VOLUME, '/a')),
    'new description': define(xml(1, VOLUME, '/a', description='d &amp; e')),
    'usage gone': define(xml(1)),
    'other usage': define(xml(1, VOLUME, '/b')),
    'other type of usage': define(xml(1, CEPH, '/a')),
    'type back': define(xml(1, VOLUME, '/a')),
    'usage of another': define(xml(2, VOLUME, '/a')),
    'same name of another type': define(xml(2, CEPH, '/a')),
    'without usage': define(xml(3)),
    'usage for none': define(xml(3, TLS, 'x')),
    'private': define(xml(3, private=True)),
    'not private': define(xml(3)),
    'ephemeral': define(xml(4, ISCSI, 't', ephemeral=True)),
    'vtpm': define(xml(5, VTPM, 'v', ephemeral=True, private=True)),
    'unknown type': define(usage(" type='nosuch'")),
    'no type': define(usage('')),
    'empty type': define(usage(" type=''")),
    'no volume': define(usage(" type='volume'")),
    'no ceph': define(usage(" type='ceph'")),
    'no iscsi': define(usage(" type='iscsi'", '<name>a</name>')),
    'no tls': define(usage(" type='tls'", '<name/>')),
    'no vtpm': define(usage(" type='vtpm'")),
    'unknown element': define('<secret><uuid>%s</uuid><foo/></secret>' % uuid_of(6)),
    'bad uuid': define('<secret><uuid>x</uuid></secret>'),
    'bad flag': define("<secret private='maybe'/>"),
    'other root': define('<nosecret/>'),
    'broken': define('<secret'),
    'empty document': define(''),
    'unknown define flag': define(xml(7), 2),
    'validated': define(xml(7, TLS, 'seven'), VALIDATE),
    'validated path': define(xml(8, VOLUME, 'relative'), VALIDATE),
    'validated element': define('<secret><foo/></secret>', VALIDATE),
    'xml': about('SECRET_GET_XML_DESC', 1),
    'xml of none': about('SECRET_GET_XML_DESC', 77),
    'xml flag': about('SECRET_GET_XML_DESC', 1, flags=1),
    'no value': about('SECRET_GET_VALUE', 1),
    'set': about('SECRET_SET_VALUE', 1, value=b'\0hush\n'),
    'get': about('SECRET_GET_VALUE', 1),
    'set nothing': about('SECRET_SET_VALUE', 1, value=b''),
    'set flag': about('SECRET_SET_VALUE', 1, value=b'x', flags=1),
    'get flag': about('SECRET_GET_VALUE', 1, flags=1),
    'set private': about('SECRET_SET_VALUE', 3, value=b'x'),
    'get private': about('SECRET_GET_VALUE', 3),
    'get private with flag': about('SECRET_GET_VALUE', 3, flags=1),
    'set ephemeral': about('SECRET_SET_VALUE', 4, value=b'e'),
    'to disk': define(xml(4, ISCSI, 't')),
    'get from disk': about('SECRET_GET_VALUE', 4),
    'to memory': define(xml(4, ISCSI, 't', ephemeral=True)),
    'get from memory': about('SECRET_GET_VALUE', 4),
    'find': find(VOLUME, '/a'),
    'find none': find(VOLUME, '/nothing'),
    'find of no type': find(99, '/a'),
    'find for nothing': find(0, ''),
    **{f'list {flags}': listing(flags) for flags in range(17)},
    'count': listing(0, 0),
    'number': ('CONNECT_NUM_OF_SECRETS', {}),
    'too few': ('CONNECT_LIST_SECRETS', {'maxuuids': -1}),
    'too many': ('CONNECT_LIST_SECRETS', {'maxuuids': 16385}),
    'none at all': ('CONNECT_LIST_SECRETS', {'maxuuids': 0}),
    'wrong event': ('CONNECT_SECRET_EVENT_REGISTER_ANY', {'eventID': 2}),
    'wrong event callback': ('CONNECT_SECRET_EVENT_DEREGISTER_ANY', {'callbackID': 99}),
    'undefine': about('SECRET_UNDEFINE', 1),
    'undefine again': about('SECRET_UNDEFINE', 1),
    'get undefined': about('SECRET_GET_VALUE', 1),
    'undefine ephemeral': about('SECRET_UNDEFINE', 4),
    'uuid free again': define(xml(1, VOLUME, '/other')),
}
READ_ONLY_CALLS = {
    'xml': about('SECRET_GET_XML_DESC', 5),
    'get': about('SECRET_GET_VALUE', 5),
    'set': about('SECRET_SET_VALUE', 5, value=b'x'),
    'define': define(xml(9)),
    'undefine': about('SECRET_UNDEFINE', 5),
    'count': listing(0, 0),
    'find': find(VTPM, 'v'),
}


@libvirtd.needs_libvirtd
class Beside(secret_case.TestCase):
    timeout_s = 120

    @staticmethod
    def answer(client, call):
        procedure, args = call
        try:
            result = client.call(procedure, **args)
        except rpc.Error as error:
            return 'error', error.code, error.domain, error.message
        for key in ('secrets', 'uuids'):
            # libvirtd's order is that of a hash table.
            if key in result:
                result[key].sort(key=str)
        return result

    def answers(self, path):
        with rpc.Client(path, timeout_s=60) as client, rpc.Client(path, timeout_s=60) as watcher:
            for each in (client, watcher):
                each.auth_list()
                each.open('secret:///system')
            for event in (0, 1):
                watcher.call('CONNECT_SECRET_EVENT_REGISTER_ANY', eventID=event)
            answers = {name: self.answer(client, call) for name, call in CALLS.items()}
            with rpc.Client(path + '-ro', timeout_s=60) as reader:
                reader.auth_list()
                reader.open('secret:///system', rpc.READ_ONLY)
                answers.update({f'read-only {name}': self.answer(reader, call)
                                for name, call in READ_ONLY_CALLS.items()})
            events = []
            while not events or events[-1][1]['secret']['usageID'] != '/other':
                events.append(watcher.next_event())
        return answers, events

    def test_answers_and_events_are_equal(self):
        self.start_secretd()
        theirs, their_events = self.answers(libvirtd.SOCKET)
        ours, our_events = self.answers(self.secretd.socket())
        for name, answer in theirs.items():
            with self.subTest(name):
                if name in DIFFERENCES:
                    self.assertNotEqual(ours[name], answer)
                else:
                    self.assertEqual(ours[name], answer)
        # Of the definitions that libvirtd alone accepts there is one, in the middle.
        mine = [event for event in their_events if event[1]['secret']['usageType'] != CEPH
                or event[1]['secret']['uuid'] != wire(1)['uuid']]
        self.assertEqual(our_events, mine)
