"""Secrets as programs that people run see them: virsh and python3-libvirt, directly, by way of
virtproxyd and of virtqemud, and a user's session."""

import json
import os
import subprocess
import sys

import harness
import secret_case
from secret_case import DEFINED, TLS, UNDEFINED, uuid_of, xml
from test_session import Session

# A client of its own process: the default event loop is one for each process, and for ever.
PROGRAM = '''
import json, sys, libvirt
libvirt.registerErrorHandler(lambda *unused: None, None)
libvirt.virEventRegisterDefaultImpl()
conn = libvirt.open(sys.argv[1])
uuid, xml = sys.argv[2:]
events = []

def on_life(conn, secret, event, detail, opaque):
    events.append(['life', opaque, secret.UUIDString(), event, detail])

def on_value(conn, secret, opaque):
    events.append(['value', opaque, secret.UUIDString()])

life, value = libvirt.VIR_SECRET_EVENT_ID_LIFECYCLE, libvirt.VIR_SECRET_EVENT_ID_VALUE_CHANGED
numbers = [conn.secretEventRegisterAny(None, life, on_life, 'all'),
           conn.secretEventRegisterAny(None, value, on_value, 'all')]
secret = conn.secretDefineXML(xml)
numbers.append(conn.secretEventRegisterAny(secret, life, on_life, 'one'))
numbers.append(conn.secretEventRegisterAny(secret, value, on_value, 'one'))
other = conn.secretDefineXML('<secret/>')
secret.setValue(b'hush')
assert secret.value() == b'hush'
assert secret.usageType() == libvirt.VIR_SECRET_USAGE_TYPE_TLS and secret.usageID() == 'name'
assert conn.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_TLS, 'name').UUIDString() == uuid
assert conn.numOfSecrets() == len(conn.listSecrets()) == len(conn.listAllSecrets()) == 2
secret.undefine()
other_uuid = other.UUIDString()
other.undefine()
is_over = False

def wait_for(count):
    timer = libvirt.virEventAddTimeout(100, lambda *unused: None, None)
    while len(events) < count:
        libvirt.virEventRunDefaultImpl()
    libvirt.virEventRemoveTimeout(timer)

wait_for(7)
for number in numbers:
    conn.secretEventDeregisterAny(number)
conn.secretDefineXML('<secret/>').undefine()
try:
    secret.value()
except libvirt.libvirtError as error:
    print(json.dumps([error.get_error_code(), error.get_error_message()]))
conn.close()
print(json.dumps([[word if word != other_uuid else 'other' for word in event]
                  for event in events]))
'''


