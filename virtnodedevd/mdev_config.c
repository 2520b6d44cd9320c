#include "virtnodedevd/mdev_config.h"

#include "base/error.h"
#include "base/uuid.h"
#include "json/get.h"
#include "json/parse.h"
#include "json/write.h"
#include "virtnodedevd/kind.h"

static void attr_clear(void *data)
{
    MdevAttr *attr = data;

    g_free(attr->name);
    g_free(attr->value);
}

MdevConfig *mdev_config_new(void)
{
    MdevConfig *config = g_new0(MdevConfig, 1);

    config->attrs = g_array_new(FALSE, FALSE, sizeof(MdevAttr));
    g_array_set_clear_func(config->attrs, attr_clear);
    return config;
}

void mdev_config_free(MdevConfig *config)
{
    if (!config)
        return;
    g_free(config->uuid);
    g_free(config->parent);
    g_free(config->type);
    g_array_unref(config->attrs);
    g_free(config);
}

MdevConfig *mdev_config_copy(const MdevConfig *config)
{
    MdevConfig *copy;

    if (!config)
        return NULL;
    copy = mdev_config_new();
    copy->uuid = g_strdup(config->uuid);
    copy->parent = g_strdup(config->parent);
    copy->type = g_strdup(config->type);
    copy->is_autostarted = config->is_autostarted;
    for (guint i = 0; i < config->attrs->len; i++) {
        const MdevAttr *attr = &g_array_index(config->attrs, MdevAttr, i);

        mdev_config_add_attr(copy, g_strdup(attr->name), g_strdup(attr->value));
    }
    return copy;
}

bool mdev_config_equal(const MdevConfig *a, const MdevConfig *b)
{
    if (g_strcmp0(a->uuid, b->uuid) != 0 || g_strcmp0(a->parent, b->parent) != 0 ||
        g_strcmp0(a->type, b->type) != 0 || a->is_autostarted != b->is_autostarted ||
        a->attrs->len != b->attrs->len)
        return false;
    for (guint i = 0; i < a->attrs->len; i++) {
        const MdevAttr *first = &g_array_index(a->attrs, MdevAttr, i);
        const MdevAttr *second = &g_array_index(b->attrs, MdevAttr, i);

        if (!g_str_equal(first->name, second->name) || !g_str_equal(first->value, second->value))
            return false;
    }
    return true;
}

void mdev_config_add_attr(MdevConfig *config, char *name, char *value)
{
    MdevAttr attr = { name, value };

    g_array_append_val(config->attrs, attr);
}

/* A list of objects of one member each, which keeps the order. */
static bool attrs_parse(const JsonValue *object, MdevConfig *config, GError **error)
{
    const JsonValue *attrs = NULL;

    if (!json_object_opt_array(object, "attrs", &attrs, error))
        return false;
    for (guint i = 0; attrs && i < json_length(attrs); i++) {
        const JsonValue *attr = json_at(attrs, i);
        const char *value;

        if (!json_as_object(attr, "an attribute", &attr, error))
            return false;
        for (guint m = 0; m < json_length(attr); m++) {
            if (!json_as_string(json_at(attr, m), json_key_at(attr, m), &value, error))
                return false;
            mdev_config_add_attr(config, g_strdup(json_key_at(attr, m)), g_strdup(value));
        }
    }
    return true;
}

static MdevConfig *config_parse(const char *parent, const char *uuid, const JsonValue *value,
                                GError **error)
{
    g_autoptr(MdevConfig) config = mdev_config_new();
    const char *type = NULL, *start = NULL;

    if (!json_as_object(value, uuid, &value, error) ||
        !json_object_get_string(value, "mdev_type", &type, error) ||
        !json_object_opt_string(value, "start", "manual", &start, error) ||
        !attrs_parse(value, config, error))
        return NULL;
    config->uuid = g_ascii_strdown(uuid, -1);
    config->parent = g_strdup(parent);
    config->type = g_strdup(type);
    config->is_autostarted = g_str_equal(start, "auto");
    return g_steal_pointer(&config);
}

/* [ { "UUID": { … } }, … ] */
static bool children_parse(const char *parent, const JsonValue *children, GPtrArray *configs,
                           GError **error)
{
    if (!json_as_array(children, parent, &children, error))
        return false;
    for (guint i = 0; i < json_length(children); i++) {
        const JsonValue *child = json_at(children, i);

        if (!json_as_object(child, parent, &child, error))
            return false;
        for (guint m = 0; m < json_length(child); m++) {
            MdevConfig *config = config_parse(parent, json_key_at(child, m), json_at(child, m),
                                              error);

            if (!config)
                return false;
            g_ptr_array_add(configs, config);
        }
    }
    return true;
}

GPtrArray *mdev_configs_parse(const char *json, GError **error)
{
    g_autoptr(GPtrArray) configs =
        g_ptr_array_new_with_free_func((GDestroyNotify)mdev_config_free);
    g_autoptr(JsonValue) root = json_parse(json, error);
    const JsonValue *parents = NULL;

    if (!root || !json_as_array(root, "mdevctl's list", &parents, error))
        return NULL;
    for (guint i = 0; i < json_length(parents); i++) {
        const JsonValue *parent = json_at(parents, i);

        if (!json_as_object(parent, "mdevctl's list", &parent, error))
            return NULL;
        for (guint m = 0; m < json_length(parent); m++) {
            if (!children_parse(json_key_at(parent, m), json_at(parent, m), configs, error))
                return NULL;
        }
    }
    return g_steal_pointer(&configs);
}

char *mdev_config_to_json(const MdevConfig *config)
{
    g_autoptr(JsonValue) object = json_object();
    JsonValue *attrs = json_array();

    json_object_put_string(object, "mdev_type", config->type);
    json_object_put_string(object, "start", config->is_autostarted ? "auto" : "manual");
    for (guint i = 0; i < config->attrs->len; i++) {
        const MdevAttr *attr = &g_array_index(config->attrs, MdevAttr, i);
        JsonValue *item = json_object();

        json_object_put_string(item, attr->name, attr->value);
        json_array_append(attrs, item);
    }
    json_object_put(object, "attrs", attrs);
    return json_write(object);
}

char *mdev_config_name(const MdevConfig *config)
{
    g_autofree char *suffix = g_strdup_printf("%s_%s", config->uuid, config->parent);

    return kind_make_name(mdev_kind->prefix, suffix);
}

void mdev_config_format_attrs(const MdevConfig *config, XmlWriter *writer)
{
    for (guint i = 0; i < config->attrs->len; i++) {
        const MdevAttr *attr = &g_array_index(config->attrs, MdevAttr, i);

        xml_writer_open(writer, "attr");
        xml_writer_attr_string(writer, "name", attr->name);
        xml_writer_attr_string(writer, "value", attr->value);
        xml_writer_close(writer);
    }
}

char *mdev_config_format(const MdevConfig *config, const char *parent)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();
    g_autofree char *name = mdev_config_name(config);

    xml_writer_open(writer, "device");
    xml_writer_element_string(writer, "name", name);
    xml_writer_element_string(writer, "parent", parent);
    xml_writer_open(writer, "capability");
    xml_writer_attr_string(writer, "type", "mdev");
    xml_writer_open(writer, "type");
    xml_writer_attr_string(writer, "id", config->type);
    xml_writer_close(writer);
    xml_writer_element_string(writer, "uuid", config->uuid);
    xml_writer_element_string(writer, "parent_addr", config->parent);
    mdev_config_format_attrs(config, writer);
    xml_writer_close(writer);
    xml_writer_close(writer);
    return xml_writer_finish(writer);
}
