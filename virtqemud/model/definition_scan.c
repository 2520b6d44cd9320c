/* One pass over the bytes. Every loop stops at the NUL behind the text, which no table allows.
 * Only what a daemon writes is understood: names of ASCII, no declaration, no sections; and
 * nothing is let through that the full parser would refuse. */
#include "virtqemud/model/definition_scan.h"

#include <string.h>

/* Deeper, longer or with more attributes than any definition; within the full parser's limits. */
#define DEPTH_MAX 64
#define ATTRIBUTES_MAX 32
#define SIZE_MAX_BYTES (1024 * 1024)
#define NAMESPACES_MAX 128
/* In a text that is longer than this, equal signs are counted: the full parser takes those of a
 * text between two tags for attributes, and refuses too many. */
#define LONG_TEXT 256
#define EQUALS_MAX 128

enum {
    BEGINS_NAME = 1 << 0,
    IN_NAME = 1 << 1,
    IN_SINGLE = 1 << 2, /* a value in single quotes, but for '&' */
    IN_DOUBLE = 1 << 3,
    IN_TEXT = 1 << 4, /* but for '&' and ']' */
    IS_SPACE = 1 << 5,
};

#define PLAIN (IN_SINGLE | IN_DOUBLE | IN_TEXT)
#define LETTER (PLAIN | BEGINS_NAME | IN_NAME)

static const unsigned char classes[256] = {
    ['\t'] = PLAIN | IS_SPACE,
    ['\n'] = PLAIN | IS_SPACE,
    [' '] = PLAIN | IS_SPACE,
    ['!'] = PLAIN,
    ['"'] = IN_SINGLE | IN_TEXT,
    ['#' ... '%'] = PLAIN,
    ['\''] = IN_DOUBLE | IN_TEXT,
    ['(' ... ','] = PLAIN,
    ['-' ... '.'] = PLAIN | IN_NAME,
    ['/'] = PLAIN,
    ['0' ... '9'] = PLAIN | IN_NAME,
    [':' ... ';'] = PLAIN,
    ['=' ... '@'] = PLAIN,
    ['A' ... 'Z'] = LETTER,
    ['['] = PLAIN,
    ['\\'] = PLAIN,
    [']'] = IN_SINGLE | IN_DOUBLE,
    ['^'] = PLAIN,
    ['_'] = LETTER,
    ['`'] = PLAIN,
    ['a' ... 'z'] = LETTER,
    ['{' ... 0x7f] = PLAIN,
    [0x80 ... 0xff] = PLAIN,
};

static const struct {
    const char *text;
    size_t length;
    char c;
} entities[] = {
    { "&lt;", 4, '<' },    { "&gt;", 4, '>' },   { "&amp;", 5, '&' },  { "&apos;", 6, '\'' },
    { "&quot;", 6, '"' },  { "&#9;", 4, '\t' },  { "&#10;", 5, '\n' }, { "&#13;", 5, '\r' },
};

typedef struct Span {
    const char *from;
    size_t length;
} Span;

typedef struct Scan {
    const char *at;
    Span open[DEPTH_MAX];
    unsigned depth;
    unsigned namespaces;
    Span name, uuid, title; /* texts as written; from NULL: not seen yet */
} Scan;

static bool is(char c, unsigned char class)
{
    return classes[(unsigned char) c] & class;
}

/* By value: a pointer in memory would be written back at every byte. */
static const char *skip(const char *at, unsigned char class)
{
    while (is(*at, class))
        at++;
    return at;
}

static void skip_space(Scan *scan)
{
    scan->at = skip(scan->at, IS_SPACE);
}

static bool span_is(Span span, const char *text)
{
    return strlen(text) == span.length && memcmp(span.from, text, span.length) == 0;
}

static bool same(Span a, Span b)
{
    return a.length == b.length && memcmp(a.from, b.from, a.length) == 0;
}

/* Past an entity, to which @at points; NULL when it is none of XML's own. */
static const char *skip_entity(const char *at, char *ret_c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(entities); i++) {
        if (strncmp(at, entities[i].text, entities[i].length) == 0) {
            if (ret_c)
                *ret_c = entities[i].c;
            return at + entities[i].length;
        }
    }
    return NULL;
}

