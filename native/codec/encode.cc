#include "codec/encode.h"

#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "codec/lookup.h"
#include "codec/stamp.h"
#include "codec/words.h"

namespace nfbridge::codec {
namespace {

using netlink::Bytes;

class Encoder {
 public:
  explicit Encoder(netlink::Buffer& out) : out_(out), writer_(out) {}

  // The fixed header and the attributes of a schema.
  bool body(const Schema& schema, Words words, int depth) {
    if (depth > kMaxDepth) return fail("nested too deeply");
    const std::size_t header = writer_.put_zeros(schema.header_size);
    return entries(schema, words, header, depth);
  }

  std::string take_path() { return std::move(path_); }
  std::string take_message() { return std::move(message_); }

 private:
  bool fail(std::string_view message) {
    message_ = message;
    return false;
  }
  bool malformed() { return fail("the record is cut short or does not follow its layout"); }

  // Failures unwind through these, from the inside out: nothing is spent on paths while all goes well.
  bool fail_in(std::string_view name) {
    std::string path(name);
    if (!path_.empty() && path_[0] != '[') path += '.';
    path_ = path + path_;
    return false;
  }
  bool fail_at(std::size_t index) {
    std::string position("[");
    position += std::to_string(index);
    position += ']';
    return fail_in(position);
  }

  bool entries(const Schema& schema, Words words, std::size_t header, int depth) {
    const std::size_t header_fields = schema.header.size();
    while (!words.empty()) {
      std::uint32_t index = 0;
      words.take(index);
      if (index == kOpaque) {
        if (!opaque(words)) return fail_in("opaque");
        continue;
      }
      if (index < header_fields) {
        const HeaderField& field = schema.header[index];
        if (!header_value(field, words, header)) return fail_in(field.name);
        continue;
      }
      if (index - header_fields >= schema.fields.size()) {
        return fail("no such field: " + std::to_string(index) + " in " + std::string(schema.name));
      }
      const Field& field = schema.fields[index - header_fields];
      if (!attribute(field, words, depth)) return fail_in(field.name);
    }
    return true;
  }

  bool opaque(Words& words) {
    std::uint32_t type;
    Bytes bytes;
    if (!words.take(type) || !words.take_bytes(bytes)) return malformed();
    if (type > 0xffff) return fail("the attribute's number is over 65,535");
    if (!writer_.put(static_cast<std::uint16_t>(type), bytes)) return too_long();
    return true;
  }

  bool too_long() { return fail("the attribute is longer than 65,535 bytes"); }
  bool out_of_range(std::uint32_t value, std::uint32_t limit) {
    return fail(std::to_string(value) + " is over " + std::to_string(limit));
  }

  bool header_value(const HeaderField& field, Words& words, std::size_t header) {
    std::uint32_t value;
    if (!words.take(value)) return malformed();
    const std::size_t offset = header + field.offset;
    switch (width(field.type)) {
      case 1:
        if (value > 0xff) return out_of_range(value, 0xff);
        out_.store(offset, static_cast<std::uint8_t>(value));
        return true;
      case 2: {
        if (value > 0xffff) return out_of_range(value, 0xffff);
        const auto half = static_cast<std::uint16_t>(value);
        out_.store(offset, field.type == Type::kBe16 ? netlink::to_be16(half) : half);
        return true;
      }
      case 4:
        out_.store(offset, is_big_endian(field.type) ? netlink::to_be32(value) : value);
        return true;
      default:
        return fail("a header holds no field of this type");
    }
  }

  static bool is_big_endian(Type type) { return type == Type::kBe32 || type == Type::kBeS32; }

  bool attribute(const Field& field, Words& words, int depth) {
    std::uint32_t value;
    switch (field.type) {
      case Type::kU8:
        if (!words.take(value)) return malformed();
        if (value > 0xff) return out_of_range(value, 0xff);
        writer_.put_value(field.attribute, static_cast<std::uint8_t>(value));
        return true;
      case Type::kU16:
      case Type::kBe16: {
        if (!words.take(value)) return malformed();
        if (value > 0xffff) return out_of_range(value, 0xffff);
        const auto half = static_cast<std::uint16_t>(value);
        writer_.put_value(field.attribute, field.type == Type::kBe16 ? netlink::to_be16(half) : half);
        return true;
      }
      case Type::kU32:
      case Type::kS32:
        if (!words.take(value)) return malformed();
        writer_.put_value(field.attribute, value);
        return true;
      case Type::kBe32:
      case Type::kBeS32:
        if (!words.take(value)) return malformed();
        writer_.put_value(field.attribute, netlink::to_be32(value));
        return true;
      case Type::kU64:
      case Type::kBe64: {
        std::uint32_t high;
        if (!words.take(value) || !words.take(high)) return malformed();
        const std::uint64_t wide = std::uint64_t{high} << 32 | value;
        writer_.put_value(field.attribute, field.type == Type::kBe64 ? netlink::to_be64(wide) : wide);
        return true;
      }
      case Type::kFlag:
        if (!words.take(value)) return malformed();
        if (value > 1) return out_of_range(value, 1);
        if (value == 1) writer_.put(field.attribute, {});
        return true;
      case Type::kString:
        return string(field.attribute, words);
      case Type::kBytes: {
        Bytes bytes;
        if (!words.take_bytes(bytes)) return malformed();
        return writer_.put(field.attribute, bytes) || too_long();
      }
      case Type::kNested: {
        Words run;
        if (!words.take_run(run)) return malformed();
        return nest(field, field.attribute, *field.nested, run, depth);
      }
      case Type::kList:
      case Type::kStrings:
      case Type::kStructs:
        return sequence(field, words, depth);
      case Type::kSelect:
        return select(field, words, depth);
    }
    return fail("unknown type of field");
  }

