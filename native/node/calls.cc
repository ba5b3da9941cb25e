#include "node/calls.h"

#include <linux/netlink.h>

#include <string>

#include "codec/decode.h"
#include "codec/encode.h"
#include "codec/locate.h"
#include "netlink/connections.h"
#include "netlink/dump.h"
#include "netlink/exchange.h"
#include "netlink/transaction.h"

namespace nfbridge::node {
namespace {

using netlink::Failure;
using netlink::Failures;
using netlink::Outcome;

// Records that came down, encoded.
struct Batch {
  netlink::Buffer bytes;
  std::vector<codec::EncodedMessage> messages;
  std::vector<std::size_t> offsets;

  netlink::Requests requests() { return {bytes, offsets}; }
};

Outcome<Batch> encode_batch(WordSpan words) {
  Batch batch;
  if (auto error = codec::encode(words, batch.bytes, batch.messages)) {
    Failure failure = netlink::malformed("encode", std::move(error->message), error->index);
    failure.path = std::move(error->path);
    return failure;
  }
  batch.offsets.reserve(batch.messages.size());
  for (const codec::EncodedMessage& message : batch.messages) batch.offsets.push_back(message.offset);
  return batch;
}

// A batch for this socket: each message speaks its protocol.
Outcome<Batch> encode_for(const netlink::Socket& socket, WordSpan words) {
  Outcome<Batch> batch = encode_batch(words);
  if (!batch.ok()) return batch;
  int index = 0;
  for (const codec::EncodedMessage& message : batch.value().messages) {
    if (netlink_protocol(message.message->protocol) != socket.protocol()) {
      return netlink::malformed(
          "encode", std::string(message.message->name) + " is for a socket of the other protocol", index);
    }
    index++;
  }
  return batch;
}

// Turns the kernel's offsets into paths.
Failures locate_failures(Failures failures, const Batch& batch) {
  for (Failure& failure : failures) {
    if (failure.index < 0 || static_cast<std::size_t>(failure.index) >= batch.messages.size()) continue;
    const codec::EncodedMessage& message = batch.messages[static_cast<std::size_t>(failure.index)];
    const netlink::Bytes encoded = batch.bytes.slice(message.offset, message.length);
    if (failure.missing) {
      failure.path = codec::locate_missing(*message.message, encoded, *failure.missing, failure.missing_nest);
      if (failure.message.empty())
        failure.message = "attribute " + std::to_string(*failure.missing) + " is missing";
    } else if (failure.offset) {
      failure.path = codec::locate(*message.message, encoded, *failure.offset);
    }
  }
  return failures;
}

// Decodes replies as they come.
class Records final : public netlink::Replies {
 public:
  explicit Records(codec::Protocol protocol) : protocol_(protocol) {}

  void reply(const netlink::MessageView& message, std::uint32_t index) override {
    codec::decode(protocol_, message.bytes, index, words_);
  }
  void restart() override { words_.clear(); }

  Outcome<Words> result(Failures failures, const Batch& batch) {
    if (!failures.empty()) return locate_failures(std::move(failures), batch);
    // Long replies are handed to JavaScript as they are and may live long: without the room to grow.
    constexpr std::size_t kLong = 16 * 1024;
    if (words_.size() > kLong) words_.shrink_to_fit();
    return std::move(words_);
  }

 private:
  codec::Protocol protocol_;
  Words words_;
};

codec::Protocol protocol_of(const netlink::Socket& socket) {
  return socket.protocol() == NETLINK_ROUTE ? codec::Protocol::kRoute : codec::Protocol::kNetfilter;
}

}  // namespace

int netlink_protocol(codec::Protocol protocol) {
  return protocol == codec::Protocol::kRoute ? NETLINK_ROUTE : NETLINK_NETFILTER;
}

Outcome<Words> request(netlink::Socket& socket, WordSpan words) {
  Outcome<Batch> batch = encode_for(socket, words);
  if (!batch.ok()) return std::move(batch.failures());
  Records records(protocol_of(socket));
  Failures failures = netlink::request(socket, batch.value().requests(), records);
  return records.result(std::move(failures), batch.value());
}

Outcome<Words> dump(netlink::Socket& socket, WordSpan words) {
  Outcome<Batch> batch = encode_for(socket, words);
  if (!batch.ok()) return std::move(batch.failures());
  Records records(protocol_of(socket));
  Failures failures = netlink::dump(socket, batch.value().requests(), records);
  return records.result(std::move(failures), batch.value());
}

Outcome<Words> dump_part(netlink::Socket& socket, netlink::PartialDump& dump, WordSpan words) {
  Batch none;
  Outcome<Batch> batch = words.empty() ? Outcome<Batch>(std::move(none)) : encode_for(socket, words);
  if (!batch.ok()) return std::move(batch.failures());
  if (!words.empty()) {
    Failures failures = dump.begin(socket, batch.value().requests());
    if (!failures.empty()) return failures;
  }
  Records records(protocol_of(socket));
  Failures failures = dump.next(socket, records);
  return records.result(std::move(failures), batch.value());
}

Outcome<Words> transaction(netlink::Socket& socket, WordSpan words, const netlink::BatchOptions& options) {
  if (socket.protocol() != NETLINK_NETFILTER) {
    return netlink::malformed("transaction", "only netfilter sockets have transactions");
  }
  Outcome<Batch> batch = encode_for(socket, words);
  if (!batch.ok()) return std::move(batch.failures());
  Records records(codec::Protocol::kNetfilter);
  Failures failures = netlink::transaction(socket, batch.value().requests(), options, records);
  return records.result(std::move(failures), batch.value());
}

Outcome<std::uint64_t> forget(netlink::Socket& socket, WordSpan words, WordSpan patterns) {
  const auto meant = netlink::ConnectionPatterns::read(patterns);
  if (!meant) return netlink::malformed("forget", "the patterns end within one");
  Outcome<Batch> batch = encode_for(socket, words);
  if (!batch.ok()) return std::move(batch.failures());
  auto outcome = netlink::forget_connections(socket, batch.value().requests(), *meant);
  if (!outcome.ok()) return locate_failures(std::move(outcome.failures()), batch.value());
  return outcome;
}

Outcome<netlink::Buffer> encode_messages(WordSpan words) {
  Outcome<Batch> batch = encode_batch(words);
  if (!batch.ok()) return std::move(batch.failures());
  return std::move(batch.value().bytes);
}

Outcome<Words> decode_messages(codec::Protocol protocol, netlink::Bytes bytes) {
  Words words;
  netlink::MessageReader reader(bytes);
  for (netlink::MessageView message; reader.next(message);) codec::decode(protocol, message.bytes, 0, words);
  if (!reader.complete()) return netlink::malformed("decode", "the bytes end within a message");
  return words;
}

}  // namespace nfbridge::node
