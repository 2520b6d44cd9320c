/* A command line that is being made: for the files command_*.c only. */
#pragma once

#include "virtqemud/qemu/command.h"
#include "virtqemud/qemu/device_json.h"

typedef struct CommandBuilder {
    DeviceScope scope;
    const CommandContext *context;
    QemuCommand *command;
    int next_fd;         /* in QEMU */
    unsigned next_fdset; /* sets of descriptors that stand for files */
} CommandBuilder;

/* @value NULL: the option alone. Both are copied. */
void command_add(CommandBuilder *builder, const char *option, const char *value);
void command_add_format(CommandBuilder *builder, const char *option, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* Takes @value; false when it is NULL, for builders that failed. */
bool command_add_json(CommandBuilder *builder, const char *option, JsonValue *value);
/* "a=b,c=on" of @object, behind "@head," if there is one. Takes @object. */
bool command_add_keyval(CommandBuilder *builder, const char *option, const char *head,
                        JsonValue *object, GError **error);
/* The number that the descriptor has in QEMU. Texts are copied and may be NULL. */
int command_add_fd(CommandBuilder *builder, CommandFdKind kind, const char *alias,
                   const char *path);
/* @text with its commas doubled, as QEMU reads them in lists of options; to be freed. */
char *command_escape(const char *text);

/* Machine, memory, processors, clocks, firmware: all that is no device. */
bool command_add_machine(CommandBuilder *builder, GError **error);
bool command_add_boot(CommandBuilder *builder, GError **error);
bool command_add_cpu(CommandBuilder *builder, GError **error);
bool command_add_rtc(CommandBuilder *builder, GError **error);
/* All that is a device, with what is behind it on the host. */
bool command_add_devices(CommandBuilder *builder, GError **error);
/* -chardev, and what it needs. */
bool command_add_chardev(CommandBuilder *builder, const ChardevDef *chardev, GError **error);
bool command_add_graphics(CommandBuilder *builder, GError **error);