  bool string(std::uint16_t attribute, Words& words) {
    Bytes bytes;
    if (!words.take_bytes(bytes)) return malformed();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.find('\0') != text.npos) return fail("the string contains a NUL");
    return writer_.put_string(attribute, text) || too_long();
  }

  static std::uint16_t nest_type(const Field& field, std::uint16_t attribute) {
    return field.nest_flag ? static_cast<std::uint16_t>(attribute | NLA_F_NESTED) : attribute;
  }

  bool nest(const Field& field, std::uint16_t attribute, const Schema& schema, Words words, int depth) {
    const std::size_t offset = writer_.begin_nest(nest_type(field, attribute));
    if (!body(schema, words, depth + 1)) return false;
    return writer_.end_nest(offset) || too_long();
  }

  bool sequence(const Field& field, Words& words, int depth) {
    Words run;
    if (!words.take_run(run)) return malformed();
    const std::size_t offset = writer_.begin_nest(nest_type(field, field.attribute));
    for (std::size_t index = 0; !run.empty(); ++index) {
      bool done;
      if (field.type == Type::kStrings) {
        done = string(field.element, run);
      } else {
        Words element;
        if (!run.take_run(element)) return malformed();
        done = field.type == Type::kList ? nest(field, field.element, *field.nested, element, depth)
                                         : structure(*field.nested, element, depth);
      }
      if (!done) return fail_at(index);
    }
    return writer_.end_nest(offset) || too_long();
  }

  // A struct of a fixed header, whose first member is its length as a u16, and attributes.
  bool structure(const Schema& schema, Words words, int depth) {
    const std::size_t offset = out_.size();
    if (!body(schema, words, depth + 1)) return false;
    const std::size_t length = out_.size() - offset;
    if (length > 0xffff) return too_long();
    out_.store(offset, static_cast<std::uint16_t>(length));
    return true;
  }

  bool select(const Field& field, Words& words, int depth) {
    std::uint32_t index;
    if (!words.take(index)) return malformed();
    if (index == kOpaque) {
      Bytes bytes;
      if (!words.take_bytes(bytes)) return malformed();
      return writer_.put(nest_type(field, field.attribute), bytes) || too_long();
    }
    Words run;
    if (index >= field.variants.size() || !words.take_run(run)) return malformed();
    return nest(field, field.attribute, *field.variants[index].schema, run, depth);
  }

  netlink::Buffer& out_;
  netlink::Writer writer_;
  std::string path_;
  std::string message_;
};

}  // namespace

std::optional<EncodeError> encode(std::span<const std::uint32_t> words, netlink::Buffer& out,
                                  std::vector<EncodedMessage>& encoded) {
  const std::size_t size_before = out.size();
  const std::size_t count_before = encoded.size();
  const std::span<const Message> known = messages();
  // Attributes take hardly more room than the records that they come from: the buffer need not grow on the
  // way.
  out.reserve(size_before + words.size_bytes() + 1024);
  Encoder encoder(out);
  netlink::Writer writer(out);
  Words rest{words.data(), words.data() + words.size()};

  int index = 0;
  const auto refuse = [&](std::string message, std::string path = {}) -> std::optional<EncodeError> {
    out.truncate(size_before);
    encoded.resize(count_before);
    return EncodeError{index, std::move(path), std::move(message)};
  };

  for (; !rest.empty(); ++index) {
    std::uint32_t id = 0;
    std::uint32_t flags = 0;
    std::uint32_t tag = 0;
    Words body{};
    if (!rest.take(id) || !rest.take(flags) || !rest.take(tag) || !rest.take_run(body)) {
      return refuse("the record is cut short or does not follow its layout");
    }
    if (flags > 0xffff) return refuse("the message's flags are over 65,535");
    if (id == kStamp) {
      const std::size_t before = encoded.size();
      if (auto reason = stamp(body, static_cast<std::uint16_t>(flags), out, encoded)) return refuse(*reason);
      // The loop counts one; a stamp of no rows makes no message.
      index += static_cast<int>(encoded.size() - before) - 1;
      continue;
    }
    if (id >= known.size()) return refuse("no such message: " + std::to_string(id));

    const Message& message = known[id];
    const std::size_t offset = out.size();
    const auto wire_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
    writer.begin_message(message.type, wire_flags);
    if (!encoder.body(*message.schema, body, 0)) {
      std::string text = encoder.take_message();
      return refuse(std::move(text), encoder.take_path());
    }
    if (out.size() > std::numeric_limits<std::uint32_t>::max())
      return refuse("the batch is larger than 4 GiB");
    const std::uint32_t length = writer.end_message(offset);
    encoded.push_back({static_cast<std::uint32_t>(offset), length, &message, wire_flags});
  }
  return std::nullopt;
}

}  // namespace nfbridge::codec
