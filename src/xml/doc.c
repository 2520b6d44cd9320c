/* Parsing, with all that libxml2 must not do switched off. It reports through callbacks;
 * the first error ends the parse and is the one that the caller sees. */
#include "xml/doc.h"

#include <string.h>

#include "base/error.h"
#include "xml/dump.h"
#include "xml/library.h"
#include "xml/precheck.h"

/* Longest excerpt of a broken line in an error. */
#define EXCERPT_MAX 160

struct XmlDoc {
    xmlDoc *tree;
};

/* What libxml2's callbacks need; the parser's _private. */
typedef struct Parse {
    const char *what;
    GError *error; /* the first one */
} Parse;

/* The line of the input that the parser stands in and a mark below its place, or NULL
 * when there is nothing to show. */
static char *excerpt(const xmlParserInput *input)
{
    const char *from = (const char *)input->cur;
    const char *to = from;
    g_autofree char *line = NULL;
    g_autofree char *mark = NULL;

    while (from > (const char *)input->base && from[-1] != '\n' &&
           to - from < EXCERPT_MAX / 2)
        from--;
    while (to < (const char *)input->end && *to != '\n' && *to != '\0' &&
           to - from < EXCERPT_MAX)
        to++;
    if (from == to)
        return NULL;
    line = g_strndup(from, (gsize)(to - from));
    mark = g_strnfill((gsize)((const char *)input->cur - from), '-');
    return g_strdup_printf("%s\n%s^", line, mark);
}

/* Keeps the first error and ends parsing. */
static void parse_fail(xmlParserCtxt *parser, int line, const char *reason)
{
    Parse *parse = parser->_private;
    const xmlParserInput *input = parser->input;
    g_autofree char *place = NULL;
    g_autofree char *reason_line = NULL;
    g_autofree char *message = NULL;
    g_autofree char *valid = NULL;

    /* Else libxml2 reads on to the end, with an error for every byte if it must. */
    parser->wellFormed = 0;
    parser->disableSAX = 1;
    parser->instate = XML_PARSER_EOF;
    if (parse->error)
        return;
    place = input && input->cur ? excerpt(input) : NULL;
    reason_line = g_strchomp(g_strdup_printf("(%s):%d: %s", parse->what, line, reason));
    message = g_strjoin("\n", reason_line, place, NULL);
    /* The excerpt may be cut inside a character, and libxml2 quotes what it likes. */
    valid = g_utf8_make_valid(message, -1);
    error_set(&parse->error, VIR_FROM_XML, VIR_ERR_XML_DETAIL, "%s", valid);
}

static void on_error(void *data, xmlError *error)
{
    xmlParserCtxt *parser = data;

    /* Warnings and namespace errors leave the document well-formed. */
    if (error->level < XML_ERR_ERROR || error->domain == XML_FROM_NAMESPACE)
        return;
    parse_fail(parser, error->line, error->message ? error->message : "unknown error");
}

/* A document type could declare entities that grow without bound, or name files. */
static void on_doctype(void *data, const xmlChar *name, const xmlChar *external_id,
                       const xmlChar *system_id)
{
    xmlParserCtxt *parser = data;

    parse_fail(parser, parser->input ? parser->input->line : 1,
               "a document type declaration is not accepted");
}

/* Indexing all xml:id costs time that nobody has use for. */
static void on_document(void *data)
{
    xmlParserCtxt *parser = data;

    parser->loadsubset |= XML_SKIP_IDS;
    xml_loaded()->xmlSAX2StartDocument(data);
}

static xmlDoc *read_tree(xmlParserCtxt *parser, const char *text)
{
    /* NOENT asks for plain text nodes; without a document type it can expand nothing
     * else than XML's own entities. BIG_LINES counts beyond 65535. COMPACT keeps short
     * texts inside their nodes: trees are never changed here, only copies of them. */
    int options = XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_NOENT | XML_PARSE_IGNORE_ENC |
                  XML_PARSE_BIG_LINES | XML_PARSE_COMPACT;
    xmlDoc *tree = NULL;

    parser->sax->serror = on_error;
    parser->sax->internalSubset = on_doctype;
    parser->sax->startDocument = on_document;
    tree = xml_loaded()->xmlCtxtReadMemory(parser, text, (int)strlen(text), NULL, "UTF-8", options);
    if (tree) {
        /* Printing would use a declared encoding, or character references without any. */
        (*xml_loaded()->xmlFree)((xmlChar *)tree->encoding);
        tree->encoding = xml_loaded()->xmlStrdup(BAD_CAST "UTF-8");
    }
    return tree;
}

XmlDoc *xml_parse(const char *text, const char *what, GError **error)
{
    Parse parse = { .what = what };
    xmlParserCtxt *parser = NULL;
    xmlDoc *tree = NULL;
    XmlDoc *doc = NULL;

    if (!xml_precheck(text, what, error) || !xml_library(error))
        return NULL;
    parser = xml_loaded()->xmlNewParserCtxt();
    g_assert(parser);
    parser->_private = &parse;
    tree = read_tree(parser, text);
    if (!parse.error && (!tree || !xml_loaded()->xmlDocGetRootElement(tree)))
        parse_fail(parser, 1, "no element");
    xml_loaded()->xmlFreeParserCtxt(parser);
    if (parse.error) {
        xml_loaded()->xmlFreeDoc(tree);
        g_propagate_error(error, parse.error);
        return NULL;
    }
    doc = g_new0(XmlDoc, 1);
    doc->tree = tree;
    return doc;
}

XmlDoc *xml_parse_root(const char *text, const char *what, const char *root, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_parse(text, what, error);

    if (!doc || !xml_doc_expect_root(doc, root, error))
        return NULL;
    return g_steal_pointer(&doc);
}

void xml_doc_free(XmlDoc *doc)
{
    if (!doc)
        return;
    xml_loaded()->xmlFreeDoc(doc->tree);
    g_free(doc);
}

const XmlNode *xml_doc_root(const XmlDoc *doc)
{
    return xml_loaded()->xmlDocGetRootElement(doc->tree);
}

bool xml_doc_expect_root(const XmlDoc *doc, const char *name, GError **error)
{
    const char *found = xml_node_name(xml_doc_root(doc));

    if (strcmp(found, name) == 0)
        return true;
    error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR,
              "expecting root element of '%s', not '%.128s'", name, found);
    return false;
}

char *xml_node_serialize(const XmlNode *node)
{
    return xml_dump(node, 0);
}
