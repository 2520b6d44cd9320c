/* The walk keeps one level for each container that is open: the container and the child
 * that comes next in it. */
#include "json/walk.h"

#include "json/value_private.h"

typedef struct Level {
    const JsonValue *value;
    guint next;
} Level;

struct JsonWalk {
    const JsonValue *root; /* until the first step */
    GArray *levels;        /* the containers that are open */
};

JsonWalk *json_walk_new(const JsonValue *root)
{
    JsonWalk *walk = g_new0(JsonWalk, 1);

    walk->root = root;
    walk->levels = g_array_new(FALSE, FALSE, sizeof(Level));
    return walk;
}

void json_walk_free(JsonWalk *walk)
{
    if (!walk)
        return;
    g_array_unref(walk->levels);
    g_free(walk);
}

static void enter(JsonWalk *walk, JsonStep *step, const JsonValue *value)
{
    step->value = value;
    step->depth = walk->levels->len;
    step->kind = JSON_STEP_LEAF;
    if (json_is_container(value)) {
        Level level = { .value = value };

        step->kind = JSON_STEP_BEGIN;
        g_array_append_val(walk->levels, level);
    }
}

bool json_walk_next(JsonWalk *walk, JsonStep *ret_step)
{
    JsonStep step = { 0 };
    Level *top = NULL;

    if (walk->root) {
        enter(walk, &step, g_steal_pointer(&walk->root));
        *ret_step = step;
        return true;
    }
    if (walk->levels->len == 0)
        return false;
    top = &g_array_index(walk->levels, Level, walk->levels->len - 1);
    if (top->next == top->value->length) {
        step.kind = JSON_STEP_END;
        step.value = top->value;
        step.depth = walk->levels->len - 1;
        g_array_set_size(walk->levels, walk->levels->len - 1);
    } else {
        step.index = top->next++;
        if (top->value->type == JSON_OBJECT)
            step.key = top->value->members[step.index].key;
        enter(walk, &step, json_at(top->value, step.index));
    }
    *ret_step = step;
    return true;
}
