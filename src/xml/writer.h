/* Writes XML in the layout of the reference, to the byte: two spaces per level, single
 * quotes, <a/> for an element with nothing in it. What is written parses back to the same
 * text. Characters that XML cannot carry (control characters, U+FFFE, U+FFFF, broken
 * UTF-8) are dropped. The five special characters become entities; a carriage return, and
 * in attributes also a tab and a newline, become character references, since a parser
 * would not return them otherwise; nothing else does. */
#pragma once

#include "xml/doc.h"

typedef struct XmlWriter XmlWriter;

XmlWriter *xml_writer_new(void);
void xml_writer_free(XmlWriter *writer);

/* Begins the element @name inside the one that is open. */
void xml_writer_open(XmlWriter *writer, const char *name);

/* Adds an attribute to the element that has just been opened. */
void xml_writer_attr(XmlWriter *writer, const char *name, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* The same with a plain value; NULL adds nothing. */
void xml_writer_attr_string(XmlWriter *writer, const char *name, const char *value);

/* The text of the element that has just been opened, which then has no children. */
void xml_writer_text(XmlWriter *writer, const char *text);

/* Ends the element that is open. */
void xml_writer_close(XmlWriter *writer);

/* A whole element with text in it. */
void xml_writer_element(XmlWriter *writer, const char *name, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* The same with a plain text; NULL adds nothing. */
void xml_writer_element_string(XmlWriter *writer, const char *name, const char *text);

/* Ends the start tag and its line, so that the element gets an end tag of its own even
 * if nothing comes into it ("<source>", "</source>" on two lines). */
void xml_writer_break(XmlWriter *writer);
/* An empty line. */
void xml_writer_blank_line(XmlWriter *writer);
/* A comment on its own; "--" in it is broken up. */
void xml_writer_comment(XmlWriter *writer, const char *text);

/* An element as it was given, with all inside it, indented for this place. */
void xml_writer_node(XmlWriter *writer, const XmlNode *node);
/* The same from text that xml_node_serialize has given. XML_DETAIL when it does not parse;
 * then nothing is written. */
bool xml_writer_verbatim(XmlWriter *writer, const char *xml, GError **error);

/* Everything that was written, to the caller; the writer is empty then. All elements
 * are closed. */
char *xml_writer_finish(XmlWriter *writer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XmlWriter, xml_writer_free)
