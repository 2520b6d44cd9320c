/* What was secret, once it is done with. */
#pragma once

#include <stddef.h>

/* Overwrites the @length bytes at @data, and the vector registers of this thread: what was copied or
 * encrypted last went through them, and a core dump has them. */
void wipe(void *data, size_t length);
/* The registers alone. */
void wipe_registers(void);
