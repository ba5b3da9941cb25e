#include "netlink/connections.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>

#include "netlink/dump.h"

namespace nfbridge::netlink {
namespace {

constexpr std::uint16_t kNewType = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
constexpr std::uint16_t kDeleteType = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;

// So many deletions share a send: each that is already gone answers with an error, and some 250 of them fill
// a default receive buffer.
constexpr std::size_t kDeletionsPerSend = 128;
// So many are remembered between a listing and their deletion, some 100 bytes each. Where there are more, it
// is listed again.
constexpr std::size_t kMostAtOnce = 128 * 1024;

std::uint16_t number16(const Attribute& attribute) {
  std::uint16_t value = 0;
  attribute.value(value);
  return to_be16(value);
}

std::uint32_t number32(const Attribute& attribute) {
  std::uint32_t value = 0;
  attribute.value(value);
  return to_be32(value);
}

void read_address(const Attribute& attribute, AddressBytes& address) {
  std::memcpy(address.data(), attribute.payload.data(), std::min(attribute.payload.size(), address.size()));
}

void read_addresses(Bytes attributes, TupleView& tuple) {
  AttributeReader reader(attributes);
  for (Attribute attribute; reader.next(attribute);) {
    switch (attribute.number()) {
      case CTA_IP_V4_SRC:
      case CTA_IP_V6_SRC:
        read_address(attribute, tuple.source);
        break;
      case CTA_IP_V4_DST:
      case CTA_IP_V6_DST:
        read_address(attribute, tuple.destination);
        break;
      default:
        break;
    }
  }
}

void read_protocol(Bytes attributes, TupleView& tuple) {
  AttributeReader reader(attributes);
  for (Attribute attribute; reader.next(attribute);) {
    switch (attribute.number()) {
      case CTA_PROTO_NUM:
        attribute.value(tuple.protocol);
        break;
      case CTA_PROTO_SRC_PORT:
        tuple.source_port = number16(attribute);
        break;
      case CTA_PROTO_DST_PORT:
        tuple.destination_port = number16(attribute);
        break;
      default:
        break;
    }
  }
}

TupleView read_tuple(Bytes attributes) {
  TupleView tuple;
  AttributeReader reader(attributes);
  for (Attribute attribute; reader.next(attribute);) {
    if (attribute.number() == CTA_TUPLE_IP) read_addresses(attribute.payload, tuple);
    if (attribute.number() == CTA_TUPLE_PROTO) read_protocol(attribute.payload, tuple);
  }
  return tuple;
}

// The deletions of what a listing finds.
class Deletions final : public Replies {
 public:
  explicit Deletions(const ConnectionPatterns& patterns) : patterns_(patterns) {}

  void reply(const MessageView& message, std::uint32_t) override {
    ConnectionView connection;
    if (!read_connection(message, connection) || !patterns_.mean(connection)) return;
    if (offsets_.size() == kMostAtOnce) {
      more_ = true;
      return;
    }
    Writer writer(bytes_);
    const std::size_t offset = writer.begin_message(kDeleteType, 0);
    writer.put_header(nfgenmsg{.nfgen_family = connection.family, .version = NFNETLINK_V0, .res_id = 0});
    writer.put(CTA_TUPLE_ORIG | NLA_F_NESTED, connection.original_attributes);
    if (connection.has_id) writer.put_value(CTA_ID, connection.id);
    if (connection.zone != 0) writer.put_value(CTA_ZONE, to_be16(connection.zone));
    writer.end_message(offset);
    offsets_.push_back(offset);
  }
  void restart() override {
    bytes_.clear();
    offsets_.clear();
    more_ = false;
  }

  // Whether there were more than are remembered.
  bool more() const { return more_; }

