/* Rules across a domain, as they are checked when it is complete. */
#include <string.h>

#include "domain_fixture.h"

typedef struct Case {
    const char *body, *devices;
    const char *message; /* NULL: nothing wrong */
} Case;

static void check(const Case *cases, size_t n_cases)
{
    for (size_t i = 0; i < n_cases; i++) {
        g_autoptr(DomainDef) def = domain_of(cases[i].body, cases[i].devices);
        g_autoptr(GError) error = NULL;
        bool is_valid = domain_def_validate(def, &error);

        if (is_valid != (cases[i].message == NULL))
            g_error("case %zu: %s", i, error ? error->message : "no error");
        if (!is_valid)
            g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

#define RNG(...) "<rng model='virtio'><backend model='random'/>" __VA_ARGS__ "</rng>"
#define NIC(...) "<interface type='user'><model type='virtio'/>" __VA_ARGS__ "</interface>"
#define DISK(path, dev, bus, ...)                                                                  \
    "<disk type='file' device='disk'><source file='" path "'/><target dev='" dev "' bus='" bus     \
    "'/>" __VA_ARGS__ "</disk>"
#define CHANNEL(name, port)                                                                        \
    "<channel type='pty'><target type='virtio' name='" name "'/>"                                  \
    "<address type='virtio-serial' controller='0' bus='0' port='" port "'/></channel>"
#define TABLET(port)                                                                               \
    "<input type='tablet' bus='usb'><address type='usb' bus='0' port='" port "'/></input>"

static void test_what_must_be_different(void)
{
    static const Case cases[] = {
        { "", NIC("<alias name='ua-x'/>") RNG("<alias name='ua-x'/>"),
          "unsupported configuration: non unique alias detected: ua-x" },
        { "", NIC("<address type='pci' slot='7'/>") RNG("<address type='pci' slot='7'/>"),
          "XML error: Attempted double use of PCI Address 0000:00:07.0" },
        { "", NIC("<address type='pci'/>") RNG("<address type='pci'/>"), NULL },
        { "", TABLET("1") TABLET("1"), "XML error: Duplicate USB address bus 0 port 1" },
        { "", TABLET("1") TABLET("1.1"), NULL },
        { "", CHANNEL("a", "1") CHANNEL("b", "1"),
          "XML error: virtio serial port 1 on controller 0 is already occupied" },
        { "", DISK("/a", "vda", "virtio") DISK("/b", "vda", "virtio"),
          "XML error: target 'vda' duplicated for disk sources '/a' and '/b'" },
        { "", DISK("/a", "sda", "scsi", "<address type='drive' unit='3'/>")
          DISK("/b", "sdb", "scsi", "<address type='drive' unit='3'/>"),
          "unsupported configuration: Found duplicate drive address for disk with target name "
          "'sda' controller='0' bus='0' target='0' unit='3'" },
        { "", DISK("/a", "sda", "scsi", "<address type='drive' unit='3'/>")
          DISK("/b", "sdb", "sata", "<address type='drive' unit='3'/>"), NULL },
        { "", "<controller type='scsi' index='0'/><controller type='scsi' index='0'/>",
          "XML error: Multiple 'scsi' controllers with index '0'" },
        { "", "<controller type='usb' index='0' model='ich9-ehci1'/>"
          "<controller type='usb' index='0' model='ich9-uhci1'><master startport='0'/>"
          "</controller>", NULL },
        { "", "<panic model='isa'/><panic model='isa'/>",
          "XML error: Multiple panic devices with model 'isa'" },
        { "", "<watchdog model='i6300esb' action='reset'/><watchdog model='ib700' "
          "action='reset'/>", "internal error: only a single watchdog device is supported" },
        { "", "<video><model type='vga' primary='yes'/></video>"
          "<video><model type='qxl' primary='yes'/></video>",
          "unsupported configuration: Only one primary video device is supported" },
        { "", "<video><model type='none'/></video><video><model type='vga'/></video>",
          "unsupported configuration: a 'none' video type must be the only video device defined "
          "for the domain" },
    };

    check(cases, G_N_ELEMENTS(cases));
}

#define BOOT "<os><type>hvm</type><boot dev='hd'/></os>"

static void test_boot_order(void)
{
    static const Case cases[] = {
        { "", NIC("<boot order='1'/>") NIC("<boot order='2'/>"), NULL },
        { "", NIC("<boot order='1'/>") NIC("<boot order='1'/>"),
          "unsupported configuration: boot order '1' used for more than one device" },
        { BOOT, NIC(), NULL },
        { BOOT, NIC("<boot order='1'/>"), "unsupported configuration: per-device boot elements "
          "cannot be used together with os/boot elements" },
    };

    check(cases, G_N_ELEMENTS(cases));
}

static void test_consoles(void)
{
    static const Case cases[] = {
        { "", "<serial type='pty'/><console type='pty'><target type='serial'/></console>", NULL },
        { "", "<console type='pty'><target type='serial'/></console>"
          "<console type='pty'><target type='serial'/></console>",
          "unsupported configuration: Only the first console can be a serial port" },
        { "<os><type>hvm</type><bios useserial='yes'/></os>", "",
          "XML error: need at least one serial port to use BIOS serial output" },
        { "<os><type>hvm</type><bios useserial='yes'/></os>", "<serial type='pty'/>", NULL },
    };

    check(cases, G_N_ELEMENTS(cases));
}

#define ENDS(poweroff, reboot, crash)                                                              \
    "<on_poweroff>" poweroff "</on_poweroff><on_reboot>" reboot "</on_reboot><on_crash>" crash     \
    "</on_crash>"

static void test_lifecycle_actions(void)
{
    static const Case cases[] = {
        { ENDS("destroy", "restart", "coredump-restart"), "", NULL },
        { ENDS("restart", "restart", "preserve"), "", NULL },
        { ENDS("coredump-destroy", "restart", "destroy"), "", "unsupported configuration: "
          "Lifecycle event 'poweroff' doesn't support 'coredump-destroy' action" },
        { ENDS("destroy", "coredump-restart", "destroy"), "", "unsupported configuration: "
          "Lifecycle event 'reboot' doesn't support 'coredump-restart' action" },
        { ENDS("destroy", "restart", "rename-restart"), "", "unsupported configuration: qemu "
          "driver doesn't support the 'rename-restart' action for "
          "'on_reboot'/'on_poweroff'/'on_crash'" },
        { ENDS("preserve", "restart", "destroy"), "", "unsupported configuration: qemu driver "
          "doesn't support the 'preserve' action for 'on_reboot'/'on_poweroff'" },
        { ENDS("restart", "destroy", "destroy"), "", "unsupported configuration: qemu driver "
          "doesn't support 'onReboot' set to 'destroy and 'onPoweroff' set to 'reboot'" },
    };

    check(cases, G_N_ELEMENTS(cases));
}

#define TOPOLOGY(sockets, cores)                                                                   \
    "<cpu><topology sockets='" sockets "' cores='" cores "' threads='1'/></cpu>"

static void test_vcpus_and_topology(void)
{
    static const Case cases[] = {
        { "<vcpu current='0'>2</vcpu>", "",
          "unsupported configuration: vcpu 0 can't be offline" },
        { "<vcpu>4</vcpu>" TOPOLOGY("2", "2"), "", NULL },
        { "<vcpu current='1'>4</vcpu>" TOPOLOGY("2", "2"), "", NULL },
        { "<vcpu>4</vcpu>" TOPOLOGY("2", "3"), "",
          "unsupported configuration: CPU topology doesn't match maximum vcpu count" },
        { TOPOLOGY("65536", "65536"), "",
          "unsupported configuration: cpu topology results in more than 4294967295 cpus" },
    };

    check(cases, G_N_ELEMENTS(cases));
}

#define TIMER(...) "<clock offset='utc'><timer " __VA_ARGS__ "</clock>"

static void test_timers(void)
{
    static const Case cases[] = {
        { TIMER("name='rtc' tickpolicy='catchup' track='wall'/>"), "", NULL },
        { TIMER("name='tsc' frequency='1000' mode='native'/>"), "", NULL },
        { TIMER("name='rtc' tickpolicy='catchup'><catchup slew='5'/></timer>"), "", NULL },
        { TIMER("name='kvmclock' tickpolicy='delay'/>"), "", "unsupported configuration: timer "
          "kvmclock doesn't support setting of timer tickpolicy" },
        { TIMER("name='pit' track='wall'/>"), "",
          "unsupported configuration: timer pit doesn't support setting of timer track" },
        { TIMER("name='rtc' frequency='5'/>"), "",
          "unsupported configuration: timer rtc doesn't support setting of timer frequency" },
        { TIMER("name='hpet' mode='auto'/>"), "",
          "unsupported configuration: timer hpet doesn't support setting of timer mode" },
        { TIMER("name='rtc' tickpolicy='delay'><catchup slew='5'/></timer>"), "", "XML error: "
          "setting of timer catchup policies is only supported with tickpolicy='catchup'" },
    };

    check(cases, G_N_ELEMENTS(cases));
}

/* Thousands of devices cost little: what must be different is looked up, not compared. */
static void test_many_devices_are_checked_quickly(void)
{
    g_autoptr(GString) devices = g_string_new(NULL);
    g_autoptr(DomainDef) def = NULL;
    gint64 begin = 0;

    for (int i = 0; i < 5000; i++)
        g_string_append_printf(devices, RNG("<alias name='ua-%d'/>"), i);
    def = domain_of("", devices->str);
    begin = g_get_monotonic_time();
    g_assert_true(domain_def_validate(def, NULL));
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 2 * G_USEC_PER_SEC);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain_validate/different", test_what_must_be_different);
    g_test_add_func("/domain_validate/boot", test_boot_order);
    g_test_add_func("/domain_validate/consoles", test_consoles);
    g_test_add_func("/domain_validate/lifecycle", test_lifecycle_actions);
    g_test_add_func("/domain_validate/vcpus", test_vcpus_and_topology);
    g_test_add_func("/domain_validate/timers", test_timers);
    g_test_add_func("/domain_validate/many", test_many_devices_are_checked_quickly);
    return g_test_run();
}
