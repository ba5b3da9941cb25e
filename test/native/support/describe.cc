#include "support/describe.h"

#include <cstdio>

#include "codec/records.h"
#include "codec/schema.h"

namespace nfbridge::test {
namespace {

using codec::Field;
using codec::Schema;
using codec::Type;

class Describer {
 public:
  explicit Describer(std::span<const std::uint32_t> words) : words_(words) {}

  std::string run() {
    while (!words_.empty() && !malformed_) {
      const std::uint32_t id = take();
      const std::uint32_t flags = take();
      const std::uint32_t tag = take();
      const auto body = take_run();
      if (malformed_) break;
      Describer inside(body);
      const bool known = id != codec::kOpaque;
      if (known && id >= codec::messages().size()) return text_ + "MALFORMED";
      text_ += known ? std::string(codec::messages()[id].name) : "opaque";
      text_ += " flags=" + std::to_string(flags) + " tag=" + std::to_string(tag) + " ";
      if (known) {
        inside.entries(*codec::messages()[id].schema);
      } else {
        inside.text_ += "type=" + std::to_string(inside.take()) + " ";
        inside.put_bytes();
        if (!inside.words_.empty()) inside.malformed_ = true;
      }
      text_ += inside.text_ + "\n";
      malformed_ = inside.malformed_;
    }
    if (malformed_) text_ += "MALFORMED";
    return text_;
  }

 private:
  std::uint32_t take() {
    if (words_.empty()) {
      malformed_ = true;
      return 0;
    }
    const std::uint32_t word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }

  std::span<const std::uint32_t> take_run(std::size_t divisor = 1) {
    const std::size_t given = take();
    const std::size_t count = (given + divisor - 1) / divisor;
    if (malformed_ || count > words_.size()) {
      malformed_ = true;
      return {};
    }
    const auto run = words_.first(count);
    words_ = words_.subspan(count);
    return run;
  }

  std::string_view take_text() {
    const std::size_t length = words_.empty() ? 0 : words_.front();
    const auto run = take_run(4);
    if (malformed_) return {};
    const std::string_view all(reinterpret_cast<const char*>(run.data()), run.size() * 4);
    if (all.substr(length).find_first_not_of('\0') != all.npos) malformed_ = true;  // padding is zeros
    return all.substr(0, length);
  }

  void put_bytes() {
    char digits[3];
    const std::string_view bytes = take_text();
    text_ += '<';
    for (const char byte : bytes) {
      std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(byte));
      text_ += digits;
    }
    text_ += '>';
  }

  void put_string() {
    const std::string_view string = take_text();
    if (string.find('\0') != string.npos) malformed_ = true;
    text_ += '"' + std::string(string) + '"';
  }

  // Describes a run by itself, so that a wrong length inside cannot reach outside.
  template <typename Inside>
  void inside(std::span<const std::uint32_t> run, Inside describe) {
    Describer part(run);
    part.depth_ = depth_ + 1;
    if (part.depth_ > codec::kMaxDepth * 2 + 2) part.malformed_ = true;
    if (!part.malformed_) describe(part);
    if (!part.words_.empty()) part.malformed_ = true;
    text_ += part.text_;
    malformed_ = malformed_ || part.malformed_;
  }

  void entries(const Schema& schema) {
    text_ += '{';
    for (bool first = true; !words_.empty() && !malformed_; first = false) {
      if (!first) text_ += ' ';
      entry(schema, take());
    }
    text_ += '}';
  }

  void entry(const Schema& schema, std::uint32_t index) {
    if (index == codec::kOpaque) {
      const std::uint32_t type = take();
      if (type > 0xffff) malformed_ = true;
      text_ += "opaque(" + std::to_string(type) + ")=";
      return put_bytes();
    }
    if (index < schema.header.size()) {
      text_ += std::string(schema.header[index].name) + "=";
      return number(schema.header[index].type);
    }
    index -= static_cast<std::uint32_t>(schema.header.size());
    if (index >= schema.fields.size()) {
      malformed_ = true;
      return;
    }
    const Field& field = schema.fields[index];
    text_ += std::string(field.name);
    if (field.type != Type::kSelect) text_ += '=';
    value(field);
  }

  void number(Type type) {
    const std::uint32_t word = take();
    const bool is_signed = type == Type::kS32 || type == Type::kBeS32;
    if (type == Type::kU8 && word > 0xff) malformed_ = true;
    if ((type == Type::kU16 || type == Type::kBe16) && word > 0xffff) malformed_ = true;
    if (type == Type::kFlag && word != 1) malformed_ = true;
    text_ += is_signed ? std::to_string(static_cast<std::int32_t>(word)) : std::to_string(word);
  }

  void value(const Field& field) {
    switch (field.type) {
      case Type::kU64:
      case Type::kBe64: {
        const std::uint64_t low = take();
        const std::uint64_t high = take();
        text_ += std::to_string(high << 32 | low);
        return;
      }
      case Type::kString:
        return put_string();
      case Type::kBytes:
        return put_bytes();
      case Type::kNested:
        return inside(take_run(), [&](Describer& part) { part.entries(*field.nested); });
      case Type::kList:
      case Type::kStructs:
      case Type::kStrings:
        return inside(take_run(), [&](Describer& part) { part.elements(field); });
      case Type::kSelect:
        return select(field);
      default:
        return number(field.type);
    }
  }

  void elements(const Field& field) {
    text_ += '[';
    for (bool first = true; !words_.empty() && !malformed_; first = false) {
      if (!first) text_ += ' ';
      if (field.type == Type::kStrings) {
        put_string();
      } else {
        inside(take_run(), [&](Describer& part) { part.entries(*field.nested); });
      }
    }
    text_ += ']';
  }

  void select(const Field& field) {
    const std::uint32_t index = take();
    if (index == codec::kOpaque) {
      text_ += "=";
      return put_bytes();
    }
    if (index >= field.variants.size()) {
      malformed_ = true;
      return;
    }
    const Schema& schema = *field.variants[index].schema;
    text_ += ":" + std::string(schema.name) + "=";
    inside(take_run(), [&](Describer& part) { part.entries(schema); });
  }

  std::span<const std::uint32_t> words_;
  std::string text_;
  int depth_ = 0;
  bool malformed_ = false;
};

}  // namespace

std::string describe(std::span<const std::uint32_t> words) {
  return Describer(words).run();
}

bool is_malformed(const std::string& text) {
  return !text.empty() && text.back() != '\n';
}

}  // namespace nfbridge::test
