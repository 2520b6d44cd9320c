/* Inside of sysinfo.c: how blocks are filled, and the two kinds of device among them, which
 * take more than copying strings. */
#pragma once

#include "virtqemud/host/sysinfo.h"

SysinfoBlock *sysinfo_block_new(const char *element);
void sysinfo_block_free(SysinfoBlock *block);

/* Adds an entry. Takes @value; NULL adds nothing. */
void sysinfo_block_add(SysinfoBlock *block, const char *name, char *value);

/* Adds the string whose number is at @offset of @structure: "Not Specified" where the firmware
 * left it out, nothing where it is empty or the structure ends before. */
void sysinfo_block_add_string(SysinfoBlock *block, const SmbiosStructure *structure,
                              const char *name, gsize offset);

void sysinfo_block_add_processor(SysinfoBlock *block, const SmbiosTable *table,
                                 const SmbiosStructure *structure);

/* Adds nothing for an empty slot. */
void sysinfo_block_add_memory_device(SysinfoBlock *block, const SmbiosTable *table,
                                     const SmbiosStructure *structure);
