// Addresses of links: struct ifaddrmsg and IFA_* (linux/if_addr.h).
#include <linux/if_addr.h>

#include <cstddef>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr HeaderField kIfaddrmsg[] = {
    {"family", kU8, offsetof(ifaddrmsg, ifa_family)}, {"prefixlen", kU8, offsetof(ifaddrmsg, ifa_prefixlen)},
    {"flags", kU8, offsetof(ifaddrmsg, ifa_flags)},   {"scope", kU8, offsetof(ifaddrmsg, ifa_scope)},
    {"index", kU32, offsetof(ifaddrmsg, ifa_index)},
};

constexpr Field kFields[] = {
    {"address", IFA_ADDRESS, kBytes},
    {"local", IFA_LOCAL, kBytes},
    {"label", IFA_LABEL, kString},
    {"broadcast", IFA_BROADCAST, kBytes},
    {"anycast", IFA_ANYCAST, kBytes},
    {"cacheinfo", IFA_CACHEINFO, kBytes},  // struct ifa_cacheinfo
    {"multicast", IFA_MULTICAST, kBytes},
    {"ifaFlags", IFA_FLAGS, kU32},  // replaces the header's flags, which have eight bits
    {"rtPriority", IFA_RT_PRIORITY, kU32},
    {"targetNetnsid", IFA_TARGET_NETNSID, kS32},
    {"proto", IFA_PROTO, kU8},
};

}  // namespace

constinit const Schema kAddress{
    .name = "address", .header_size = sizeof(ifaddrmsg), .header = kIfaddrmsg, .fields = kFields};

}  // namespace nfbridge::codec
