#include "virtqemud/host/host_cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Holds the first processor, which stands for all. */
#define CPUINFO_MAX 8192

/* What the instruction says, and what libvirt calls it. */
static const struct {
    const char *id, *name;
} vendors[] = {
    { "GenuineIntel", "Intel" },
    { "AuthenticAMD", "AMD" },
    { "HygonGenuine", "Hygon" },
};

/* "KEY : VALUE" of /proc/cpuinfo; NULL for another key. */
static const char *line_value(const char *line, const char *key)
{
    gsize length = strlen(key);

    if (strncmp(line, key, length) != 0)
        return NULL;
    line += length + strspn(line + length, " \t");
    return line[0] == ':' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

static void take_number(const char *line, const char *key, guint *number)
{
    const char *value = line_value(line, key);

    if (value)
        *number = (guint) g_ascii_strtoull(value, NULL, 10);
}

static void take_line(const char *line, HostProcessor *processor)
{
    const char *value = line_value(line, "vendor_id");

    for (gsize i = 0; value && i < G_N_ELEMENTS(vendors); i++) {
        if (strcmp(value, vendors[i].id) == 0)
            processor->vendor = vendors[i].name;
    }
    take_number(line, "cpu family", &processor->family);
    take_number(line, "model", &processor->model);
    take_number(line, "stepping", &processor->stepping);
    take_number(line, "address sizes", &processor->physical_bits);
    value = line_value(line, "microcode");
    if (value)
        processor->microcode = g_ascii_strtoull(value, NULL, 0);
}

/* Only a virtual processor can be asked. */
static long ask_tsc_khz(int kvm)
{
    int vm = ioctl(kvm, KVM_CREATE_VM, 0L);
    int vcpu = vm >= 0 ? ioctl(vm, KVM_CREATE_VCPU, 0L) : -1;
    long khz = vcpu >= 0 ? ioctl(vcpu, KVM_GET_TSC_KHZ, 0L) : -1;

    if (vcpu >= 0)
        close(vcpu);
    if (vm >= 0)
        close(vm);
    return khz;
}

/* Kernel: Documentation/virt/kvm/api.rst. */
static void read_tsc(const HostRoots *roots, HostProcessor *processor)
{
    g_autofree char *path = g_build_filename(roots->dev, "kvm", NULL);
    int kvm = open(path, O_RDWR | O_CLOEXEC);
    long khz;

    if (kvm < 0)
        return;
    khz = ask_tsc_khz(kvm);
    processor->tsc_hz = khz > 0 ? (guint64) khz * 1000 : 0;
    processor->has_tsc_scaling = ioctl(kvm, KVM_CHECK_EXTENSION, (long) KVM_CAP_TSC_CONTROL) > 0;
    close(kvm);
}

void host_processor_read(const HostRoots *roots, HostProcessor *ret_processor)
{
    HostProcessor processor = { 0 };
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    *ret_processor = processor;
    if (!host_file_read(roots->proc, CPUINFO_MAX, &text, NULL, NULL, "cpuinfo"))
        return;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && **line; line++)
        take_line(*line, &processor);
    if (!processor.vendor)
        return;
    read_tsc(roots, &processor);
    *ret_processor = processor;
}

static void format_identity(const HostProcessor *processor, XmlWriter *writer)
{
    xml_writer_element_string(writer, "vendor", processor->vendor);
    if (processor->microcode > 0) {
        xml_writer_open(writer, "microcode");
        xml_writer_attr(writer, "version", "%" G_GUINT64_FORMAT, processor->microcode);
        xml_writer_close(writer);
    }
    xml_writer_open(writer, "signature");
    xml_writer_attr(writer, "family", "%u", processor->family);
    xml_writer_attr(writer, "model", "%u", processor->model);
    xml_writer_attr(writer, "stepping", "%u", processor->stepping);
    xml_writer_close(writer);
}

static void format_counter(const HostProcessor *processor, XmlWriter *writer)
{
    xml_writer_open(writer, "counter");
    xml_writer_attr_string(writer, "name", "tsc");
    xml_writer_attr(writer, "frequency", "%" G_GUINT64_FORMAT, processor->tsc_hz);
    xml_writer_attr_string(writer, "scaling", processor->has_tsc_scaling ? "yes" : "no");
    xml_writer_close(writer);
}

void host_processor_format(const HostCapabilities *capabilities, XmlWriter *writer, void *data)
{
    const HostProcessor *processor = data;

    xml_writer_open(writer, "cpu");
    xml_writer_element_string(writer, "arch", capabilities->info.model);
    if (processor->vendor)
        format_identity(processor, writer);
    if (processor->tsc_hz > 0)
        format_counter(processor, writer);
    host_cpu_topology_format(capabilities, writer);
    if (processor->physical_bits > 0) {
        xml_writer_open(writer, "maxphysaddr");
        xml_writer_attr_string(writer, "mode", "emulate");
        xml_writer_attr(writer, "bits", "%u", processor->physical_bits);
        xml_writer_close(writer);
    }
    host_cpu_pages_format(capabilities, writer);
    xml_writer_close(writer);
}
