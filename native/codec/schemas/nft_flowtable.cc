// Flow tables: NFTA_FLOWTABLE_*.
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/nfgenmsg.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr Field kHookFields[] = {
    {"num", NFTA_FLOWTABLE_HOOK_NUM, kBe32},
    {"priority", NFTA_FLOWTABLE_HOOK_PRIORITY, kBeS32},
    strings("devs", NFTA_FLOWTABLE_HOOK_DEVS, NFTA_DEVICE_NAME),
};
constinit const Schema kHook{.name = "nftFlowtableHook", .fields = kHookFields};

constexpr Field kFields[] = {
    {"table", NFTA_FLOWTABLE_TABLE, kString},   {"name", NFTA_FLOWTABLE_NAME, kString},
    nested("hook", NFTA_FLOWTABLE_HOOK, kHook), {"use", NFTA_FLOWTABLE_USE, kBe32},
    {"handle", NFTA_FLOWTABLE_HANDLE, kBe64},   {"flags", NFTA_FLOWTABLE_FLAGS, kBe32},
};

}  // namespace

constinit const Schema kNftFlowtable{
    .name = "nftFlowtable", .header_size = kNfgenmsgSize, .header = kNfgenmsg, .fields = kFields};

}  // namespace nfbridge::codec
