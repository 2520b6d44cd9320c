/* A walk through a JSON tree in document order, without recursion. The tree must not
 * change while it is walked. */
#pragma once

#include "json/value.h"

typedef enum JsonStepKind {
    JSON_STEP_LEAF,  /* null, boolean, number or string */
    JSON_STEP_BEGIN, /* an array or object; its children follow */
    JSON_STEP_END,   /* the array or object is over */
} JsonStepKind;

typedef struct JsonStep {
    JsonStepKind kind;
    const JsonValue *value;
    const char *key; /* of a member of an object, else NULL; NULL for END */
    guint index;     /* among its siblings; 0 for END */
    guint depth;     /* 0 for the root; END has the depth of its BEGIN */
} JsonStep;

typedef struct JsonWalk JsonWalk;

JsonWalk *json_walk_new(const JsonValue *root);
void json_walk_free(JsonWalk *walk);

/* Sets @ret_step and returns true, or returns false at the end of the tree. */
bool json_walk_next(JsonWalk *walk, JsonStep *ret_step);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonWalk, json_walk_free)
