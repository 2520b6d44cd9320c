/* Names that the format has, whether or not this suite serves them: what is not among them is a
 * mistake of the writer. Source: the manual's "Domain XML format" and "Capabilities". */
#pragma once

#include <stdbool.h>

/* "x86_64" and its like. */
bool known_architecture(const char *name);
/* Elements inside of <features>, and of <kvm> there. */
bool known_feature(const char *name);
bool known_kvm_feature(const char *name);
