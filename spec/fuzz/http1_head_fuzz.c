/* Any bytes as a request head, under limits small enough to be met: the same result however they are cut, and no result
 * that breaks what the parser promises. */
#include "../c/protocol/cuts.c"
#include "fuzz.h"

static void check_span(const iod_http1_head_t *head, iod_span_t span) {
  REQUIRE(span.at <= head->length && span.length <= head->length - span.at);
}

static void check_clean(const char *bytes, iod_span_t span) {
  for (uint32_t i = 0; i < span.length; i++) {
    unsigned char c = (unsigned char)bytes[span.at + i];
    REQUIRE((c >= 0x20 || c == '\t') && c != 0x7f);
  }
}

static void check_head(const iod_http1_parser_t *parser, const iod_http1_limits_t *limits, const char *bytes) {
  const iod_http1_head_t *head = &parser->head;
  const iod_span_t spans[] = {head->method, head->path, head->query, head->host};
  for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
    check_span(head, spans[i]);
    check_clean(bytes, spans[i]);
  }
  REQUIRE(head->method.length > 0 && head->path.length > 0);
  REQUIRE(iod_http1_host_valid(bytes + head->host.at, head->host.length));
  REQUIRE(head->header_count <= limits->headers && head->length <= limits->head);
  REQUIRE(head->content_length <= limits->body);
  REQUIRE(head->body == IOD_BODY_LENGTH || head->content_length == 0);
  for (size_t i = 0; i < head->header_count; i++) {
    check_span(head, parser->headers[i].name);
    check_span(head, parser->headers[i].value);
    check_clean(bytes, parser->headers[i].name);
    check_clean(bytes, parser->headers[i].value);
    REQUIRE(parser->headers[i].name.length > 0 && parser->headers[i].known <= IOD_HEADER_DROPPED);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length) {
  static const iod_http1_limits_t limits = {
      .head = 1000, .line = 200, .request_line = 150, .headers = 12, .body = 5000};
  const char *bytes = length > 0 ? (const char *)input : "";
  iod_http1_parser_t parser;
  int result = cuts_head(&limits, bytes, length, &parser);
  REQUIRE(result != CUTS_DIFFER);
  REQUIRE(result <= 0 || (uint32_t)result == parser.head.length);
  if (result > 0) check_head(&parser, &limits, bytes);
  return 0;
}
