"""The admin interface: servers, workers, clients, limits, logging, and the end of a daemon."""

import contextlib
import os
import time

import harness
import rpc

INVALID_ARG, ARGUMENT_UNSUPPORTED, NO_SERVER, NO_CLIENT, INTERNAL = 8, 74, 95, 96, 1
INT, UINT, BOOLEAN, STRING = 1, 2, 6, 7
PRESERVE = 1


def params(**values):
    return [{'field': name, 'value': (UINT, value)} for name, value in values.items()]


class Admin(harness.TestCase):
    name = 'virtqemud'

    def setUp(self):
        super().setUp()
        self.target = self.daemon(self.name, config={'auth_unix_rw': 'none',
                                                     'auth_unix_ro': 'none'})
        self.client = self.connect()

    def connect(self):
        client = rpc.Client(self.target.socket('admin'))
        self.addCleanup(client.close)
        client.call('CONNECT_OPEN', program='ADMIN')
        return client

    def call(self, procedure, server=None, **args):
        if server is not None:
            args['srv'] = {'name': server}
        return self.client.call(procedure, program='ADMIN', **args)

    def values(self, procedure, server=None, **args):
        found = self.call(procedure, server, **args)['params']
        return {param['field']: param['value'][1] for param in found}

    @contextlib.contextmanager
    def fails(self, code, words=''):
        with self.assertRaises(rpc.Error) as caught:
            yield
        self.assertEqual(caught.exception.code, code, caught.exception.message)
        self.assertIn(words, caught.exception.message)

    def clients(self, server=None):
        return self.call('SERVER_LIST_CLIENTS', server or self.name, need_results=1)['clients']

    def main_client(self, kind=''):
        """A client of the daemon's main server, and how the admin interface shows it."""
        client = rpc.Client(self.target.socket(kind))
        self.addCleanup(client.close)
        shown = harness.wait_until(self.clients, 'the client is listed')
        return client, shown[-1]


class Connection(Admin):
    def test_version_is_that_of_the_protocol(self):
        self.assertEqual(self.call('CONNECT_GET_LIB_VERSION')['libVer'], 11003000)

    def test_servers_are_listed(self):
        found = self.call('CONNECT_LIST_SERVERS', need_results=1)
        self.assertEqual([server['name'] for server in found['servers']], [self.name, 'admin'])
        self.assertEqual(found['ret'], 2)

    def test_servers_are_counted(self):
        self.assertEqual(self.call('CONNECT_LIST_SERVERS'), {'servers': [], 'ret': 2})

    def test_server_is_found_by_name(self):
        self.assertEqual(self.call('CONNECT_LOOKUP_SERVER', name='admin')['srv']['name'], 'admin')

    def test_unknown_server_is_named(self):
        for procedure in ('SERVER_GET_THREADPOOL_PARAMETERS', 'SERVER_SET_THREADPOOL_PARAMETERS',
                          'SERVER_LIST_CLIENTS', 'SERVER_LOOKUP_CLIENT', 'SERVER_UPDATE_TLS_FILES',
                          'SERVER_GET_CLIENT_LIMITS', 'SERVER_SET_CLIENT_LIMITS'):
            with self.subTest(procedure), self.fails(NO_SERVER, "No server named 'nosuch'"):
                self.call(procedure, 'nosuch')

    def test_unknown_flags_are_refused(self):
        procedures = rpc.TYPES.procedures('ADMIN')
        with_flags = [name for name in procedures
                      if any(field.name == 'flags' for field in
                             rpc.TYPES.structs.get(f'admin_{name.lower()}_args', ()))]
        self.assertEqual(len(procedures) - len(with_flags), 2)  # close and version
        for procedure in with_flags:
            with self.subTest(procedure), self.fails(INVALID_ARG, 'unsupported flags (0x80)'):
                self.call(procedure, flags=0x80)

    def test_close_is_answered(self):
        self.call('CONNECT_CLOSE')
        with self.assertRaises((rpc.Closed, OSError)):
            self.call('CONNECT_GET_LIB_VERSION')

    def test_server_without_tls_is_told_so(self):
        with self.fails(INTERNAL, 'no tls service found'):
            self.call('SERVER_UPDATE_TLS_FILES', self.name)


