/* Clocks. Which timers and policies an emulator has is not known here; which policies a timer can
 * have at all is in a table. */
#include "virtqemud/model/clock.h"

#include <string.h>

#include "base/enum_names.h"
#include "base/error.h"
#include "virtqemud/model/tristate.h"

const char *const clock_offset_names[N_CLOCK_OFFSETS] = {
    [CLOCK_UTC] = "utc",
    [CLOCK_LOCALTIME] = "localtime",
    [CLOCK_VARIABLE] = "variable",
    [CLOCK_TIMEZONE] = "timezone",
    [CLOCK_ABSOLUTE] = "absolute",
};

static const char *const timer_names[N_TIMER_NAMES] = {
    [TIMER_PLATFORM] = "platform",       [TIMER_PIT] = "pit",
    [TIMER_RTC] = "rtc",                 [TIMER_HPET] = "hpet",
    [TIMER_TSC] = "tsc",                 [TIMER_KVMCLOCK] = "kvmclock",
    [TIMER_HYPERVCLOCK] = "hypervclock", [TIMER_ARMVTIMER] = "armvtimer",
};

static const char *const tick_names[N_TIMER_TICKS] = {
    [TICK_DELAY] = "delay",
    [TICK_CATCHUP] = "catchup",
    [TICK_MERGE] = "merge",
    [TICK_DISCARD] = "discard",
};

static const char *const track_names[N_TIMER_TRACKS] = {
    [TRACK_BOOT] = "boot",
    [TRACK_GUEST] = "guest",
    [TRACK_WALL] = "wall",
    [TRACK_REALTIME] = "realtime",
};

static const char *const mode_names[N_TIMER_MODES] = {
    [TIMER_MODE_AUTO] = "auto",           [TIMER_MODE_NATIVE] = "native",
    [TIMER_MODE_EMULATE] = "emulate",     [TIMER_MODE_PARAVIRT] = "paravirt",
    [TIMER_MODE_SMPSAFE] = "smpsafe",
};

/* "formatdomain.html", Time keeping: which attributes mean something to which timer. */
static const struct {
    bool tick_policy, track, frequency_and_mode;
} timer_rules[N_TIMER_NAMES] = {
    [TIMER_PLATFORM] = { true, true, false },
    [TIMER_PIT] = { true, false, false },
    [TIMER_RTC] = { true, true, false },
    [TIMER_HPET] = { true, false, false },
    [TIMER_TSC] = { true, false, true },
    [TIMER_KVMCLOCK] = { false, false, false },
    [TIMER_HYPERVCLOCK] = { false, false, false },
    [TIMER_ARMVTIMER] = { true, false, false },
};

/* In words of their own, as clients know them. */
static bool attr_missing(const char *name, const char *offset, GError **error)
{
    error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
              "missing '%s' attribute for clock with offset='%s'", name, offset);
    return false;
}

/* An enum whose unknown values have a sentence of their own. An empty text is none. */
static bool clock_enum(const XmlNode *node, const char *attr, size_t n_names, ClockOffset *ret,
                       GError **error)
{
    const char *name = xml_node_attr(node, attr);
    int value = CLOCK_UTC;

    if (name && *name && !enum_from_name(clock_offset_names, n_names, name, &value)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                  "unknown clock %s '%.1024s'", attr, name);
        return false;
    }
    *ret = (ClockOffset) value;
    return true;
}

/* An adjustment of utc or localtime makes a variable clock of it; "reset" says that one that
 * the guest made last time does not count. */
static bool fixed_parse(const XmlNode *node, ClockDef *clock, GError **error)
{
    const char *adjustment = xml_node_attr(node, "adjustment");

    if (!adjustment)
        return true;
    clock->has_adjustment = true;
    if (strcmp(adjustment, "reset") == 0) {
        clock->adjustment_is_reset = true;
        return true;
    }
    if (!xml_attr_int64(node, "adjustment", XML_OPTIONAL, 0, &clock->adjustment_s, NULL)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "unknown clock adjustment '%.1024s'",
                  adjustment);
        return false;
    }
    clock->basis = clock->offset;
    clock->offset = CLOCK_VARIABLE;
    return true;
}

