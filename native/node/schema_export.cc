#include "node/schema_export.h"

#include <span>

#include "codec/schema.h"
#include "codec/schema_list.h"
#include "node/values.h"

namespace nfbridge::node {
namespace {

using codec::Type;

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kU8:
      return "u8";
    case Type::kU16:
      return "u16";
    case Type::kU32:
      return "u32";
    case Type::kS32:
      return "s32";
    case Type::kU64:
      return "u64";
    case Type::kBe16:
      return "be16";
    case Type::kBe32:
      return "be32";
    case Type::kBeS32:
      return "beS32";
    case Type::kBe64:
      return "be64";
    case Type::kString:
      return "string";
    case Type::kFlag:
      return "flag";
    case Type::kBytes:
      return "bytes";
    case Type::kNested:
      return "nested";
    case Type::kList:
      return "list";
    case Type::kStrings:
      return "strings";
    case Type::kStructs:
      return "structs";
    case Type::kSelect:
      return "select";
  }
  return "bytes";
}

napi_value object(napi_env env) {
  napi_value value = nullptr;
  return check(env, napi_create_object(env, &value)) ? value : nullptr;
}

napi_value array(napi_env env) {
  napi_value value = nullptr;
  return check(env, napi_create_array(env, &value)) ? value : nullptr;
}

bool append(napi_env env, napi_value list, std::uint32_t& length, napi_value element) {
  return element != nullptr && check(env, napi_set_element(env, list, length++, element));
}

// A field with its name and type.
napi_value named_field(napi_env env, std::string_view name, Type type) {
  napi_value table = object(env);
  if (table == nullptr || !set_property(env, table, "name", string_value(env, name)) ||
      !set_property(env, table, "type", string_value(env, type_name(type)))) {
    return nullptr;
  }
  return table;
}

bool set_schema(napi_env env, napi_value table, const codec::Schema* schema) {
  return set_property(env, table, "schema", number_value(env, codec::schema_index(schema)));
}

napi_value variants_table(napi_env env, const codec::Field& field, bool by_name) {
  napi_value list = array(env);
  if (list == nullptr) return nullptr;
  std::uint32_t length = 0;
  for (const codec::Variant& variant : field.variants) {
    napi_value table = object(env);
    napi_value key = by_name ? string_value(env, variant.name) : number_value(env, variant.number);
    if (table == nullptr || !set_property(env, table, "key", key) ||
        !set_schema(env, table, variant.schema) || !append(env, list, length, table)) {
      return nullptr;
    }
  }
  return list;
}

napi_value field_table(napi_env env, const codec::Schema& schema, const codec::Field& field) {
  napi_value table = named_field(env, field.name, field.type);
  if (table == nullptr) return nullptr;
  if (field.nested != nullptr && !set_schema(env, table, field.nested)) return nullptr;
  if (field.type != Type::kSelect) return table;
  const int key = codec::key_index(schema, field);
  bool by_name = false;
  for (const codec::Field& other : schema.fields) {
    if (other.name == field.key) by_name = other.type == Type::kString;
  }
  if (!set_property(env, table, "key", number_value(env, key)) ||
      !set_property(env, table, "variants", variants_table(env, field, by_name))) {
    return nullptr;
  }
  return table;
}

napi_value schema_table(napi_env env, const codec::Schema& schema) {
  napi_value table = object(env);
  napi_value fields = array(env);
  if (table == nullptr || fields == nullptr) return nullptr;
  std::uint32_t length = 0;
  for (const codec::HeaderField& field : schema.header) {
    if (!append(env, fields, length, named_field(env, field.name, field.type))) return nullptr;
  }
  for (const codec::Field& field : schema.fields) {
    if (!append(env, fields, length, field_table(env, schema, field))) return nullptr;
  }
  const bool complete = set_property(env, table, "name", string_value(env, schema.name)) &&
                        set_property(env, table, "fields", fields);
  return complete ? table : nullptr;
}

napi_value message_table(napi_env env, const codec::Message& message) {
  napi_value table = object(env);
  const char* protocol = message.protocol == codec::Protocol::kRoute ? "route" : "netfilter";
  const bool complete = table != nullptr &&
                        set_property(env, table, "name", string_value(env, message.name)) &&
                        set_property(env, table, "protocol", string_value(env, protocol)) &&
                        set_property(env, table, "type", number_value(env, message.type)) &&
                        set_schema(env, table, message.schema);
  return complete ? table : nullptr;
}

}  // namespace

bool export_schemas(napi_env env, napi_value exports) {
  napi_value schemas = array(env);
  napi_value messages = array(env);
  if (schemas == nullptr || messages == nullptr) return false;
  std::uint32_t length = 0;
  for (const codec::Schema* schema : codec::schemas()) {
    if (!append(env, schemas, length, schema_table(env, *schema))) return false;
  }
  length = 0;
  for (const codec::Message& message : codec::messages()) {
    if (!append(env, messages, length, message_table(env, message))) return false;
  }
  return set_property(env, exports, "schemas", schemas) && set_property(env, exports, "messages", messages);
}

}  // namespace nfbridge::node
