/* Node devices' XML held against the schema of the manual. */
#include "base/error.h"
#include "virtnodedevd/device_schema.h"

static bool is_valid(const char *inside)
{
    g_autofree char *text = g_strdup_printf("<device><name>x</name>%s</device>", inside);
    g_autoptr(XmlDoc) doc = xml_parse(text, "test", NULL);

    g_assert_nonnull(doc);
    return xml_schema_validate(xml_doc_root(doc), &device_schema, NULL);
}

#define OF(TYPE, INSIDE) "<capability type='" TYPE "'>" INSIDE "</capability>"
#define PCI "<domain>0</domain><bus>2</bus><slot>0</slot><function>0</function>" \
            "<product id='0x10c9'>82576</product><vendor id='8086'/>"
#define ADDRESS "<address domain='0x0000' bus='0x02' slot='0x10' function='0x0'/>"
#define CCW "<cssid>0xfe</cssid><ssid>0x3</ssid><devno>0xbd00</devno>"
#define BLOCK "<block>/dev/sda</block>"
#define MEDIUM "<media_available>1</media_available><media_size>3</media_size>"
#define BLOCKS "<logical_block_size>512</logical_block_size><num_blocks>4</num_blocks>"
#define WWNS "<wwnn>2001001b32a9da4e</wwnn><wwpn>2101001b32a9da4e</wwpn>"

static void test_valid(void)
{
    static const char *const documents[] = {
        "",
        "<capability type='usb'><number>0</number><class>9</class><subclass>0</subclass>"
        "<protocol>0</protocol><description>Hub</description></capability><path>/sys/x</path>"
        "<devnode type='link'>/dev/b</devnode><driver><name>hub</name></driver>"
        "<devnode type='dev'>/dev/a</devnode><parent>usb_usb1</parent>",
        "<parent wwnn='2001001b32a9da4e' wwpn='0x2101001b32a9da4e'/>",
        "<parent fabric_wwn='2001001b32a9da4e'/>",
        OF("system", "<hardware><uuid>c9488981-5049-11cb-9c1c-993d0230b4cd</uuid></hardware>"
                     "<firmware/>"),
        OF("pci", PCI),
        OF("pci", "<class>0x020000</class>" PCI OF("phys_function", ADDRESS)
                  OF("virt_functions", "") OF("cardbus-bridge", "")
                  OF("mdev_types", "<type id='a'><deviceAPI>vfio-pci</deviceAPI>"
                                   "<availableInstances>1</availableInstances></type>")
                  OF("vpd", "<name>n</name><fields access='readwrite'>"
                            "<system_field index='B'>v</system_field></fields>")
                  "<iommuGroup number='12'>" ADDRESS ADDRESS "</iommuGroup><numa node='-1'/>"
                  "<pci-express><link validity='cap' port='1' speed='2.5' width='1'/></pci-express>"),
        OF("net", "<interface>e</interface><link/><feature name='switchdev'/>" OF("80203", "")),
        OF("scsi_host", "<host>1</host>" OF("vport_ops", "<max_vports>2</max_vports>"
                                                         "<vports>0</vports>")
                        OF("fc_host", WWNS)),
        OF("scsi_target", "<target>target1:0:0</target>"
                          OF("fc_remote_port", "<rport>rport-5:0-0</rport>"
                                               "<wwpn>0x9d73bc45f0e21a86</wwpn>")),
        OF("storage", BLOCK "<size>1</size>"),
        OF("storage", BLOCK "<bus>usb</bus><size>1</size>" BLOCKS OF("hotpluggable", "")),
        OF("storage", BLOCK OF("removable", MEDIUM BLOCKS)),
        OF("mdev", "<uuid>4b20d0801b54404885b3a6a62d165c01</uuid><attr name='' value=''/>"
                   "<type id=''/><attr name='a' value='b'/>"),
        OF("ccw", "<state>offline</state>" CCW OF("ccwgroup_member", "<group_device/>")),
        OF("ccwgroup", CCW "<members><ccw_device ref='cdev0'>ccw_0_0_bd00</ccw_device></members>"
                       OF("qeth_layer2", "<chpid>F6</chpid><card_type>OSD</card_type>")),
        OF("css", "<devno>1</devno><channel_dev_addr>" CCW "</channel_dev_addr><cssid>0</cssid>"
                  "<ssid>0</ssid>"),
        OF("ap_queue", "<ap-adapter>0x7</ap-adapter><ap-domain>0x0038</ap-domain>"),
        OF("drm", "<type>render</type>") OF("vdpa", "<chardev>/dev/vhost-vdpa-0</chardev>"),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        if (!is_valid(documents[i]))
            g_error("not valid: %s", documents[i]);
    }
}

