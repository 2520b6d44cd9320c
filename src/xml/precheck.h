/* What a text must fulfil before libxml2 may see it. */
#pragma once

#include <stdbool.h>

#include <glib.h>

/* Checks size, UTF-8, and the numbers of attributes and namespaces that libxml2 could
 * find in @text however broken it is. Errors as of xml_parse. */
bool xml_precheck(const char *text, const char *what, GError **error);
