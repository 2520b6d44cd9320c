/* The processors that a guest sees: <cpu>, without the model data base (that comes with CPU
 * comparison): names, features and topology as they were given. */
#pragma once

#include <stdint.h>

#include "virtqemud/model/format_flags.h"

typedef enum CpuMode {
    CPU_MODE_NONE, /* no mode attribute: custom when there is a model */
    CPU_MODE_CUSTOM,
    CPU_MODE_HOST_MODEL,
    CPU_MODE_HOST_PASSTHROUGH,
    CPU_MODE_MAXIMUM,
    N_CPU_MODES
} CpuMode;
extern const char *const cpu_mode_names[N_CPU_MODES];

typedef enum CpuMatch { CPU_MATCH_NONE, CPU_MATCH_MINIMUM, CPU_MATCH_EXACT, CPU_MATCH_STRICT, N_CPU_MATCHES } CpuMatch;
typedef enum CpuCheck { CPU_CHECK_DEFAULT, CPU_CHECK_NONE, CPU_CHECK_PARTIAL, CPU_CHECK_FULL, N_CPU_CHECKS } CpuCheck;
typedef enum CpuPolicy { CPU_POLICY_FORCE, CPU_POLICY_REQUIRE, CPU_POLICY_OPTIONAL, CPU_POLICY_DISABLE, CPU_POLICY_FORBID, N_CPU_POLICIES } CpuPolicy;

typedef struct CpuFeature {
    char *name;
    CpuPolicy policy;
} CpuFeature;

typedef struct CpuDef {
    CpuMode mode;
    CpuMatch match;
    CpuCheck check;
    XmlTristate migratable; /* on/off, of host-passthrough and maximum */
    char *model;            /* NULL */
    XmlTristate fallback_allow; /* <model fallback='allow|forbid'>; absent: allow */
    char *vendor_id;        /* <model vendor_id=''>; 12 bytes */
    char *vendor;           /* <vendor>; NULL */
    /* Topology; 0 sockets: none given. Clusters are written when there are more than one. */
    unsigned sockets, dies, clusters, cores, threads;
    GArray *features;       /* of CpuFeature; may be NULL */
} CpuDef;

bool cpu_def_parse(const XmlNode *cpu, CpuDef **ret_cpu, GError **error);
/* Nothing when @cpu is NULL. */
void cpu_def_format(const CpuDef *cpu, XmlWriter *writer, DomainFormatFlags flags);
void cpu_def_free(CpuDef *cpu);
/* The topology against the maximum of vcpus; names, policies. Errors: XML_ERROR,
 * CONFIG_UNSUPPORTED in the words that existing clients know. */
bool cpu_def_validate(const CpuDef *cpu, unsigned max_vcpus, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CpuDef, cpu_def_free)
