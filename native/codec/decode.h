// The one decoder: netlink messages to records (records.h), as the schemas (schema.h) say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codec/schema.h"

namespace nfbridge::codec {

// Appends the record of one message, nlmsghdr included, with the given tag. Whatever bytes it gets, it
// appends exactly one record and drops nothing: an attribute that the tables do not know, or whose payload
// does not fit its type, is kept as an opaque entry; a message that they do not know, whose header is short
// or whose attributes do not add up to its length, is kept as an opaque message.
void decode(Protocol protocol, std::span<const std::byte> message, std::uint32_t tag,
            std::vector<std::uint32_t>& words);

}  // namespace nfbridge::codec