  // Sends them; adds to `gone` how many the kernel found.
  Failures send(Socket& socket, std::uint64_t& gone) {
    for (std::size_t start = 0; start < offsets_.size(); start += kDeletionsPerSend) {
      const std::size_t end = std::min(start + kDeletionsPerSend, offsets_.size());
      const std::size_t from = offsets_[start];
      const std::size_t to = end == offsets_.size() ? bytes_.size() : offsets_[end];
      Buffer part;
      part.append(bytes_.slice(from, to - from));
      std::vector<std::size_t> offsets;
      for (std::size_t index = start; index < end; index++) offsets.push_back(offsets_[index] - from);
      Nobody nobody;
      Failures failures = request(socket, {part, offsets}, nobody);
      const auto missing = std::erase_if(failures, [](const Failure& failure) {
        return failure.reason == Reason::kKernel && failure.error == ENOENT;
      });
      if (!failures.empty()) return failures;
      gone += end - start - missing;
    }
    return {};
  }

 private:
  struct Nobody final : Replies {
    void reply(const MessageView&, std::uint32_t) override {}
  };

  const ConnectionPatterns& patterns_;
  Buffer bytes_;
  std::vector<std::size_t> offsets_;
  bool more_ = false;
};

}  // namespace

bool read_connection(const MessageView& message, ConnectionView& connection) {
  nfgenmsg header{};
  if (message.header.nlmsg_type != kNewType || !load(message.payload, 0, header)) return false;
  connection.family = header.nfgen_family;
  bool original = false;
  bool reply = false;
  AttributeReader reader(message.payload.subspan(align(sizeof(header))));
  for (Attribute attribute; reader.next(attribute);) {
    switch (attribute.number()) {
      case CTA_TUPLE_ORIG:
        connection.original = read_tuple(attribute.payload);
        connection.original_attributes = attribute.payload;
        original = true;
        break;
      case CTA_TUPLE_REPLY:
        connection.reply = read_tuple(attribute.payload);
        reply = true;
        break;
      case CTA_TUPLE_MASTER:
        connection.master = read_tuple(attribute.payload);
        break;
      case CTA_STATUS:
        connection.status = number32(attribute);
        break;
      case CTA_MARK:
        connection.mark = number32(attribute);
        break;
      case CTA_ZONE:
        connection.zone = number16(attribute);
        break;
      case CTA_ID:
        connection.has_id = attribute.value(connection.id);
        break;
      default:
        break;
    }
  }
  return original && reply;
}

// Takes the words one by one; after the first that is missing, nothing is right any more.
class ConnectionPatterns::Reader {
 public:
  explicit Reader(std::span<const std::uint32_t> words) : words_(words) {}

  bool empty() const { return words_.empty(); }
  bool ok() const { return ok_; }
  std::uint32_t word() {
    if (words_.empty()) {
      ok_ = false;
      return 0;
    }
    const std::uint32_t word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }
  Address address() {
    Address address{.length = word()};
    for (std::size_t index = 0; index < address.bytes.size(); index += 4) {
      const std::uint32_t bytes = word();
      std::memcpy(address.bytes.data() + index, &bytes, sizeof(bytes));
    }
    ok_ = ok_ && (address.length == kWhatever || address.length <= 128);
    return address;
  }
  Ports ports() {
    const std::uint32_t first = word();
    return {.first = first, .last = word()};
  }
  Tuple tuple() {
    Tuple tuple;
    tuple.source = address();
    tuple.destination = address();
    tuple.source_ports = ports();
    tuple.destination_ports = ports();
    return tuple;
  }
  Pattern pattern() {
    Pattern pattern{};
    for (std::uint32_t* each : {&pattern.family, &pattern.protocol, &pattern.zone, &pattern.mark,
                                &pattern.mark_mask, &pattern.status, &pattern.status_mask, &pattern.flags}) {
      *each = word();
    }
    pattern.original = tuple();
    pattern.reply = tuple();
    pattern.master = tuple();
    return pattern;
  }