class LegacyName(Admin):
    name = 'virtproxyd'

    def test_server_answers_to_its_legacy_name(self):
        self.assertEqual(self.call('CONNECT_LOOKUP_SERVER', name='libvirtd')['srv']['name'],
                         'libvirtd')
        self.assertIn('maxWorkers', self.values('SERVER_GET_THREADPOOL_PARAMETERS', 'libvirtd'))


class Workers(Admin):
    def get(self, server='virtqemud'):
        return self.values('SERVER_GET_THREADPOOL_PARAMETERS', server)

    def set(self, server='virtqemud', **values):
        self.call('SERVER_SET_THREADPOOL_PARAMETERS', server, params=params(**values))

    def test_settings_and_figures_are_shown(self):
        self.assertEqual(list(self.get()), ['minWorkers', 'maxWorkers', 'nWorkers', 'freeWorkers',
                                            'prioWorkers', 'jobQueueDepth'])

    def test_call_itself_is_a_busy_worker(self):
        found = self.get('admin')
        self.assertEqual(found['nWorkers'] - found['freeWorkers'], 1)

    def test_settings_can_be_changed(self):
        self.set(minWorkers=3, maxWorkers=30, prioWorkers=2)
        found = self.get()
        self.assertEqual((found['minWorkers'], found['maxWorkers'], found['prioWorkers']),
                         (3, 30, 2))

    def test_minimum_over_maximum_is_refused(self):
        before = self.get()
        with self.fails(INVALID_ARG, 'minWorkers cannot be larger than maxWorkers'):
            self.set(minWorkers=30, maxWorkers=20)
        self.assertEqual(self.get(), before)

    def test_no_workers_at_all_are_refused(self):
        with self.fails(INVALID_ARG, 'maxWorkers must not be zero'):
            self.set(minWorkers=0, maxWorkers=0)

    def test_figures_cannot_be_set(self):
        for name in ('nWorkers', 'freeWorkers', 'jobQueueDepth', 'nosuch'):
            with self.subTest(name), self.fails(ARGUMENT_UNSUPPORTED, f"'{name}' not supported"):
                self.set(**{name: 3})

    def test_wrong_type_is_refused(self):
        with self.fails(INVALID_ARG, 'maxWorkers'):
            self.call('SERVER_SET_THREADPOOL_PARAMETERS', self.name,
                      params=[{'field': 'maxWorkers', 'value': (INT, 3)}])

    def test_repeated_parameter_is_refused(self):
        with self.fails(INVALID_ARG, 'maxWorkers'):
            self.call('SERVER_SET_THREADPOOL_PARAMETERS', self.name,
                      params=params(maxWorkers=3) * 2)

    def test_tool_shows_what_it_set(self):
        self.virt_admin(self.target, 'srv-threadpool-set', self.name, '--max-workers', 25)
        self.assertRegex(self.virt_admin(self.target, 'srv-threadpool-info', self.name),
                         r'maxWorkers +: 25\b')


