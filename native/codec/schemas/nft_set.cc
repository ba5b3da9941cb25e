// Sets and maps (NFTA_SET_*) and their elements (NFTA_SET_ELEM_*).
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/nfgenmsg.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

// Newer than the headers of Linux 6.1.
constexpr std::uint16_t kNftaSetType = 19;   // 6.16
constexpr std::uint16_t kNftaSetCount = 20;  // 6.16

constexpr Field kSetFieldFields[] = {{"len", NFTA_SET_FIELD_LEN, kBe32}};
constinit const Schema kSetField{.name = "nftSetField", .fields = kSetFieldFields};

constexpr Field kDescFields[] = {
    {"size", NFTA_SET_DESC_SIZE, kBe32},
    list("concat", NFTA_SET_DESC_CONCAT, NFTA_LIST_ELEM, kSetField),
};
constinit const Schema kDesc{.name = "nftSetDesc", .fields = kDescFields};

constexpr Field kSetFields[] = {
    {"table", NFTA_SET_TABLE, kString},
    {"name", NFTA_SET_NAME, kString},
    {"flags", NFTA_SET_FLAGS, kBe32},
    {"keyType", NFTA_SET_KEY_TYPE, kBe32},
    {"keyLen", NFTA_SET_KEY_LEN, kBe32},
    {"dataType", NFTA_SET_DATA_TYPE, kBe32},
    {"dataLen", NFTA_SET_DATA_LEN, kBe32},
    {"policy", NFTA_SET_POLICY, kBe32},
    nested("desc", NFTA_SET_DESC, kDesc),
    {"id", NFTA_SET_ID, kBe32},
    {"timeout", NFTA_SET_TIMEOUT, kBe64},
    {"gcInterval", NFTA_SET_GC_INTERVAL, kBe32},
    {"userdata", NFTA_SET_USERDATA, kBytes},
    {"objType", NFTA_SET_OBJ_TYPE, kBe32},
    {"handle", NFTA_SET_HANDLE, kBe64},
    nested("expr", NFTA_SET_EXPR, kNftExpression),
    list("expressions", NFTA_SET_EXPRESSIONS, NFTA_LIST_ELEM, kNftExpression),
    {"type", kNftaSetType, kString},
    {"count", kNftaSetCount, kBe32},
};

// Times are in milliseconds.
constexpr Field kElementFields[] = {
    nested("key", NFTA_SET_ELEM_KEY, kNftData),
    nested("data", NFTA_SET_ELEM_DATA, kNftData),
    {"flags", NFTA_SET_ELEM_FLAGS, kBe32},
    {"timeout", NFTA_SET_ELEM_TIMEOUT, kBe64},
    {"expiration", NFTA_SET_ELEM_EXPIRATION, kBe64},
    {"userdata", NFTA_SET_ELEM_USERDATA, kBytes},
    nested("expr", NFTA_SET_ELEM_EXPR, kNftExpression),
    {"objref", NFTA_SET_ELEM_OBJREF, kString},
    nested("keyEnd", NFTA_SET_ELEM_KEY_END, kNftData),
    list("expressions", NFTA_SET_ELEM_EXPRESSIONS, NFTA_LIST_ELEM, kNftExpression),
};

constexpr Field kElementListFields[] = {
    {"table", NFTA_SET_ELEM_LIST_TABLE, kString},
    {"set", NFTA_SET_ELEM_LIST_SET, kString},
    list("elements", NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_LIST_ELEM, kNftElement),
    {"setId", NFTA_SET_ELEM_LIST_SET_ID, kBe32},
};

}  // namespace

constinit const Schema kNftSet{
    .name = "nftSet", .header_size = kNfgenmsgSize, .header = kNfgenmsg, .fields = kSetFields};
constinit const Schema kNftElement{.name = "nftElement", .fields = kElementFields};
constinit const Schema kNftElementList{.name = "nftElementList",
                                       .header_size = kNfgenmsgSize,
                                       .header = kNfgenmsg,
                                       .fields = kElementListFields};

}  // namespace nfbridge::codec
