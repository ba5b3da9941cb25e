// How the tables in this folder are written: numbers, strings and bytes as plain Field{name, attribute,
// type}, what holds other fields through these. Every table is constant-initialized; nothing runs when the
// addon is loaded.
#pragma once

#include "codec/schema.h"

namespace nfbridge::codec {

// Whether a nest is written with NLA_F_NESTED. Where the kernel's policy has a nest it takes both; where it
// has plain bytes it refuses the flag.
enum class Nest : bool { kPlain = false, kFlagged = true };

constexpr Field nested(std::string_view name, std::uint16_t attribute, const Schema& schema,
                       Nest nest = Nest::kFlagged) {
  return {.name = name,
          .attribute = attribute,
          .type = Type::kNested,
          .nested = &schema,
          .nest_flag = nest == Nest::kFlagged};
}

constexpr Field list(std::string_view name, std::uint16_t attribute, std::uint16_t element,
                     const Schema& schema) {
  return {.name = name, .attribute = attribute, .type = Type::kList, .nested = &schema, .element = element};
}

constexpr Field strings(std::string_view name, std::uint16_t attribute, std::uint16_t element) {
  return {.name = name, .attribute = attribute, .type = Type::kStrings, .element = element};
}

constexpr Field structs(std::string_view name, std::uint16_t attribute, const Schema& schema) {
  return {
      .name = name, .attribute = attribute, .type = Type::kStructs, .nested = &schema, .nest_flag = false};
}

constexpr Field select(std::string_view name, std::uint16_t attribute, std::string_view key,
                       std::span<const Variant> variants) {
  return {.name = name, .attribute = attribute, .type = Type::kSelect, .key = key, .variants = variants};
}

}  // namespace nfbridge::codec
