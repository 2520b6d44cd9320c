/* The generated tables, which procedure.h looks into. */
#pragma once

#include "wire/procedure.h"

/* All lists of permissions, one after the other. */
extern const WirePermission wire_permissions[];

/* Ends with a program whose number is 0. */
extern const WireProgram wire_programs[];
