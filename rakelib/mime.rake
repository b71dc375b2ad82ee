# frozen_string_literal: true

# The table of content types by extension, from Debian's list and what the web has agreed on beyond it.
module MimeTable
  OUT = 'ext/iodine/protocol/mime_table.h'
  LONGEST_EXTENSION = 11
  TEXT = %r{\Atext/|\+(?:json|xml)\z|\Aapplication/(?:json|xml|xml-dtd|yaml|toml)\z}
  # Where the list has nothing, or something else than browsers and other servers.
  OWN = {
    'bz2' => 'application/x-bzip2', 'cjs' => 'text/javascript', 'conf' => 'text/plain', 'ico' => 'image/x-icon',
    'ini' => 'text/plain', 'log' => 'text/plain', 'map' => 'application/json', 'm2ts' => 'video/mp2t',
    'rss' => 'application/rss+xml', 'toml' => 'application/toml', 'ts' => 'video/mp2t', 'yaml' => 'application/yaml',
    'yml' => 'application/yaml'
  }.freeze

  FRAME = <<~C
    /* Made by `rake mime` from the mime.types of Debian's media-types, with the additions named there. Not to be edited. */
    #ifndef IOD_PROTOCOL_MIME_TABLE_H
    #define IOD_PROTOCOL_MIME_TABLE_H

    #include "../base/slice.h"

    #include <stdint.h>

    typedef struct mime_extension {
      char name[12]; /* padded with NULs; in memcmp's order */
      uint16_t type;
    } mime_extension_t;

    /* clang-format off */
    static const iod_slice_t MIME_TYPES[] = {
    %<types>s
    };

    static const mime_extension_t MIME_EXTENSIONS[] = {
    %<names>s
    };
    /* clang-format on */

    #endif
  C

  module_function

  # → { "html" => "text/html; charset=utf-8" }, sorted. Where an extension is listed twice the first one counts.
  def read(list)
    found = File.foreach(list).with_object({}) do |line, types|
      type, *extensions = line.sub(/#.*/, '').split
      extensions.map(&:downcase).grep(/\A[a-z0-9_-]{1,#{LONGEST_EXTENSION}}\z/o).each { |one| types[one] ||= type }
    end
    found.merge(OWN).transform_values { |type| type.match?(TEXT) ? "#{type}; charset=utf-8" : type }.sort.to_h
  end

  # Rows of C initializers.
  def rows(cells, width) = cells.each_slice(width).map { |row| "  #{row.join(' ')}" }.join("\n")

  def generate(table)
    types = table.values.uniq.sort
    names = table.map { |name, type| %({"#{name}", #{types.index(type)}},) }
    format(FRAME, types: rows(types.map { |type| %({"#{type}", #{type.length}},) }, 1), names: rows(names, 6))
  end
end

desc 'Write the table of content types again (from /etc/mime.types, or MIME_TYPES=file)'
task(:mime) { File.write(MimeTable::OUT, MimeTable.generate(MimeTable.read(ENV.fetch('MIME_TYPES', '/etc/mime.types')))) }
