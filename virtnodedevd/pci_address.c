#include "virtnodedevd/pci_address.h"

#include <stdio.h>

bool pci_address_parse(const char *text, PciAddress *ret_address)
{
    PciAddress address;
    int end = 0;

    /* No sign and no white space, which sscanf() would skip. */
    if (!g_ascii_isxdigit(*text) ||
        sscanf(text, "%8x:%2x:%2x.%1u%n", &address.domain, &address.bus, &address.slot,
               &address.function, &end) != 4 ||
        text[end] != '\0' || address.slot > 31 || address.function > 7)
        return false;
    *ret_address = address;
    return true;
}

const char *pci_address_format(const PciAddress *address, char text[static PCI_ADDRESS_TEXT_SIZE])
{
    g_snprintf(text, PCI_ADDRESS_TEXT_SIZE, "%04x:%02x:%02x.%u", address->domain,
               address->bus & 0xff, address->slot & 0x1f, address->function & 7);
    return text;
}
