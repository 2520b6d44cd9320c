/* What the driver tells those who have registered for events of secrets. */
#pragma once

#include "virtsecretd/driver.h"

/* @event: virSecretEventLifecycleType. */
void secret_emit_lifecycle(const Driver *driver, const Secret *secret, int event);
void secret_emit_value_changed(const Driver *driver, const Secret *secret);
