/* Responses whose body is a file: one that the application names by X-Sendfile, or a body with to_path. With the GVL.
 */
#ifndef IOD_BRIDGE_RACK_FILE_H
#define IOD_BRIDGE_RACK_FILE_H

#include "rack_headers.h"
#include "rack_writer.h"

#include <sys/stat.h>

/* The whole response to X-Sendfile: the status and the lines in the writer are the application's; length, validators
 * and ranges are the file's. A file that may not be sent is a line in the log and a 500. [raises] */
void iod_rack_file_send_named(iod_rack_writer_t *writer, const iod_rack_headers_t *headers);

/* The whole response with this file; takes ownership of fd, also when it raises. Conditions and ranges hold unless the
 * application speaks of them itself. [raises] */
void iod_rack_file_send(iod_rack_writer_t *writer, const iod_rack_headers_t *headers, int fd, const struct stat *status,
                        const char *path);

/* True if the lines in the writer leave the validators and ranges of a file to the server. */
bool iod_rack_file_is_plain(const iod_rack_writer_t *writer);

#endif
