/* Switches as attributes have them: "yes" and "no", "on" and "off"; NULL when absent. */
#pragma once

#include "xml/read.h"

static inline const char *tristate_yes_no(XmlTristate state)
{
    return state == XML_TRISTATE_ABSENT ? NULL : state == XML_TRISTATE_YES ? "yes" : "no";
}

static inline const char *tristate_on_off(XmlTristate state)
{
    return state == XML_TRISTATE_ABSENT ? NULL : state == XML_TRISTATE_YES ? "on" : "off";
}
