// The tables: what must hold for every one of them.
#include "codec/schema.h"

#include <set>
#include <string>

#include "codec/lookup.h"
#include "codec/schema_list.h"
#include "support/check.h"

namespace nfbridge::test {
namespace {

using codec::Field;
using codec::Schema;
using codec::Type;

bool is_camel_case(std::string_view name) {
  if (name.empty() || name[0] < 'a' || name[0] > 'z') return false;
  for (const char c : name) {
    if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

TEST("schemas: names are unique and in camel case") {
  std::set<std::string_view> names;
  for (const Schema* schema : codec::schemas()) {
    if (!CHECK(names.insert(schema->name).second) || !CHECK(is_camel_case(schema->name))) {
      fail(__FILE__, __LINE__, std::string(schema->name));
    }
  }
}

TEST("schemas: in each, names and attribute numbers are unique, and no name is `opaque`") {
  for (const Schema* schema : codec::schemas()) {
    std::set<std::string_view> names{"opaque"};
    std::set<std::uint16_t> attributes;
    bool good = true;
    for (const auto& field : schema->header) good = CHECK(names.insert(field.name).second) && good;
    for (const Field& field : schema->fields) {
      good = CHECK(names.insert(field.name).second) && CHECK(is_camel_case(field.name)) && good;
      good = CHECK(attributes.insert(field.attribute).second) && good;
    }
    if (!good) fail(__FILE__, __LINE__, std::string(schema->name));
  }
}

TEST("schemas: header fields are integers of at most four bytes inside the header") {
  for (const Schema* schema : codec::schemas()) {
    for (const auto& field : schema->header) {
      const std::size_t size = codec::width(field.type);
      CHECK(size == 1 || size == 2 || size == 4);
      CHECK(field.offset + size <= schema->header_size);
    }
  }
}

TEST("schemas: every field has what its type needs, and nothing else") {
  for (const Schema* schema : codec::schemas()) {
    for (const Field& field : schema->fields) {
      const bool holds_schema =
          field.type == Type::kNested || field.type == Type::kList || field.type == Type::kStructs;
      const bool has_element = field.type == Type::kList || field.type == Type::kStrings;
      bool good = CHECK_EQUAL(field.nested != nullptr, holds_schema);
      good = CHECK_EQUAL(field.element != 0, has_element) && good;
      good = CHECK_EQUAL(!field.variants.empty(), field.type == Type::kSelect) && good;
      good = CHECK_EQUAL(codec::find_key(*schema, field) >= 0, field.type == Type::kSelect) && good;
      if (!good) fail(__FILE__, __LINE__, std::string(schema->name) + "." + std::string(field.name));
    }
  }
}

TEST("schemas: variants are told apart by names or by numbers, as the key is a string or a number") {
  for (const Schema* schema : codec::schemas()) {
    for (const Field& field : schema->fields) {
      if (field.type != Type::kSelect) continue;
      const auto key = static_cast<std::size_t>(codec::find_key(*schema, field));
      const bool by_name = schema->fields[key].type == Type::kString;
      std::set<std::string> keys;
      for (const auto& variant : field.variants) {
        CHECK_EQUAL(!variant.name.empty(), by_name);
        CHECK(variant.schema != nullptr);
        CHECK(keys.insert(std::string(variant.name) + "#" + std::to_string(variant.number)).second);
      }
      CHECK_EQUAL(codec::key_index(*schema, field), static_cast<int>(schema->header.size() + key));
    }
  }
}

TEST("schemas: the list is closed, without doubles, and each is found at its index") {
  const auto all = codec::schemas();
  CHECK(all.size() > 60);
  for (std::size_t index = 0; index < all.size(); ++index) {
    CHECK_EQUAL(codec::schema_index(all[index]), static_cast<int>(index));
    for (const Field& field : all[index]->fields) {
      if (field.nested != nullptr) CHECK(codec::schema_index(field.nested) >= 0);
      for (const auto& variant : field.variants) CHECK(codec::schema_index(variant.schema) >= 0);
    }
  }
  const Schema stranger{.name = "stranger"};
  CHECK_EQUAL(codec::schema_index(&stranger), -1);
}

TEST("messages: names are unique, and each is found by its number") {
  std::set<std::string_view> names;
  const auto all = codec::messages();
  for (std::size_t index = 0; index < all.size(); ++index) {
    CHECK(names.insert(all[index].name).second);
    CHECK(is_camel_case(all[index].name));
    CHECK_EQUAL(codec::find_message(all[index].protocol, all[index].type), static_cast<int>(index));
  }
  CHECK_EQUAL(codec::find_message(codec::Protocol::kRoute, 999), -1);
}

}  // namespace
}  // namespace nfbridge::test