 private:
  std::span<const std::uint32_t> words_;
  bool ok_ = true;
};

std::optional<ConnectionPatterns> ConnectionPatterns::read(std::span<const std::uint32_t> words) {
  ConnectionPatterns patterns;
  Reader reader(words);
  while (!reader.empty()) {
    Group& group = patterns.groups_.emplace_back();
    const std::uint32_t any = reader.word();
    const std::uint32_t unless = reader.word();
    for (std::uint32_t index = 0; index < any && reader.ok(); index++) group.any.add(reader.pattern());
    for (std::uint32_t index = 0; index < unless && reader.ok(); index++) group.unless.add(reader.pattern());
    if (!reader.ok()) return std::nullopt;
  }
  return patterns;
}

bool ConnectionPatterns::mean(const ConnectionView& connection) const {
  return std::ranges::any_of(groups_, [&](const Group& group) {
    return group.any.means(connection) && !group.unless.means(connection);
  });
}

bool ConnectionPatterns::means(const Address& wanted, const AddressBytes& address) {
  if (wanted.length == kWhatever) return true;
  const std::size_t whole = wanted.length / 8;
  if (std::memcmp(wanted.bytes.data(), address.data(), whole) != 0) return false;
  const std::uint32_t rest = wanted.length % 8;
  return rest == 0 || ((wanted.bytes[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

bool ConnectionPatterns::means(const Ports& wanted, std::optional<std::uint16_t> port) {
  return wanted.first == kWhatever || (port && *port >= wanted.first && *port <= wanted.last);
}

bool ConnectionPatterns::means(const Tuple& wanted, const TupleView& tuple) {
  return means(wanted.source, tuple.source) && means(wanted.destination, tuple.destination) &&
         means(wanted.source_ports, tuple.source_port) &&
         means(wanted.destination_ports, tuple.destination_port);
}

bool ConnectionPatterns::means(const Pattern& wanted, const ConnectionView& connection) {
  const auto is = [](std::uint32_t one, std::uint32_t other) { return one == kWhatever || one == other; };
  return is(wanted.family, connection.family) && is(wanted.protocol, connection.original.protocol) &&
         is(wanted.zone, connection.zone) && ((wanted.mark ^ connection.mark) & wanted.mark_mask) == 0 &&
         ((wanted.status ^ connection.status) & wanted.status_mask) == 0 &&
         ((wanted.flags & kPortKept) == 0 ||
          connection.reply.source_port == connection.original.destination_port) &&
         means(wanted.original, connection.original) && means(wanted.reply, connection.reply) &&
         ((wanted.flags & kHasMaster) == 0 ||
          (connection.master && means(wanted.master, *connection.master)));
}

std::size_t ConnectionPatterns::Index::Hash::operator()(const Key& key) const {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, key.bytes.data(), sizeof(high));
  std::memcpy(&low, key.bytes.data() + sizeof(high), sizeof(low));
  return (high ^ (low * 0x9e3779b97f4a7c15u) ^ key.end) * 0x9e3779b97f4a7c15u >> 16;
}

void ConnectionPatterns::Index::add(Pattern pattern) {
  const std::uint32_t exact = pattern.family == NFPROTO_IPV4 ? 32 : 128;
  const Address* const ends[] = {&pattern.reply.source, &pattern.original.source,
                                 &pattern.original.destination, &pattern.reply.destination};
  std::uint32_t end = 0;
  while (end < std::size(ends) && ends[end]->length != exact) end++;
  auto& place = end < std::size(ends) ? exact_[{ends[end]->bytes, end}] : others_;
  place.push_back(patterns_.size());
  patterns_.push_back(pattern);
}

bool ConnectionPatterns::Index::means(const ConnectionView& connection) const {
  const auto any = [&](const std::vector<std::size_t>& places) {
    return std::ranges::any_of(
        places, [&](std::size_t place) { return ConnectionPatterns::means(patterns_[place], connection); });
  };
  const AddressBytes* const ends[] = {&connection.reply.source, &connection.original.source,
                                      &connection.original.destination, &connection.reply.destination};
  for (std::uint32_t end = 0; end < std::size(ends) && !exact_.empty(); end++) {
    const auto found = exact_.find({*ends[end], end});
    if (found != exact_.end() && any(found->second)) return true;
  }
  return any(others_);
}

Outcome<std::uint64_t> forget_connections(Socket& socket, const Requests& request,
                                          const ConnectionPatterns& patterns) {
  std::uint64_t gone = 0;
  for (;;) {
    Deletions deletions(patterns);
    const std::uint64_t before = gone;
    Failures failures = dump(socket, request, deletions);
    if (failures.empty()) failures = deletions.send(socket, gone);
    if (!failures.empty()) return failures;
    if (!deletions.more() || gone == before) return gone;
  }
}

}  // namespace nfbridge::netlink
