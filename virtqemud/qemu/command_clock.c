/* -rtc and the globals of timers. */
#include <time.h>

#include "base/error.h"
#include "virtqemud/qemu/command_private.h"

static const ClockTimer *find_timer(const ClockDef *clock, TimerName name)
{
    for (guint i = 0; clock->timers && i < clock->timers->len; i++) {
        const ClockTimer *timer = &g_array_index(clock->timers, ClockTimer, i);

        if (timer->name == name)
            return timer;
    }
    return NULL;
}

/* A date and time, as QEMU's -rtc takes it. */
static bool time_text(time_t seconds, bool is_local, char **ret_text, GError **error)
{
    struct tm parts;
    char text[64];

    if (!(is_local ? localtime_r(&seconds, &parts) : gmtime_r(&seconds, &parts)) ||
        !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts)) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "the clock of the domain is set to %" G_GINT64_FORMAT
                  " seconds since 1970, which is no date", (gint64)seconds);
        return false;
    }
    *ret_text = g_strdup(text);
    return true;
}

/* What the guest's clock shows when it starts. */
static bool rtc_base(const CommandBuilder *builder, char **ret_base, GError **error)
{
    const ClockDef *clock = &builder->scope.def->clock;
    int64_t now = builder->context->now_s ? builder->context->now_s : time(NULL);
    bool is_local = clock->offset == CLOCK_LOCALTIME ||
                    (clock->offset == CLOCK_VARIABLE && clock->basis == CLOCK_LOCALTIME);
    int64_t shifted;

    if (clock->offset == CLOCK_ABSOLUTE)
        return time_text((time_t)clock->start_s, false, ret_base, error);
    if (clock->offset == CLOCK_VARIABLE ||
        (clock->offset != CLOCK_TIMEZONE && clock->has_adjustment &&
         !clock->adjustment_is_reset)) {
        if (__builtin_add_overflow(now, clock->adjustment_s, &shifted))
            shifted = clock->adjustment_s;
        return time_text((time_t)shifted, is_local, ret_base, error);
    }
    /* A time zone is in QEMU's environment, and local to it. */
    *ret_base = g_strdup(is_local || clock->offset == CLOCK_TIMEZONE ? "localtime" : "utc");
    return true;
}

/* What the guest's clock follows from then on. */
static const char *rtc_clock(const ClockTimer *rtc)
{
    switch (rtc ? rtc->track : TRACK_NONE) {
    case TRACK_GUEST:
        return "vm";
    case TRACK_WALL:
        return "host";
    case TRACK_REALTIME:
        return "rt";
    default:
        return NULL;
    }
}

/* The PIT inside of KVM; that of TCG has no policy. */
static void add_pit(CommandBuilder *builder, const ClockTimer *pit)
{
    if (!pit || builder->scope.def->virt_type != VIRT_KVM)
        return;
    if (pit->tick_policy == TICK_NONE || pit->tick_policy == TICK_DELAY)
        command_add(builder, "-global", "kvm-pit.lost_tick_policy=delay");
    else if (pit->tick_policy == TICK_DISCARD)
        command_add(builder, "-global", "kvm-pit.lost_tick_policy=discard");
}

bool command_add_rtc(CommandBuilder *builder, GError **error)
{
    const ClockDef *clock = &builder->scope.def->clock;
    const ClockTimer *rtc = find_timer(clock, TIMER_RTC);
    JsonValue *options;
    g_autofree char *base = NULL;

    if (!rtc_base(builder, &base, error))
        return false;
    options = json_object();
    json_object_put_string(options, "base", base);
    json_object_put_string(options, "clock", rtc_clock(rtc));
    if (rtc && rtc->tick_policy == TICK_CATCHUP)
        json_object_put_string(options, "driftfix", "slew");
    if (!command_add_keyval(builder, "-rtc", NULL, options, error))
        return false;
    add_pit(builder, find_timer(clock, TIMER_PIT));
    return true;
}
