/* The status file of a running guest, RUN/NAME.xml: what a restarted daemon needs to find it
 * again, in the place and layout of existing installations:
 *
 *     <domstatus state='running' reason='booted' pid='123'>   state and reason by their names
 *       <monitor path='…/monitor.sock' type='unix'/>
 *       <process startTime='…'/>          ours: guards against a reused pid
 *       <phase name='up'/>                ours: a guest that was 'starting' is ended
 *       <nextNode index='4'/>             ours: the number of the next image
 *       <resources manager='cgroups' machine='qemu-1-demo'/>   ours: see resources.h
 *       <reboot/>                         ours: the next shutdown is a reboot
 *       <locks manager='lockd' held='yes'> ours: what is locked while it runs, see lock_request.h;
 *                                          held: "maybe" when the manager has not said
 *         <lock space='' name='/a.img' …/>
 *       </locks>
 *       <stdio handler='logd'/>           ours: its logs are virtlogd's
 *       <taint flag='custom-monitor'/>    see taint.h; several
 *       <libDir path='…'/> <channelTargetDir path='…'/>
 *       <domain type='qemu' id='1'> … </domain>
 *     </domstatus>
 *
 * What others write there besides is ignored. */
#pragma once

#include "virtqemud/guest/guest.h"

typedef struct GuestStatus {
    int state, reason;
    pid_t pid;
    uint64_t start_time; /* 0: not known (another's file) */
    GuestPhase phase;
    unsigned next_node;
    bool reboots_at_shutdown, is_log_managed;
    bool taints[N_TAINTS];
    const LockManager *lock_manager; /* NULL: none */
    GPtrArray *lock_requests;        /* NULL: none */
    GuestLocks locks;
    char *lib_dir, *channel_dir;
    bool has_resources; /* another's file says nothing of them */
    ResourceManager manager;
    char *machine;
    DomainDef *def;
} GuestStatus;
void guest_status_clear(GuestStatus *status);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GuestStatus, guest_status_clear)

char *guest_status_format(const Guest *guest);
/* Errors: XML_DETAIL, XML_ERROR, INTERNAL_ERROR. */
bool guest_status_parse(const char *text, GuestStatus *ret_status, GError **error);
/* Writes the present state: whole at any instant, and gone with a reboot like the guest. */
bool guest_status_save(const Guest *guest, GError **error);
/* The same for a guest that is UP, when nobody waits for it: a failure is logged. */
void guest_status_changed(const Guest *guest);

/* "running", "booted": by the manual's names; NULL for numbers that have none. */
const char *domain_state_name(int state);
const char *domain_reason_name(int state, int reason);
