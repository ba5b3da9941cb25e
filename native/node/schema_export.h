// The schema tables as JavaScript objects: `schemas` and `messages` of src/native/addon.ts.
#pragma once

#include <node_api.h>

namespace nfbridge::node {

// False with an exception pending.
bool export_schemas(napi_env env, napi_value exports);

}  // namespace nfbridge::node
