/* What a definition leaves unsaid: machine, defaults, devices that every machine has,
 * controllers, addresses. Existing clients see it in the XML that they get back, so it is chosen
 * as existing daemons choose it; the golden files in tests/unit/data/complete are their answers.
 * What a definition says is kept. */
#pragma once

#include "fiber/fiber.h"
#include "virtqemud/model/domain_def.h"
#include "virtqemud/qemu/caps.h"

typedef struct CompleteContext {
    const char *host_arch; /* of definitions without one: "x86_64" */
    /* The emulator at @path, or with @path NULL the host's own for @arch. *@ret_caps: a new
     * reference. Errors: CONFIG_UNSUPPORTED and what a probe can fail with. */
    SUSPENDS bool (*get_emulator)(void *data, const char *path, const char *arch,
                                  EmulatorCaps **ret_caps, GError **error);
    void *data;
} CompleteContext;

/* Completes a parsed definition; domain_def_validate() comes after it. What does not depend on
 * an emulator and is right already is not looked at again. On failure @def is half complete.
 * Errors: XML_ERROR, CONFIG_UNSUPPORTED, INTERNAL_ERROR, XML_DETAIL in the words that existing
 * clients know; those of get_emulator. */
SUSPENDS bool domain_def_complete(DomainDef *def, const CompleteContext *context, GError **error);
