/* Errors: a GError whose code is the wire's error number and whose domain stands for
 * one of the wire's error domains. Everything in the suite that can fail reports with
 * these, so an error travels from where it happened to the client as it is. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "base/error_codes.h"
#include "base/error_from.h"

/* The GError domain that stands for @from. */
GQuark error_quark(ErrorFrom from);

/* The wire's domain of @error; VIR_FROM_NONE for errors of other origin (GLib's own). */
ErrorFrom error_get_from(const GError *error);

/* The fixed beginning of every message of @code ("internal error", "invalid argument"),
 * never NULL. A message on the wire is "PREFIX: DETAIL", or PREFIX alone. */
const char *error_prefix(ErrorCode code);

/* Sets *@error to "PREFIX: DETAIL"; @format makes the detail and may be NULL. */
void error_set(GError **error, ErrorFrom from, ErrorCode code, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* The same, and false: for the caller to return. */
bool error_fail(GError **error, ErrorFrom from, ErrorCode code, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* The same for a failed system call: the text of @errnum comes last, after a colon.
 * The code is VIR_ERR_SYSTEM_ERROR. */
void error_set_errno(GError **error, ErrorFrom from, int errnum, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* The detail of an error: its message without the prefix of its code. */
const char *error_detail(const GError *error);
