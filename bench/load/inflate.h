#pragma once
/* Compressed messages of a server that keeps no context between them (RFC 7692, server_no_context_takeover). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text, valid until the next call, or NULL. */
const uint8_t *inflate_message(const uint8_t *packed, size_t packed_length, size_t *length);
