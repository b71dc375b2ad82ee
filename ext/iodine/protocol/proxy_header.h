/* The header of the PROXY protocol, versions 1 and 2: a connection's first bytes, with which a proxy says whom it
 * stands for. */
#ifndef IOD_PROTOCOL_PROXY_HEADER_H
#define IOD_PROTOCOL_PROXY_HEADER_H

#include "ip.h"

enum {
  IOD_PROXY_LINE_MAX = 107,    /* bytes of a version 1 header, with its CRLF */
  IOD_PROXY_HEADER_MAX = 4096, /* bytes of a version 2 header */
};

typedef struct iod_proxy_header {
  bool named;      /* else the proxy speaks for itself (LOCAL), or doesn't say an IP address: the peer's stands */
  iod_ip_t client; /* when named */
} iod_proxy_header_t;

/* bytes: all that has come, from the connection's first byte. > 0: the header's length, what follows is the client's.
 * 0: more is needed, never once IOD_PROXY_HEADER_MAX bytes are there. IOD_E_BAD_REQUEST: no such header, or a malformed
 * one; IOD_E_HEAD_TOO_LARGE: a version 2 header over the limit. The same however the bytes were cut. What version 2
 * has behind the addresses (TLVs) is skipped. */
IOD_MUST_USE int iod_proxy_header_parse(const char *bytes, size_t length, iod_proxy_header_t *header);

#endif
