// Expressions with a state of their own, and log: linux/netfilter/nf_tables.h. Sets, elements and objects
// hold them, too.
#include <linux/netfilter/nf_tables.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

constexpr Field kLimitFields[] = {
    {"rate", NFTA_LIMIT_RATE, kBe64}, {"unit", NFTA_LIMIT_UNIT, kBe64},   {"burst", NFTA_LIMIT_BURST, kBe32},
    {"type", NFTA_LIMIT_TYPE, kBe32}, {"flags", NFTA_LIMIT_FLAGS, kBe32},
};

constexpr Field kConnlimitFields[] = {
    {"count", NFTA_CONNLIMIT_COUNT, kBe32},
    {"flags", NFTA_CONNLIMIT_FLAGS, kBe32},
};

constexpr Field kCounterFields[] = {
    {"bytes", NFTA_COUNTER_BYTES, kBe64},
    {"packets", NFTA_COUNTER_PACKETS, kBe64},
};

constexpr Field kQuotaFields[] = {
    {"bytes", NFTA_QUOTA_BYTES, kBe64},
    {"flags", NFTA_QUOTA_FLAGS, kBe32},
    {"consumed", NFTA_QUOTA_CONSUMED, kBe64},
};

constexpr Field kLastFields[] = {
    {"set", NFTA_LAST_SET, kBe32},
    {"msecs", NFTA_LAST_MSECS, kBe64},
};

constexpr Field kLogFields[] = {
    {"group", NFTA_LOG_GROUP, kBe16},     {"prefix", NFTA_LOG_PREFIX, kString},
    {"snaplen", NFTA_LOG_SNAPLEN, kBe32}, {"qthreshold", NFTA_LOG_QTHRESHOLD, kBe16},
    {"level", NFTA_LOG_LEVEL, kBe32},     {"flags", NFTA_LOG_FLAGS, kBe32},
};

}  // namespace

constinit const Schema kExprLimit{.name = "exprLimit", .fields = kLimitFields};
constinit const Schema kExprConnlimit{.name = "exprConnlimit", .fields = kConnlimitFields};
constinit const Schema kExprCounter{.name = "exprCounter", .fields = kCounterFields};
constinit const Schema kExprQuota{.name = "exprQuota", .fields = kQuotaFields};
constinit const Schema kExprLast{.name = "exprLast", .fields = kLastFields};
constinit const Schema kExprLog{.name = "exprLog", .fields = kLogFields};

}  // namespace nfbridge::codec
