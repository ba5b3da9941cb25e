#include "support/record_builder.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "codec/records.h"

namespace nfbridge::test {
namespace {

[[noreturn]] void unknown(const char* what, std::string_view name) {
  std::printf("no %s named %s\n", what, std::string(name).c_str());
  std::abort();
}

}  // namespace

std::uint32_t message_id(std::string_view name) {
  const auto all = codec::messages();
  for (std::size_t index = 0; index < all.size(); ++index) {
    if (all[index].name == name) return static_cast<std::uint32_t>(index);
  }
  unknown("message", name);
}

RecordBuilder& RecordBuilder::message(std::string_view name, std::uint32_t flags) {
  close_message();
  const std::uint32_t id = message_id(name);
  words_.insert(words_.end(), {id, flags, 0});
  open(codec::messages()[id].schema);
  return *this;
}

void RecordBuilder::open(const codec::Schema* schema, const codec::Schema* element) {
  words_.push_back(0);
  open_.push_back({words_.size(), schema, element});
}

void RecordBuilder::close_message() {
  if (open_.size() == 1) end();
  if (!open_.empty()) unknown("end for a nest", "in a record");
}

const codec::Field* RecordBuilder::enter(std::string_view field) {
  const codec::Schema& schema = *open_.back().schema;
  for (std::size_t index = 0; index < schema.header.size(); ++index) {
    if (schema.header[index].name != field) continue;
    words_.push_back(static_cast<std::uint32_t>(index));
    return nullptr;
  }
  for (std::size_t index = 0; index < schema.fields.size(); ++index) {
    if (schema.fields[index].name != field) continue;
    words_.push_back(static_cast<std::uint32_t>(schema.header.size() + index));
    return &schema.fields[index];
  }
  unknown("field", std::string(schema.name) + "." + std::string(field));
}

RecordBuilder& RecordBuilder::number(std::string_view field, std::int64_t value) {
  enter(field);
  words_.push_back(static_cast<std::uint32_t>(value));
  return *this;
}

RecordBuilder& RecordBuilder::wide(std::string_view field, std::uint64_t value) {
  enter(field);
  words_.push_back(static_cast<std::uint32_t>(value));
  words_.push_back(static_cast<std::uint32_t>(value >> 32));
  return *this;
}

void RecordBuilder::put_bytes(const void* data, std::size_t size) {
  words_.push_back(static_cast<std::uint32_t>(size));
  const std::size_t start = words_.size();
  words_.resize(start + (size + 3) / 4);
  if (size > 0) std::memcpy(words_.data() + start, data, size);
}

RecordBuilder& RecordBuilder::text(std::string_view field, std::string_view value) {
  enter(field);
  put_bytes(value.data(), value.size());
  return *this;
}

RecordBuilder& RecordBuilder::bytes(std::string_view field, std::vector<std::uint8_t> value) {
  enter(field);
  put_bytes(value.data(), value.size());
  return *this;
}

RecordBuilder& RecordBuilder::strings(std::string_view field, std::vector<std::string_view> values) {
  enter(field);
  open(nullptr);
  for (const std::string_view value : values) put_bytes(value.data(), value.size());
  return end();
}

RecordBuilder& RecordBuilder::opaque(std::uint32_t type, std::vector<std::uint8_t> value) {
  words_.insert(words_.end(), {codec::kOpaque, type});
  put_bytes(value.data(), value.size());
  return *this;
}

RecordBuilder& RecordBuilder::begin(std::string_view name) {
  const codec::Field* field = enter(name);
  if (field->type == codec::Type::kNested) {
    open(field->nested);
  } else {
    open(nullptr, field->nested);
  }
  return *this;
}

RecordBuilder& RecordBuilder::begin_select(std::string_view name, std::string_view variant) {
  const codec::Field* field = enter(name);
  for (std::size_t index = 0; index < field->variants.size(); ++index) {
    if (field->variants[index].name != variant) continue;
    words_.push_back(static_cast<std::uint32_t>(index));
    open(field->variants[index].schema);
    return *this;
  }
  unknown("variant", variant);
}

RecordBuilder& RecordBuilder::begin_select(std::string_view name, std::uint32_t number) {
  const codec::Field* field = enter(name);
  for (std::size_t index = 0; index < field->variants.size(); ++index) {
    if (field->variants[index].number != number) continue;
    words_.push_back(static_cast<std::uint32_t>(index));
    open(field->variants[index].schema);
    return *this;
  }
  unknown("variant", std::to_string(number));
}

RecordBuilder& RecordBuilder::begin_element() {
  open(open_.back().element);
  return *this;
}

RecordBuilder& RecordBuilder::begin_expression(std::string_view name) {
  return begin_element().text("name", name).begin_select("data", name);
}

RecordBuilder& RecordBuilder::end() {
  const std::size_t start = open_.back().start;
  words_[start - 1] = static_cast<std::uint32_t>(words_.size() - start);
  open_.pop_back();
  return *this;
}

std::vector<std::uint32_t> RecordBuilder::words() {
  close_message();
  return words_;
}

}  // namespace nfbridge::test
