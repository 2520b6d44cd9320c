/* What was seen of one device: enough to keep it in the table. Made in offload threads, from the
 * kernel's files as they were at that moment. */
#pragma once

#include "virtnodedevd/kind.h"
#include "virtnodedevd/mdev_config.h"

typedef struct Sighting {
    char *name;
    char *path;             /* "/devices/…" */
    const DeviceKind *kind;
    unsigned traits;        /* all of them, the kind's own too */
    char *wwnn, *wwpn, *fabric; /* of a Fibre Channel host; NULL of all others */
} Sighting;

/* NULL when there is no node device at @path (below the root of sysfs). */
Sighting *sighting_make(const SysRoots *roots, const char *path);
/* The computer's. */
Sighting *sighting_make_system(void);
void sighting_free(Sighting *sighting);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sighting, sighting_free)

/* All devices that there are, those above before those below; of Sighting. */
GPtrArray *sightings_of_all(const SysRoots *roots);

/* A device whose XML is asked for. */
typedef struct Subject {
    const SysRoots *roots;
    const DeviceKind *kind;
    char *name, *path;
    char *parent;       /* the name of the device above it, or NULL */
    MdevConfig *config; /* of a mediated device that is defined, or NULL */
} Subject;
void subject_clear(Subject *subject);

/* Its XML as it is now (reference manual, "Node devices XML format"); NULL when it is gone. */
char *subject_describe(const Subject *subject);
