/* Emulators as the golden files in data/complete were recorded with: QEMU 7.2 of Debian 12, as
 * far as completion looks at it. */
#pragma once

#include "virtqemud/qemu/complete.h"

/* Finds emulators made of these facts; static. */
extern const CompleteContext complete_fixture;
