#include "codec/decode.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "codec/lookup.h"
#include "codec/records.h"
#include "netlink/message.h"

namespace nfbridge::codec {
namespace {

using netlink::Attribute;
using netlink::AttributeReader;
using netlink::Bytes;

class Decoder {
 public:
  explicit Decoder(std::vector<std::uint32_t>& words) : words_(words) {}

  // The fixed header and the attributes of a schema. False, with words of no use appended, when the header is
  // short or the attributes do not add up to the length: the caller rolls back and keeps the bytes.
  bool body(const Schema& schema, Bytes bytes, int depth) {
    if (depth > kMaxDepth) return false;
    const std::size_t header_size = netlink::align(schema.header_size);
    if (bytes.size() < header_size) return false;
    for (std::size_t index = 0; index < schema.header.size(); ++index) {
      const HeaderField& field = schema.header[index];
      push(static_cast<std::uint32_t>(index));
      if (!number(field.type, bytes.subspan(field.offset, width(field.type)))) return false;
    }
    const Bytes attributes = bytes.subspan(header_size);
    AttributeReader reader(attributes);
    for (Attribute attribute; reader.next(attribute);) entry(schema, attributes, attribute, depth);
    return reader.complete();
  }

  void push(std::uint32_t word) { words_.push_back(word); }

  // Bytes with their length, padded with zeros to words.
  void push_bytes(Bytes bytes) {
    const std::size_t start = words_.size() + 1;
    push(static_cast<std::uint32_t>(bytes.size()));
    words_.resize(start + (bytes.size() + 3) / 4);
    if (!bytes.empty()) std::memcpy(words_.data() + start, bytes.data(), bytes.size());
  }

  // A word for the number of words that follow, to be filled in by `end_run`.
  std::size_t begin_run() {
    push(0);
    return words_.size();
  }
  void end_run(std::size_t start) { words_[start - 1] = static_cast<std::uint32_t>(words_.size() - start); }

 private:
  void entry(const Schema& schema, Bytes siblings, const Attribute& attribute, int depth) {
    const int index = find_field(schema, attribute.number());
    const std::size_t mark = words_.size();
    if (index >= 0) {
      const Field& field = schema.fields[static_cast<std::size_t>(index)];
      push(static_cast<std::uint32_t>(schema.header.size() + static_cast<std::size_t>(index)));
      if (value(schema, siblings, field, attribute, depth)) return;
      words_.resize(mark);
    }
    push(kOpaque);
    push(attribute.type);
    push_bytes(attribute.payload);
  }

  bool value(const Schema& schema, Bytes siblings, const Field& field, const Attribute& attribute,
             int depth) {
    switch (field.type) {
      case Type::kFlag:
        if (!attribute.payload.empty()) return false;
        push(1);
        return true;
      case Type::kString:
        return string(attribute);
      case Type::kBytes:
        push_bytes(attribute.payload);
        return true;
      case Type::kNested:
        return nest(*field.nested, attribute.payload, depth);
      case Type::kList:
      case Type::kStrings:
        return list(field, attribute.payload, depth);
      case Type::kStructs:
        return structures(*field.nested, attribute.payload, depth);
      case Type::kSelect:
        select(schema, siblings, field, attribute.payload, depth);
        return true;
      default:
        return number(field.type, attribute.payload);
    }
  }

  bool number(Type type, Bytes bytes) {
    if (bytes.size() != width(type)) return false;
    switch (bytes.size()) {
      case 1:
        push(static_cast<std::uint32_t>(bytes[0]));
        return true;
      case 2: {
        std::uint16_t half = 0;
        netlink::load(bytes, 0, half);
        push(type == Type::kBe16 ? netlink::to_be16(half) : half);
        return true;
      }
      case 4: {
        std::uint32_t word = 0;
        netlink::load(bytes, 0, word);
        push(type == Type::kBe32 || type == Type::kBeS32 ? netlink::to_be32(word) : word);
        return true;
      }
      case 8: {
        std::uint64_t wide = 0;
        netlink::load(bytes, 0, wide);
        if (type == Type::kBe64) wide = netlink::to_be64(wide);
        push(static_cast<std::uint32_t>(wide));
        push(static_cast<std::uint32_t>(wide >> 32));
        return true;
      }
      default:
        return false;
    }
  }

  // Some attributes of the kernel's come without the terminating NUL; one in the midst is no string.
  bool string(const Attribute& attribute) {
    const std::string_view text = attribute.text();
    if (text.find('\0') != text.npos) return false;
    push_bytes(attribute.payload.first(text.size()));
    return true;
  }

  bool nest(const Schema& schema, Bytes bytes, int depth) {
    const std::size_t run = begin_run();
    if (!body(schema, bytes, depth + 1)) return false;
    end_run(run);
    return true;
  }

  bool list(const Field& field, Bytes bytes, int depth) {
    const std::size_t run = begin_run();
    AttributeReader reader(bytes);
    for (Attribute attribute; reader.next(attribute);) {
      if (attribute.number() != field.element) return false;
      const bool fits =
          field.type == Type::kStrings ? string(attribute) : nest(*field.nested, attribute.payload, depth);
      if (!fits) return false;
    }
    end_run(run);
    return reader.complete();
  }

  bool structures(const Schema& schema, Bytes bytes, int depth) {
    const std::size_t run = begin_run();
    while (!bytes.empty()) {
      std::uint16_t length;
      if (!netlink::load(bytes, 0, length)) return false;
      if (length < sizeof(length) || length > bytes.size()) return false;
      if (!nest(schema, bytes.first(length), depth)) return false;
      bytes = bytes.subspan(std::min(netlink::align(length), bytes.size()));
    }
    end_run(run);
    return true;
  }

  void select(const Schema& schema, Bytes siblings, const Field& field, Bytes bytes, int depth) {
    const std::size_t mark = words_.size();
    const int index = select_variant(schema, field, siblings);
    if (index >= 0) {
      push(static_cast<std::uint32_t>(index));
      if (nest(*field.variants[static_cast<std::size_t>(index)].schema, bytes, depth)) return;
      words_.resize(mark);
    }
    push(kOpaque);
    push_bytes(bytes);
  }

  std::vector<std::uint32_t>& words_;
};

}  // namespace

void decode(Protocol protocol, std::span<const std::byte> message, std::uint32_t tag,
            std::vector<std::uint32_t>& words) {
  nlmsghdr header{};
  Bytes payload = message;
  if (netlink::load(message, 0, header)) payload = message.subspan(NLMSG_HDRLEN);

  Decoder decoder(words);
  const std::size_t head = words.size();
  words.insert(words.end(), {kOpaque, header.nlmsg_flags, tag});
  const std::size_t body = decoder.begin_run();
  const int id = find_message(protocol, header.nlmsg_type);
  if (id >= 0 && decoder.body(*messages()[static_cast<std::size_t>(id)].schema, payload, 0)) {
    words[head] = static_cast<std::uint32_t>(id);
  } else {
    words.resize(body);
    decoder.push(header.nlmsg_type);
    decoder.push_bytes(payload);
  }
  decoder.end_run(body);
}

}  // namespace nfbridge::codec
