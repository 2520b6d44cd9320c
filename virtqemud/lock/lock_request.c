/* The list, in memory and in status files. */
#include "virtqemud/lock/lock_request.h"

#include "virtqemud/model/tristate.h"

static void lock_request_free(void *data)
{
    LockRequest *request = data;

    g_free(request->space);
    g_free(request->name);
    g_free(request->path);
    g_free(request->subject);
    g_free(request);
}

GPtrArray *lock_requests_new(void)
{
    return g_ptr_array_new_with_free_func(lock_request_free);
}

void lock_requests_add(GPtrArray *requests, const LockRequest *request)
{
    LockRequest *copy;

    for (guint i = 0; i < requests->len; i++) {
        LockRequest *other = g_ptr_array_index(requests, i);

        if (g_str_equal(other->space, request->space) && g_str_equal(other->name, request->name) &&
            other->offset == request->offset) {
            other->is_shared &= request->is_shared;
            return;
        }
    }
    copy = g_new0(LockRequest, 1);
    *copy = *request;
    copy->space = g_strdup(request->space);
    copy->name = g_strdup(request->name);
    copy->path = g_strdup(request->path);
    copy->subject = g_strdup(request->subject);
    g_ptr_array_add(requests, copy);
}

static void format_flag(XmlWriter *writer, const char *name, bool is_set)
{
    if (is_set)
        xml_writer_attr_string(writer, name, "yes");
}

void lock_requests_format(const GPtrArray *requests, XmlWriter *writer)
{
    for (guint i = 0; i < requests->len; i++) {
        const LockRequest *request = g_ptr_array_index(requests, i);

        xml_writer_open(writer, "lock");
        xml_writer_attr_string(writer, "space", request->space);
        xml_writer_attr_string(writer, "name", request->name);
        xml_writer_attr_string(writer, "path", request->path);
        xml_writer_attr_string(writer, "subject", request->subject);
        format_flag(writer, "shared", request->is_shared);
        format_flag(writer, "file", request->makes_file);
        format_flag(writer, "lease", request->is_lease);
        if (request->offset)
            xml_writer_attr(writer, "offset", "%" G_GUINT64_FORMAT, request->offset);
        xml_writer_close(writer);
    }
}

static bool parse_flag(const XmlNode *node, const char *name, bool *ret_flag, GError **error)
{
    XmlTristate value = XML_TRISTATE_ABSENT;

    if (!xml_attr_yes_no(node, name, XML_OPTIONAL, &value, error))
        return false;
    *ret_flag = value == XML_TRISTATE_YES;
    return true;
}

static bool request_parse(const XmlNode *node, LockRequest *request, GError **error)
{
    return xml_attr_string(node, "space", XML_REQUIRED, &request->space, error) &&
           xml_attr_string(node, "name", XML_REQUIRED, &request->name, error) &&
           xml_attr_string(node, "path", XML_OPTIONAL, &request->path, error) &&
           xml_attr_string(node, "subject", XML_REQUIRED, &request->subject, error) &&
           parse_flag(node, "shared", &request->is_shared, error) &&
           parse_flag(node, "file", &request->makes_file, error) &&
           parse_flag(node, "lease", &request->is_lease, error) &&
           xml_attr_uint64(node, "offset", XML_OPTIONAL, 0, &request->offset, error);
}

bool lock_requests_parse(const XmlNode *node, GPtrArray *requests, GError **error)
{
    for (const XmlNode *lock = xml_node_first(node, "lock"); lock;
         lock = xml_node_next(lock, "lock")) {
        LockRequest *request = g_new0(LockRequest, 1);
        bool is_good = request_parse(lock, request, error);

        if (is_good)
            lock_requests_add(requests, request);
        lock_request_free(request);
        if (!is_good)
            return false;
    }
    return true;
}