/* Each offset has attributes of its own; those of others are passed over. */
static bool offset_parse(const XmlNode *node, ClockDef *clock, GError **error)
{
    const char *zone = xml_node_attr(node, "timezone");

    if (!clock_enum(node, "offset", N_CLOCK_OFFSETS, &clock->offset, error))
        return false;
    switch (clock->offset) {
    case CLOCK_UTC:
    case CLOCK_LOCALTIME:
        return fixed_parse(node, clock, error);
    case CLOCK_VARIABLE:
        clock->has_adjustment = true;
        if (g_strcmp0(xml_node_attr(node, "adjustment"), "reset") == 0)
            return clock_enum(node, "basis", CLOCK_LOCALTIME + 1, &clock->basis, error);
        return xml_attr_int64(node, "adjustment", XML_OPTIONAL, 0, &clock->adjustment_s, error) &&
               clock_enum(node, "basis", CLOCK_LOCALTIME + 1, &clock->basis, error);
    case CLOCK_TIMEZONE:
        if (!zone || *zone == '\0')
            return attr_missing("timezone", "timezone", error);
        clock->timezone = g_strdup(zone);
        return true;
    case CLOCK_ABSOLUTE:
        if (!xml_node_attr(node, "start"))
            return attr_missing("start", "absolute", error);
        if (!xml_attr_int64(node, "start", XML_OPTIONAL, 0, &clock->start_s, error))
            return false;
        return clock->start_s >= 0 ||
               xml_attr_invalid(node, "start", "Expected non-negative integer value", error);
    case N_CLOCK_OFFSETS:
        break;
    }
    return false;
}

static bool timer_enum(const XmlNode *node, const char *name, const char *const *names,
                       size_t n_names, int *ret, GError **error)
{
    return xml_attr_enum(node, name, XML_OPTIONAL, names, n_names, 0, ret, error);
}

/* Zero has always meant "as the emulator likes". */
static bool catchup_parse(const XmlNode *node, ClockTimer *timer, GError **error)
{
    const XmlNode *catchup = xml_node_first(node, "catchup");

    return !catchup ||
           (xml_attr_uint(catchup, "threshold", XML_OPTIONAL, 0, &timer->catchup_threshold,
                          error) &&
            xml_attr_uint(catchup, "slew", XML_OPTIONAL, 0, &timer->catchup_slew, error) &&
            xml_attr_uint(catchup, "limit", XML_OPTIONAL, 0, &timer->catchup_limit, error));
}

static bool timer_parse(const XmlNode *node, ClockTimer *timer, GError **error)
{
    int name = 0, tick = 0, track = 0, mode = 0;

    if (!xml_attr_enum(node, "name", XML_REQUIRED, timer_names, N_TIMER_NAMES, 0, &name, error) ||
        !xml_attr_yes_no(node, "present", XML_OPTIONAL, &timer->present, error) ||
        !timer_enum(node, "tickpolicy", tick_names, N_TIMER_TICKS, &tick, error) ||
        !timer_enum(node, "track", track_names, N_TIMER_TRACKS, &track, error) ||
        !xml_attr_uint64(node, "frequency", XML_OPTIONAL, 0, &timer->frequency_hz, error) ||
        !timer_enum(node, "mode", mode_names, N_TIMER_MODES, &mode, error))
        return false;
    timer->name = (TimerName) name;
    timer->tick_policy = (TimerTick) tick;
    timer->track = (TimerTrack) track;
    timer->mode = (TimerMode) mode;
    return catchup_parse(node, timer, error);
}

bool clock_def_parse(const XmlNode *node, ClockDef *ret_clock, GError **error)
{
    ClockDef clock = { 0 };
    bool is_ok = offset_parse(node, &clock, error);

    for (const XmlNode *child = xml_node_first(node, "timer"); is_ok && child;
         child = xml_node_next(child, "timer")) {
        ClockTimer timer = { 0 };

        is_ok = timer_parse(child, &timer, error);
        if (!clock.timers)
            clock.timers = g_array_new(FALSE, TRUE, sizeof(ClockTimer));
        g_array_append_val(clock.timers, timer);
    }
    if (!is_ok) {
        clock_def_clear(&clock);
        return false;
    }
    *ret_clock = clock;
    return true;
}

