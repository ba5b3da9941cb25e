// The one locator: from the offset in an extended acknowledgement to the property that the kernel means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "codec/schema.h"

namespace nfbridge::codec {

// The path of the property at `offset` bytes from the start of the nlmsghdr, as NLMSGERR_ATTR_OFFS has it:
// `expressions[2].data.sreg`, `linkinfo.data.peer.ifname`, `multipath[1].gateway`. `encoded` is the message
// as it was sent, nlmsghdr included. Empty when the offset lies in no property.
std::string locate(const Message& message, std::span<const std::byte> encoded, std::uint32_t offset);

// The path of the property that is missing: NLMSGERR_ATTR_MISS_TYPE, and NLMSGERR_ATTR_MISS_NEST where the
// kernel sent it (the offset of the nest that lacks it; without it the message itself does). The nest's path
// when the tables do not know the attribute.
std::string locate_missing(const Message& message, std::span<const std::byte> encoded,
                           std::uint32_t attribute, std::optional<std::uint32_t> nest);

}  // namespace nfbridge::codec