class Limits(Admin):
    def get(self, server='virtqemud'):
        return self.values('SERVER_GET_CLIENT_LIMITS', server)

    def set(self, server='virtqemud', **values):
        self.call('SERVER_SET_CLIENT_LIMITS', server, params=params(**values))

    def test_clients_are_counted(self):
        self.assertEqual(self.get('admin')['nclients'], 1)
        self.connect()
        self.assertEqual(self.get('admin')['nclients'], 2)

    def test_limits_can_be_changed(self):
        self.set(nclients_max=400, nclients_unauth_max=15)
        found = self.get()
        self.assertEqual((found['nclients_max'], found['nclients_unauth_max']), (400, 15))

    def test_new_limit_holds_at_once(self):
        self.set(nclients_max=1, nclients_unauth_max=1)
        self.main_client()
        with rpc.Client(self.target.socket()) as second, self.assertRaises(rpc.Error):
            second.auth_list()

    def test_raised_limit_holds_at_once(self):
        self.set(nclients_max=1, nclients_unauth_max=1)
        self.main_client()
        self.set(nclients_max=2)
        with rpc.Client(self.target.socket()) as second:
            second.auth_list()

    def test_more_anonymous_clients_than_clients_are_refused(self):
        before = self.get()
        with self.fails(INVALID_ARG, 'maximum number of clients waiting for authentication'):
            self.set(nclients_unauth_max=before['nclients_max'] + 1)
        self.assertEqual(self.get(), before)

    def test_nobody_cannot_be_locked_out(self):
        with self.fails(INVALID_ARG, 'nclients_max must not be zero'):
            self.set('admin', nclients_max=0, nclients_unauth_max=0)

    def test_figures_cannot_be_set(self):
        for name in ('nclients', 'nclients_unauth', 'nosuch'):
            with self.subTest(name), self.fails(ARGUMENT_UNSUPPORTED, f"'{name}' not supported"):
                self.set(**{name: 3})


class Clients(Admin):
    def info(self, shown):
        return self.values('CLIENT_GET_INFO', clnt=shown)

    def test_clients_are_listed(self):
        before = time.time()
        _, shown = self.main_client()
        self.assertEqual((shown['srv']['name'], shown['transport']), (self.name, 0))
        self.assertLess(abs(shown['timestamp'] - before), 10)

    def test_clients_can_be_counted_without_a_list(self):
        self.assertEqual(self.call('SERVER_LIST_CLIENTS', 'admin'), {'clients': [], 'ret': 1})

    def test_client_is_found_by_number(self):
        _, shown = self.main_client()
        self.assertEqual(self.call('SERVER_LOOKUP_CLIENT', self.name, id=shown['id'])['clnt'],
                         shown)

    def test_unknown_client_is_named(self):
        nobody = {'srv': {'name': self.name}, 'id': 999, 'timestamp': 0, 'transport': 0}
        with self.fails(NO_CLIENT, "No client with matching ID '999'"):
            self.call('SERVER_LOOKUP_CLIENT', self.name, id=999)
        for procedure in ('CLIENT_GET_INFO', 'CLIENT_CLOSE'):
            with self.subTest(procedure), self.fails(NO_CLIENT, "'999'"):
                self.call(procedure, clnt=nobody)

    def test_client_is_who_the_kernel_says(self):
        _, shown = self.main_client()
        found = self.info(shown)
        self.assertEqual((found['readonly'], found['unix_user_id'], found['unix_group_id'],
                          found['unix_process_id']), (0, os.geteuid(), os.getegid(), os.getpid()))

    @harness.needs_root
    def test_user_and_group_have_names(self):
        found = self.info(self.main_client()[1])
        self.assertEqual((found['unix_user_name'], found['unix_group_name']), ('root', 'root'))

    @harness.needs_root
    def test_user_without_a_name_is_a_number(self):
        path = self.target.socket()
        os.chmod(path, 0o777)
        before = os.getcwd()
        # We may stand in the folder of the sockets, but could not walk there as that user.
        os.chdir(os.path.dirname(path))
        os.seteuid(54321)
        try:
            client = rpc.Client(os.path.basename(path))
        finally:
            os.seteuid(0)
            os.chdir(before)
        self.addCleanup(client.close)
        found = self.info(harness.wait_until(self.clients, 'the client is listed')[-1])
        self.assertEqual(found['unix_user_id'], 54321)
        self.assertNotIn('unix_user_name', found)

    def test_read_only_client_is_shown_as_such(self):
        self.assertEqual(self.info(self.main_client('ro')[1])['readonly'], 1)

    def test_client_can_be_disconnected(self):
        client, shown = self.main_client()
        self.call('CLIENT_CLOSE', clnt=shown)
        with self.assertRaises((rpc.Closed, OSError)):
            client.auth_list()
        self.assertEqual(self.clients(), [])

    def test_admin_client_can_disconnect_itself(self):
        own = self.clients('admin')[-1]
        with self.assertRaises((rpc.Closed, OSError)):
            self.call('CLIENT_CLOSE', clnt=own)
        self.client = self.connect()
        self.assertNotIn(own['id'], [shown['id'] for shown in self.clients('admin')])

    def test_tool_shows_a_client(self):
        _, shown = self.main_client()
        self.assertRegex(self.virt_admin(self.target, 'client-info', self.name, shown['id']),
                         rf'unix_process_id *: {os.getpid()}\b')


