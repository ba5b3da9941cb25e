// Expressions that move, compare and look up values in registers: linux/netfilter/nf_tables.h. All numbers
// are big-endian.
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr std::uint16_t kNftaBitwiseSreg2 = 8;  // Linux 6.13

constexpr Field kImmediateFields[] = {
    {"dreg", NFTA_IMMEDIATE_DREG, kBe32},
    nested("data", NFTA_IMMEDIATE_DATA, kNftData),
};

constexpr Field kCmpFields[] = {
    {"sreg", NFTA_CMP_SREG, kBe32},
    {"op", NFTA_CMP_OP, kBe32},
    nested("data", NFTA_CMP_DATA, kNftData),
};

constexpr Field kRangeFields[] = {
    {"sreg", NFTA_RANGE_SREG, kBe32},
    {"op", NFTA_RANGE_OP, kBe32},
    nested("fromData", NFTA_RANGE_FROM_DATA, kNftData),
    nested("toData", NFTA_RANGE_TO_DATA, kNftData),
};

constexpr Field kBitwiseFields[] = {
    {"sreg", NFTA_BITWISE_SREG, kBe32},
    {"dreg", NFTA_BITWISE_DREG, kBe32},
    {"len", NFTA_BITWISE_LEN, kBe32},
    nested("mask", NFTA_BITWISE_MASK, kNftData),
    nested("xor", NFTA_BITWISE_XOR, kNftData),
    {"op", NFTA_BITWISE_OP, kBe32},
    nested("data", NFTA_BITWISE_DATA, kNftData),
    {"sreg2", kNftaBitwiseSreg2, kBe32},
};

constexpr Field kByteorderFields[] = {
    {"sreg", NFTA_BYTEORDER_SREG, kBe32}, {"dreg", NFTA_BYTEORDER_DREG, kBe32},
    {"op", NFTA_BYTEORDER_OP, kBe32},     {"len", NFTA_BYTEORDER_LEN, kBe32},
    {"size", NFTA_BYTEORDER_SIZE, kBe32},
};

constexpr Field kLookupFields[] = {
    {"set", NFTA_LOOKUP_SET, kString},   {"sreg", NFTA_LOOKUP_SREG, kBe32},
    {"dreg", NFTA_LOOKUP_DREG, kBe32},   {"setId", NFTA_LOOKUP_SET_ID, kBe32},
    {"flags", NFTA_LOOKUP_FLAGS, kBe32},
};

constexpr Field kDynsetFields[] = {
    {"setName", NFTA_DYNSET_SET_NAME, kString},
    {"setId", NFTA_DYNSET_SET_ID, kBe32},
    {"op", NFTA_DYNSET_OP, kBe32},
    {"sregKey", NFTA_DYNSET_SREG_KEY, kBe32},
    {"sregData", NFTA_DYNSET_SREG_DATA, kBe32},
    {"timeout", NFTA_DYNSET_TIMEOUT, kBe64},
    nested("expr", NFTA_DYNSET_EXPR, kNftExpression),
    {"flags", NFTA_DYNSET_FLAGS, kBe32},
    list("expressions", NFTA_DYNSET_EXPRESSIONS, NFTA_LIST_ELEM, kNftExpression),
};

constexpr Field kObjrefFields[] = {
    {"immType", NFTA_OBJREF_IMM_TYPE, kBe32}, {"immName", NFTA_OBJREF_IMM_NAME, kString},
    {"setSreg", NFTA_OBJREF_SET_SREG, kBe32}, {"setName", NFTA_OBJREF_SET_NAME, kString},
    {"setId", NFTA_OBJREF_SET_ID, kBe32},
};

constexpr Field kNumgenFields[] = {
    {"dreg", NFTA_NG_DREG, kBe32},          {"modulus", NFTA_NG_MODULUS, kBe32},
    {"type", NFTA_NG_TYPE, kBe32},          {"offset", NFTA_NG_OFFSET, kBe32},
    {"setName", NFTA_NG_SET_NAME, kString}, {"setId", NFTA_NG_SET_ID, kBe32},
};

constexpr Field kHashFields[] = {
    {"sreg", NFTA_HASH_SREG, kBe32},    {"dreg", NFTA_HASH_DREG, kBe32},
    {"len", NFTA_HASH_LEN, kBe32},      {"modulus", NFTA_HASH_MODULUS, kBe32},
    {"seed", NFTA_HASH_SEED, kBe32},    {"offset", NFTA_HASH_OFFSET, kBe32},
    {"type", NFTA_HASH_TYPE, kBe32},    {"setName", NFTA_HASH_SET_NAME, kString},
    {"setId", NFTA_HASH_SET_ID, kBe32},
};

}  // namespace

constinit const Schema kExprImmediate{.name = "exprImmediate", .fields = kImmediateFields};
constinit const Schema kExprCmp{.name = "exprCmp", .fields = kCmpFields};
constinit const Schema kExprRange{.name = "exprRange", .fields = kRangeFields};
constinit const Schema kExprBitwise{.name = "exprBitwise", .fields = kBitwiseFields};
constinit const Schema kExprByteorder{.name = "exprByteorder", .fields = kByteorderFields};
constinit const Schema kExprLookup{.name = "exprLookup", .fields = kLookupFields};
constinit const Schema kExprDynset{.name = "exprDynset", .fields = kDynsetFields};
constinit const Schema kExprObjref{.name = "exprObjref", .fields = kObjrefFields};
constinit const Schema kExprNumgen{.name = "exprNumgen", .fields = kNumgenFields};
constinit const Schema kExprHash{.name = "exprHash", .fields = kHashFields};

}  // namespace nfbridge::codec