static void test_invalid(void)
{
    static const char *const documents[] = {
        "<name>y</name>",
        "<colour/>",
        "<devnode>/dev/x</devnode>",
        "<devnode type='node'>/dev/x</devnode>",
        "<driver/>",
        "<parent wwnn='2001001b32a9da4e'/>",
        "<parent wwnn='2001001b32a9da4e' wwpn='2001001b32a9da4e'>text</parent>",
        "<parent fabric_wwn='zz'/>",
        "<capability/>",
        OF("foo", ""),
        OF("fc_host", WWNS),
        OF("system", "<hardware/><firmware/>"),
        OF("pci", ""),
        OF("pci", PCI "<class>0x020000</class>"),
        OF("pci", "<class>0x02</class>" PCI),
        OF("pci", PCI "<iommuGroup number='12'/>"),
        OF("pci", PCI OF("vpd", "<name>n</name><fields access='readonly'>"
                               "<system_field index='B'>v</system_field></fields>")),
        OF("pci", PCI OF("vpd", "<name>n</name><fields access='readwrite'>"
                               "<system_field index='A'>v</system_field></fields>")),
        OF("pci", PCI "<pci-express><link validity='cap' speed='x' width='1'/></pci-express>"),
        OF("net", "<interface>e</interface><address>52</address>"),
        OF("net", "<interface>e</interface><link state='off'/>"),
        OF("net", "<interface>e</interface>" OF("80212", "")),
        OF("scsi_host", OF("fc_host", WWNS)),
        OF("scsi_host", "<host>1</host>" OF("fc_host", "<wwnn>2001001b32a9da4e</wwnn>")),
        OF("scsi_host", "<host>1</host>" OF("fc_host", WWNS "<fabric_wwn/>")),
        OF("storage", BLOCK),
        OF("storage", BLOCK "<size>1</size><num_blocks>4</num_blocks>"),
        OF("storage", BLOCK "<size>1</size>" OF("removable", MEDIUM)),
        OF("storage", BLOCK OF("removable", MEDIUM) BLOCKS),
        OF("storage", "<block>sda</block><size>1</size>"),
        OF("mdev", ""),
        OF("mdev", "<type/>"),
        OF("mdev", "<type id='a'/><uuid>zz</uuid>"),
        OF("mdev", "<type id='a'/><attr name='a'/>"),
        OF("ccw", "<cssid>0xff</cssid><ssid>0</ssid><devno>1</devno>"),
        OF("ccw", "<cssid>255</cssid><ssid>0</ssid><devno>1</devno>"),
        OF("ccw", "<cssid>0</cssid><ssid>4</ssid><devno>1</devno>"),
        OF("ccw", "<cssid>0</cssid><ssid>0</ssid><devno>65536</devno>"),
        OF("ccw", CCW "<state>online</state>"),
        OF("ccwgroup", CCW),
        OF("ccwgroup", CCW "<members/>" OF("qeth_generic", "<card_type/><chpid/>")),
        OF("ap_card", "<ap-adapter>256</ap-adapter>"),
        OF("drm", "<type>plain</type>"),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        if (is_valid(documents[i]))
            g_error("valid: %s", documents[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/nodedev-schema/valid", test_valid);
    g_test_add_func("/nodedev-schema/invalid", test_invalid);
    return g_test_run();
}
