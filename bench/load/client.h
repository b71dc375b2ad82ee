#pragma once
/* The clients: WebSockets, or event streams, on one epoll instance and one thread. */
#include "message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PREFIX = 384 }; /* bytes of a message kept to find the stamp in */

typedef enum { SUBSCRIBER, PUBLISHER, ECHO, IDLE } role_t;
typedef enum { CONNECTING, UPGRADING, WELCOMED, CONFIRMING, OPEN, DEAD } state_t;

typedef struct {
  int fd, index;
  role_t role;
  state_t state;
  bool event_stream, deflate, watching_output;
  /* what comes in: a frame's head, then its payload; for an event stream only prefix */
  uint8_t head[10], head_length, opcode;
  bool in_payload, final, compressed;
  uint64_t left, length; /* of the frame's payload; of the message so far */
  char prefix[PREFIX];
  size_t prefix_length;
  char control[128]; /* a ping's payload */
  size_t control_length;
  uint8_t *packed; /* a compressed message so far */
  size_t packed_length, packed_room;
  char *answer; /* to the handshake, until it is whole */
  size_t answer_length;
  /* what goes out */
  bool sending, owes_pong;
  uint8_t stamp[STAMP];
  size_t sent;
  uint32_t number;  /* echo: of the message that is to come back */
  uint64_t waiting; /* echo: since when, or 0 */
} client_t;

typedef struct {
  client_t *at;
  int count, open, failed; /* failed before they were open */
  int closed, deflated;    /* ended by the server; agreed on compression */
  uint64_t bad, pings;     /* wrong length or content */
  uint64_t bytes;          /* received by those that are open */
  uint64_t now;            /* when the bytes that are looked at were read */
  uint32_t first_address;  /* 127.0.0.1 and on, 16,000 clients each */
  void (*on_message)(client_t *client, stamp_t stamp);
  void (*between)(void); /* called now and then while many sockets are ready; may be NULL */
} clients_t;

extern clients_t clients;

void clients_prepare(int count, role_t role);
/* Before it is opened. */
void clients_set_role(client_t *client, role_t role);
/* Opens them all, --window at a time. A server that takes no more for 10 s gets no more: the rest counts as failed. */
void clients_open(void);
/* Waits that long at most, and reads what came. */
void clients_turn(uint64_t nanoseconds);
void clients_until(uint64_t time);
/* The client must be open and not be sending. */
void client_send(client_t *client, stamp_t stamp);
