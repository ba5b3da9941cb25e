// Reading the flat records that come down (records.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "netlink/message.h"

namespace nfbridge::codec {

// A run of words that is still to be read.
struct Words {
  const std::uint32_t* next;
  const std::uint32_t* end;

  bool empty() const { return next == end; }
  std::size_t size() const { return static_cast<std::size_t>(end - next); }
  bool take(std::uint32_t& word) {
    if (next == end) return false;
    word = *next++;
    return true;
  }
  // A run that begins with its number of words.
  bool take_run(Words& run) {
    std::uint32_t count;
    if (!take(count) || count > size()) return false;
    run = {next, next + count};
    next += count;
    return true;
  }
  // Bytes that begin with their length and are padded to words.
  bool take_bytes(netlink::Bytes& bytes) {
    std::uint32_t length;
    if (!take(length)) return false;
    const std::size_t count = (std::size_t{length} + 3) / 4;
    if (count > size()) return false;
    bytes = std::as_bytes(std::span(next, count)).first(length);
    next += count;
    return true;
  }
};

}  // namespace nfbridge::codec
