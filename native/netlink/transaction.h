// nf_tables batches: whole or not at all.
#pragma once

#include <cstdint>
#include <optional>

#include "netlink/exchange.h"

namespace nfbridge::netlink {

// How a batch goes.
struct BatchOptions {
  // The kernel refuses (ERESTART, index -1) when its ruleset is of another generation by now.
  std::optional<std::uint32_t> generation = {};
  // The kernel does and validates all of it, then undoes it: it gets no NFNL_MSG_BATCH_END.
  bool dry_run = false;
};

// Sends the messages between NFNL_MSG_BATCH_BEGIN and NFNL_MSG_BATCH_END, in one send. Any failure means that
// nothing was done, except `overflow`, where it is not known. Messages with NLM_F_ECHO come back through
// `replies`.
Failures transaction(Socket& socket, const Requests& requests, const BatchOptions& options, Replies& replies);

}  // namespace nfbridge::netlink
