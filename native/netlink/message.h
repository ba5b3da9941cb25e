// Netlink messages as bytes: a buffer that grows, a writer of messages and attributes, and readers that check
// every length before they touch what it covers. No sockets here (socket.h), no schemas either (codec/).
//
// The layout is that of linux/netlink.h: struct nlmsghdr, a fixed header of the family, then attributes
// (struct nlattr), each aligned to four bytes; nests are attributes that hold attributes.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

namespace nfbridge::netlink {

using Bytes = std::span<const std::byte>;

constexpr std::size_t align(std::size_t length) {
  return (length + 3u) & ~std::size_t{3};
}

// The longest attribute: its length, header included, is a u16.
inline constexpr std::size_t kMaxAttributeLength = 65535;

constexpr std::uint16_t to_be16(std::uint16_t value) {
  return __builtin_bswap16(value);
}
constexpr std::uint32_t to_be32(std::uint32_t value) {
  return __builtin_bswap32(value);
}
constexpr std::uint64_t to_be64(std::uint64_t value) {
  return __builtin_bswap64(value);
}
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "big-endian hosts are not supported");

// Reads a trivially copyable value at an offset; false when the bytes do not reach that far.
template <typename T>
bool load(Bytes bytes, std::size_t offset, T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return false;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return true;
}

// Bytes that grow at the end, without being zeroed first. Growth moves them: keep offsets, not pointers.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t capacity) { reserve(capacity); }

  std::byte* data() { return bytes_.get(); }
  const std::byte* data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  Bytes bytes() const { return {bytes_.get(), size_}; }
  // The bytes from `offset`, `length` of them; fewer, or none, where the buffer ends before.
  Bytes slice(std::size_t offset, std::size_t length) const;

  void clear() { size_ = 0; }
  // Cuts the buffer; a size that is not smaller does nothing.
  void truncate(std::size_t size) {
    if (size < size_) size_ = size;
  }
  void reserve(std::size_t capacity);
  // Appends `length` bytes whose values are undefined and returns the offset of the first.
  std::size_t append(std::size_t length) {
    if (capacity_ - size_ < length) grow(length);
    const std::size_t offset = size_;
    size_ += length;
    return offset;
  }
  void append(Bytes bytes) {
    const std::size_t offset = append(bytes.size());
    if (!bytes.empty()) std::memcpy(data() + offset, bytes.data(), bytes.size());
  }
  // Writes over what is there; the caller has appended it.
  template <typename T>
  void store(std::size_t offset, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(data() + offset, &value, sizeof(T));
  }

 private:
  void grow(std::size_t length);

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Appends messages and attributes to a buffer. Lengths of messages and nests are patched in place when they
// end.
class Writer {
 public:
  explicit Writer(Buffer& buffer) : buffer_(buffer) {}

  Buffer& buffer() { return buffer_; }

  // Starts a message with nlmsg_seq and nlmsg_pid 0; returns its offset in the buffer.
  std::size_t begin_message(std::uint16_t type, std::uint16_t flags);
  // Ends the message that began at `offset`; returns its nlmsg_len.
  std::uint32_t end_message(std::size_t offset);

  // Appends `length` zero bytes, padded to four: the fixed header of a family. Returns their offset.
  std::size_t put_zeros(std::size_t length);
  // The fixed header of a family as a struct.
  template <typename T>
  void put_header(const T& header) {
    buffer_.store(put_zeros(sizeof(T)), header);
  }

  // An attribute with a payload; false, and nothing written, when it is longer than kMaxAttributeLength.
  bool put(std::uint16_t type, Bytes payload);
  // A string with its terminating NUL.
  bool put_string(std::uint16_t type, std::string_view value);
  // A number as it is in memory: the caller has chosen the byte order.
  template <typename T>
  void put_value(std::uint16_t type, T value) {
    static_assert(std::is_integral_v<T>);
    const std::size_t offset = begin_attribute(type, sizeof(T));
    buffer_.store(offset, value);
  }

  // Starts a nest (pass NLA_F_NESTED in the type where it is wanted); returns the offset of its nlattr.
  std::size_t begin_nest(std::uint16_t type);
  // Ends the nest that began at `offset`; false when it became longer than kMaxAttributeLength.
  bool end_nest(std::size_t offset);

  // An attribute's header with room for `length` <= 65531 bytes, padding zeroed; returns the payload's
  // offset.
  std::size_t begin_attribute(std::uint16_t type, std::size_t length) {
    const nlattr header{static_cast<std::uint16_t>(NLA_HDRLEN + length), type};
    const std::size_t padded = align(length);
    const std::size_t offset = buffer_.append(NLA_HDRLEN + padded);
    buffer_.store(offset, header);
    if (padded != length) buffer_.store(offset + NLA_HDRLEN + padded - 4, std::uint32_t{0});
    return offset + NLA_HDRLEN;
  }

 private:
  Buffer& buffer_;
};

// An attribute as it was received.
struct Attribute {
  std::uint16_t type = 0;  // with its flags, NLA_F_NESTED and NLA_F_NET_BYTEORDER
  Bytes payload;
  std::size_t offset = 0;  // of its nlattr, in the bytes that the reader was given

  std::uint16_t number() const { return static_cast<std::uint16_t>(type & NLA_TYPE_MASK); }
  // Reads a number; false when the payload is not exactly as long.
  template <typename T>
  bool value(T& out) const {
    return payload.size() == sizeof(T) && load(payload, 0, out);
  }
  // The payload as text, without a terminating NUL.
  std::string_view text() const;
};

// Walks the attributes in `bytes`.
//   AttributeReader reader(payload);
//   for (Attribute attribute; reader.next(attribute);) …
//   if (!reader.complete()) … // what is left is no attribute
class AttributeReader {
 public:
  explicit AttributeReader(Bytes bytes) : bytes_(bytes) {}

  bool next(Attribute& attribute) {
    nlattr header;
    if (!load(bytes_, offset_, header)) return false;
    const std::size_t rest = bytes_.size() - offset_;
    if (header.nla_len < NLA_HDRLEN || header.nla_len > rest) return false;
    attribute.type = header.nla_type;
    attribute.payload = bytes_.subspan(offset_ + NLA_HDRLEN, header.nla_len - std::size_t{NLA_HDRLEN});
    attribute.offset = offset_;
    // The last attribute of a nest may come without its padding.
    const std::size_t padded = align(header.nla_len);
    offset_ += padded < rest ? padded : rest;
    return true;
  }
  // After the last: whether all bytes were attributes.
  bool complete() const { return offset_ >= bytes_.size(); }
  // Where the next attribute begins, or what is left.
  std::size_t offset() const { return offset_; }

 private:
  Bytes bytes_;
  std::size_t offset_ = 0;
};

// The first attribute with this number.
bool find_attribute(Bytes attributes, std::uint16_t number, Attribute& attribute);

// A message as it was received.
struct MessageView {
  nlmsghdr header{};
  Bytes bytes;             // with the nlmsghdr, nlmsg_len bytes
  Bytes payload;           // after the nlmsghdr
  std::size_t offset = 0;  // of the nlmsghdr, in the bytes that the reader was given
};

// Walks the messages of a datagram, or of several in one buffer.
class MessageReader {
 public:
  explicit MessageReader(Bytes bytes) : bytes_(bytes) {}

  bool next(MessageView& message);
  // After the last: whether all bytes were messages; false for a datagram that was cut short.
  bool complete() const { return offset_ >= bytes_.size(); }

 private:
  Bytes bytes_;
  std::size_t offset_ = 0;
};

}  // namespace nfbridge::netlink
