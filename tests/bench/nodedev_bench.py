"""Measures what virtnodedevd does with devices beside libvirtd, for run.py: network links of the
namespace that the benchmark runs in, in numbers, besides the devices of the host. A udevd without
rules runs beside both, since libvirtd learns from it alone that devices come and go. Floors are the
same work with no daemon: the files read, the same reply sent by a process that has it at hand."""

import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import domains
from domains import first_word, memory_kib, packed, timed

LINKS, PASSING = 500, 1000
CALLS = 500
LO = 'net_lo_00_00_00_00_00_00'
# VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET
NET = 1 << 4
ADDRESS = '52:54:00:00:{:02x}:{:02x}'
FOLDER = Path('/run/bench-nodedev')


class Host(domains.Host):
    """A daemon that has devices."""

    uri = 'nodedev:///system'
    list_all = packed('CONNECT_LIST_ALL_NODE_DEVICES', need_results=1)
    list_links = packed('CONNECT_LIST_ALL_NODE_DEVICES', need_results=1, flags=NET)


def batch(*lines):
    subprocess.run(['ip', '-batch', '-'], input='\n'.join(lines) + '\n', text=True, check=True)


def add_links(prefix, count):
    """In a group, by which the kernel removes them all at once."""
    batch(*(f'link add {prefix}{n} address {ADDRESS.format(n >> 8, n & 255)} group 77 type ifb'
            for n in range(count)))


def wait_for(client, count):
    """For links that are there, besides lo."""
    deadline = time.monotonic() + domains.PATIENCE_S
    while first_word(timed(client, Host.list_links)[1]) != count + 1:
        if time.monotonic() > deadline:
            raise AssertionError(f'{count} links are not listed in time')
        time.sleep(0.02)


class Devices:
    """The measures: each gives the figure of a side, by name, or None where it has none."""

    def __init__(self, hosts):
        self.hosts = {host.name: host for host in hosts}
        self.udevd = None
        self.links = 0

    def prepare(self, links):
        """A /sys of this network namespace, a udevd, and so many links."""
        if not self.udevd:
            subprocess.run(['mount', '-t', 'sysfs', 'sysfs', '/sys'], check=True)
            FOLDER.mkdir()
            # The program is what its name says.
            shutil.copy(shutil.which('udevadm'), FOLDER / 'systemd-udevd')
            self.udevd = subprocess.Popen([FOLDER / 'systemd-udevd'], stdin=subprocess.DEVNULL,
                                          stderr=subprocess.DEVNULL)
            while subprocess.run(['udevadm', 'control', '--ping'],
                                 stderr=subprocess.DEVNULL).returncode != 0:
                time.sleep(0.05)
        if links != self.links:
            if self.links:
                batch('link del group 77')
            add_links('bench', links)
            self.links = links
            subprocess.run(['udevadm', 'settle'], check=True)

    def host(self, name, links=LINKS):
        self.prepare(links)
        return self.hosts.get(name)

    def idle(self, name):
        host = self.host(name, 0)
        if not host:
            return None
        with host.start():
            time.sleep(2)
            taken = memory_kib(host.pid, 'Pss') / 1024
        host.stop()
        return taken

    def passed(self, name):
        """What it has more of its own after links have come and gone."""
        host = self.host(name, 0)
        if not host:
            return None
        with host.start() as client:
            wait_for(client, 0)
            before = memory_kib(host.pid, 'Pss_Anon')
            add_links('passing', PASSING)
            wait_for(client, PASSING)
            batch('link del group 77')
            wait_for(client, 0)
            time.sleep(2)
            taken = (memory_kib(host.pid, 'Pss_Anon') - before) / 1024
        host.stop()
        return taken

    def listed(self, name, call):
        host = self.host(name)
        if not host:
            return domains.floor_reply_ms(self.payload, call=call)
        with host.connect() if host.pid else host.start() as client:
            wait_for(client, LINKS)
            lists = [timed(client, call) for _ in range(20)]
        self.payload = lists[0][1]
        return statistics.median(taken for taken, _ in lists)

    def list(self, name):
        return self.listed(name, Host.list_all)

    def list_links(self, name):
        return self.listed(name, Host.list_links)

    def describe(self, name):
        """XML of a link, so many a second."""
        host = self.host(name)
        if not host:
            return None
        call = packed('NODE_DEVICE_GET_XML_DESC', name=LO)
        with host.connect() if host.pid else host.start() as client:
            begin = time.perf_counter()
            for _ in range(CALLS):
                timed(client, call)
            return CALLS / (time.perf_counter() - begin)

    def restart(self, name):
        host = self.host(name)
        if not host:
            return self.read_links_ms()
        host.stop()
        begin = time.perf_counter()
        with host.start() as client:
            domains.complete_list(client, LINKS + 1, host.list_links)
            return (time.perf_counter() - begin) * 1000

    @staticmethod
    def read_links_ms():
        """What names of links are made of, read by one thread."""
        begin = time.perf_counter()
        for name in os.listdir('/sys/class/net'):
            os.path.realpath(f'/sys/class/net/{name}')
            for attribute in ('uevent', 'address'):
                fd = os.open(f'/sys/class/net/{name}/{attribute}', os.O_RDONLY)
                os.read(fd, 4096)
                os.close(fd)
        return (time.perf_counter() - begin) * 1000

    def end(self):
        for host in self.hosts.values():
            host.end()
        if self.udevd:
            self.udevd.terminate()
            self.udevd.wait()
            if self.links:
                batch('link del group 77')
            shutil.rmtree(FOLDER)
            subprocess.run(['umount', '/sys'], check=True)
            self.udevd = None
