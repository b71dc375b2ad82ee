#include "rack_pin.h"

#include "../base/alloc.h"

typedef struct pin {
  iod_release_job_t job; /* first: what the server gives back */
  VALUE string;
  struct pin *next, **link;
} pin_t;

static pin_t *pins;
static size_t count;

static void mark(void *data) {
  (void)data;
  for (const pin_t *pin = pins; pin; pin = pin->next) rb_gc_mark(pin->string);
}

static size_t size(const void *data) {
  (void)data;
  return count * sizeof(pin_t);
}

/* Without write barriers: the list is marked by every collection, however young. */
static const rb_data_type_t type = {.wrap_struct_name = "iodine pinned strings",
                                    .function = {.dmark = mark, .dsize = size}};

void iod_rack_pin_init(void) { rb_gc_register_mark_object(TypedData_Wrap_Struct(0, &type, &pins)); }

static pin_t *pin_new(VALUE string) {
  pin_t *pin = iod_alloc(sizeof *pin);
  if (!pin) return NULL;
  *pin = (pin_t){.string = string, .next = pins, .link = &pins};
  if (pins) pins->link = &pin->next;
  pins = pin;
  count++;
  return pin;
}

void iod_rack_released(iod_release_job_t *job) {
  pin_t *pin = (pin_t *)job;
  *pin->link = pin->next;
  if (pin->next) pin->next->link = pin->link;
  count--;
  iod_free(pin);
}

iod_segment_t iod_rack_segment(VALUE string, size_t length) {
  iod_segment_t segment = {.kind = IOD_SEGMENT_BYTES, .fd = -1, .bytes = RSTRING_PTR(string), .length = length};
  if (length < IOD_RACK_PIN_MIN) return segment;
  VALUE frozen = rb_str_new_frozen(string);
  pin_t *pin = pin_new(frozen);
  if (!pin) return segment;
  segment.kind = IOD_SEGMENT_SHARED;
  segment.bytes = RSTRING_PTR(frozen);
  segment.release = &pin->job;
  return segment;
}
