#include "support/codec.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstdio>

#include "codec/decode.h"
#include "support/describe.h"

namespace nfbridge::test {

Batch encode(const std::vector<std::uint32_t>& words) {
  Batch batch;
  const auto error = codec::encode(words, batch.buffer, batch.messages);
  if (error) batch.error = std::to_string(error->index) + " " + error->path + ": " + error->message;
  return batch;
}

std::string to_hex(netlink::Bytes bytes) {
  std::string text;
  char digits[3];
  for (const std::byte byte : bytes) {
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(byte));
    text += digits;
  }
  return text;
}

std::string decode_text(codec::Protocol protocol, netlink::Bytes message) {
  std::vector<std::uint32_t> words;
  codec::decode(protocol, message, 0, words);
  return describe(words);
}

netlink::Buffer deep_rule(int levels) {
  netlink::Buffer buffer;
  netlink::Writer writer(buffer);
  writer.begin_message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, 0);
  writer.put_header(nfgenmsg{});
  std::vector<std::size_t> nests;
  std::uint16_t attribute = NFTA_RULE_EXPRESSIONS;
  for (int level = 0; level < levels; ++level) {
    nests.push_back(writer.begin_nest(attribute));
    nests.push_back(writer.begin_nest(NFTA_LIST_ELEM));
    writer.put_string(NFTA_EXPR_NAME, "dynset");
    nests.push_back(writer.begin_nest(NFTA_EXPR_DATA));
    attribute = NFTA_DYNSET_EXPRESSIONS;
  }
  for (std::size_t index = nests.size(); index > 0; --index) writer.end_nest(nests[index - 1]);
  writer.end_message(0);
  return buffer;
}

}  // namespace nfbridge::test
