/* What a guest must have locked while its processors run: a list that is made when the guest
 * starts and kept in its status file, so that what was locked is given back whatever the
 * configuration says by then. */
#pragma once

#include <glib.h>

#include "virtqemud/model/domain_def.h"

typedef struct LockRequest {
    char *space;    /* of the lock manager's; "": the file itself is locked */
    char *name;     /* in the space; a path where that is "" */
    char *path;     /* of the lock's file, for managers that need it; NULL */
    char *subject;  /* for messages: "disk 'vda'", "lease 'key'" */
    bool is_shared;
    bool makes_file; /* the lock's file is made with the lock, and goes with it */
    bool is_lease;
    uint64_t offset; /* of a lease, in the file */
} LockRequest;

/* An empty list, and adding to it: what it has already is not added again, but becomes exclusive
 * when either is. @request's strings are copied. */
GPtrArray *lock_requests_new(void);
void lock_requests_add(GPtrArray *requests, const LockRequest *request);

/* <lock space='' name='' path='' subject='' shared='yes' file='yes' lease='yes' offset=''/>, each. */
void lock_requests_format(const GPtrArray *requests, XmlWriter *writer);
/* The <lock> elements in @node. Errors: XML_ERROR. */
bool lock_requests_parse(const XmlNode *node, GPtrArray *requests, GError **error);
