// Prepared messages: one that was encoded before, stamped out once for each row of values (records.h,
// stampBody).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/encode.h"
#include "codec/words.h"

namespace nfbridge::codec {

// Appends the messages of a stamp to `out` and describes them in `messages`. A body that does not follow
// records.h, a site outside of the template or of the row, a template that is no message of the type, and
// more than kMaxStampedBytes are refused with a sentence; the caller then puts `out` and `messages` back.
std::optional<std::string> stamp(Words body, std::uint16_t flags, netlink::Buffer& out,
                                 std::vector<EncodedMessage>& messages);

// Far over what a socket sends at once.
inline constexpr std::size_t kMaxStampedBytes = 512 * 1024 * 1024;

}  // namespace nfbridge::codec
