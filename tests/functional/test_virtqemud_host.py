"""What virtqemud says about its host is what the host's kernel says, and it owns no domains.
Every question is asked as clients ask it: with virsh, with python3-libvirt, and by frames where
no client would send such a thing."""

import os
import re
import unittest
from pathlib import Path

import harness
import rpc

try:
    import libvirt
    libvirt.registerErrorHandler(lambda *unused: None, None)
except ImportError:
    libvirt = None

PAGE_KIB = os.sysconf('SC_PAGE_SIZE') // 1024
ONLINE = Path('/sys/devices/system/cpu/online')
KSM = Path('/sys/kernel/mm/ksm')
# Between our reading and the daemon's, others use the machine.
MEMORY_SLACK_KIB = 512 * 1024
DOMAIN = {'name': 'nobody', 'uuid': b'\1' * 16, 'id': -1}

# Error numbers and domains (virterror.h).
INTERNAL_ERROR, NO_SUPPORT, INVALID_ARG, OPERATION_FAILED, RPC_ERROR, NO_DOMAIN = 1, 3, 8, 9, 39, 42
ARGUMENT_UNSUPPORTED, OPERATION_UNSUPPORTED = 74, 84
FROM_RPC, FROM_QEMU, FROM_DOMAIN = 7, 10, 20


def meminfo(field, path='/proc/meminfo'):
    for line in Path(path).read_text().splitlines():
        name, value = line.split(':')
        if name.split()[-1] == field:
            return int(value.split()[0])
    raise KeyError(field)


def cells(field):
    """The sum over the NUMA cells. It may be less than the host's own, and grow, where memory is
    plugged in while the host runs."""
    files = list(Path('/sys/devices/system/node').glob('node[0-9]*/meminfo'))
    return sum(meminfo(field, path) for path in files) if files else meminfo(field)


def online_cpus():
    cpus = set()
    for part in ONLINE.read_text().strip().split(','):
        first, _, last = part.partition('-')
        cpus.update(range(int(first), int(last or first) + 1))
    return cpus


class HostTestCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.qemud = self.daemon('virtqemud')

    def client(self, kind='', flags=0):
        client = rpc.Client(self.qemud.socket(kind))
        self.addCleanup(client.close)
        client.auth_list()
        client.open(flags=flags)
        return client

    def fails(self, code, domain, procedure, **args):
        """The message of the error that a call must give."""
        with self.assertRaises(rpc.Error) as caught:
            self.client().call(procedure, **args)
        self.assertEqual((caught.exception.code, caught.exception.domain), (code, domain))
        return caught.exception.message


