/* One change of a secret at a time, and no value that is read in the middle of one. */
#pragma once

#include "virtsecretd/secret.h"

/* Waits for its turn. Errors: NO_SECRET when the secret was undefined meanwhile; then, and when
 * the fiber is cancelled, nothing is locked. */
SUSPENDS bool secret_lock(Secret *secret, GError **error);
void secret_unlock(Secret *secret);
