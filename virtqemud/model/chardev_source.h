/* What is behind a character device on the host: the type attribute, <source> and <log> of
 * <serial>, <console> and <channel>. */
#pragma once

#include "virtqemud/model/chardev.h"

bool chardev_source_parse(const XmlNode *chardev, DomainParseFlags flags, ChardevSource *ret,
                          GError **error);
/* <source> and <log>; the type is an attribute of the device. */
void chardev_source_format(const ChardevSource *source, XmlWriter *writer,
                           DomainFormatFlags flags);
/* @may_lack_path: a channel's socket gets its path when the guest starts. */
bool chardev_source_validate(const ChardevSource *source, bool may_lack_path, GError **error);