class Ways(secret_case.TestCase):
    """Each way to the secrets, and what is the same on all of them."""

    def ways(self):
        suite = self.suite(['virtsecretd', 'virtqemud', 'virtproxyd'])
        return [suite[name] for name in ('virtsecretd', 'virtqemud', 'virtproxyd')]

    def test_python(self):
        for daemon in self.ways():
            text = self.run_command([sys.executable, '-c', PROGRAM, daemon.uri(), uuid_of(1),
                                     xml(1, TLS, 'name')])
            error, events = map(json.loads, text.splitlines())
            self.assertEqual(error, [secret_case.NO_SECRET, 'Secret not found: no secret with '
                                     f"matching uuid '{uuid_of(1)}'"])
            one = uuid_of(1)
            self.assertEqual(sorted(events), sorted([
                ['life', 'all', one, DEFINED, 0], ['life', 'all', 'other', DEFINED, 0],
                ['value', 'all', one], ['value', 'one', one],
                ['life', 'all', one, UNDEFINED, 0], ['life', 'one', one, UNDEFINED, 0],
                ['life', 'all', 'other', UNDEFINED, 0]]))

    def test_virsh(self):
        path = self.root / 's.xml'
        path.write_text(xml(1, TLS, 'name', private=False, description='d'))
        value = self.root / 'value'
        value.write_bytes(b'\0bytes\n')
        for daemon in self.ways():
            self.virsh(daemon, 'secret-define', path)
            self.assertEqual(self.virsh(daemon, 'secret-list').split(),
                             [uuid_of(1), 'tls', 'name'])
            self.virsh(daemon, 'secret-set-value', uuid_of(1), '--file', value, '--plain')
            self.assertEqual(self.virsh(daemon, 'secret-get-value', uuid_of(1)).strip(),
                             'AGJ5dGVzCg==')
            self.assertIn('<description>d</description>',
                          self.virsh(daemon, 'secret-dumpxml', uuid_of(1)))
            self.assertIn('read only access prevents virSecretGetValue',
                          self.virsh(daemon, 'secret-get-value', uuid_of(1), kind='ro', status=1))
            self.virsh(daemon, 'secret-undefine', uuid_of(1))
            self.assertEqual(self.virsh(daemon, 'secret-list').strip(), '')

    def test_virsh_secret_event(self):
        for daemon in self.ways():
            for number, (event, lines) in enumerate((
                    ('lifecycle', ["event 'lifecycle' for secret {}: Defined",
                                   "event 'lifecycle' for secret {}: Undefined"]),
                    ('value-changed', ["event 'value-changed' for secret {}"]))):
                output = self.root / f'{daemon.name}-{number}.txt'
                with open(output, 'wb') as file:
                    process = subprocess.Popen(
                        ['stdbuf', '-oL', 'virsh', '-c', daemon.uri(), 'secret-event',
                         '--event', event, '--loop'], stdout=file, stdin=subprocess.DEVNULL)
                self.addCleanup(process.wait)
                self.addCleanup(process.kill)
                client = self.connect(daemon)

                def happens(client=client, output=output, lines=lines):
                    secret = client.call('SECRET_DEFINE_XML', xml=xml(1))['secret']
                    client.call('SECRET_SET_VALUE', secret=secret, value=b'x')
                    client.call('SECRET_UNDEFINE', secret=secret)
                    text = output.read_text()
                    return all(line.format(uuid_of(1)) in text for line in lines)
                # Until the other process has registered, and once more.
                harness.wait_until(happens, f'virsh tells of {event}')

    def test_events_of_redefinition_and_of_memory(self):
        for daemon in self.ways():
            client, watcher = self.connect(daemon), self.connect(daemon)
            for event in (0, 1):
                watcher.call('CONNECT_SECRET_EVENT_REGISTER_ANY', eventID=event)
            for text in (xml(1), xml(1, description='d'), xml(1, ephemeral=True)):
                secret = client.call('SECRET_DEFINE_XML', xml=text)['secret']
                name, event = watcher.next_event()
                self.assertEqual((name, event['secret'], event['event'], event['detail']),
                                 ('SECRET_EVENT_LIFECYCLE', secret, DEFINED, 0))
            client.call('SECRET_SET_VALUE', secret=secret, value=b'x')
            self.assertEqual(watcher.next_event()[0], 'SECRET_EVENT_VALUE_CHANGED')
            # What fails is no event.
            self.assert_fails(secret_case.INTERNAL, 'already defined', client.call,
                              'SECRET_DEFINE_XML', xml=xml(1, TLS, 'a'))
            client.call('SECRET_UNDEFINE', secret=secret)
            self.assertEqual(watcher.next_event()[1]['event'], UNDEFINED)

    def test_wrong_numbers_of_events(self):
        self.start_secretd()
        for event in (-1, 2):
            self.assert_fails(secret_case.INTERNAL, f'unsupported secret event ID {event}$',
                              self.client.call, 'CONNECT_SECRET_EVENT_REGISTER_ANY', eventID=event)
        self.assert_fails(secret_case.INTERNAL, 'event callback 9 not registered$',
                          self.client.call, 'CONNECT_SECRET_EVENT_DEREGISTER_ANY', callbackID=9)


class UserSession(Session):
    names = ('virtsecretd', 'virtqemud')

    def test_secrets_of_a_user(self):
        self.start()
        path = self.home / 's.xml'
        path.write_text(xml(1, TLS, 'name'))
        for name, scheme in (('virtsecretd', 'secret'), ('virtqemud', 'qemu')):
            uri = f'{scheme}+unix:///session?socket={self.run}/libvirt/{name}-sock'
            self.as_user('virsh', '-q', '-c', uri, 'secret-define', path)
            self.as_user('virsh', '-q', '-c', uri, 'secret-set-value', uuid_of(1), 'aHVzaA==')
            self.assertEqual(self.as_user('virsh', '-q', '-c', uri, 'secret-get-value',
                                          uuid_of(1)), 'aHVzaA==')
        folder = self.home / 'config/libvirt/secrets'
        self.assertEqual(sorted(os.listdir(folder)), [uuid_of(1) + '.base64', uuid_of(1) + '.xml'])


# Those of the base class run where it is.
for name in dir(Session):
    if name.startswith('test_'):
        setattr(UserSession, name, None)
del Session