static void catchup_format(const ClockTimer *timer, XmlWriter *writer)
{
    if (!timer->catchup_threshold && !timer->catchup_slew && !timer->catchup_limit)
        return;
    xml_writer_open(writer, "catchup");
    if (timer->catchup_threshold)
        xml_writer_attr(writer, "threshold", "%u", timer->catchup_threshold);
    if (timer->catchup_slew)
        xml_writer_attr(writer, "slew", "%u", timer->catchup_slew);
    if (timer->catchup_limit)
        xml_writer_attr(writer, "limit", "%u", timer->catchup_limit);
    xml_writer_close(writer);
}

static void timer_format(const ClockTimer *timer, XmlWriter *writer)
{
    xml_writer_open(writer, "timer");
    xml_writer_attr_string(writer, "name", timer_names[timer->name]);
    xml_writer_attr_string(writer, "present", tristate_yes_no(timer->present));
    xml_writer_attr_string(writer, "tickpolicy", tick_names[timer->tick_policy]);
    xml_writer_attr_string(writer, "track", track_names[timer->track]);
    if (timer->frequency_hz)
        xml_writer_attr(writer, "frequency", "%" G_GUINT64_FORMAT, timer->frequency_hz);
    xml_writer_attr_string(writer, "mode", mode_names[timer->mode]);
    catchup_format(timer, writer);
    xml_writer_close(writer);
}

/* An adjusted clock is written as the variable one that it is. */
static void offset_format(const ClockDef *clock, XmlWriter *writer)
{
    xml_writer_attr_string(writer, "offset", clock_offset_names[clock->offset]);
    if (clock->offset == CLOCK_VARIABLE) {
        xml_writer_attr(writer, "adjustment", "%" G_GINT64_FORMAT, clock->adjustment_s);
        xml_writer_attr_string(writer, "basis", clock_offset_names[clock->basis]);
    } else if (clock->offset == CLOCK_TIMEZONE) {
        xml_writer_attr_string(writer, "timezone", clock->timezone);
    } else if (clock->offset == CLOCK_ABSOLUTE) {
        xml_writer_attr(writer, "start", "%" G_GINT64_FORMAT, clock->start_s);
    } else if (clock->adjustment_is_reset) {
        xml_writer_attr_string(writer, "adjustment", "reset");
    }
}

void clock_def_format(const ClockDef *clock, XmlWriter *writer, DomainFormatFlags flags)
{
    xml_writer_open(writer, "clock");
    offset_format(clock, writer);
    for (guint i = 0; clock->timers && i < clock->timers->len; i++)
        timer_format(&g_array_index(clock->timers, ClockTimer, i), writer);
    xml_writer_close(writer);
}

void clock_def_clear(ClockDef *clock)
{
    g_free(clock->timezone);
    g_clear_pointer(&clock->timers, g_array_unref);
    memset(clock, 0, sizeof(*clock));
}

static bool timer_refuses(const ClockTimer *timer, const char *what, GError **error)
{
    error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
              "timer %s doesn't support setting of timer %s", timer_names[timer->name], what);
    return false;
}

/* Of several mistakes the first in this order is named. */
static bool timer_validate(const ClockTimer *timer, GError **error)
{
    if (timer->tick_policy && !timer_rules[timer->name].tick_policy)
        return timer_refuses(timer, "tickpolicy", error);
    if (timer->name == TIMER_RTC &&
        (timer->tick_policy == TICK_MERGE || timer->tick_policy == TICK_DISCARD)) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                  "unsupported rtc timer tickpolicy '%s'", tick_names[timer->tick_policy]);
        return false;
    }
    if (timer->track && !timer_rules[timer->name].track)
        return timer_refuses(timer, "track", error);
    if (timer->frequency_hz && !timer_rules[timer->name].frequency_and_mode)
        return timer_refuses(timer, "frequency", error);
    if (timer->mode && !timer_rules[timer->name].frequency_and_mode)
        return timer_refuses(timer, "mode", error);
    if (timer->tick_policy != TICK_CATCHUP &&
        (timer->catchup_threshold || timer->catchup_slew || timer->catchup_limit)) {
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                  "setting of timer catchup policies is only supported with "
                  "tickpolicy='catchup'");
        return false;
    }
    return true;
}

bool clock_def_validate(const ClockDef *clock, GError **error)
{
    for (guint i = 0; clock->timers && i < clock->timers->len; i++) {
        if (!timer_validate(&g_array_index(clock->timers, ClockTimer, i), error))
            return false;
    }
    return true;
}
