#include "codec/lookup.h"

namespace nfbridge::codec {
namespace {

bool read_number(Type type, const netlink::Attribute& attribute, std::uint32_t& number) {
  std::uint8_t byte;
  std::uint16_t half;
  switch (type) {
    case Type::kU8:
      if (!attribute.value(byte)) return false;
      number = byte;
      return true;
    case Type::kU16:
    case Type::kBe16:
      if (!attribute.value(half)) return false;
      number = type == Type::kU16 ? half : netlink::to_be16(half);
      return true;
    case Type::kU32:
      return attribute.value(number);
    case Type::kBe32:
      if (!attribute.value(number)) return false;
      number = netlink::to_be32(number);
      return true;
    default:
      return false;
  }
}

}  // namespace

int find_key(const Schema& schema, const Field& field) {
  if (field.type != Type::kSelect) return -1;
  for (std::size_t index = 0; index < schema.fields.size(); ++index) {
    if (schema.fields[index].name == field.key) return static_cast<int>(index);
  }
  return -1;
}

int select_variant(const Schema& schema, const Field& field, netlink::Bytes attributes) {
  const int key_index = find_key(schema, field);
  if (key_index < 0) return -1;
  const Field& key = schema.fields[static_cast<std::size_t>(key_index)];
  netlink::Attribute attribute;
  if (!netlink::find_attribute(attributes, key.attribute, attribute)) return -1;

  const std::size_t count = field.variants.size();
  if (key.type == Type::kString) {
    const std::string_view name = attribute.text();
    for (std::size_t index = 0; index < count; ++index) {
      if (field.variants[index].name == name) return static_cast<int>(index);
    }
    return -1;
  }
  std::uint32_t number;
  if (!read_number(key.type, attribute, number)) return -1;
  for (std::size_t index = 0; index < count; ++index) {
    if (field.variants[index].number == number) return static_cast<int>(index);
  }
  return -1;
}

}  // namespace nfbridge::codec
