#include "codec/locate.h"

#include <algorithm>
#include <string_view>

#include "codec/lookup.h"
#include "codec/records.h"
#include "netlink/message.h"

namespace nfbridge::codec {
namespace {

using netlink::Attribute;
using netlink::AttributeReader;
using netlink::Bytes;

// What was found at an offset: its path and, when it is a nest of attributes, the schema of what it holds.
struct Found {
  std::string path;
  const Schema* schema = nullptr;

  void enter(std::string_view name) {
    if (!path.empty()) path += '.';
    path += name;
  }
  void enter(std::size_t index) {
    path += '[';
    path += std::to_string(index);
    path += ']';
  }
};

// Offsets below are relative to the bytes at hand. `offset` is the one that is looked for; an offset at the
// start of an attribute's header means the attribute itself, one inside its payload what the payload holds.
void find_in_body(const Schema& schema, Bytes bytes, std::size_t offset, int depth, Found& found);

void find_in_list(const Field& field, Bytes bytes, std::size_t offset, int depth, Found& found) {
  AttributeReader reader(bytes);
  std::size_t index = 0;
  for (Attribute element; reader.next(element); ++index) {
    if (offset >= reader.offset()) continue;
    found.enter(index);
    found.schema = field.nested;
    const std::size_t payload = element.offset + NLA_HDRLEN;
    if (offset >= payload && field.nested != nullptr) {
      find_in_body(*field.nested, element.payload, offset - payload, depth + 1, found);
    }
    return;
  }
}

void find_in_structures(const Schema& schema, Bytes bytes, std::size_t offset, int depth, Found& found) {
  std::size_t start = 0;
  for (std::size_t index = 0; start < bytes.size(); ++index) {
    std::uint16_t length;
    if (!netlink::load(bytes, start, length)) return;
    if (length < sizeof(length) || length > bytes.size() - start) return;
    const std::size_t end = start + netlink::align(length);
    if (offset < end) {
      found.enter(index);
      found.schema = &schema;
      // The length in front is no property: it stands for the whole.
      if (offset > start) {
        find_in_body(schema, bytes.subspan(start, length), offset - start, depth + 1, found);
      }
      return;
    }
    start = end;
  }
}

void find_in_field(const Schema& schema, Bytes siblings, const Field& field, Bytes payload,
                   std::optional<std::size_t> offset, int depth, Found& found) {
  const Schema* nested = nullptr;
  switch (field.type) {
    case Type::kNested:
      nested = field.nested;
      break;
    case Type::kSelect: {
      const int index = select_variant(schema, field, siblings);
      if (index >= 0) nested = field.variants[static_cast<std::size_t>(index)].schema;
      break;
    }
    case Type::kList:
    case Type::kStrings:
      if (offset) find_in_list(field, payload, *offset, depth, found);
      return;
    case Type::kStructs:
      if (offset) find_in_structures(*field.nested, payload, *offset, depth, found);
      return;
    default:
      return;
  }
  found.schema = nested;
  if (nested != nullptr && offset) find_in_body(*nested, payload, *offset, depth + 1, found);
}

void find_in_body(const Schema& schema, Bytes bytes, std::size_t offset, int depth, Found& found) {
  if (depth > kMaxDepth) return;
  const std::size_t header_size = netlink::align(schema.header_size);
  if (offset < header_size) {
    for (const HeaderField& field : schema.header) {
      if (offset < field.offset || offset >= field.offset + width(field.type)) continue;
      found.enter(field.name);
      found.schema = nullptr;
      return;
    }
    return;
  }
  if (bytes.size() < header_size) return;

  const Bytes attributes = bytes.subspan(header_size);
  offset -= header_size;
  AttributeReader reader(attributes);
  std::size_t unknown = 0;
  for (Attribute attribute; reader.next(attribute);) {
    const int index = find_field(schema, attribute.number());
    if (offset >= reader.offset()) {
      if (index < 0) ++unknown;
      continue;
    }
    found.schema = nullptr;
    if (index < 0) {
      found.enter("opaque");
      found.enter(unknown);
      return;
    }
    const Field& field = schema.fields[static_cast<std::size_t>(index)];
    found.enter(field.name);
    const std::size_t payload = attribute.offset + NLA_HDRLEN;
    std::optional<std::size_t> inside;
    if (offset >= payload) inside = offset - payload;
    find_in_field(schema, attributes, field, attribute.payload, inside, depth, found);
    return;
  }
}

Found find(const Message& message, Bytes encoded, std::uint32_t offset) {
  Found found;
  if (offset < NLMSG_HDRLEN || encoded.size() < NLMSG_HDRLEN) return found;
  find_in_body(*message.schema, encoded.subspan(NLMSG_HDRLEN), offset - NLMSG_HDRLEN, 0, found);
  return found;
}

}  // namespace

std::string locate(const Message& message, std::span<const std::byte> encoded, std::uint32_t offset) {
  return find(message, encoded, offset).path;
}

std::string locate_missing(const Message& message, std::span<const std::byte> encoded,
                           std::uint32_t attribute, std::optional<std::uint32_t> nest) {
  Found found;
  found.schema = message.schema;
  if (nest) found = find(message, encoded, *nest);
  if (found.schema == nullptr || attribute > 0xffff) return found.path;
  const int index = find_field(*found.schema, static_cast<std::uint16_t>(attribute));
  if (index >= 0) found.enter(found.schema->fields[static_cast<std::size_t>(index)].name);
  return found.path;
}

}  // namespace nfbridge::codec
