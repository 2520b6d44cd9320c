#include "virtnodedevd/devlink.h"

#include <linux/devlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <glib.h>

#define CONTROL_VERSION 1
#define ATTRS_MAX 256
/* An answer is a few attributes, or a family with its operations. */
#define ANSWER_MAX 8192

typedef struct Question {
    struct nlmsghdr header;
    struct genlmsghdr generic;
    uint8_t attrs[ATTRS_MAX];
} Question;

typedef struct Answer {
    uint32_t bytes[ANSWER_MAX / sizeof(uint32_t)]; /* for its alignment */
    size_t size;
} Answer;

int devlink_open(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
}

static Question question_of(uint16_t family, uint8_t command, uint8_t version)
{
    return (Question){
        .header = { .nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN), .nlmsg_type = family,
                    .nlmsg_flags = NLM_F_REQUEST },
        .generic = { .cmd = command, .version = version },
    };
}

/* False when there is no room for it. */
static bool add_string(Question *question, uint16_t type, const char *text)
{
    struct nlattr attr = { .nla_len = (uint16_t)(NLA_HDRLEN + strlen(text) + 1), .nla_type = type };
    size_t at = question->header.nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);

    if (strlen(text) >= ATTRS_MAX || at + NLA_ALIGN(attr.nla_len) > ATTRS_MAX)
        return false;
    memcpy(question->attrs + at, &attr, sizeof(attr));
    memcpy(question->attrs + at + NLA_HDRLEN, text, strlen(text) + 1);
    question->header.nlmsg_len += NLA_ALIGN(attr.nla_len);
    return true;
}

/* False when the kernel refuses, or does not know. */
static bool ask(int fd, const Question *question, Answer *ret)
{
    struct nlmsghdr header;
    ssize_t got;

    if (send(fd, question, question->header.nlmsg_len, MSG_NOSIGNAL) < 0)
        return false;
    got = recv(fd, ret->bytes, sizeof(ret->bytes), MSG_DONTWAIT);
    if (got < (ssize_t)NLMSG_LENGTH(GENL_HDRLEN))
        return false;
    memcpy(&header, ret->bytes, sizeof(header));
    ret->size = header.nlmsg_len;
    return header.nlmsg_type == question->header.nlmsg_type && ret->size <= (size_t)got &&
           ret->size >= NLMSG_LENGTH(GENL_HDRLEN);
}

static bool find_u16(const Answer *answer, uint16_t type, uint16_t *ret)
{
    const uint8_t *bytes = (const uint8_t *)answer->bytes;
    struct nlattr attr;

    for (size_t at = NLMSG_LENGTH(GENL_HDRLEN); at + NLA_HDRLEN <= answer->size;
         at += NLA_ALIGN(attr.nla_len)) {
        memcpy(&attr, bytes + at, sizeof(attr));
        if (attr.nla_len < NLA_HDRLEN || attr.nla_len > answer->size - at)
            return false;
        if ((attr.nla_type & NLA_TYPE_MASK) == type && attr.nla_len >= NLA_HDRLEN + sizeof(*ret)) {
            memcpy(ret, bytes + at + NLA_HDRLEN, sizeof(*ret));
            return true;
        }
    }
    return false;
}

/* Families have numbers of the kernel's choice. */
static bool find_family(int fd, uint16_t *ret_family)
{
    Question question = question_of(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CONTROL_VERSION);
    Answer answer;

    return add_string(&question, CTRL_ATTR_FAMILY_NAME, DEVLINK_GENL_NAME) &&
           ask(fd, &question, &answer) && find_u16(&answer, CTRL_ATTR_FAMILY_ID, ret_family);
}

bool devlink_is_switchdev(int fd, const char *bus, const char *name)
{
    Question question;
    Answer answer;
    uint16_t family, mode;

    if (!find_family(fd, &family))
        return false;
    question = question_of(family, DEVLINK_CMD_ESWITCH_GET, DEVLINK_GENL_VERSION);
    return add_string(&question, DEVLINK_ATTR_BUS_NAME, bus) &&
           add_string(&question, DEVLINK_ATTR_DEV_NAME, name) && ask(fd, &question, &answer) &&
           find_u16(&answer, DEVLINK_ATTR_ESWITCH_MODE, &mode) &&
           mode == DEVLINK_ESWITCH_MODE_SWITCHDEV;
}
