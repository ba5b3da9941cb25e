// Bridges (IFLA_BR_*) and their ports (IFLA_BRPORT_*): linux/if_link.h, net/bridge/br_netlink.c.
#include <linux/if_link.h>

#include "codec/schemas/fields.h"
#include "codec/schemas/schemas.h"

namespace nfbridge::codec {
namespace {

using enum Type;

// Newer than the headers of Linux 6.1.
constexpr std::uint16_t kIflaBrFdbNLearned = 48;            // 6.7
constexpr std::uint16_t kIflaBrFdbMaxLearned = 49;          // 6.7
constexpr std::uint16_t kIflaBrportMab = 40;                // 6.2
constexpr std::uint16_t kIflaBrportMcastNGroups = 41;       // 6.3
constexpr std::uint16_t kIflaBrportMcastMaxGroups = 42;     // 6.3
constexpr std::uint16_t kIflaBrportNeighVlanSuppress = 43;  // 6.4
constexpr std::uint16_t kIflaBrportBackupNhid = 44;         // 6.6

// Times are in hundredths of a second (USER_HZ).
constexpr Field kBridgeFields[] = {
    {"forwardDelay", IFLA_BR_FORWARD_DELAY, kU32},
    {"helloTime", IFLA_BR_HELLO_TIME, kU32},
    {"maxAge", IFLA_BR_MAX_AGE, kU32},
    {"ageingTime", IFLA_BR_AGEING_TIME, kU32},
    {"stpState", IFLA_BR_STP_STATE, kU32},
    {"priority", IFLA_BR_PRIORITY, kU16},
    {"vlanFiltering", IFLA_BR_VLAN_FILTERING, kU8},
    {"vlanProtocol", IFLA_BR_VLAN_PROTOCOL, kBe16},
    {"groupFwdMask", IFLA_BR_GROUP_FWD_MASK, kU16},
    {"rootId", IFLA_BR_ROOT_ID, kBytes},
    {"bridgeId", IFLA_BR_BRIDGE_ID, kBytes},
    {"rootPort", IFLA_BR_ROOT_PORT, kU16},
    {"rootPathCost", IFLA_BR_ROOT_PATH_COST, kU32},
    {"topologyChange", IFLA_BR_TOPOLOGY_CHANGE, kU8},
    {"topologyChangeDetected", IFLA_BR_TOPOLOGY_CHANGE_DETECTED, kU8},
    {"helloTimer", IFLA_BR_HELLO_TIMER, kU64},
    {"tcnTimer", IFLA_BR_TCN_TIMER, kU64},
    {"topologyChangeTimer", IFLA_BR_TOPOLOGY_CHANGE_TIMER, kU64},
    {"gcTimer", IFLA_BR_GC_TIMER, kU64},
    {"groupAddr", IFLA_BR_GROUP_ADDR, kBytes},
    {"fdbFlush", IFLA_BR_FDB_FLUSH, kU8},
    {"mcastRouter", IFLA_BR_MCAST_ROUTER, kU8},
    {"mcastSnooping", IFLA_BR_MCAST_SNOOPING, kU8},
    {"mcastQueryUseIfaddr", IFLA_BR_MCAST_QUERY_USE_IFADDR, kU8},
    {"mcastQuerier", IFLA_BR_MCAST_QUERIER, kU8},
    {"mcastHashElasticity", IFLA_BR_MCAST_HASH_ELASTICITY, kU32},
    {"mcastHashMax", IFLA_BR_MCAST_HASH_MAX, kU32},
    {"mcastLastMemberCnt", IFLA_BR_MCAST_LAST_MEMBER_CNT, kU32},
    {"mcastStartupQueryCnt", IFLA_BR_MCAST_STARTUP_QUERY_CNT, kU32},
    {"mcastLastMemberIntvl", IFLA_BR_MCAST_LAST_MEMBER_INTVL, kU64},
    {"mcastMembershipIntvl", IFLA_BR_MCAST_MEMBERSHIP_INTVL, kU64},
    {"mcastQuerierIntvl", IFLA_BR_MCAST_QUERIER_INTVL, kU64},
    {"mcastQueryIntvl", IFLA_BR_MCAST_QUERY_INTVL, kU64},
    {"mcastQueryResponseIntvl", IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, kU64},
    {"mcastStartupQueryIntvl", IFLA_BR_MCAST_STARTUP_QUERY_INTVL, kU64},
    {"nfCallIptables", IFLA_BR_NF_CALL_IPTABLES, kU8},
    {"nfCallIp6tables", IFLA_BR_NF_CALL_IP6TABLES, kU8},
    {"nfCallArptables", IFLA_BR_NF_CALL_ARPTABLES, kU8},
    {"vlanDefaultPvid", IFLA_BR_VLAN_DEFAULT_PVID, kU16},
    {"vlanStatsEnabled", IFLA_BR_VLAN_STATS_ENABLED, kU8},
    {"mcastStatsEnabled", IFLA_BR_MCAST_STATS_ENABLED, kU8},
    {"mcastIgmpVersion", IFLA_BR_MCAST_IGMP_VERSION, kU8},
    {"mcastMldVersion", IFLA_BR_MCAST_MLD_VERSION, kU8},
    {"vlanStatsPerPort", IFLA_BR_VLAN_STATS_PER_PORT, kU8},
    {"multiBoolopt", IFLA_BR_MULTI_BOOLOPT, kBytes},  // struct br_boolopt_multi
    {"mcastQuerierState", IFLA_BR_MCAST_QUERIER_STATE, kBytes},
    {"fdbNLearned", kIflaBrFdbNLearned, kU32},
    {"fdbMaxLearned", kIflaBrFdbMaxLearned, kU32},
};

constexpr Field kBridgePortFields[] = {
    {"state", IFLA_BRPORT_STATE, kU8},
    {"priority", IFLA_BRPORT_PRIORITY, kU16},
    {"cost", IFLA_BRPORT_COST, kU32},
    {"mode", IFLA_BRPORT_MODE, kU8},  // hairpin
    {"guard", IFLA_BRPORT_GUARD, kU8},
    {"protect", IFLA_BRPORT_PROTECT, kU8},
    {"fastLeave", IFLA_BRPORT_FAST_LEAVE, kU8},
    {"learning", IFLA_BRPORT_LEARNING, kU8},
    {"unicastFlood", IFLA_BRPORT_UNICAST_FLOOD, kU8},
    {"proxyarp", IFLA_BRPORT_PROXYARP, kU8},
    {"learningSync", IFLA_BRPORT_LEARNING_SYNC, kU8},
    {"proxyarpWifi", IFLA_BRPORT_PROXYARP_WIFI, kU8},
    {"rootId", IFLA_BRPORT_ROOT_ID, kBytes},
    {"bridgeId", IFLA_BRPORT_BRIDGE_ID, kBytes},
    {"designatedPort", IFLA_BRPORT_DESIGNATED_PORT, kU16},
    {"designatedCost", IFLA_BRPORT_DESIGNATED_COST, kU16},
    {"id", IFLA_BRPORT_ID, kU16},
    {"no", IFLA_BRPORT_NO, kU16},
    {"topologyChangeAck", IFLA_BRPORT_TOPOLOGY_CHANGE_ACK, kU8},
    {"configPending", IFLA_BRPORT_CONFIG_PENDING, kU8},
    {"messageAgeTimer", IFLA_BRPORT_MESSAGE_AGE_TIMER, kU64},
    {"forwardDelayTimer", IFLA_BRPORT_FORWARD_DELAY_TIMER, kU64},
    {"holdTimer", IFLA_BRPORT_HOLD_TIMER, kU64},
    {"flush", IFLA_BRPORT_FLUSH, kFlag},
    {"multicastRouter", IFLA_BRPORT_MULTICAST_ROUTER, kU8},
    {"mcastFlood", IFLA_BRPORT_MCAST_FLOOD, kU8},
    {"mcastToUcast", IFLA_BRPORT_MCAST_TO_UCAST, kU8},
    {"vlanTunnel", IFLA_BRPORT_VLAN_TUNNEL, kU8},
    {"bcastFlood", IFLA_BRPORT_BCAST_FLOOD, kU8},
    {"groupFwdMask", IFLA_BRPORT_GROUP_FWD_MASK, kU16},
    {"neighSuppress", IFLA_BRPORT_NEIGH_SUPPRESS, kU8},
    {"isolated", IFLA_BRPORT_ISOLATED, kU8},
    {"backupPort", IFLA_BRPORT_BACKUP_PORT, kU32},
    {"mrpRingOpen", IFLA_BRPORT_MRP_RING_OPEN, kU8},
    {"mrpInOpen", IFLA_BRPORT_MRP_IN_OPEN, kU8},
    {"mcastEhtHostsLimit", IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT, kU32},
    {"mcastEhtHostsCnt", IFLA_BRPORT_MCAST_EHT_HOSTS_CNT, kU32},
    {"locked", IFLA_BRPORT_LOCKED, kU8},
    {"mab", kIflaBrportMab, kU8},
    {"mcastNGroups", kIflaBrportMcastNGroups, kU32},
    {"mcastMaxGroups", kIflaBrportMcastMaxGroups, kU32},
    {"neighVlanSuppress", kIflaBrportNeighVlanSuppress, kU8},
    {"backupNhid", kIflaBrportBackupNhid, kU32},
};

}  // namespace

constinit const Schema kBridge{.name = "bridge", .fields = kBridgeFields};
constinit const Schema kBridgePort{.name = "bridgePort", .fields = kBridgePortFields};

}  // namespace nfbridge::codec
