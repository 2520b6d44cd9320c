"""Tests of virtnodedevd: with the devices of this host, in a network namespace and a /sys of the
test file's own, or with those of a made-up machine."""

import os
import re
import shutil
import subprocess

import harness
import made_up_sysfs
import namespaces
import rpc

INVALID_ARG, OPERATION_INVALID, NO_NODE_DEVICE, CONFIG_UNSUPPORTED = 8, 55, 53, 67
CREATED, DELETED, DEFINED, UNDEFINED = range(4)
UDEVADM = shutil.which('udevadm')


def separate():
    """For setUpModule: links and mounts of this file are nobody else's."""
    if not harness.IS_PRIVATE:
        return
    namespaces.separate()
    # Only a mount made in it shows the links of a network namespace.
    run('mount', '-t', 'sysfs', 'sysfs', '/sys')


def run(*words, data=None):
    result = subprocess.run(words, input=data, text=True, capture_output=True)
    if result.returncode != 0:
        raise AssertionError(f'{words}: {result.stderr}')
    return result.stdout


def ip(*words):
    return run('ip', *words)


def link_name(interface, address):
    """What a link is called as a node device."""
    return re.sub('[^0-9A-Za-z]', '_', f'net_{interface}' + (f'_{address}' if address else ''))


@harness.needs_private_namespaces
class TestCase(harness.TestCase):
    def nodedevd(self, **options):
        self.nodedev = self.daemon('virtnodedevd', **options)
        return self.nodedev

    def client(self, daemon=None, uri='nodedev:///system', kind=''):
        daemon = daemon or self.nodedev
        client = rpc.Client(daemon.socket(kind), timeout_s=harness.PATIENCE_S)
        self.addCleanup(client.close)
        client.auth_list()
        return client.open(uri)

    def names(self, client, flags=0):
        reply = client.call('CONNECT_LIST_ALL_NODE_DEVICES', need_results=1, flags=flags)
        return [device['name'] for device in reply['devices']]

    def watch(self, client, event_id=0, name=None):
        device = {'name': name} if name else None
        return client.call('CONNECT_NODE_DEVICE_EVENT_REGISTER_ANY', eventID=event_id,
                           dev=device)['callbackID']

    def xml(self, client, name, flags=0):
        return client.call('NODE_DEVICE_GET_XML_DESC', name=name, flags=flags)['xml']

    def assert_fails(self, code, pattern, client, procedure, **args):
        with self.assertRaises(rpc.Error) as caught:
            client.call(procedure, **args)
        self.assertEqual(caught.exception.code, code, caught.exception)
        self.assertRegex(caught.exception.message, pattern)

    def wait_for_event(self, client, name, event=None):
        """Takes events up to the one about the device; of a life cycle, with this number."""
        while True:
            _, fields = client.next_event()
            if fields['dev']['name'] == name and fields.get('event') == event:
                return fields

    def wait_listed(self, client, name, is_listed=True):
        harness.wait_until(lambda: (name in self.names(client)) == is_listed,
                           f'{name} is {"" if is_listed else "not "}listed')

    def made_up(self, machine, with_udev=False, **options):
        """A daemon that sees the made-up machine; self.sysfs is its /sys."""
        root = self.root / 'made-up'
        self.sysfs = made_up_sysfs.MACHINES[machine](root / 'sys')
        script = f'mount --bind {root}/sys /sys; '
        if with_udev:
            made_up_sysfs.udev_records(root / 'udev', machine)
            script += f'mkdir -p /run/udev/data; mount --bind {root}/udev /run/udev/data; '
        wrapper = ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec',
                   script + 'exec "$0" "$@"']
        return self.nodedevd(wrapper=wrapper, **options)


def list_links():
    """The links that are there, as node devices are called."""
    names = set()
    for interface in os.listdir('/sys/class/net'):
        with open(f'/sys/class/net/{interface}/address', encoding='ascii') as address:
            names.add(link_name(interface, address.read().strip()))
    return names


def in_order(xml):
    """Members of an IOMMU group come in the order of a folder, which is any."""
    return re.sub(r"((?: +<address .*?/>\n)+)",
                  lambda found: ''.join(sorted(found[1].splitlines(True))), xml)


def start_udevd(test):
    """A udevd of the test's own, without rules, until its end. Returns its process."""
    # The program is what its name says.
    program = test.root / 'systemd-udevd'
    shutil.copy(UDEVADM, program)
    udevd = subprocess.Popen([program], stderr=subprocess.DEVNULL)
    test.addCleanup(udevd.wait)
    test.addCleanup(udevd.terminate)
    # A control socket may be a former one's; what happens before it listens it never tells.
    harness.wait_until(lambda: subprocess.run([UDEVADM, 'control', '--ping'],
                                              stderr=subprocess.DEVNULL).returncode == 0,
                       'udevd answers')
    return udevd
