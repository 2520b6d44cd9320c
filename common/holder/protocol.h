/* What a daemon and its holder say to each other, over a SOCK_SEQPACKET unix socket: one
 * packet for a request, one for its answer, strictly in turn.
 *
 *   request                                answer
 *   'P' NAME, with one descriptor          'O', or 'E' TEXT
 *   'D' NAME                               'O', also when there is none of that name
 *   'G' INDEX (decimal, from 0)            'F' NAME with the descriptor, 'O' behind the last
 *
 * A put of a name that is there replaces its descriptor. Texts have no zero byte at their end.
 * Peers must be root or have the holder's own uid (SO_PEERCRED). */
#pragma once

#define HOLDER_PUT 'P'
#define HOLDER_DROP 'D'
#define HOLDER_GET 'G'
#define HOLDER_OK 'O'
#define HOLDER_FAILED 'E'
#define HOLDER_FOUND 'F'

/* Of a descriptor: letters, digits, '.', '_' and '-'. Short, because a service manager passes
 * all names in one environment variable, of which the kernel takes 128 KiB. */
#define HOLDER_NAME_MAX 24
/* Of a packet, of either kind. */
#define HOLDER_PACKET_MAX 256
/* Of the socket: DAEMON-holder-sock, in the folder of the daemons' sockets. */
#define HOLDER_SOCKET_SUFFIX "-holder-sock"