class Logging(Admin):
    def test_outputs_can_be_changed(self):
        path = self.root / 'other.log'
        self.call('CONNECT_SET_LOGGING_OUTPUTS', outputs=f'1:file:{path}')
        self.assertEqual(self.call('CONNECT_GET_LOGGING_OUTPUTS'),
                         {'outputs': f'1:file:{path}', 'noutputs': 1})
        self.call('CONNECT_SET_LOGGING_FILTERS', filters='1:rpc')
        self.main_client()
        self.assertIn('connected', path.read_text())

    def test_no_outputs_are_the_default(self):
        self.call('CONNECT_SET_LOGGING_OUTPUTS', outputs=f'1:file:{self.root}/other.log')
        self.call('CONNECT_SET_LOGGING_OUTPUTS', outputs=None)
        self.assertEqual(self.call('CONNECT_GET_LOGGING_OUTPUTS')['outputs'], '3:stderr')

    def test_output_that_cannot_be_opened_changes_nothing(self):
        before = self.call('CONNECT_GET_LOGGING_OUTPUTS')
        with self.fails(38, '/nosuch/file'):
            self.call('CONNECT_SET_LOGGING_OUTPUTS', outputs='1:file:/nosuch/file')
        self.assertEqual(self.call('CONNECT_GET_LOGGING_OUTPUTS'), before)

    def test_wrong_output_is_refused(self):
        with self.fails(INVALID_ARG, "Invalid log destination 'nosuch'"):
            self.call('CONNECT_SET_LOGGING_OUTPUTS', outputs='1:nosuch')

    def test_filters_can_be_changed(self):
        self.call('CONNECT_SET_LOGGING_FILTERS', filters='3:rpc 4:util.object')
        self.assertEqual(self.call('CONNECT_GET_LOGGING_FILTERS'),
                         {'filters': '3:*rpc* 4:*util.object*', 'nfilters': 2})

    def test_no_filters_are_no_text(self):
        self.call('CONNECT_SET_LOGGING_FILTERS', filters='3:rpc')
        self.call('CONNECT_SET_LOGGING_FILTERS', filters=None)
        self.assertEqual(self.call('CONNECT_GET_LOGGING_FILTERS'),
                         {'filters': None, 'nfilters': 0})

    def test_wrong_filter_is_refused(self):
        with self.fails(INVALID_ARG, "Invalid priority '9' for filter '9:util'"):
            self.call('CONNECT_SET_LOGGING_FILTERS', filters='9:util')


class End(Admin):
    def test_daemon_can_be_told_to_end(self):
        self.call('CONNECT_DAEMON_SHUTDOWN', flags=PRESERVE)
        self.assertEqual(self.target.wait(), 0)

    def test_idle_timeout_holds_at_once(self):
        self.call('CONNECT_SET_DAEMON_TIMEOUT', timeout=1)
        self.client.close()
        self.assertEqual(self.target.wait(), 0)

    def test_timeout_can_be_taken_back(self):
        self.call('CONNECT_SET_DAEMON_TIMEOUT', timeout=1)
        self.call('CONNECT_SET_DAEMON_TIMEOUT', timeout=0)
        self.client.close()
        time.sleep(1.5)
        self.assertTrue(self.target.is_running())

    def test_hammering_leaves_nothing_behind(self):
        shown = self.clients('admin')[0]
        self.values('CLIENT_GET_INFO', clnt=shown)  # threads, and what they wake us with, stay
        with self.target.returns_to_base_line():
            for _ in range(50):
                self.clients('admin')
                self.values('CLIENT_GET_INFO', clnt=shown)


del Admin