/* "name" or "prefix:name". */
static bool scan_name(Scan *scan, Span *ret_name)
{
    const char *from = scan->at;

    for (int part = 0; part < 2; part++) {
        if (!is(*scan->at, BEGINS_NAME))
            return false;
        scan->at = skip(scan->at, IN_NAME);
        if (*scan->at != ':')
            break;
        if (part == 1)
            return false;
        scan->at++;
    }
    *ret_name = (Span){ from, (size_t) (scan->at - from) };
    return true;
}

/* Either quote; what libxml2 has printed into the metadata has double ones. */
static bool scan_value(Scan *scan)
{
    char quote = *scan->at;
    unsigned char class = quote == '\'' ? IN_SINGLE : IN_DOUBLE;

    if (quote != '\'' && quote != '"')
        return false;
    for (scan->at++; *scan->at != quote;) {
        scan->at = skip(scan->at, class);
        if (*scan->at == '&')
            scan->at = skip_entity(scan->at, NULL);
        else if (*scan->at != quote)
            return false;
        if (!scan->at)
            return false;
    }
    scan->at++;
    return true;
}

/* A namespace can move a whole part of the document away from us; those of applications, with a
 * prefix, do not. "xml:" has meanings of its own. */
static bool attribute_is_usual(Scan *scan, Span name)
{
    if (name.length < 3 || memcmp(name.from, "xml", 3) != 0)
        return true;
    if (span_is(name, "xmlns"))
        return scan->depth > 2 && ++scan->namespaces <= NAMESPACES_MAX;
    return name.length > 6 && memcmp(name.from, "xmlns:", 6) == 0 &&
           (name.length < 9 || memcmp(name.from + 6, "xml", 3) != 0) &&
           ++scan->namespaces <= NAMESPACES_MAX;
}

static bool scan_attributes(Scan *scan, unsigned *ret_count)
{
    Span names[ATTRIBUTES_MAX];
    unsigned count = 0;

    for (;;) {
        bool has_space = is(*scan->at, IS_SPACE);

        skip_space(scan);
        if (*scan->at == '>' || *scan->at == '/') {
            *ret_count = count;
            return true;
        }
        if (!has_space || count == ATTRIBUTES_MAX || !scan_name(scan, &names[count]) ||
            !attribute_is_usual(scan, names[count]))
            return false;
        for (unsigned i = 0; i < count; i++) {
            if (same(names[i], names[count]))
                return false;
        }
        skip_space(scan);
        if (*scan->at++ != '=')
            return false;
        skip_space(scan);
        if (!scan_value(scan))
            return false;
        count++;
    }
}

static bool has_few_equals(Span text)
{
    unsigned count = 0;

    if (text.length < LONG_TEXT)
        return true;
    for (size_t i = 0; i < text.length; i++)
        count += text.from[i] == '=';
    return count <= EQUALS_MAX;
}

/* Text up to the next tag. */
static bool scan_text(Scan *scan, Span *ret_text)
{
    const char *from = scan->at;

    for (;;) {
        scan->at = skip(scan->at, IN_TEXT);
        if (*scan->at == '<')
            break;
        if (*scan->at == '&')
            scan->at = skip_entity(scan->at, NULL);
        else if (*scan->at == ']' && scan->at[1] != ']')
            scan->at++;
        else
            return false;
        if (!scan->at)
            return false;
    }
    *ret_text = (Span){ from, (size_t) (scan->at - from) };
    return has_few_equals(*ret_text);
}

/* The rest of a comment. Two hyphens may stand at its end only. */
static bool scan_comment(Scan *scan)
{
    Span text = { scan->at, 0 };

    while (scan->at[0] != '-' || scan->at[1] != '-') {
        /* All but control characters. */
        if (!is(*scan->at, PLAIN) && *scan->at != '<' && *scan->at != '&')
            return false;
        scan->at++;
    }
    text.length = (size_t) (scan->at - text.from);
    if (scan->at[2] != '>')
        return false;
    scan->at += 3;
    return has_few_equals(text);
}

/* It must end what was opened last. */
static bool scan_end_tag(Scan *scan)
{
    Span name;

    if (!scan_name(scan, &name) || scan->depth == 0 || !same(name, scan->open[scan->depth - 1]))
        return false;
    skip_space(scan);
    scan->depth--;
    return *scan->at++ == '>';
}

/* Where the text of this child of <domain> goes, if it is one that is asked for. */
static Span *field_of(Scan *scan, Span name)
{
    if (scan->depth != 1)
        return NULL;
    if (span_is(name, "name"))
        return &scan->name;
    if (span_is(name, "uuid"))
        return &scan->uuid;
    return span_is(name, "title") ? &scan->title : NULL;
}

