/* Mice, tablets, keyboards: <input>. */
#pragma once

#include "virtqemud/model/device_info.h"
#include "virtqemud/model/virtio.h"

typedef enum InputType { INPUT_MOUSE, INPUT_TABLET, INPUT_KEYBOARD, N_INPUT_TYPES } InputType;
typedef enum InputBus { INPUT_BUS_DEFAULT, INPUT_BUS_PS2, INPUT_BUS_USB, INPUT_BUS_VIRTIO, N_INPUT_BUSES } InputBus;

typedef struct InputDef {
    DeviceInfo info;
    InputType type;
    InputBus bus;
    VirtioOptions virtio;
    enum { INPUT_MODEL_DEFAULT, INPUT_MODEL_VIRTIO, INPUT_MODEL_VIRTIO_TRANSITIONAL, INPUT_MODEL_VIRTIO_NON_TRANSITIONAL } model;
} InputDef;

InputDef *input_def_new(InputType type, InputBus bus);
bool input_def_parse(const XmlNode *input, DomainParseFlags flags, InputDef **ret_input,
                     GError **error);
void input_def_format(const InputDef *input, XmlWriter *writer, DomainFormatFlags flags);
void input_def_free(InputDef *input);
bool input_def_validate(const InputDef *input, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InputDef, input_def_free)
