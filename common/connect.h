/* The procedures of the connection itself, which every daemon with connections answers:
 * authentication, open and close, features, identity, close callbacks, and what the
 * connection is (type, URI, host name, library version). */
#pragma once

#include "common/procedure.h"

/* Level of the protocol and of the public interface that we speak: 11.3.0. */
#define CONNECT_LIB_VERSION 11003000UL

extern const ProcedureTable connect_procedures;
