#include "codec/schema_list.h"

#include <algorithm>
#include <vector>

#include "codec/lookup.h"

namespace nfbridge::codec {
namespace {

std::vector<const Schema*> collect() {
  std::vector<const Schema*> found;
  const auto add = [&found](const Schema* schema) {
    if (schema != nullptr && std::ranges::find(found, schema) == found.end()) found.push_back(schema);
  };
  for (const Message& message : messages()) add(message.schema);
  for (std::size_t index = 0; index < found.size(); ++index) {
    for (const Field& field : found[index]->fields) {
      add(field.nested);
      for (const Variant& variant : field.variants) add(variant.schema);
    }
  }
  return found;
}

}  // namespace

std::span<const Schema* const> schemas() {
  // Built once, never changed: worker threads may read it at the same time.
  static const std::vector<const Schema*> list = collect();
  return list;
}

int schema_index(const Schema* schema) {
  const std::span<const Schema* const> list = schemas();
  const auto found = std::ranges::find(list, schema);
  return found == list.end() ? -1 : static_cast<int>(found - list.begin());
}

int key_index(const Schema& schema, const Field& field) {
  const int index = find_key(schema, field);
  return index < 0 ? -1 : static_cast<int>(schema.header.size()) + index;
}

}  // namespace nfbridge::codec
