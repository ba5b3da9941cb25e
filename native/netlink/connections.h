// Tracked connections that are forgotten where they are listed: none of them becomes a JavaScript object,
// however many there are.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "netlink/exchange.h"

namespace nfbridge::netlink {

// An address of either family; IPv4 in the first four bytes.
using AddressBytes = std::array<std::uint8_t, 16>;

// One direction of a connection.
struct TupleView {
  AddressBytes source{};
  AddressBytes destination{};
  std::optional<std::uint16_t> source_port;
  std::optional<std::uint16_t> destination_port;
  std::uint8_t protocol = 0;
};

// A connection of a listing, and what names it in a deletion.
struct ConnectionView {
  std::uint8_t family = 0;  // NFPROTO_*
  TupleView original;
  TupleView reply;
  std::optional<TupleView> master;
  std::uint32_t status = 0;
  std::uint32_t mark = 0;
  std::uint32_t id = 0;  // as it came
  std::uint16_t zone = 0;
  bool has_id = false;
  Bytes original_attributes;
};

// False for a message that is no connection.
bool read_connection(const MessageView& message, ConnectionView& connection);

// Which connections are meant, as `src/conntrack/pattern.ts` writes it:
//   patterns := ( [any] [unless] pattern* )*      a group means what one of `any` means and none of `unless`
//   pattern  := [family] [protocol] [zone] [mark] [markMask] [status] [statusMask] [flags] original reply
//   master tuple    := source destination [first source port] [last] [first destination port] [last] source,
//   destination := [prefix length] [4 words of bytes]
// kWhatever in the place of family, protocol, zone, a prefix length or a first port: it is not looked at.
// `flags`: kPortKept, that the answers come from the port that was asked for; kHasMaster, that the third
// tuple is looked at.
class ConnectionPatterns {
 public:
  static constexpr std::uint32_t kWhatever = 0xffffffffu;
  static constexpr std::uint32_t kPortKept = 1;
  static constexpr std::uint32_t kHasMaster = 2;

  // Nothing when the words do not add up.
  static std::optional<ConnectionPatterns> read(std::span<const std::uint32_t> words);

  bool mean(const ConnectionView& connection) const;

 private:
  struct Address {
    std::uint32_t length = kWhatever;
    AddressBytes bytes{};
  };
  struct Ports {
    std::uint32_t first = kWhatever;
    std::uint32_t last = 0;
  };
  struct Tuple {
    Address source, destination;
    Ports source_ports, destination_ports;
  };
  struct Pattern {
    std::uint32_t family, protocol, zone, mark, mark_mask, status, status_mask, flags;
    Tuple original, reply, master;
  };
  // Patterns by an address that they name exactly, of whatever end: a network with a thousand containers has
  // a thousand.
  class Index {
   public:
    void add(Pattern pattern);
    bool means(const ConnectionView& connection) const;

   private:
    struct Key {
      AddressBytes bytes;
      std::uint32_t end;
      bool operator==(const Key&) const = default;
    };
    struct Hash {
      std::size_t operator()(const Key& key) const;
    };
    std::vector<Pattern> patterns_;
    std::vector<std::size_t> others_;
    std::unordered_map<Key, std::vector<std::size_t>, Hash> exact_;
  };
  struct Group {
    Index any, unless;
  };
  class Reader;

  static bool means(const Address& wanted, const AddressBytes& address);
  static bool means(const Ports& wanted, std::optional<std::uint16_t> port);
  static bool means(const Tuple& wanted, const TupleView& tuple);
  static bool means(const Pattern& wanted, const ConnectionView& connection);

  std::vector<Group> groups_;
};

// Lists with `request`, a dump of connections, and forgets what the patterns mean, each by its own tuple and
// id: one that begins meanwhile with the same ports stays. Returns how many there were.
Outcome<std::uint64_t> forget_connections(Socket& socket, const Requests& request,
                                          const ConnectionPatterns& patterns);

}  // namespace nfbridge::netlink
