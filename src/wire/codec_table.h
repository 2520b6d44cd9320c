/* The codecs of every procedure: tests and fuzz targets go through all of them. No daemon
 * links this: it would pull in each codec there is. */
#pragma once

#include "wire/xdr.h"

typedef struct WireCodec {
    uint32_t program; /* 0 ends the table */
    uint32_t number;
    const char *name;
    xdrproc_t args; /* of a call, or the message of an event; NULL for none */
    size_t args_size;
    xdrproc_t ret;
    size_t ret_size;
} WireCodec;

extern const WireCodec wire_codecs[];
