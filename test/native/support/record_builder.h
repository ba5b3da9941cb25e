// Writes records (codec/records.h) by the names of messages and properties, as TypeScript's packer does.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "codec/schema.h"

namespace nfbridge::test {

class RecordBuilder {
 public:
  // One message, with extra nlmsg_flags.
  RecordBuilder& message(std::string_view name, std::uint32_t flags = 0);

  RecordBuilder& number(std::string_view field,
                        std::int64_t value);  // any integer of up to 32 bits, or a flag
  RecordBuilder& wide(std::string_view field, std::uint64_t value);  // u64, be64
  RecordBuilder& text(std::string_view field, std::string_view value);
  RecordBuilder& bytes(std::string_view field, std::vector<std::uint8_t> value);
  RecordBuilder& strings(std::string_view field, std::vector<std::string_view> values);
  RecordBuilder& opaque(std::uint32_t type, std::vector<std::uint8_t> value);

  // Nests: each `begin…` is closed by `end`.
  RecordBuilder& begin(std::string_view field);  // nested, list, structs
  RecordBuilder& begin_select(std::string_view field, std::string_view variant);
  RecordBuilder& begin_select(std::string_view field, std::uint32_t number);
  RecordBuilder& begin_element();  // of a list or structs
  RecordBuilder& end();

  // { name, data } in a list of expressions; to be closed by two `end`.
  RecordBuilder& begin_expression(std::string_view name);

  // The words of all messages so far; every nest must be closed.
  std::vector<std::uint32_t> words();

 private:
  struct Open {
    std::size_t start;             // index of the word after the count
    const codec::Schema* schema;   // of what is inside; null in a list before its elements
    const codec::Schema* element;  // of a list's elements
  };

  // Writes the field's index and returns the field; null for a header field.
  const codec::Field* enter(std::string_view field);
  void open(const codec::Schema* schema, const codec::Schema* element = nullptr);
  void put_bytes(const void* data, std::size_t size);
  void close_message();

  std::vector<std::uint32_t> words_;
  std::vector<Open> open_;
};

// The index of a message; ends the program when there is none.
std::uint32_t message_id(std::string_view name);

}  // namespace nfbridge::test
