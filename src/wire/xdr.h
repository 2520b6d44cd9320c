/* XDR (RFC 4506): the few primitives that the code which rpcgen makes from the .x files
 * calls. They stand in for libtirpc's, which believe too much of what a peer sends and
 * crash on a NULL that the wire has no form for; they also save every daemon that library
 * with its Kerberos.
 *
 * Decoding refuses: strings with a NUL byte in them, optional and boolean flags other than
 * 0 and 1, 8- and 16-bit values out of range, counts above the declared limit or above
 * what the rest of the payload could hold (before anything is allocated). Padding bytes
 * are skipped whatever they hold: they carry no meaning and never reach anyone. Encoding
 * refuses a missing string, a missing array with a count, and whatever is over a limit.
 *
 * Decoded values are made of g_malloc() memory, so handlers may fill in values with
 * g_strdup() and g_new() and have codec_free() free all of it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef int bool_t;
typedef int enum_t;

enum xdr_op { XDR_ENCODE, XDR_DECODE, XDR_FREE };

/* A stream over memory. codec.h sets it up; only the primitives look inside. */
typedef struct XDR {
    enum xdr_op x_op;
    uint8_t *next;      /* where the next byte is read or written */
    size_t left;        /* bytes from there to the end of the payload, or of the buffer */
    GByteArray *buffer; /* encoding: the buffer, which grows as needed */
    size_t limit;       /* encoding: the length that the buffer must not pass */
    const char *fault;  /* why it failed: a phrase of ours, or NULL */
} XDR;

/* The form in which codecs are handed around: (xdrproc_t)xdr_TYPE, or XDR_PROC(TYPE). */
typedef bool_t (*xdrproc_t)(XDR *xdrs, void *value);
#define XDR_PROC(type) ((xdrproc_t)xdr_##type)

bool_t xdr_void(XDR *xdrs, void *value);
bool_t xdr_int(XDR *xdrs, int *value);
bool_t xdr_u_int(XDR *xdrs, u_int *value);
bool_t xdr_enum(XDR *xdrs, enum_t *value);
bool_t xdr_bool(XDR *xdrs, bool_t *value);
bool_t xdr_char(XDR *xdrs, char *value);
bool_t xdr_u_char(XDR *xdrs, u_char *value);
bool_t xdr_short(XDR *xdrs, short *value);
bool_t xdr_u_short(XDR *xdrs, u_short *value);
bool_t xdr_quad_t(XDR *xdrs, quad_t *value);
bool_t xdr_u_quad_t(XDR *xdrs, u_quad_t *value);
bool_t xdr_double(XDR *xdrs, double *value);

bool_t xdr_opaque(XDR *xdrs, char *bytes, u_int length);
bool_t xdr_bytes(XDR *xdrs, char **bytes, u_int *length, u_int max);
bool_t xdr_string(XDR *xdrs, char **text, u_int max);
bool_t xdr_vector(XDR *xdrs, char *elements, u_int count, u_int size, xdrproc_t proc);
bool_t xdr_array(XDR *xdrs, char **elements, u_int *count, u_int max, u_int size, xdrproc_t proc);
bool_t xdr_pointer(XDR *xdrs, char **value, u_int size, xdrproc_t proc);
