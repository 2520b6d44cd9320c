"""Tests of secrets: a virtsecretd, a client of it that speaks the protocol, and the files.

    class Values(secret_case.TestCase):
        def test_value_comes_back(self):
            self.start_secretd()
            secret = self.define(1)
            self.set(secret, b'hush')
            self.assertEqual(self.get(secret), b'hush')
"""

import base64
import uuid

import harness
import rpc

# virSecretUsageType
NONE, VOLUME, CEPH, ISCSI, TLS, VTPM = range(6)
USAGES = {VOLUME: ('volume', 'volume'), CEPH: ('ceph', 'name'), ISCSI: ('iscsi', 'target'),
          TLS: ('tls', 'name'), VTPM: ('vtpm', 'name')}
# virConnectListAllSecretsFlags
EPHEMERAL, NO_EPHEMERAL, PRIVATE, NO_PRIVATE = 1, 2, 4, 8
VALIDATE = 1
DEFINED, UNDEFINED = 0, 1
INTERNAL, INVALID_ARG, XML_ERROR, DENIED, SYSTEM, RPC, INVALID_SECRET, NO_SECRET, FAILED = (
    1, 8, 27, 29, 38, 39, 65, 66, 9)
FROM_XML, FROM_SECRET = 5, 30


def uuid_of(number):
    return 'd1fe0013-0000-4000-8000-%012x' % number


def wire(number, usage=NONE, usage_id=''):
    return {'uuid': uuid.UUID(uuid_of(number)).bytes, 'usageType': usage, 'usageID': usage_id}


def xml(number, usage=NONE, usage_id=None, ephemeral=False, private=False, description=None):
    inside = f'<uuid>{uuid_of(number)}</uuid>' if number is not None else ''
    if description:
        inside += f'<description>{description}</description>'
    if usage:
        name, element = USAGES[usage]
        inside += f"<usage type='{name}'><{element}>{usage_id}</{element}></usage>"
    words = ''.join(f" {name}='{'yes' if is_set else 'no'}'"
                    for name, is_set in (('ephemeral', ephemeral), ('private', private)))
    return f'<secret{words}>{inside}</secret>'


class TestCase(harness.TestCase):
    def start_secretd(self, **options):
        self.secretd = self.daemon('virtsecretd', **options)
        self.client = self.connect(self.secretd)
        return self.secretd

    def connect(self, daemon, uri=None, kind='', flags=0):
        client = rpc.Client(daemon.socket(kind), timeout_s=harness.PATIENCE_S)
        self.addCleanup(client.close)
        client.auth_list()
        return client.open(uri or f'{harness.DAEMONS[daemon.name]}:///system', flags)

    def restart(self, is_killed=False):
        """A new process, and a new connection."""
        if is_killed:
            self.secretd.kill()
            self.secretd.start()
        else:
            self.secretd.restart()
        self.client = self.connect(self.secretd)

    def define(self, number, *words, flags=0, **options):
        return self.client.call('SECRET_DEFINE_XML', xml=xml(number, *words, **options),
                                flags=flags)['secret']

    def define_xml(self, text, flags=0):
        return self.client.call('SECRET_DEFINE_XML', xml=text, flags=flags)['secret']

    def set(self, secret, value):
        self.client.call('SECRET_SET_VALUE', secret=secret, value=value)

    def get(self, secret, client=None):
        return self.client_or(client).call('SECRET_GET_VALUE', secret=secret)['value']

    def describe(self, secret):
        return self.client.call('SECRET_GET_XML_DESC', secret=secret)['xml']

    def undefine(self, secret):
        self.client.call('SECRET_UNDEFINE', secret=secret)

    def client_or(self, client):
        return client or self.client

    def listed(self, flags=0):
        return self.client.call('CONNECT_LIST_ALL_SECRETS', need_results=1,
                                flags=flags)['secrets']

    def assert_fails(self, code, pattern, call, *words, **args):
        with self.assertRaises(rpc.Error) as caught:
            call(*words, **args)
        self.assertEqual(caught.exception.code, code, caught.exception)
        self.assertRegex(caught.exception.message, pattern)
        return caught.exception

    # Files

    @property
    def folder(self):
        return self.root / 'etc/libvirt/secrets'

    def file(self, number, suffix):
        return self.folder / (uuid_of(number) + suffix)

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())

    def put_value(self, number, value):
        """A plain value, as an existing installation has it."""
        path = self.file(number, '.base64')
        # The daemon may not have made it yet.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(base64.b64encode(value))
