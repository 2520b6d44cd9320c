/* The guest's clocks: <clock> with its timers. */
#pragma once

#include <stdint.h>

#include "virtqemud/model/format_flags.h"

typedef enum ClockOffset {
    CLOCK_UTC,
    CLOCK_LOCALTIME,
    CLOCK_VARIABLE,
    CLOCK_TIMEZONE,
    CLOCK_ABSOLUTE,
    N_CLOCK_OFFSETS
} ClockOffset;
extern const char *const clock_offset_names[N_CLOCK_OFFSETS];

typedef enum TimerName {
    TIMER_PLATFORM, TIMER_PIT, TIMER_RTC, TIMER_HPET, TIMER_TSC, TIMER_KVMCLOCK,
    TIMER_HYPERVCLOCK, TIMER_ARMVTIMER, N_TIMER_NAMES
} TimerName;
typedef enum TimerTick { TICK_NONE, TICK_DELAY, TICK_CATCHUP, TICK_MERGE, TICK_DISCARD, N_TIMER_TICKS } TimerTick;
typedef enum TimerTrack { TRACK_NONE, TRACK_BOOT, TRACK_GUEST, TRACK_WALL, TRACK_REALTIME, N_TIMER_TRACKS } TimerTrack;
typedef enum TimerMode { TIMER_MODE_NONE, TIMER_MODE_AUTO, TIMER_MODE_NATIVE, TIMER_MODE_EMULATE, TIMER_MODE_PARAVIRT, TIMER_MODE_SMPSAFE, N_TIMER_MODES } TimerMode;

typedef struct ClockTimer {
    TimerName name;
    XmlTristate present;
    TimerTick tick_policy;
    TimerTrack track;
    TimerMode mode;
    uint64_t frequency_hz;                      /* of the tsc; 0: none given */
    unsigned catchup_threshold, catchup_slew, catchup_limit; /* 0: none given */
} ClockTimer;

typedef struct ClockDef {
    ClockOffset offset;
    int64_t adjustment_s; /* of VARIABLE; UTC and LOCALTIME: <clock adjustment='N'> */
    bool has_adjustment, adjustment_is_reset;
    ClockOffset basis;    /* of VARIABLE: utc or localtime */
    char *timezone;       /* of TIMEZONE */
    int64_t start_s;      /* of ABSOLUTE: seconds since the epoch */
    GArray *timers;       /* of ClockTimer; may be NULL */
} ClockDef;

bool clock_def_parse(const XmlNode *clock, ClockDef *ret_clock, GError **error);
void clock_def_format(const ClockDef *clock, XmlWriter *writer, DomainFormatFlags flags);
void clock_def_clear(ClockDef *clock);
/* Policies that fit their timers. Errors: XML_ERROR, CONFIG_UNSUPPORTED. */
bool clock_def_validate(const ClockDef *clock, GError **error);
