/* Application data in a domain: <metadata>, one element per namespace. */
#pragma once

#include "virtqemud/model/domain_def.h"

/* Reads the elements of a <metadata> that have a namespace; of each namespace the first. */
GPtrArray *metadata_parse(const XmlNode *metadata);
/* Nothing when @items is NULL, an empty element when there are none. */
void metadata_format(const GPtrArray *items, XmlWriter *writer);
/* A new array, as metadata_parse() makes it. */
GPtrArray *metadata_new(void);
