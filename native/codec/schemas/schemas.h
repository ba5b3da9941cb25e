// The tables of this folder, each in the file of its name.
#pragma once

#include "codec/schema.h"

namespace nfbridge::codec {

// rtnetlink: link.cc, bridge.cc, address.cc, route.cc, routing_rule.cc, neighbour.cc, traffic_control.cc
extern const Schema kLink;
extern const Schema kBridge;
extern const Schema kBridgePort;
extern const Schema kAddress;
extern const Schema kRoute;
extern const Schema kRoutingRule;
extern const Schema kNeighbour;
extern const Schema kQdisc;
extern const Schema kFilter;

// nf_tables: nft_table.cc, nft_chain.cc, nft_rule.cc, nft_set.cc, nft_object.cc, nft_flowtable.cc,
// nft_generation.cc, nft_trace.cc
extern const Schema kNftTable;
extern const Schema kNftChain;
extern const Schema kNftRule;
extern const Schema kNftSet;
extern const Schema kNftElement;
extern const Schema kNftElementList;
extern const Schema kNftObject;
extern const Schema kNftFlowtable;
extern const Schema kNftGeneration;
extern const Schema kNftTrace;

// nf_tables, what rules, sets and objects are made of: nft_data.cc, nft_expression.cc
extern const Schema kNftData;
extern const Schema kNftVerdict;
extern const Schema kNftExpression;

// The data of each expression: nft_expressions_*.cc
extern const Schema kExprImmediate;
extern const Schema kExprCmp;
extern const Schema kExprRange;
extern const Schema kExprBitwise;
extern const Schema kExprByteorder;
extern const Schema kExprLookup;
extern const Schema kExprDynset;
extern const Schema kExprObjref;
extern const Schema kExprNumgen;
extern const Schema kExprHash;

extern const Schema kExprPayload;
extern const Schema kExprExthdr;
extern const Schema kExprMeta;
extern const Schema kExprCt;
extern const Schema kExprFib;
extern const Schema kExprRt;
extern const Schema kExprSocket;
extern const Schema kExprOsf;
extern const Schema kExprTunnel;
extern const Schema kExprXfrm;
extern const Schema kExprInner;
extern const Schema kExprMatch;

extern const Schema kExprLimit;
extern const Schema kExprConnlimit;
extern const Schema kExprCounter;
extern const Schema kExprQuota;
extern const Schema kExprLast;
extern const Schema kExprLog;

extern const Schema kExprReject;
extern const Schema kExprNat;
extern const Schema kExprMasq;
extern const Schema kExprRedir;
extern const Schema kExprTproxy;
extern const Schema kExprQueue;
extern const Schema kExprNotrack;
extern const Schema kExprSynproxy;
extern const Schema kExprDup;
extern const Schema kExprFwd;
extern const Schema kExprFlowOffload;
extern const Schema kExprTarget;

// nf_conntrack: conntrack.cc
extern const Schema kCtEntry;

}  // namespace nfbridge::codec
