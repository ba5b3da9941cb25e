// Failures as JavaScript sees them: an array of the objects that src/native/addon.ts calls Failure.
#pragma once

#include <node_api.h>

#include "netlink/failure.h"

namespace nfbridge::node {

// Null, with an exception pending, when the array cannot be made.
napi_value failures_value(napi_env env, const netlink::Failures& failures);

}  // namespace nfbridge::node
