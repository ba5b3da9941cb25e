#include "netlink/message.h"

#include <algorithm>

namespace nfbridge::netlink {

Bytes Buffer::slice(std::size_t offset, std::size_t length) const {
  if (offset >= size_) return {};
  return bytes().subspan(offset, std::min(length, size_ - offset));
}

void Buffer::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  auto bytes = std::make_unique_for_overwrite<std::byte[]>(capacity);
  if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

void Buffer::grow(std::size_t length) {
  reserve(std::max({size_ + length, capacity_ * 2, std::size_t{4096}}));
}

std::size_t Writer::begin_message(std::uint16_t type, std::uint16_t flags) {
  const std::size_t offset = buffer_.append(NLMSG_HDRLEN);
  buffer_.store(offset, nlmsghdr{NLMSG_HDRLEN, type, flags, 0, 0});
  return offset;
}

std::uint32_t Writer::end_message(std::size_t offset) {
  const auto length = static_cast<std::uint32_t>(buffer_.size() - offset);
  buffer_.store(offset, length);
  return length;
}

std::size_t Writer::put_zeros(std::size_t length) {
  const std::size_t padded = align(length);
  const std::size_t offset = buffer_.append(padded);
  if (padded > 0) std::memset(buffer_.data() + offset, 0, padded);
  return offset;
}

bool Writer::put(std::uint16_t type, Bytes payload) {
  if (payload.size() > kMaxAttributeLength - NLA_HDRLEN) return false;
  const std::size_t offset = begin_attribute(type, payload.size());
  if (!payload.empty()) std::memcpy(buffer_.data() + offset, payload.data(), payload.size());
  return true;
}

bool Writer::put_string(std::uint16_t type, std::string_view value) {
  if (value.size() >= kMaxAttributeLength - NLA_HDRLEN) return false;
  const std::size_t offset = begin_attribute(type, value.size() + 1);
  if (!value.empty()) std::memcpy(buffer_.data() + offset, value.data(), value.size());
  buffer_.data()[offset + value.size()] = std::byte{0};
  return true;
}

std::size_t Writer::begin_nest(std::uint16_t type) {
  const std::size_t offset = buffer_.append(NLA_HDRLEN);
  buffer_.store(offset, nlattr{NLA_HDRLEN, type});
  return offset;
}

bool Writer::end_nest(std::size_t offset) {
  const std::size_t length = buffer_.size() - offset;
  if (length > kMaxAttributeLength) return false;
  buffer_.store(offset, static_cast<std::uint16_t>(length));
  return true;
}

std::string_view Attribute::text() const {
  if (payload.empty()) return {};
  const std::size_t length = payload.back() == std::byte{0} ? payload.size() - 1 : payload.size();
  return {reinterpret_cast<const char*>(payload.data()), length};
}

bool find_attribute(Bytes attributes, std::uint16_t number, Attribute& attribute) {
  AttributeReader reader(attributes);
  while (reader.next(attribute)) {
    if (attribute.number() == number) return true;
  }
  return false;
}

bool MessageReader::next(MessageView& message) {
  nlmsghdr header;
  if (!load(bytes_, offset_, header)) return false;
  if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > bytes_.size() - offset_) return false;
  message.header = header;
  message.bytes = bytes_.subspan(offset_, header.nlmsg_len);
  message.payload = message.bytes.subspan(NLMSG_HDRLEN);
  message.offset = offset_;
  offset_ += std::min(align(header.nlmsg_len), bytes_.size() - offset_);
  return true;
}

}  // namespace nfbridge::netlink
