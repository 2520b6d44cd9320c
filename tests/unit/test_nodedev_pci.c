/* Addresses and configuration spaces of PCI devices. */
#include <glib.h>

#include "virtnodedevd/pci_address.h"
#include "virtnodedevd/pci_config.h"

static void test_address(void)
{
    char text[PCI_ADDRESS_TEXT_SIZE];
    PciAddress address;

    g_assert_true(pci_address_parse("10000:e1:1f.7", &address));
    g_assert_cmpuint(address.domain, ==, 0x10000);
    g_assert_cmpstr(pci_address_format(&address, text), ==, "10000:e1:1f.7");
}

static void test_no_address(void)
{
    static const char *const texts[] = { "",           "0000:00:00",    "0000:00:20.0",
                                         "0000:00:00.8", "0000:00:00.0x", " 0000:00:00.0",
                                         "-1:00:00.0", "0000:0g:00.0" };
    PciAddress address;

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_false(pci_address_parse(texts[i], &address));
}

static void test_ring_of_capabilities_ends(void)
{
    PciConfig config = { .size = 256 };
    PciExpress express;

    config.bytes[0x06] = 0x10;
    config.bytes[0x34] = 0x40;
    config.bytes[0x40] = 0x01;
    config.bytes[0x41] = 0x44;
    config.bytes[0x44] = 0x05;
    config.bytes[0x45] = 0x40;
    g_assert_cmpuint(pci_config_find(&config, 0x05), ==, 0x44);
    g_assert_cmpuint(pci_config_find(&config, 0x10), ==, 0);
    g_assert_false(pci_config_express(&config, &express));
}

static void test_capability_at_the_end_is_cut(void)
{
    PciConfig config = { .size = 256 };
    PciExpress express;

    config.bytes[0x06] = 0x10;
    config.bytes[0x34] = 0xfc;
    config.bytes[0xfc] = 0x10;
    g_assert_true(pci_config_express(&config, &express));
    g_assert_cmpuint(express.capable.width, ==, 0);
    g_assert_null(express.capable.speed);
}

static void test_integrated_endpoint_has_no_link(void)
{
    PciConfig config = { .size = 256 };
    PciExpress express;

    config.bytes[0x06] = 0x10;
    config.bytes[0x34] = 0x40;
    config.bytes[0x40] = 0x10;
    config.bytes[0x42] = 0x92;
    g_assert_true(pci_config_express(&config, &express));
    g_assert_false(express.has_link);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci/address", test_address);
    g_test_add_func("/pci/no-address", test_no_address);
    g_test_add_func("/pci/ring", test_ring_of_capabilities_ends);
    g_test_add_func("/pci/cut", test_capability_at_the_end_is_cut);
    g_test_add_func("/pci/integrated", test_integrated_endpoint_has_no_link);
    return g_test_run();
}
