// struct nfgenmsg: the fixed header of every nfnetlink message.
#pragma once

#include <linux/netfilter/nfnetlink.h>

#include <cstddef>

#include "codec/schema.h"

namespace nfbridge::codec {

inline constexpr HeaderField kNfgenmsg[] = {
    {"family", Type::kU8, offsetof(nfgenmsg, nfgen_family)},
    {"version", Type::kU8, offsetof(nfgenmsg, version)},
    {"resId", Type::kBe16, offsetof(nfgenmsg, res_id)},
};
inline constexpr std::uint16_t kNfgenmsgSize = sizeof(nfgenmsg);

}  // namespace nfbridge::codec
