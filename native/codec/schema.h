// The description of a netlink message as constant data. One encoder (encode.h), one decoder (decode.h) and
// one locator (locate.h) interpret these tables; the addon also hands them to TypeScript
// (node/schema_export.h). Nothing here, in codec/ or in netlink/, includes N-API.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace nfbridge::codec {

enum class Type : std::uint8_t {
  kU8,
  kU16,  // host byte order, as rtnetlink has it
  kU32,
  kS32,
  kU64,
  kBe16,  // network byte order, as nfnetlink has it
  kBe32,
  kBeS32,
  kBe64,
  kString,   // NUL-terminated on the wire
  kFlag,     // present or not, no payload
  kBytes,    // as they are: addresses, user data, register values
  kNested,   // a nest with the schema `nested`
  kList,     // a nest of nests: each element is an attribute `element` with the schema `nested`
  kStrings,  // a nest of strings: each element is an attribute `element`
  kStructs,  // RTA_MULTIPATH: a sequence of {u16 length; rest of the header; attributes} with the schema
             // `nested`
  kSelect,   // a nest whose schema depends on the value of another field of the same nest (`key`)
};

struct Schema;

// One alternative of a kSelect field: chosen by the string or the number that the key field holds.
struct Variant {
  std::string_view name = {};  // used when the key field is a string
  std::uint32_t number = 0;    // used when the key field is a number
  const Schema* schema = nullptr;
};

// A field of the fixed header in front of the attributes (struct ifinfomsg and its like).
struct HeaderField {
  std::string_view name;
  Type type;  // an integer type
  std::uint16_t offset;
};

struct Field {
  std::string_view name;  // the property's name in TypeScript: the enumerator's suffix in camelCase
  std::uint16_t attribute;
  Type type;
  const Schema* nested = nullptr;          // kNested, kList, kStructs
  std::uint16_t element = 0;               // kList, kStrings: attribute number of each element
  std::string_view key = {};               // kSelect: name of the field that selects
  std::span<const Variant> variants = {};  // kSelect
  bool nest_flag = true;                   // nests: whether NLA_F_NESTED is set when written
};

struct Schema {
  std::string_view name;
  std::uint16_t header_size = 0;  // bytes, before alignment
  std::span<const HeaderField> header = {};
  std::span<const Field> fields = {};
};

enum class Protocol : std::uint8_t { kRoute, kNetfilter };

// A message type: its number in nlmsghdr (nfnetlink: subsystem << 8 | message) and its schema.
struct Message {
  std::string_view name;  // "newLink", "nftNewRule", "ctDelete"
  Protocol protocol;
  std::uint16_t type;
  const Schema* schema;
};

// Every message that the addon knows. A message's id is its index here.
std::span<const Message> messages();

// Finds the id for a type that was received; -1 when it is not known.
int find_message(Protocol protocol, std::uint16_t type);

}  // namespace nfbridge::codec
