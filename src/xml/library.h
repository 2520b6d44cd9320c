/* libxml2, loaded when the first document is read: with what it needs itself (ICU and the C++
 * library) it is a third of an idle daemon's memory, and a daemon whose objects nobody has asked
 * for yet reads no document. Once loaded it stays. */
#pragma once

#include <libxml/SAX2.h>
#include <libxml/entities.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include <glib.h>

/* What the rest of this folder calls. xmlFree is a variable of the library's: a pointer to it.
 * The last two are what the names xmlStructuredError and xmlStructuredErrorContext stand for. */
#define XML_LIBRARY_SYMBOLS(X)                                                                     \
    X(xmlBufferContent) X(xmlBufferCreate) X(xmlBufferFree) X(xmlCtxtReadMemory)                   \
    X(xmlDocCopyNode) X(xmlDocGetRootElement) X(xmlEncodeSpecialChars) X(xmlFree) X(xmlFreeDoc)    \
    X(xmlFreeNode) X(xmlFreeNs) X(xmlFreeParserCtxt) X(xmlGetLineNo) X(xmlInitParser)              \
    X(xmlNewNs) X(xmlNewParserCtxt) X(xmlNodeDump) X(xmlNodeGetContent) X(xmlSAX2StartDocument)    \
    X(xmlSearchNs) X(xmlSetStructuredErrorFunc) X(xmlStrdup) X(xmlValidateNCName)                 \
    X(__xmlStructuredError) X(__xmlStructuredErrorContext)

typedef struct XmlLibrary {
#define XML_LIBRARY_MEMBER(NAME) __typeof__(&NAME) NAME;
    XML_LIBRARY_SYMBOLS(XML_LIBRARY_MEMBER)
#undef XML_LIBRARY_MEMBER
} XmlLibrary;

/* Loads it if need be; from any thread. Errors: INTERNAL_ERROR with the loader's words. */
const XmlLibrary *xml_library(GError **error);
/* For whoever has a document: it is loaded then. */
const XmlLibrary *xml_loaded(void);
