#include "../../../ext/iodine/protocol/websocket_reply.h"
#include "../test.h"
#include "cuts.h"

#include <stdio.h>
#include <stdlib.h>

enum {
  BAD = IOD_E_BAD_REQUEST,
  REFUSED = IOD_E_REFUSED,
  UNFIT = IOD_E_WEBSOCKET_PROTOCOL,
  LARGE = IOD_E_HEAD_TOO_LARGE,
  DONE = 1 /* with a head of all the bytes but those behind it */
};

#define OK         "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE    "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ACCEPT     "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define LINES      UPGRADE CONNECTION ACCEPT
#define END        "\r\n"

static const struct {
  const char *name, *bytes;
  int result, status;
  const char *protocol;
} REPLIES[] = {
    {"of the RFC", OK LINES END, DONE, 101, ""},
    {"frames right behind it", OK LINES END "\x81\x02hi", DONE, 101, ""},
    {"in any case and order, with others",
     "HTTP/1.1 101 x\r\nSERVER: y\r\nCONNECTION: keep-alive, UPGRADE\r\n"
     "sec-websocket-accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \t\r\nupgrade: WebSocket\r\nempty:\r\nwith_underscore: "
     "1\r\n\r\n",
     DONE, 101, ""},
    {"no reason", "HTTP/1.1 101\r\n" LINES END, DONE, 101, ""},
    {"an empty reason", "HTTP/1.1 101 \r\n" LINES END, DONE, 101, ""},
    {"HTTP/1.2", "HTTP/1.2 101 x\r\n" LINES END, DONE, 101, ""},
    {"Connection in two lines", OK "Connection: keep-alive\r\n" LINES END, DONE, 101, ""},
    {"behind interim answers",
     "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nUpgrade: no\r\nSec-WebSocket-Extensions: x\r\n\r\n"
     "HTTP/1.1 100 Continue\r\n\r\n" OK LINES END,
     DONE, 101, ""},
    {"a sub-protocol", OK LINES "Sec-WebSocket-Protocol: superchat\r\n" END, DONE, 101, "superchat"},
    {"another of them", OK "Sec-WebSocket-Protocol: chat\r\n" LINES END, DONE, 101, "chat"},
    {"no extensions", OK LINES "Sec-WebSocket-Extensions: , ,\r\nSec-WebSocket-Extensions:\r\n" END, DONE, 101, ""},
    {"nothing", "", 0, 0, ""},
    {"a part of the status line", "HTTP/1.1 10", 0, 0, ""},
    {"not the end", OK LINES, 0, 101, ""},
    {"only an interim answer", "HTTP/1.1 103 x\r\n\r\n", 0, 103, ""},

    {"refused", "HTTP/1.1 403 Forbidden\r\n", REFUSED, 403, ""},
    {"refused, and more", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", REFUSED, 403, ""},
    {"refused by HTTP/1.0", "HTTP/1.0 404 Not Found\r\n\r\n", REFUSED, 404, ""},
    {"a redirect", "HTTP/1.1 301\r\nLocation: /\r\n\r\n", REFUSED, 301, ""},
    {"no upgrade", "HTTP/1.1 200 OK\r\n\r\n", REFUSED, 200, ""},
    {"refused behind an interim answer", "HTTP/1.1 100 x\r\n\r\nHTTP/1.1 503 x\r\n\r\n", REFUSED, 503, ""},
    {"another version is wanted", "HTTP/1.1 426 x\r\nSec-WebSocket-Version: 14\r\n\r\n", REFUSED, 426, ""},

    {"no Upgrade", OK CONNECTION ACCEPT END, UNFIT, 101, ""},
    {"no Connection", OK UPGRADE ACCEPT END, UNFIT, 101, ""},
    {"no key", OK UPGRADE CONNECTION END, UNFIT, 101, ""},
    {"another upgrade", OK "Upgrade: h2c\r\n" CONNECTION ACCEPT END, UNFIT, 101, ""},
    {"two upgrades", OK LINES "Upgrade: h2c\r\n" END, UNFIT, 101, ""},
    {"a list of upgrades", OK "Upgrade: websocket, h2c\r\n" CONNECTION ACCEPT END, UNFIT, 101, ""},
    {"Connection names something else", OK UPGRADE "Connection: upgrades\r\n" ACCEPT END, UNFIT, 101, ""},
    {"another key's", OK UPGRADE CONNECTION "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=\r\n" END, UNFIT, 101,
     ""},
    {"in another case", OK UPGRADE CONNECTION "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=\r\n" END, UNFIT, 101,
     ""},
    {"the key itself", OK UPGRADE CONNECTION "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n" END, UNFIT, 101, ""},
    {"an empty key", OK UPGRADE CONNECTION "Sec-WebSocket-Accept:\r\n" END, UNFIT, 101, ""},
    {"the key twice", OK LINES ACCEPT END, UNFIT, 101, ""},
    {"a sub-protocol that was not offered", OK LINES "Sec-WebSocket-Protocol: foo\r\n" END, UNFIT, 101, ""},
    {"a sub-protocol in another case", OK LINES "Sec-WebSocket-Protocol: Chat\r\n" END, UNFIT, 101, ""},
    {"an empty sub-protocol", OK LINES "Sec-WebSocket-Protocol: \r\n" END, UNFIT, 101, ""},
    {"two sub-protocols", OK LINES "Sec-WebSocket-Protocol: chat, superchat\r\n" END, UNFIT, 101, ""},
    {"the sub-protocol twice", OK LINES "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n" END, UNFIT,
     101, "chat"},
    {"an extension", OK LINES "Sec-WebSocket-Extensions: permessage-deflate\r\n" END, UNFIT, 101, ""},
    {"by HTTP/1.0", "HTTP/1.0 101 x\r\n" LINES END, UNFIT, 101, ""},

    {"another protocol", "SSH-2.0-OpenSSH_9.6\r\n", BAD, 0, ""},
    {"another protocol that never ends a line", "\x15\x03\x01", BAD, 0, ""},
    {"HTTP/2", "HTTP/2.0 101 x\r\n", BAD, 0, ""},
    {"lower case", "http/1.1 101 x\r\n", BAD, 0, ""},
    {"an empty line first", "\r\n" OK LINES END, BAD, 0, ""},
    {"something behind an interim answer", "HTTP/1.1 100 x\r\n\r\nx", BAD, 100, ""},
    {"no status", "HTTP/1.1 \r\n", BAD, 0, ""},
    {"a status of two digits", "HTTP/1.1 10 x\r\n", BAD, 0, ""},
    {"a status of four digits", "HTTP/1.1 1010 x\r\n", BAD, 0, ""},
    {"a status under 100", "HTTP/1.1 099 x\r\n", BAD, 0, ""},
    {"letters for a status", "HTTP/1.1 1O1 x\r\n", BAD, 0, ""},
    {"two spaces before it", "HTTP/1.1  101 x\r\n", BAD, 0, ""},
    {"no space before it", "HTTP/1.1101 x\r\n", BAD, 0, ""},
    {"a minor version that is none", "HTTP/1.x 101 x\r\n", BAD, 0, ""},
    {"a control byte in the reason", "HTTP/1.1 101 \x01\r\n", BAD, 0, ""},
    {"a bare LF", "HTTP/1.1 101 x\n", BAD, 0, ""},
    {"a bare LF in the headers", OK "Upgrade: websocket\n", BAD, 101, ""},
    {"a bare LF at the end", OK LINES "\n", BAD, 101, ""},
    {"a CR in a value", OK "Server: a\rb\r\n", BAD, 101, ""},
    {"a control byte in a value", OK "Server: a\x01\r\n", BAD, 101, ""},
    {"no colon", OK "Upgrade websocket\r\n", BAD, 101, ""},
    {"no name", OK ": websocket\r\n", BAD, 101, ""},
    {"a space before the colon", OK "Upgrade : websocket\r\n", BAD, 101, ""},
    {"a folded line", OK UPGRADE " more\r\n", BAD, 101, ""},
    {"a malformed interim answer", "HTTP/1.1 103 x\r\nLink\r\n\r\n", BAD, 103, ""},
};

static iod_websocket_reply_t start(const char *offered) {
  iod_websocket_reply_t reply;
  iod_websocket_reply_init(&reply, IOD_SLICE("dGhlIHNhbXBsZSBub25jZQ=="), (iod_slice_t){offered, strlen(offered)});
  return reply;
}

TEST(websocket_replies) {
  const iod_websocket_reply_t from = start("chat, superchat");
  for (size_t i = 0; i < sizeof REPLIES / sizeof *REPLIES; i++) {
    const char *bytes = REPLIES[i].bytes, *end = strstr(bytes, ACCEPT END);
    iod_websocket_reply_t reply;
    test_case(REPLIES[i].name);
    int result = cuts_websocket_reply(&from, bytes, strlen(bytes), &reply);
    CHECK_INT(result > 0 ? DONE : result, REPLIES[i].result);
    CHECK_INT(reply.status, REPLIES[i].status);
    CHECK((result < 0) == (reply.why != NULL));
    CHECK_BYTES(bytes + reply.protocol.at, reply.protocol.length, REPLIES[i].protocol);
    if (result > 0 && end) CHECK_INT(result, end + strlen(ACCEPT END) - bytes);
  }
}

TEST(websocket_reply_offers_nothing) {
  test_case("without an offer no sub-protocol may be chosen");
  const iod_websocket_reply_t from = start("");
  iod_websocket_reply_t reply;
  static const char bytes[] = OK LINES "Sec-WebSocket-Protocol: chat\r\n" END;
  CHECK_INT(cuts_websocket_reply(&from, bytes, sizeof bytes - 1, &reply), UNFIT);
}

/* A head of so many bytes, its last header filled up. */
static char *head_of(size_t length) {
  static const char begin[] = OK LINES "X: ", end[] = "\r\n\r\n";
  char *bytes = malloc(length + 64);
  memset(bytes, 'x', length + 64);
  memcpy(bytes, begin, strlen(begin));
  memcpy(bytes + length - strlen(end), end, strlen(end));
  return bytes;
}

TEST(websocket_reply_limit) {
  test_case("a head of 16 KB, and one byte more");
  const iod_websocket_reply_t from = start("");
  for (size_t over = 0; over < 2; over++) {
    iod_websocket_reply_t reply;
    size_t length = IOD_WEBSOCKET_REPLY_MAX + over;
    char *bytes = head_of(length);
    int expected = over ? LARGE : IOD_WEBSOCKET_REPLY_MAX;
    CHECK_INT(cuts_websocket_reply(&from, bytes, length, &reply), expected);
    CHECK_INT(cuts_websocket_reply(&from, bytes, length + 64, &reply), expected);
    free(bytes);
  }
}
