// Every schema that a message reaches, in an order that stays the same: the numbers under which the addon
// hands the tables to TypeScript.
#pragma once

#include <span>

#include "codec/schema.h"

namespace nfbridge::codec {

// The schemas, breadth first from messages().
std::span<const Schema* const> schemas();

// The index of a schema in schemas(); -1 for none of them.
int schema_index(const Schema* schema);

// The index of the field that selects (`field.key`) among header fields and attributes, as records count
// them; -1 when the field is no kSelect.
int key_index(const Schema& schema, const Field& field);

}  // namespace nfbridge::codec
