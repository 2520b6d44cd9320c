/* Where the bytes of a disk are: images and their backing chains, <source> and <backingStore>. */
#pragma once

#include "base/error.h"
#include "virtqemud/model/format_flags.h"

typedef enum DiskSourceType { DISK_SOURCE_FILE, DISK_SOURCE_BLOCK, N_DISK_SOURCE_TYPES } DiskSourceType;
typedef enum DiskFormat { DISK_FORMAT_NONE, DISK_FORMAT_RAW, DISK_FORMAT_QCOW2, N_DISK_FORMATS } DiskFormat;
extern const char *const disk_format_names[N_DISK_FORMATS];

/* An image and what lies below it. */
typedef struct DiskSource DiskSource;
struct DiskSource {
    DiskSourceType type;
    DiskFormat format;
    char *path;           /* NULL: no medium */
    unsigned index;       /* <source index=''> of a running guest; 0: none */
    char *node_name;      /* QEMU's, of a running guest: kept in the state file */
    DiskSource *backing;  /* <backingStore>; NULL: none given, or the end */
    bool is_chain_end;    /* <backingStore/>: known to be the end */
};

/* Of type file, and empty. */
DiskSource *disk_source_new(void);
/* With what lies below; takes NULL. */
void disk_source_free(DiskSource *source);
DiskSource *disk_source_copy(const DiskSource *source);

const char *disk_source_type_name(DiskSourceType type);
/* The type attribute of <disk> or <backingStore>; file when there is none. Errors: XML_ERROR,
 * CONFIG_UNSUPPORTED for types that are not built yet. */
bool disk_source_type_parse(const XmlNode *node, DiskSourceType *ret_type, GError **error);
/* An unknown one is "unknown WHAT 'NAME'" with @code: the places where formats are given differ. */
bool disk_format_parse(const char *name, ErrorCode code, const char *what, DiskFormat *ret_format,
                       GError **error);
/* <source> into @source, whose type is known. */
void disk_source_parse(const XmlNode *node, DomainParseFlags flags, DiskSource *source);
/* The <backingStore> elements inside @node, below @top. */
bool disk_source_parse_chain(const XmlNode *node, DomainParseFlags flags, DiskSource *top,
                             GError **error);
/* <source>; nothing when there is nothing to say. @is_top: of <disk>, which has the index here. */
void disk_source_format(const DiskSource *source, const char *startup_policy, bool is_top,
                        XmlWriter *writer, DomainFormatFlags flags);
/* The <backingStore> elements below @top. */
void disk_source_format_chain(const DiskSource *top, XmlWriter *writer, DomainFormatFlags flags);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DiskSource, disk_source_free)
