/* The schema of node devices (nodedev.rng of the manual, level 11.3), whole: for clients that ask
 * to be told of mistakes. */
#pragma once

#include "xml/schema.h"

extern const XmlSchemaElement device_schema;