static bool scan_start_tag(Scan *scan)
{
    Span name;
    Span *field = NULL;
    unsigned n_attributes = 0;
    bool is_empty = false;

    if (scan->depth == DEPTH_MAX || !scan_name(scan, &name))
        return false;
    field = field_of(scan, name);
    scan->open[scan->depth++] = name;
    if (!scan_attributes(scan, &n_attributes))
        return false;
    is_empty = *scan->at == '/';
    scan->at += is_empty;
    if (*scan->at++ != '>')
        return false;
    /* The first counts; a second one is odd enough for the full parser. */
    if (field && (field->from || n_attributes > 0 || is_empty))
        return false;
    if (is_empty)
        scan->depth--;
    /* Nothing but text in it: the next must be its end. */
    return !field || (scan_text(scan, field) && scan->at[1] == '/');
}

/* All between the last tag and the next, and that. */
static bool scan_next(Scan *scan)
{
    Span text;

    if (!scan_text(scan, &text))
        return false;
    scan->at++;
    if (*scan->at == '/') {
        scan->at++;
        return scan_end_tag(scan);
    }
    if (strncmp(scan->at, "!--", 3) == 0) {
        scan->at += 3;
        return scan_comment(scan);
    }
    return scan_start_tag(scan);
}

/* White space and comments, as stand before and behind the root. */
static bool scan_outside(Scan *scan)
{
    for (;;) {
        skip_space(scan);
        if (strncmp(scan->at, "<!--", 4) != 0)
            return true;
        scan->at += 4;
        if (!scan_comment(scan))
            return false;
    }
}

static bool scan_document(Scan *scan, const char *end)
{
    if (!scan_outside(scan) || *scan->at++ != '<' || !scan_start_tag(scan) || scan->depth != 1 ||
        !span_is(scan->open[0], "domain"))
        return false;
    while (scan->depth > 0) {
        if (!scan_next(scan))
            return false;
    }
    return scan_outside(scan) && scan->at == end;
}

/* Eight bytes at a time, since all of a file is ASCII, mostly. The two characters that XML does
 * not have are looked for by their first bytes. */
static bool is_valid_utf8(const char *text, gsize len)
{
    uint64_t word = 0;
    uint64_t all = 0;
    gsize i = 0;

    for (; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, text + i, sizeof(word));
        all |= word;
    }
    for (; i < len; i++)
        all |= (unsigned char) text[i];
    return !(all & UINT64_C(0x8080808080808080)) ||
           (g_utf8_validate(text, (gssize) len, NULL) && !strstr(text, "\xef\xbf"));
}

/* The text of a field; NULL when it is empty. */
static char *decode(Span span)
{
    g_autoptr(GString) text = NULL;

    if (span.length == 0)
        return NULL;
    if (!memchr(span.from, '&', span.length))
        return g_strndup(span.from, span.length);
    text = g_string_sized_new(span.length);
    for (const char *at = span.from; at < span.from + span.length;) {
        char c = *at;

        at = c == '&' ? skip_entity(at, &c) : at + 1;
        g_string_append_c(text, c);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool has_line_break(const char *text)
{
    return text && strchr(text, '\n');
}

/* What the full parser would refuse in these fields is not for a list. */
static bool summarize(const Scan *scan, DefinitionSummary *summary)
{
    g_autofree char *uuid = decode(scan->uuid);

    summary->name = decode(scan->name);
    summary->title = decode(scan->title);
    return summary->name && !strchr(summary->name, '/') && !has_line_break(summary->name) &&
           !has_line_break(summary->title) && uuid && uuid_parse(uuid, &summary->uuid, NULL);
}

bool definition_scan(const char *text, gsize len, DefinitionSummary *ret_summary)
{
    DefinitionSummary summary = { 0 };
    Scan scan;

    if (len > SIZE_MAX_BYTES || !is_valid_utf8(text, len))
        return false;
    /* Not all of the stack of open elements: that would cost more than the scan. */
    memset(&scan.depth, 0, sizeof(scan) - offsetof(Scan, depth));
    scan.at = text;
    if (!scan_document(&scan, text + len) || !summarize(&scan, &summary)) {
        definition_summary_clear(&summary);
        return false;
    }
    *ret_summary = summary;
    return true;
}

void definition_summary_clear(DefinitionSummary *summary)
{
    g_clear_pointer(&summary->name, g_free);
    g_clear_pointer(&summary->title, g_free);
}
