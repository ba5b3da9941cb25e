// What the encoder, the decoder and the locator ask of a schema.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/schema.h"
#include "netlink/message.h"

namespace nfbridge::codec {

// Bytes of an integer type on the wire; 0 for the other types.
constexpr std::size_t width(Type type) {
  switch (type) {
    case Type::kU8:
      return 1;
    case Type::kU16:
    case Type::kBe16:
      return 2;
    case Type::kU32:
    case Type::kS32:
    case Type::kBe32:
    case Type::kBeS32:
      return 4;
    case Type::kU64:
    case Type::kBe64:
      return 8;
    default:
      return 0;
  }
}

// The index in schema.fields of the field with this attribute number; -1 when it is not known.
inline int find_field(const Schema& schema, std::uint16_t attribute) {
  const std::size_t count = schema.fields.size();
  if (count == 0) return -1;
  // Tables follow the enumerators, mostly without a gap: the first guess is nearly always right.
  const std::size_t guess = static_cast<std::size_t>(attribute - schema.fields[0].attribute);
  if (guess < count && schema.fields[guess].attribute == attribute) return static_cast<int>(guess);
  for (std::size_t index = 0; index < count; ++index) {
    if (schema.fields[index].attribute == attribute) return static_cast<int>(index);
  }
  return -1;
}

// The index in schema.fields of the field that selects for a kSelect field; -1 when there is none.
int find_key(const Schema& schema, const Field& field);

// The index in field.variants that the key among `attributes` selects; -1 when there is no key or it selects
// none.
int select_variant(const Schema& schema, const Field& field, netlink::Bytes attributes);

}  // namespace nfbridge::codec
