"""Definitions of secrets: what may be defined, redefined, found and listed, and what is on disk."""

import fcntl
import os
import stat

import harness
import rpc
import secret_case
from secret_case import (CEPH, EPHEMERAL, INTERNAL, INVALID_ARG, ISCSI, NO_EPHEMERAL, NO_PRIVATE,
                         NO_SECRET, NONE, PRIVATE, RPC, TLS, USAGES, VALIDATE, VOLUME, VTPM,
                         XML_ERROR, uuid_of, wire, xml)

INVALID_SCHEMA = 92
XML_DETAIL = 35
LIST_MAX = 16384


class Define(secret_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_secretd()

    def test_every_usage_comes_back(self):
        for number, (usage, (name, element)) in enumerate(USAGES.items()):
            secret = self.define(number, usage, '/for/it', description='of mine')
            self.assertEqual(secret, wire(number, usage, '/for/it'))
            self.assertEqual(self.describe(secret), f'''<secret ephemeral='no' private='no'>
  <uuid>{uuid_of(number)}</uuid>
  <description>of mine</description>
  <usage type='{name}'>
    <{element}>/for/it</{element}>
  </usage>
</secret>
''')

    def test_uuid_is_chosen_when_there_is_none(self):
        secret = self.define_xml('<secret/>')
        self.assertNotIn(secret['uuid'], (bytes(16), b'\xff' * 16))
        self.assertEqual(self.listed(), [secret])

    def test_description_can_change(self):
        self.define(1, TLS, 'a')
        secret = self.define(1, TLS, 'a', description='more')
        self.assertIn('<description>more</description>', self.describe(secret))
        self.assertEqual(len(self.listed()), 1)

    def test_value_survives_a_new_definition(self):
        secret = self.define(1, TLS, 'a')
        self.set(secret, b'kept')
        self.define(1, TLS, 'a', description='more')
        self.assertEqual(self.get(secret), b'kept')

    def test_usage_of_a_uuid_stays(self):
        self.define(1, VOLUME, '/a')
        self.define(2)
        for words in ((), (VOLUME, '/b'), (CEPH, '/a')):
            self.assert_fails(INTERNAL, f'a secret with UUID {uuid_of(1)} is already defined for '
                              'use with /a$', self.define, 1, *words)
        self.assert_fails(INTERNAL, f'a secret with UUID {uuid_of(2)} is already defined without a '
                          'usage$', self.define, 2, TLS, 'a')

    def test_usage_has_one_uuid(self):
        self.define(1, VOLUME, '/a')
        self.assert_fails(INTERNAL, f'a secret with UUID {uuid_of(1)} already defined for use '
                          'with /a$', self.define, 2, VOLUME, '/a')
        self.define(2, CEPH, '/a')
        self.define(3)
        self.define(4)

    def test_usage_is_free_again_after_undefine(self):
        self.undefine(self.define(1, VOLUME, '/a'))
        self.define(2, VOLUME, '/a')

    def test_private_stays_private(self):
        self.define(1)
        self.define(1, private=True)
        self.assert_fails(INTERNAL, 'cannot change private flag on existing secret$',
                          self.define, 1)
        self.assertIn("private='yes'", self.describe(wire(1)))

    def test_wrong_xml_is_named(self):
        for text, code, pattern in (
                ("<secret><usage type='nosuch'/></secret>", 67,
                 'unsupported configuration: unknown secret usage type nosuch$'),
                ('<secret><usage/></secret>', XML_ERROR, 'XML error: unknown secret usage type$'),
                ("<secret><usage type='volume'/></secret>", INTERNAL,
                 'volume usage specified, but volume path is missing$'),
                ("<secret><usage type='ceph'><name/></usage></secret>", INTERNAL,
                 'Ceph usage specified, but name is missing$'),
                ("<secret><usage type='iscsi'/></secret>", INTERNAL,
                 'iSCSI usage specified, but target is missing$'),
                ("<secret><usage type='tls'/></secret>", INTERNAL,
                 'TLS usage specified, but name is missing$'),
                ("<secret><usage type='vtpm'/></secret>", INTERNAL,
                 'vTPM usage specified, but name is missing$'),
                ('<other/>', XML_ERROR, "expecting root element of 'secret', not 'other'$"),
                ("<secret private='maybe'/>", XML_ERROR, "invalid value of 'private'$"),
                ("<secret ephemeral='YES'/>", XML_ERROR, "invalid value of 'ephemeral'$"),
                ('<secret><uuid>x</uuid></secret>', INTERNAL, 'malformed uuid element$'),
                ('<secret', XML_DETAIL, r'^\(definition_of_secret\):1: '),
                ('', XML_DETAIL, 'Document is empty')):
            with self.subTest(text):
                error = self.assert_fails(code, pattern, self.define_xml, text)
                self.assertEqual(error.domain, secret_case.FROM_XML if text == '<other/>'
                                 else secret_case.FROM_SECRET)
        self.assertEqual(self.listed(), [])

    def test_unknown_flags_are_refused(self):
        secret = self.define(1)
        for flags, call, args in (
                (2, 'SECRET_DEFINE_XML', {'xml': xml(2)}),
                (1, 'SECRET_GET_XML_DESC', {'secret': secret}),
                (1, 'SECRET_SET_VALUE', {'secret': secret, 'value': b'x'}),
                (1, 'SECRET_GET_VALUE', {'secret': secret}),
                (16, 'CONNECT_LIST_ALL_SECRETS', {})):
            self.assert_fails(INVALID_ARG, rf'^unsupported flags \(0x{flags:x}\) in function secret',
                              self.client.call, call, flags=flags, **args)


class Validate(secret_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_secretd()

    def test_what_the_schema_knows_passes(self):
        for number, usage in enumerate((VOLUME, CEPH, ISCSI, TLS, VTPM)):
            self.define(number, usage, '/a' if usage == VOLUME else 'a', description='d',
                        private=True, flags=VALIDATE)
        self.define_xml('<secret/>', VALIDATE)

    def test_what_it_does_not_know_is_named(self):
        def usage(inside, kind='tls'):
            return f"<secret>\n<usage type='{kind}'>{inside}</usage></secret>"
        for text, pattern in (
                ('<secret><foo/></secret>', "line 1: element 'foo' is not known in element"),
                ("<secret foo='1'/>", "attribute 'foo' is not known in element 'secret'"),
                ('<secret>text</secret>', "element 'secret' has text in it"),
                ("<secret ephemeral=''/>", "'ephemeral' is 'yes' or 'no', not ''"),
                ('<secret><uuid>  1</uuid></secret>', "no value of element 'uuid'"),
                ('<secret><description/><description/></secret>', "more than one element 'desc"),
                ('<secret><description><b/></description></secret>', 'has elements in it'),
                (usage('', 'none'), "line 2: 'none' is no type of usage"),
                (usage(''), "element 'name' is missing in element 'usage'"),
                (usage('<target>a</target>'), "element 'target' is not known in element 'usage'"),
                (usage('<name>a/b</name>'), "'a/b' is no value of element 'name'"),
                (usage('<volume>a</volume>', 'volume'), "'a' is no value of element 'volume'")):
            with self.subTest(text):
                self.assert_fails(INVALID_SCHEMA, pattern, self.define_xml, text, VALIDATE)
        self.assertEqual(self.listed(), [])


class Together(secret_case.TestCase):
    def test_definition_that_waits_for_the_end_of_a_secret_makes_a_new_one(self):
        self.start_secretd()
        secret = self.define(1, VOLUME, '/old')
        self.set(secret, b'old')
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            # Whoever removes a value waits for this lock (folder_lock.h).
            fcntl.flock(folder, fcntl.LOCK_EX)
            undefined = self.client.begin('SECRET_UNDEFINE', secret=secret)
            defined = self.client.begin('SECRET_DEFINE_XML', xml=xml(1, VOLUME, '/new'))
            self.assertEqual(len(self.listed()), 1)
        finally:
            os.close(folder)
        self.client.end(undefined)
        self.assertEqual(self.client.end(defined)['secret']['usageID'], '/new')
        self.assertEqual([each['usageID'] for each in self.listed()], ['/new'])
        self.assertEqual(self.files(), [uuid_of(1) + '.xml'])


class LookUp(secret_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_secretd()

    def find(self, usage, usage_id):
        return self.client.call('SECRET_LOOKUP_BY_USAGE', usageType=usage,
                                usageID=usage_id)['secret']

    def test_by_usage_and_by_uuid(self):
        for number, usage in enumerate(USAGES):
            secret = self.define(number, usage, 'the same')
            self.assertEqual(self.find(usage, 'the same'), secret)
            self.assertEqual(self.client.call('SECRET_LOOKUP_BY_UUID',
                                              uuid=secret['uuid'])['secret'], secret)

    def test_missing_ones_are_named(self):
        self.define(1)
        for usage, usage_id in ((TLS, 'x'), (NONE, ''), (NONE, 'x'), (6, 'x'), (-1, 'x')):
            self.assert_fails(NO_SECRET, f"no secret with matching usage '{usage_id}'$",
                              self.find, usage, usage_id)
        for call in ('SECRET_GET_XML_DESC', 'SECRET_GET_VALUE', 'SECRET_UNDEFINE'):
            self.assert_fails(NO_SECRET, f"no secret with matching uuid '{uuid_of(9)}'$",
                              self.client.call, call, secret=wire(9))
        self.assert_fails(NO_SECRET, uuid_of(9), self.client.call, 'SECRET_LOOKUP_BY_UUID',
                          uuid=wire(9)['uuid'])

    def test_every_filter(self):
        kinds = {number: {'ephemeral': number & 1 > 0, 'private': number & 2 > 0}
                 for number in range(4)}
        for number, kind in kinds.items():
            self.define(number, **kind)
        for flags in range(16):
            wanted = [wire(number) for number, kind in kinds.items()
                      if (not flags & 3 or flags & (EPHEMERAL if kind['ephemeral']
                                                    else NO_EPHEMERAL))
                      and (not flags & 12 or flags & (PRIVATE if kind['private']
                                                      else NO_PRIVATE))]
            self.assertEqual(self.listed(flags), wanted, flags)
            count = self.client.call('CONNECT_LIST_ALL_SECRETS', flags=flags)
            self.assertEqual(count, {'secrets': [], 'ret': len(wanted)})

    def test_older_lists(self):
        for number in range(5):
            self.define(number)
        self.assertEqual(self.client.call('CONNECT_NUM_OF_SECRETS')['num'], 5)
        for room in (0, 3, 5, LIST_MAX):
            self.assertEqual(self.client.call('CONNECT_LIST_SECRETS', maxuuids=room)['uuids'],
                             [uuid_of(number) for number in range(5)][:room])
        self.assert_fails(RPC, '^maxuuids must be non-negative$', self.client.call,
                          'CONNECT_LIST_SECRETS', maxuuids=-1)
        self.assert_fails(RPC, '^maxuuids > REMOTE_SECRET_LIST_MAX$', self.client.call,
                          'CONNECT_LIST_SECRETS', maxuuids=LIST_MAX + 1)


class Files(secret_case.TestCase):
    def test_layout_and_modes_are_those_of_existing_installations(self):
        self.start_secretd()
        secret = self.define(1, TLS, 'a')
        self.set(secret, b'hello\n')
        self.define(2, ephemeral=True)
        self.set(wire(2), b'in memory')
        self.assertEqual(self.files(), [uuid_of(1) + '.base64', uuid_of(1) + '.xml'])
        self.assertEqual(self.file(1, '.base64').read_bytes(), b'aGVsbG8K')
        self.assertEqual(self.file(1, '.xml').read_text(), self.describe(secret))
        for path in (self.file(1, '.base64'), self.file(1, '.xml')):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)

    def test_a_new_start_finds_all_but_ephemeral_ones(self):
        self.start_secretd()
        for number, usage in enumerate(USAGES):
            self.define(number, usage, "it's <&> \n mine" if number % 2 else 'plain',
                        description=number % 3 and 'd &amp;') \
                if not number % 2 else self.define_xml(
                    f"<secret private='yes'><uuid>{uuid_of(number)}</uuid><usage "
                    f"type='{USAGES[usage][0]}'><{USAGES[usage][1]}>it&apos;s &lt;&amp;&gt;\n mine"
                    f'</{USAGES[usage][1]}></usage></secret>')
            self.set(wire(number), b'value %d' % number)
        self.define(9, ephemeral=True)
        before = [secret for secret in self.listed() if secret['uuid'] != wire(9)['uuid']]
        texts = [self.describe(secret) for secret in before]
        self.restart()
        self.assertEqual(self.listed(), before)
        self.assertEqual([self.describe(secret) for secret in before], texts)
        self.assertEqual(self.get(before[0]), b'value 0')

    def test_files_of_another_daemon_are_read(self):
        self.folder.mkdir(parents=True)
        self.file(1, '.xml').write_text('<!-- by hand -->\n' + xml(1, CEPH, 'c', private=False))
        self.put_value(1, b'from before')
        self.start_secretd()
        self.assertEqual(self.get(wire(1)), b'from before')
        self.assertEqual(self.listed(), [wire(1, CEPH, 'c')])

    def test_undefine_removes_all(self):
        self.start_secretd()
        secret = self.define(1)
        self.set(secret, b'x')
        self.undefine(secret)
        self.assertEqual(self.files(), [])
        self.assert_fails(NO_SECRET, uuid_of(1), self.get, secret)

    def test_a_new_secret_has_no_value_of_an_older_one(self):
        self.start_secretd()
        self.put_value(1, b'stale')
        self.assert_fails(NO_SECRET, f"secret '{uuid_of(1)}' does not have a value$",
                          self.get, self.define(1))

    def test_becoming_ephemeral_takes_the_value_off_the_disk(self):
        self.start_secretd()
        secret = self.define(1)
        self.set(secret, b'moves')
        self.define(1, ephemeral=True)
        self.assertEqual(self.files(), [])
        self.assertEqual(self.get(secret), b'moves')
        self.define(1)
        self.assertEqual(self.files(), [uuid_of(1) + '.base64', uuid_of(1) + '.xml'])
        self.restart(is_killed=True)
        self.assertEqual(self.get(secret), b'moves')

    def test_broken_files_are_left_alone(self):
        self.folder.mkdir(parents=True)
        broken = {uuid_of(1): b'', uuid_of(2): b"<secret ephemeral='no' private='no'>\n  <uuid>",
                  uuid_of(3): bytes(range(256)), uuid_of(4): b'<network/>',
                  uuid_of(5): xml(6).encode(), 'name': xml(7).encode(),
                  uuid_of(8).upper(): xml(8).encode(),
                  uuid_of(9): b'<a>' * 100000}
        for name, content in broken.items():
            (self.folder / (name + '.xml')).write_bytes(content)
        (self.folder / (uuid_of(20) + '.xml')).mkdir()
        self.file(10, '.xml').write_text(xml(10, TLS, 'a'))
        self.file(11, '.xml').write_text(xml(11, TLS, 'a'))
        self.start_secretd()
        self.assertEqual(self.listed(), [wire(10, TLS, 'a')])
        for name, content in broken.items():
            self.assertEqual((self.folder / (name + '.xml')).read_bytes(), content)
            self.assertIn(f'{name}.xml is no definition of a secret', self.secretd.output())
        self.assertIn(f"'{uuid_of(11)}' is left alone", self.secretd.output())

    def test_leftovers_go_and_other_files_stay(self):
        self.folder.mkdir(parents=True)
        self.file(1, '.xml').write_text(xml(1))
        self.put_value(1, b'kept')
        self.put_value(2, b'without a definition')
        self.file(3, '.sealed').write_bytes(b'x')
        for name in ('.splitvirt-tmp-abcdef', 'notes.base64', 'notes.txt'):
            (self.folder / name).write_text('x')
        self.start_secretd()
        self.assertEqual(self.get(wire(1)), b'kept')
        self.assertEqual(self.files(), [uuid_of(1) + '.base64', uuid_of(1) + '.xml',
                                        'notes.base64', 'notes.txt'])
        self.assertIn(uuid_of(2) + '.base64 was removed', self.secretd.output())


class Hostile(secret_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_secretd()

    def test_names_are_no_paths(self):
        for number, name in enumerate(('../../etc/passwd', '..', '/', 'a\nb', '%s%n', '\u202e')):
            secret = self.define(number, VOLUME, name)
            self.assertEqual(secret['usageID'], name)
        self.assertEqual(self.files(), [uuid_of(number) + '.xml' for number in range(6)])
        before = self.listed()
        self.restart()
        self.assertEqual(self.listed(), before)

    def test_uuids_are_no_paths(self):
        for text in ('../' + uuid_of(1), uuid_of(1) + '/..', '/etc/passwd', uuid_of(1) + '\n/x'):
            self.assert_fails(INTERNAL, 'malformed uuid element$', self.define_xml,
                              f'<secret><uuid>{text}</uuid></secret>')
        self.assertEqual(self.files(), [])

    def test_largest_strings(self):
        # A string of the protocol has up to 4 MiB.
        room = 4 * 1024 * 1024 - 200
        secret = self.define(1, description='d' * room)
        self.assertIn('d' * 100, self.describe(secret))
        secret = self.define(2, TLS, 'n' * room)
        self.assertEqual(len(secret['usageID']), room)
        self.assert_fails(INTERNAL, 'already defined for use with n+$', self.define, 3, TLS,
                          'n' * room)
        self.undefine(secret)
        self.assertEqual(len(self.listed()), 1)

    def test_bombs(self):
        for text in ('<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
                     '<secret><description>&b;</description></secret>',
                     '<secret>' + '<a>' * 100000,
                     '<secret ' + ' '.join(f"a{i}=''" for i in range(10000)) + '/>',
                     '<secret><description>\ufffe</description></secret>'):
            with self.assertRaises(rpc.Error):
                self.define_xml(text)
        self.define(1)

    def test_control_characters_in_errors_are_none_in_the_log(self):
        self.assert_fails(INTERNAL, 'use with a', lambda: [
            self.define(number, TLS, 'a\nFAKE: line') for number in (1, 2)])
        self.assertNotIn('\nFAKE', self.secretd.output())


class Disk(secret_case.TestCase):
    @harness.needs_private_namespaces
    def test_full_disk_leaves_all_as_it_was(self):
        self.folder.mkdir(parents=True)
        self.run_command(['mount', '-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', self.folder])
        self.addCleanup(self.run_command, ['umount', '-l', self.folder])
        self.start_secretd()
        secret = self.define(1, TLS, 'a')
        self.set(secret, b'small')
        filler = self.folder / 'filler'
        with open(filler, 'wb', buffering=0) as file:
            with self.assertRaises(OSError):
                while True:
                    file.write(b'x' * 4096)
        before = self.files()
        for call in (lambda: self.set(secret, b'x' * 60000),
                     lambda: self.define(1, TLS, 'a', description='d'),
                     lambda: self.define(2, TLS, 'b')):
            self.assert_fails(secret_case.SYSTEM, 'No space left on device$', call)
        self.assertEqual(self.files(), before)
        self.assertEqual(self.get(secret), b'small')
        self.assertEqual(len(self.listed()), 1)
        self.undefine(secret)
        os.unlink(filler)
        self.define(2, TLS, 'a')

    def test_folder_that_cannot_be_is_the_error_of_every_call(self):
        self.folder.parent.mkdir(parents=True)
        self.folder.write_text('')
        self.start_secretd()
        self.assert_fails(secret_case.SYSTEM, 'secrets', self.client.call,
                          'CONNECT_NUM_OF_SECRETS')


class Idle(secret_case.TestCase):
    def test_daemon_stays_while_there_is_an_ephemeral_secret(self):
        self.start_secretd(args=['--timeout', '1'])
        secret = self.define(1, ephemeral=True)
        self.set(secret, b'only here')
        self.client.close()
        # Whatever else there is to do for a daemon that leaves has been done by then.
        with self.assertRaises(AssertionError):
            harness.wait_until(lambda: not self.secretd.is_running(), 'it leaves', timeout_s=3)
        self.client = self.connect(self.secretd)
        self.assertEqual(self.get(secret), b'only here')
        self.undefine(secret)
        self.client.close()
        self.assertEqual(self.secretd.wait(), 0)
