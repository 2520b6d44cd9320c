/* Errors on the wire: a GError of base/error.h as the error struct of an error reply, and
 * back. Code, domain and message travel as they are. */
#pragma once

#include <glib.h>

#include "wire/message.h"

/* Fills @ret_wire with @error; free it with wire_error_clear(). The texts are those that
 * existing daemons send: str1 the message with "%s" for its detail, str2 the detail. A text
 * over 64 KiB is cut, so that an error can always be sent. */
void wire_error_from_gerror(const GError *error, virNetMessageError *ret_wire);

/* The error that a peer has sent; never NULL, whatever the peer says: an error without a
 * code becomes INTERNAL_ERROR, one without a message gets the usual text of its code. */
GError *wire_error_to_gerror(const virNetMessageError *wire);

/* Frees what @wire holds. */
void wire_error_clear(virNetMessageError *wire);
