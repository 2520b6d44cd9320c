/* How a domain is written, and how it is read. Given to every parse and format function of this
 * folder, so that all element families mean the same. */
#pragma once

#include "xml/read.h"
#include "xml/writer.h"

typedef enum DomainFormatFlags {
    /* What a definition has: without what exists only while the guest runs (aliases that are
     * not the user's, paths of pseudo-terminals, ports chosen at start, the id). */
    DOMAIN_FORMAT_INACTIVE = 1 << 0,
    /* With passwords. */
    DOMAIN_FORMAT_SECURE = 1 << 1,
    /* As older peers understand it: without devices that every machine has. */
    DOMAIN_FORMAT_MIGRATABLE = 1 << 2,
    /* For our own state file: everything that a restarted daemon needs. Implies SECURE. */
    DOMAIN_FORMAT_STATUS = 1 << 3,
} DomainFormatFlags;

typedef enum DomainParseFlags {
    /* A definition: what belongs to a running guest only is not taken in. */
    DOMAIN_PARSE_INACTIVE = 1 << 0,
    /* A state file, written with DOMAIN_FORMAT_STATUS. */
    DOMAIN_PARSE_STATUS = 1 << 1,
    /* VIR_DOMAIN_DEFINE_VALIDATE: elements and attributes that nobody knows are errors. */
    DOMAIN_PARSE_VALIDATE = 1 << 2,
} DomainParseFlags;