@unittest.skipUnless(libvirt, 'needs python3-libvirt')
class Library(HostTestCase):
    """By python3-libvirt."""

    def setUp(self):
        super().setUp()
        self.connection = libvirt.open(self.qemud.uri())
        self.addCleanup(self.connection.close)

    def test_info_is_the_kernels(self):
        least = cells('MemTotal') // 1024
        model, memory_mib, cpus, _, nodes, sockets, cores, threads = self.connection.getInfo()
        self.assertEqual(model, os.uname().machine)
        self.assertIn(memory_mib, range(least, cells('MemTotal') // 1024 + 1))
        self.assertEqual(cpus, len(online_cpus()))
        self.assertEqual(nodes * sockets * cores * threads, cpus)

    def test_cpu_map_is_the_kernels(self):
        total, online, count = self.connection.getCPUMap()
        self.assertEqual({cpu for cpu in range(total) if online[cpu]}, online_cpus())
        self.assertEqual(count, len(online_cpus()))

    def test_cpu_times_are_the_kernels(self):
        stats = self.connection.getCPUStats(-1)
        ticks = [int(word) for word in Path('/proc/stat').read_text().split('\n')[0].split()[1:]]
        tick_ns = 10**9 // os.sysconf('SC_CLK_TCK')
        self.assertEqual(set(stats), {'kernel', 'user', 'idle', 'iowait'})
        self.assertAlmostEqual(stats['user'], (ticks[0] + ticks[1]) * tick_ns, delta=10 * 10**9)
        self.assertLessEqual(stats['user'], (ticks[0] + ticks[1]) * tick_ns)

    def test_one_processor_has_less_time_than_all(self):
        if len(online_cpus()) < 2:
            self.skipTest('needs two processors')
        one = self.connection.getCPUStats(min(online_cpus()))
        self.assertLess(one['user'], self.connection.getCPUStats(-1)['user'])

    def test_memory_stats_are_the_kernels(self):
        stats = self.connection.getMemoryStats(-1)
        self.assertEqual(stats['total'], meminfo('MemTotal'))
        for name, field in (('free', 'MemFree'), ('buffers', 'Buffers'), ('cached', 'Cached')):
            self.assertAlmostEqual(stats[name], meminfo(field), delta=MEMORY_SLACK_KIB)

    def test_free_memory_is_the_kernels(self):
        self.assertAlmostEqual(self.connection.getFreeMemory() // 1024, cells('MemFree'),
                               delta=MEMORY_SLACK_KIB)

    def test_free_memory_of_all_cells_is_that_of_the_host(self):
        free = self.connection.getCellsFreeMemory(0, 1024)
        self.assertAlmostEqual(sum(free) // 1024, cells('MemFree'), delta=MEMORY_SLACK_KIB)

    def test_free_pages_are_free_memory(self):
        pages = self.connection.getFreePages([PAGE_KIB], -1, 1)[-1][PAGE_KIB]
        self.assertAlmostEqual(pages * PAGE_KIB, cells('MemFree'), delta=MEMORY_SLACK_KIB)

    @unittest.skipUnless(KSM.is_dir(), 'needs a kernel that merges pages')
    def test_memory_parameters_are_the_kernels(self):
        parameters = self.connection.getMemoryParameters()
        for name in ('pages_to_scan', 'sleep_millisecs', 'merge_across_nodes'):
            if (KSM / name).exists():
                self.assertEqual(parameters['shm_' + name], int((KSM / name).read_text()))

    @harness.needs_root
    @unittest.skipUnless(os.access(KSM / 'pages_to_scan', os.W_OK), 'needs to set KSM')
    def test_memory_parameter_is_set(self):
        file = KSM / 'pages_to_scan'
        before = file.read_text()
        self.addCleanup(file.write_text, before)
        self.connection.setMemoryParameters({'shm_pages_to_scan': int(before) + 1})
        self.assertEqual(int(file.read_text()), int(before) + 1)

    @unittest.skipUnless(KSM.is_dir(), 'needs a kernel that merges pages')
    def test_memory_parameter_that_only_counts_is_refused(self):
        with self.assertRaises(libvirt.libvirtError) as caught:
            self.connection.setMemoryParameters({'shm_full_scans': 1})
        self.assertEqual(caught.exception.get_error_code(), ARGUMENT_UNSUPPORTED)

    def test_emulated_guests_have_sixteen_processors(self):
        self.assertEqual(self.connection.getMaxVcpus(None), 16)

    def test_connection_says_what_it_is(self):
        self.assertEqual(self.connection.getType(), 'QEMU')
        self.assertEqual(self.connection.getLibVersion(), 11003000)
        self.assertTrue(self.connection.getHostname())

    def test_there_are_no_domains(self):
        self.assertEqual(self.connection.listAllDomains(), [])
        self.assertEqual(self.connection.listDomainsID(), [])
        self.assertEqual(self.connection.listDefinedDomains(), [])
        self.assertEqual((self.connection.numOfDomains(), self.connection.numOfDefinedDomains()),
                         (0, 0))
        self.assertEqual(self.connection.getAllDomainStats(), [])

    def test_unknown_domain_is_named(self):
        for lookup, text in (
                (lambda: self.connection.lookupByName('nobody'), "name 'nobody'"),
                (lambda: self.connection.lookupByID(7), 'id 7'),
                (lambda: self.connection.lookupByUUID(b'\1' * 16),
                 "uuid '01010101-0101-0101-0101-010101010101'")):
            with self.assertRaises(libvirt.libvirtError) as caught:
                lookup()
            self.assertEqual(caught.exception.get_error_code(), NO_DOMAIN)
            self.assertEqual(str(caught.exception),
                             'Domain not found: no domain with matching ' + text)


class Virsh(HostTestCase):
    """By virsh."""

    def test_list_is_empty(self):
        self.assertEqual(self.virsh(self.qemud, 'list', '--all').strip(), '')

    def test_nodeinfo(self):
        least = cells('MemTotal')
        output = self.virsh(self.qemud, 'nodeinfo')
        self.assertRegex(output, rf'CPU\(s\): +{len(online_cpus())}\n')
        kib = int(re.search(r'Memory size: +(\d+) KiB\n', output)[1])
        self.assertIn(kib, range(least, cells('MemTotal') + 1))

    def test_freecell(self):
        kib = int(re.search(r'(\d+) KiB', self.virsh(self.qemud, 'freecell')).group(1))
        self.assertAlmostEqual(kib, cells('MemFree'), delta=MEMORY_SLACK_KIB)

    def test_processor_that_does_not_exist_is_named(self):
        self.assertIn('CPU 9999', self.virsh(self.qemud, 'nodecpustats', '9999', status=1))

    def test_pages_can_be_allocated_read_only_by_nobody(self):
        output = self.virsh(self.qemud, 'allocpages', '2048', '0', kind='ro', status=1)
        self.assertIn('read only access prevents virNodeAllocPages', output)

    def test_sleep_for_less_than_a_minute_is_refused(self):
        """Or the host cannot sleep at all."""
        self.virsh(self.qemud, 'nodesuspend', 'mem', '5', status=1)


class Frames(HostTestCase):
    """What the calls of libraries do not show."""

    def test_uri_is_the_local_one(self):
        self.assertEqual(self.client().call('CONNECT_GET_URI')['uri'], 'qemu:///system')

    def test_map_and_count_come_only_when_wanted(self):
        client = self.client()
        full = client.call('NODE_GET_CPU_MAP', need_map=1, need_online=1)
        bare = client.call('NODE_GET_CPU_MAP')
        self.assertEqual(len(full['cpumap']), (full['ret'] + 7) // 8)
        self.assertEqual(full['online'], len(online_cpus()))
        self.assertEqual((bare['cpumap'], bare['online'], bare['ret']), (b'', 0, full['ret']))

    def test_no_room_asks_for_the_number(self):
        client = self.client()
        for procedure in ('NODE_GET_CPU_STATS', 'NODE_GET_MEMORY_STATS'):
            # -1: all processors, the whole host
            which = 'cpuNum' if 'CPU' in procedure else 'cellNum'
            result = client.call(procedure, nparams=0, **{which: -1})
            self.assertEqual((result['params'], result['nparams']), ([], 4))

    def test_less_room_than_memory_parameters_gives_the_first(self):
        client = self.client()
        count = client.call('NODE_GET_MEMORY_PARAMETERS')['nparams']
        names = [param['field'] for param in
                 client.call('NODE_GET_MEMORY_PARAMETERS', nparams=count)['params']]
        first = client.call('NODE_GET_MEMORY_PARAMETERS', nparams=min(count, 2))['params']
        self.assertEqual([param['field'] for param in first], names[:2])

    def test_security_model_ends_with_zero(self):
        model = bytes(self.client().call('NODE_GET_SECURITY_MODEL')['model'])
        self.assertIn(model, (b'none\0', b'apparmor\0', b'selinux\0'))

    def test_room_out_of_range_is_refused(self):
        for procedure, largest in (('NODE_GET_CPU_STATS', 16), ('NODE_GET_MEMORY_STATS', 16),
                                   ('NODE_GET_MEMORY_PARAMETERS', 64)):
            for room in (-1, largest + 1):
                self.fails(INTERNAL_ERROR, FROM_RPC, procedure, nparams=room)

    def test_room_of_older_lists_out_of_range_is_refused(self):
        for room in (-1, 16385):
            self.fails(RPC_ERROR, FROM_RPC, 'CONNECT_LIST_DOMAINS', maxids=room)
            self.fails(RPC_ERROR, FROM_RPC, 'CONNECT_LIST_DEFINED_DOMAINS', maxnames=room)

    def test_numbers_that_name_nothing_are_refused(self):
        self.fails(INVALID_ARG, FROM_DOMAIN, 'NODE_GET_CPU_STATS', cpuNum=-2, nparams=4)
        self.fails(INVALID_ARG, FROM_DOMAIN, 'NODE_GET_MEMORY_STATS', cellNum=-2, nparams=4)
        self.fails(INVALID_ARG, FROM_DOMAIN, 'DOMAIN_LOOKUP_BY_ID', id=-1)
        self.fails(RPC_ERROR, FROM_RPC, 'NODE_GET_CELLS_FREE_MEMORY', maxcells=1025)
        self.fails(INVALID_ARG, FROM_DOMAIN, 'NODE_GET_FREE_PAGES', cellCount=1)
        self.fails(INVALID_ARG, FROM_DOMAIN, 'NODE_GET_FREE_PAGES', pages=[4])
        self.fails(INVALID_ARG, 0, 'NODE_GET_CPU_STATS', cpuNum=9999, nparams=4)
        self.fails(INTERNAL_ERROR, 0, 'NODE_GET_CELLS_FREE_MEMORY', startCell=9999, maxcells=1)

    def test_page_size_that_the_host_has_not_is_named(self):
        text = self.fails(OPERATION_FAILED, 0, 'NODE_GET_FREE_PAGES', pages=[5], cellCount=1)
        self.assertIn('page size 5', text)

    def test_ordinary_pages_cannot_be_allocated(self):
        self.fails(OPERATION_UNSUPPORTED, 0, 'NODE_ALLOC_PAGES', pageSizes=[PAGE_KIB],
                   pageCounts=[1], cellCount=1)

    def test_sizes_without_counts_are_refused(self):
        self.fails(INVALID_ARG, FROM_DOMAIN, 'NODE_ALLOC_PAGES', pageSizes=[2048, 1048576],
                   pageCounts=[0], cellCount=1)

    def test_unknown_flags_are_refused(self):
        for procedure, api, flags in (
                ('CONNECT_GET_SYSINFO', 'virConnectGetSysinfo', 1),
                ('NODE_GET_CPU_MAP', 'virNodeGetCPUMap', 1),
                ('NODE_GET_CPU_STATS', 'virNodeGetCPUStats', 1),
                ('NODE_GET_MEMORY_STATS', 'virNodeGetMemoryStats', 1),
                ('NODE_GET_MEMORY_PARAMETERS', 'virNodeGetMemoryParameters', 1),
                ('NODE_SET_MEMORY_PARAMETERS', 'virNodeSetMemoryParameters', 1),
                ('NODE_GET_FREE_PAGES', 'virNodeGetFreePages', 1),
                ('NODE_ALLOC_PAGES', 'virNodeAllocPages', 2),
                ('NODE_SUSPEND_FOR_DURATION', 'virNodeSuspendForDuration', 1),
                ('CONNECT_LIST_ALL_DOMAINS', 'virConnectListAllDomains', 0x10000),
                ('CONNECT_GET_ALL_DOMAIN_STATS', 'virConnectGetAllDomainStats', 0x100)):
            text = self.fails(INVALID_ARG, 0, procedure, flags=flags)
            self.assertEqual(text, f'unsupported flags (0x{flags:x}) in function {api}')

    def test_unknown_guest_type_is_named(self):
        text = self.fails(INVALID_ARG, FROM_QEMU, 'CONNECT_GET_MAX_VCPUS', type='xen')
        self.assertEqual(text, "invalid argument: unknown type 'xen'")

    def test_unknown_sleep_is_refused(self):
        self.assertEqual(self.fails(INVALID_ARG, 0, 'NODE_SUSPEND_FOR_DURATION', target=7,
                                    duration=60),
                         'invalid argument: Invalid suspend target')

    def test_every_filter_of_lists_is_known(self):
        result = self.client().call('CONNECT_LIST_ALL_DOMAINS', need_results=1, flags=0xffff)
        self.assertEqual((result['domains'], result['ret']), ([], 0))

    def test_statistics_leave_out_domains_that_are_gone(self):
        result = self.client().call('CONNECT_GET_ALL_DOMAIN_STATS', doms=[DOMAIN])
        self.assertEqual(result['retStats'], [])


class Events(HostTestCase):
    """Who wants to hear of domains is kept, with nothing to be heard yet."""

    def test_older_form_is_once_per_client(self):
        client = self.client()
        self.assertEqual(client.call('CONNECT_DOMAIN_EVENT_REGISTER')['cb_registered'], 0)
        with self.assertRaises(rpc.Error):
            client.call('CONNECT_DOMAIN_EVENT_REGISTER')
        client.call('CONNECT_DOMAIN_EVENT_DEREGISTER')
        with self.assertRaises(rpc.Error):
            client.call('CONNECT_DOMAIN_EVENT_DEREGISTER')

    def test_older_form_of_each_event(self):
        client = self.client()
        client.call('CONNECT_DOMAIN_EVENT_REGISTER_ANY', eventID=3)
        client.call('CONNECT_DOMAIN_EVENT_DEREGISTER_ANY', eventID=3)
        self.fails(INTERNAL_ERROR, FROM_RPC, 'CONNECT_DOMAIN_EVENT_DEREGISTER_ANY', eventID=3)

    def test_callbacks_have_numbers_of_their_own(self):
        client = self.client()
        numbers = [client.call('CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY', eventID=0,
                               dom=domain)['callbackID'] for domain in (None, None, DOMAIN)]
        self.assertEqual(len(set(numbers)), 3)
        for number in numbers:
            client.call('CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY', callbackID=number)
        with self.assertRaises(rpc.Error):
            client.call('CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY', callbackID=numbers[0])

    def test_event_that_does_not_exist_is_refused(self):
        for number in (-1, 28):
            self.fails(INTERNAL_ERROR, FROM_RPC, 'CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY',
                       eventID=number)

    def test_monitor_events_have_callbacks(self):
        client = self.client()
        number = client.call('CONNECT_DOMAIN_MONITOR_EVENT_REGISTER', program='QEMU',
                             event='SHUTDOWN')['callbackID']
        client.call('CONNECT_DOMAIN_MONITOR_EVENT_DEREGISTER', program='QEMU', callbackID=number)
        with self.assertRaises(rpc.Error):
            client.call('CONNECT_DOMAIN_MONITOR_EVENT_DEREGISTER', program='QEMU',
                        callbackID=number)
