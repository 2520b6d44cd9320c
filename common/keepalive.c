/* Keepalive, in both directions: answers to the peer's PINGs, and our own PINGs to a peer that
 * was silent. It works on the channel, below all queues and limits of calls, so that a
 * connection with thousands of calls waiting still answers in time. */
#include "base/error.h"
#include "common/channel_private.h"
#include "wire/keepalive.h"

/* Timers of thousands of connections may share wake-ups; half a second is nothing beside
 * intervals of seconds. */
#define ACCURACY_US (500 * 1000)
/* Counted since the peer last took anything from us; each costs about 100 bytes. */
#define MAX_PONGS_WAITING 4096

static void keepalive_send(Channel *channel, int32_t procedure)
{
    uint8_t bytes[FRAME_HEADER_SIZE];
    FrameHeader header = {
        .length = FRAME_HEADER_SIZE,
        .program = KEEPALIVE_PROGRAM,
        .version = KEEPALIVE_PROTOCOL_VERSION,
        .procedure = procedure,
        .type = VIR_NET_MESSAGE,
    };

    frame_header_encode(&header, bytes);
    channel_send_urgent(channel, bytes, sizeof(bytes));
}

void channel_keepalive_message(Channel *channel, const FrameHeader *header)
{
    /* A PONG has done its work by arriving: any input resets the count of PINGs. What is not
     * known is ignored, as the protocol has no answer for it. */
    if (header->version != KEEPALIVE_PROTOCOL_VERSION || header->type != VIR_NET_MESSAGE ||
        header->procedure != KEEPALIVE_PROC_PING)
        return;
    /* A peer that pings and does not read needs no more answers, and gets no more memory. */
    if (channel->n_pongs_waiting >= MAX_PONGS_WAITING)
        return;
    channel->n_pongs_waiting++;
    keepalive_send(channel, KEEPALIVE_PROC_PONG);
}

static int keepalive_on_timer(sd_event_source *source, uint64_t now_us, void *userdata)
{
    Channel *channel = userdata;
    uint64_t interval_us = channel->keepalive_interval_s * (uint64_t)G_USEC_PER_SEC;
    uint64_t next_us = channel->last_received_us + interval_us;

    /* While we do not read, silence says nothing about the peer; and it gets no answer to
     * its own PINGs, so it is told unasked that we live. */
    if (channel->n_pauses > 0) {
        keepalive_send(channel, KEEPALIVE_PROC_PONG);
        next_us = now_us + interval_us;
    } else if (now_us >= next_us) {
        if (channel->n_pings_unanswered >= channel->keepalive_count) {
            channel_fail(channel, g_error_new(error_quark(VIR_FROM_RPC), VIR_ERR_RPC,
                                              "The peer was silent for %u seconds and did not "
                                              "answer %u keepalive messages",
                                              channel->keepalive_interval_s *
                                                  (channel->keepalive_count + 1),
                                              channel->n_pings_unanswered));
            return 0;
        }
        channel->n_pings_unanswered++;
        keepalive_send(channel, KEEPALIVE_PROC_PING);
        next_us = now_us + interval_us;
    }
    /* Traffic only moves a field; the timer looks at it when it is due. */
    sd_event_source_set_time(source, next_us);
    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

void channel_set_keepalive(Channel *channel, unsigned interval_s, unsigned count)
{
    sd_event *event = fiber_loop_get_event(channel->pool->loop);

    if (channel->is_closed)
        return;
    channel->keepalive_interval_s = interval_s;
    channel->keepalive_count = count;
    sd_event_source_disable_unref(g_steal_pointer(&channel->keepalive_timer));
    if (interval_s == 0)
        return;
    sd_event_add_time(event, &channel->keepalive_timer, CLOCK_MONOTONIC,
                      channel->last_received_us + interval_s * (uint64_t)G_USEC_PER_SEC,
                      ACCURACY_US, keepalive_on_timer, channel);
}
