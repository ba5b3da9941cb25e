#include "netlink/transaction.h"

#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <array>

namespace nfbridge::netlink {
namespace {

void put_frame(Buffer& buffer, std::uint16_t type, std::uint32_t sequence,
               std::optional<std::uint32_t> generation) {
  Writer writer(buffer);
  const std::size_t offset = writer.begin_message(type, NLM_F_REQUEST);
  writer.put_header(
      nfgenmsg{.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = to_be16(NFNL_SUBSYS_NFTABLES)});
  if (generation) writer.put_value(NFNL_BATCH_GENID, to_be32(*generation));
  writer.end_message(offset);
  nlmsghdr header{};
  load(buffer.bytes(), offset, header);
  header.nlmsg_seq = sequence;
  buffer.store(offset, header);
}

}  // namespace

Failures transaction(Socket& socket, const Requests& requests, const BatchOptions& options,
                     Replies& replies) {
  if (requests.offsets.empty()) return {};
  const auto count = static_cast<std::uint32_t>(requests.offsets.size());
  const std::uint32_t first = socket.reserve_sequence(count + 2) + 1;
  stamp(requests, first);
  Buffer begin;
  Buffer end;
  put_frame(begin, NFNL_MSG_BATCH_BEGIN, first - 1, options.generation);
  put_frame(end, NFNL_MSG_BATCH_END, first + count, std::nullopt);
  const std::array<iovec, 3> parts{{{begin.data(), begin.size()},
                                    {requests.bytes.data(), requests.bytes.size()},
                                    {end.data(), end.size()}}};
  const std::size_t count_of_parts = options.dry_run ? 2 : 3;
  if (auto failure = socket.send(std::span(parts).first(count_of_parts))) return {std::move(*failure)};
  return drain(socket, first, count, replies);
}

}  // namespace nfbridge::netlink
