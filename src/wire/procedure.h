/* What is known about every procedure of the six programs: its name on the wire, the
 * public function behind it, who answers it, what it may do and which permissions it
 * needs. Constant data, made from procedures.tsv, which explains the columns; the same for
 * all daemons, whether they implement a procedure or not. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum WireKind {
    WIRE_CALL,
    WIRE_REGISTER,       /* the reply's first word is the number of a new callback */
    WIRE_DEREGISTER,     /* the only argument is the number of a callback */
    WIRE_CALLBACK_EVENT, /* sent by the daemon; the first word is a callback number */
    WIRE_LEGACY_EVENT,   /* sent by the daemon; carries no callback number */
    WIRE_EVENT,          /* sent by the daemon, about the connection itself */
    WIRE_MESSAGE,        /* sent by either side, never answered */
} WireKind;

/* The driver, and so the daemon, that serves a procedure. */
typedef enum WireOwner {
    WIRE_OWNER_SELF,    /* the daemon that holds the connection */
    WIRE_OWNER_PRIMARY, /* the driver of the URI that was opened */
    WIRE_OWNER_DOMAIN,
    WIRE_OWNER_NETWORK,
    WIRE_OWNER_STORAGE,
    WIRE_OWNER_NODEDEV,
    WIRE_OWNER_SECRET,
    WIRE_OWNER_INTERFACE,
    WIRE_OWNER_NWFILTER,
} WireOwner;

typedef enum WireStream {
    WIRE_STREAM_NONE,
    WIRE_STREAM_READ,  /* data flows from the daemon to the client */
    WIRE_STREAM_WRITE, /* data flows from the client to the daemon */
} WireStream;

/* When a permission is needed, as the word at WirePermission.offset of the decoded
 * arguments says. */
typedef enum WireCondition {
    WIRE_IF_ALWAYS,
    WIRE_IF_ANY,   /* one of the flags is set */
    WIRE_IF_NONE,  /* none of the flags is set */
    WIRE_IF_VALUE, /* the word equals the flags */
} WireCondition;

/* The tables hold text, not pointers to it: so they need no relocation and all daemons
 * share their pages. */
typedef struct WirePermission {
    char object[20]; /* "domain"; empty at the end of a list */
    char name[24];   /* "read_secure" */
    WireCondition condition;
    uint32_t flags;
    uint32_t offset;
} WirePermission;

typedef struct WireProcedure {
    uint16_t number; /* 0: there is no such procedure */
    uint16_t acl;    /* see wire_procedure_permissions() */
    uint8_t kind;    /* WireKind */
    uint8_t owner;   /* WireOwner */
    uint8_t stream;  /* WireStream */
    bool is_high_priority;
    bool is_write;       /* refused on read-only connections; see wire_procedure_writes() */
    char name[48];       /* "DOMAIN_CREATE" */
    char api[48];        /* "virDomainCreate"; empty when the public interface has none */
    char acl_filter[24]; /* "domain:getattr" for each object of a list; mostly empty */
} WireProcedure;

typedef struct WireProgram {
    uint32_t number;
    uint32_t version;
    const char *name;      /* "REMOTE" */
    uint32_t n_procedures; /* one more than the highest number */
    const WireProcedure *procedures;
} WireProgram;

/* The program with this number, or NULL. */
const WireProgram *wire_program_find(uint32_t number);

/* The procedure with this number, or NULL. */
const WireProcedure *wire_procedure_find(const WireProgram *program, int32_t number);

/* The permissions that a procedure needs: the first of a list that ends with an empty
 * object; never NULL. */
const WirePermission *wire_procedure_permissions(const WireProcedure *procedure);

/* Whether @permission is needed for a call with these decoded arguments; @args may be NULL
 * for procedures without any. */
bool wire_permission_applies(const WirePermission *permission, const void *args);

/* Whether a call with these decoded arguments is refused on a read-only connection: a
 * procedure that always writes, or one whose arguments ask for something that does. */
bool wire_procedure_writes(const WireProcedure *procedure, const void *args);

/* What to call a procedure in messages to people: its public function, else its name. */
const char *wire_procedure_title(const WireProcedure *procedure);
