"""Measures what virtsecretd does with secrets beside libvirtd, for run.py. Both sides keep their
files on tmpfs, and are one daemon each, started and ended as a measure wants it. Floors are the
same work with no daemon: files written, the same reply sent by a process that has it at hand."""

import statistics
import time
import uuid

import domains
from domains import memory_after_start_kib, packed, timed

MANY = 10000
CALLS = 500
VALUE = bytes(range(32))
XML = '''<secret ephemeral='no' private='no'>
  <uuid>{uuid}</uuid>
  <description>of number {number}</description>
  <usage type='volume'>
    <volume>/var/lib/libvirt/images/disk-{number}.img</volume>
  </usage>
</secret>
'''


def uuid_of(number):
    return uuid.UUID(int=0xd1fe << 112 | 0x4000 << 64 | 0x8000 << 48 | number)


def xml(number):
    return XML.format(uuid=uuid_of(number), number=number)


def wire(number):
    return {'uuid': uuid_of(number).bytes, 'usageType': 1, 'usageID': ''}


class Host(domains.Host):
    """A daemon that has secrets."""

    uri = 'secret:///system'
    list_all = packed('CONNECT_LIST_ALL_SECRETS', need_results=1)

    def __init__(self, name, argv, prefix, socket_name, helpers=()):
        super().__init__(name, argv, prefix, socket_name, helpers)
        self.etc = prefix / 'etc/libvirt/secrets'

    def forget_all(self):
        for path in self.etc.glob('*.*'):
            path.unlink()

    def fill(self, count):
        self.stop()
        self.forget_all()
        self.etc.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            path = self.etc / f'{uuid_of(number)}.xml'
            path.write_text(xml(number))
            path.chmod(0o600)


class Secrets:
    """The measures: each gives the figure of a side, by name, or None where it has none."""

    def __init__(self, hosts):
        self.hosts = {host.name: host for host in hosts}
        self.filled = set()

    def host(self, name, count=0):
        """The daemon, not running, with so many definitions before it."""
        host = self.hosts[name]
        if count == 0:
            host.stop()
            host.forget_all()
            self.filled.discard(name)
        elif name not in self.filled:
            host.fill(count)
            self.filled.add(name)
        return host

    def idle(self, name):
        return memory_after_start_kib(self.host(name), 'Pss') / 1024 if name in self.hosts else None

    def rate(self, name, calls, prepare=()):
        with self.host(name).start() as client:
            for call in prepare:
                timed(client, call)
            begin = time.perf_counter()
            for call in calls:
                timed(client, call)
            return len(calls) / (time.perf_counter() - begin)

    def define(self, name):
        if name not in self.hosts:
            return domains.floor_define_per_second(xml(0))
        return self.rate(name, [packed('SECRET_DEFINE_XML', xml=xml(number))
                                for number in range(CALLS)])

    def set_value(self, name):
        if name not in self.hosts:
            return domains.floor_define_per_second('x' * 44)
        return self.rate(name, [packed('SECRET_SET_VALUE', secret=wire(0), value=VALUE)] * CALLS,
                         [packed('SECRET_DEFINE_XML', xml=xml(0))])

    def get_value(self, name):
        if name not in self.hosts:
            return None
        return self.rate(name, [packed('SECRET_GET_VALUE', secret=wire(0))] * CALLS,
                         [packed('SECRET_DEFINE_XML', xml=xml(0)),
                          packed('SECRET_SET_VALUE', secret=wire(0), value=VALUE)])

    def list(self, name):
        if name not in self.hosts:
            return domains.floor_reply_ms(self.payload, call=Host.list_all)
        host = self.host(name, MANY)
        with host.connect() if host.pid else host.start() as client:
            lists = [domains.complete_list(client, MANY, host.list_all) for _ in range(10)]
        self.payload = lists[0][1]
        return statistics.median(taken for taken, _ in lists)

    def restart(self, name):
        if name not in self.hosts:
            return domains.floor_read_ms(next(iter(self.hosts.values())))
        return domains.restart_ms(self.host(name, MANY), MANY)

    def memory(self, name):
        if name not in self.hosts:
            return None
        full = memory_after_start_kib(self.host(name, MANY), 'Pss_Anon', MANY)
        return (full - memory_after_start_kib(self.host(name), 'Pss_Anon')) / MANY

    def end(self):
        for host in self.hosts.values():
            host.end()
