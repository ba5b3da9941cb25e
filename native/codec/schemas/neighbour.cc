// Neighbours and bridge forwarding entries: struct ndmsg and NDA_* (linux/neighbour.h).
#include <linux/neighbour.h>

#include <cstddef>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr HeaderField kNdmsg[] = {
    {"family", kU8, offsetof(ndmsg, ndm_family)}, {"ifindex", kS32, offsetof(ndmsg, ndm_ifindex)},
    {"state", kU16, offsetof(ndmsg, ndm_state)},  {"flags", kU8, offsetof(ndmsg, ndm_flags)},
    {"type", kU8, offsetof(ndmsg, ndm_type)},
};

constexpr Field kFdbExtFields[] = {
    {"activityNotify", NFEA_ACTIVITY_NOTIFY, kU8},
    {"dontRefresh", NFEA_DONT_REFRESH, kFlag},
};
constinit const Schema kFdbExt{.name = "neighbourFdbExt", .fields = kFdbExtFields};

constexpr Field kFields[] = {
    {"dst", NDA_DST, kBytes},
    {"lladdr", NDA_LLADDR, kBytes},
    {"cacheinfo", NDA_CACHEINFO, kBytes},  // struct nda_cacheinfo
    {"probes", NDA_PROBES, kU32},
    {"vlan", NDA_VLAN, kU16},
    {"port", NDA_PORT, kBe16},
    {"vni", NDA_VNI, kU32},
    {"ndaIfindex", NDA_IFINDEX, kU32},
    {"master", NDA_MASTER, kU32},
    {"linkNetnsid", NDA_LINK_NETNSID, kS32},
    {"srcVni", NDA_SRC_VNI, kU32},
    {"protocol", NDA_PROTOCOL, kU8},
    {"nhId", NDA_NH_ID, kU32},
    nested("fdbExtAttrs", NDA_FDB_EXT_ATTRS, kFdbExt),
    {"flagsExt", NDA_FLAGS_EXT, kU32},
    {"ndmStateMask", NDA_NDM_STATE_MASK, kU16},
    {"ndmFlagsMask", NDA_NDM_FLAGS_MASK, kU8},
};

}  // namespace

constinit const Schema kNeighbour{
    .name = "neighbour", .header_size = sizeof(ndmsg), .header = kNdmsg, .fields = kFields};

}  // namespace nfbridge::codec
