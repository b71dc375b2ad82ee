/* Memory of a process. */
#ifndef IOD_SERVER_RSS_H
#define IOD_SERVER_RSS_H

#include <stdint.h>

/* Bytes that are in RAM, shared ones too; 0: the system doesn't tell. */
uint64_t iod_rss_of(int32_t pid);

#endif
