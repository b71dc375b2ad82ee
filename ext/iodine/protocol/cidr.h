/* Networks of IP addresses (RFC 4632 section 3.1, RFC 4291 section 2.3). */
#ifndef IOD_PROTOCOL_CIDR_H
#define IOD_PROTOCOL_CIDR_H

#include "ip.h"

typedef struct iod_cidr {
  iod_ip_t network;
  uint8_t bits; /* of the network's 128 bits that count: an IPv4 one's are 96 more than written */
} iod_cidr_t;

/* "10.0.0.0/8", "2001:db8::/32", or an address alone. What stands behind the prefix may be anything. 0,
 * IOD_E_BAD_REQUEST. */
IOD_MUST_USE int iod_cidr_parse(iod_slice_t text, iod_cidr_t *cidr);

/* An IPv4 address is in IPv4 networks only, so ::/0 has none of them. */
bool iod_cidr_has(const iod_cidr_t *cidr, const iod_ip_t *ip);

#endif
