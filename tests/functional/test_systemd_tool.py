"""splitvirt status and splitvirt diagnose beside a real systemd."""

import json

import harness
import json_schema
import system_container
import tool_case


def setUpModule():
    system_container.boot()


class Tool(system_container.TestCase):
    def status(self, daemon, status=0):
        text = self.run_inside('splitvirt', 'status', '--json', status=status)
        value = json.loads(text)
        self.assertEqual(json_schema.Schema(tool_case.SCHEMA).problems(value), [])
        self.assertTrue(value['systemd'], value['systemd_reason'])
        return next(entry for entry in value['daemons'] if entry['name'] == daemon)

    def diagnose(self, uri, status=0, **options):
        return self.run_inside('splitvirt', 'diagnose', uri, status=status, **options)

    def leave(self, daemon):
        """Ends the daemon as its idle exit would, its sockets stay with systemd."""
        self.systemctl('stop', f'{daemon}.service')
        self.addCleanup(self.systemctl, 'start', *(f'{daemon}{kind}.socket'
                                                   for kind in self.kinds[daemon]))

    def test_looking_at_stopped_daemons_starts_none(self):
        self.leave('virtsecretd')
        found = self.status('virtsecretd')
        self.assertEqual((found['state'], found['starts_on_demand'], found['pid']),
                         ('stopped', True, None))
        self.assertIn('starts virtsecretd at the first connection',
                      self.diagnose('secret:///system'))
        self.assertEqual(self.state('virtsecretd.service'), 'inactive')

    def test_root_asks_systemd_without_a_bus_too(self):
        text = self.run_inside('env', 'DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere', 'splitvirt',
                               'status', '--json')
        self.assertTrue(json.loads(text)['systemd'])

    def test_running_daemon_is_asked(self):
        self.assert_serves('virtnodedevd')
        found = self.status('virtnodedevd')
        self.assertEqual((found['state'], found['answers'], found['pid']),
                         ('running', True, self.main_pid('virtnodedevd')))
        self.assertIn('virtnodedevd answers', self.diagnose('nodedev:///system'))

    def test_every_daemon_of_the_suite_is_fine(self):
        for name in harness.DAEMONS:
            self.assertIn(self.status(name)['state'], ('running', 'stopped'), name)

    def test_stopped_socket_is_named_with_what_to_do(self):
        sockets = [f'virtnetworkd{kind}.socket' for kind in self.kinds['virtnetworkd']]
        self.systemctl('stop', 'virtnetworkd.service', *sockets)
        self.addCleanup(self.systemctl, 'start', *sockets)
        self.assertIn('virtnetworkd.socket', self.status('virtnetworkd')['reason'])
        text = self.diagnose('network:///system?mode=direct', status=1)
        self.assertIn('to do: systemctl enable --now virtnetworkd.socket', text)

    def test_masked_service_is_told(self):
        self.systemctl('stop', 'virtstoraged.service')
        self.systemctl('mask', '--runtime', 'virtstoraged.service')
        self.addCleanup(self.systemctl, 'unmask', '--runtime', 'virtstoraged.service')
        self.assertEqual(self.status('virtstoraged')['state'], 'masked')
        self.assertIn('is masked', self.diagnose('storage:///system', status=1))

    def test_failed_service_is_told_with_the_reason(self):
        path = '/run/systemd/system/virtsecretd.service.d/test.conf'
        self.write(path, '[Service]\nExecStart=\nExecStart=/bin/false\nRestart=no\n')
        self.addCleanup(self.systemctl, 'reset-failed', 'virtsecretd.service', status=None)
        self.addCleanup(self.systemctl, 'daemon-reload')
        self.systemctl('daemon-reload')
        self.systemctl('stop', 'virtsecretd.service')
        self.systemctl('start', 'virtsecretd.service', status=None)
        found = self.status('virtsecretd', status=1)
        self.assertEqual((found['state'], found['reason']),
                         ('failed', 'virtsecretd.service has failed: exit-code, status 1'))

    def test_ordinary_user_is_told_whom_the_socket_lets_in(self):
        text = self.diagnose('qemu:///system', user='nobody', status=None)
        self.assertIn('/run/libvirt/virtqemud-sock', text)
