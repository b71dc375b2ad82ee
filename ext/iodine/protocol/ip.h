/* IP addresses as text and as bytes (RFC 4291, RFC 5952). */
#ifndef IOD_PROTOCOL_IP_H
#define IOD_PROTOCOL_IP_H

#include "../base/result.h"
#include "../base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IOD_IP_TEXT = 46 /* the longest text with its NUL */ };

/* An IPv4 address is the IPv6 one that stands for it, ::ffff:a.b.c.d: one form for each client, however it came. */
typedef struct iod_ip {
  uint8_t bytes[16];
} iod_ip_t;

/* Four decimal numbers without leading zeros, or an IPv6 address without brackets and zone. 0, IOD_E_BAD_REQUEST. */
IOD_MUST_USE int iod_ip_parse(iod_slice_t text, iod_ip_t *ip);

bool iod_ip_is_v4(const iod_ip_t *ip);

/* Terminated; its length. */
size_t iod_ip_format(const iod_ip_t *ip, char text[IOD_IP_TEXT]);

#endif
