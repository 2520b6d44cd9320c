/* A client's event registrations with its siblings, by the numbers that the client knows them by;
 * they are made again when a sibling comes back. */
#pragma once

#include "common/router_private.h"

/* What @message means for registrations. Errors: INTERNAL_ERROR for a number that the
 * client does not have there, RESOURCE_BUSY when it has too many. */
bool router_callbacks_classify(Upstream *upstream, const WireProcedure *wire,
                               const Message *message, RouterCall *call, GError **error);
/* A good reply has come: returns the client's number of a callback that was added. */
int32_t router_callbacks_apply(Upstream *upstream, RouterCall *call, int32_t sibling_number);
/* For the deregister call @header of the client, to which the sibling is not connected, or is just
 * being: what it has registered again, or will have, it is told to drop. */
void router_callbacks_take_back(Upstream *upstream, int32_t key, const FrameHeader *header);
void router_callbacks_remove(Upstream *upstream, int32_t key);
RouterCallback *router_callbacks_find(Upstream *upstream, int32_t key);
/* Gives back what the call holds of the client's account. */
void router_callbacks_release(Upstream *upstream, RouterCall *call);
void router_callbacks_forget_numbers(Upstream *upstream);
SUSPENDS bool router_callbacks_register_again(Upstream *upstream, uint64_t deadline_us,
                                              GError **error);
