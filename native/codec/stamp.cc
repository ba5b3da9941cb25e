#include "codec/stamp.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "codec/records.h"

namespace nfbridge::codec {
namespace {

using netlink::Bytes;

// Where a value goes: bytes of the template.
struct Site {
  std::uint32_t offset;
  std::uint32_t length;
  std::uint32_t word;
  StampForm form;
};

struct Stamp {
  const Message* message = nullptr;
  std::size_t per_message = 0;
  std::size_t row_words = 0;
  std::size_t rows = 0;
  std::vector<Site> sites;
  Bytes head;
  Bytes pattern;
  const std::uint32_t* values = nullptr;
};

bool is_valid(const Site& site, const Stamp& stamp) {
  // What stands in front of a message's attributes is no value.
  const std::size_t least = stamp.per_message == 0 ? NLMSG_HDRLEN : 0;
  if (site.offset < least || site.offset > stamp.pattern.size() ||
      site.length > stamp.pattern.size() - site.offset || site.word > stamp.row_words) {
    return false;
  }
  const std::size_t words = stamp.row_words - site.word;
  switch (site.form) {
    case StampForm::kBytes:
      return (std::size_t{site.length} + 3) / 4 <= words;
    case StampForm::kBigEndian:
    case StampForm::kHostOrder:
      return words >= 1 && site.length <= sizeof(std::uint32_t);
  }
  return false;
}

// Whether the bytes begin with the nlmsghdr of the message, and are long enough for its fixed header.
bool begins_message(Bytes bytes, const Message& message) {
  nlmsghdr header{};
  return netlink::load(bytes, 0, header) && header.nlmsg_type == message.type &&
         bytes.size() >= NLMSG_HDRLEN + netlink::align(message.schema->header_size);
}

bool read_site(Words& words, Site& site) {
  std::uint32_t form = 0;
  if (!words.take(site.offset) || !words.take(site.length) || !words.take(site.word) || !words.take(form) ||
      form > static_cast<std::uint32_t>(StampForm::kHostOrder)) {
    return false;
  }
  site.form = static_cast<StampForm>(form);
  return true;
}

std::optional<std::string> read(Words body, Stamp& stamp) {
  constexpr const char* kMalformed = "the stamp is cut short or does not follow its layout";
  std::uint32_t id = 0;
  std::uint32_t per_message = 0;
  std::uint32_t row_words = 0;
  std::uint32_t rows = 0;
  std::uint32_t sites = 0;
  if (!body.take(id) || !body.take(per_message) || !body.take(row_words) || !body.take(rows) ||
      !body.take(sites) || sites > body.size() / 4) {
    return kMalformed;
  }
  if (id >= messages().size()) return "no such message: " + std::to_string(id);
  stamp.message = &messages()[id];
  stamp.per_message = per_message;
  stamp.row_words = row_words;
  stamp.rows = rows;
  stamp.sites.resize(sites);
  for (Site& site : stamp.sites) {
    if (!read_site(body, site)) return kMalformed;
  }
  if (!body.take_bytes(stamp.head) || !body.take_bytes(stamp.pattern)) return kMalformed;
  // No product of 32-bit numbers overflows 64 bits.
  if (std::uint64_t{rows} * row_words != body.size()) return "the rows are not as many as the stamp says";
  stamp.values = body.next;

  const bool whole = per_message == 0;
  if (stamp.pattern.size() % 4 != 0 || stamp.pattern.empty() || stamp.head.size() % 4 != 0 ||
      whole != stamp.head.empty()) {
    return kMalformed;
  }
  if (!begins_message(whole ? stamp.pattern : stamp.head, *stamp.message)) {
    return "the template is no " + std::string(stamp.message->name);
  }
  const std::size_t fixed = NLMSG_HDRLEN + netlink::align(stamp.message->schema->header_size);
  if (!whole && stamp.head.size() < fixed + NLA_HDRLEN) return kMalformed;
  if (!whole &&
      per_message * std::uint64_t{stamp.pattern.size()} > netlink::kMaxAttributeLength - NLA_HDRLEN) {
    return "the attribute is longer than 65,535 bytes";
  }
  if (!std::all_of(stamp.sites.begin(), stamp.sites.end(),
                   [&](const Site& site) { return is_valid(site, stamp); })) {
    return "a value lies outside of the template or of the row";
  }
  // Each message with a head has at least one row.
  if (std::uint64_t{rows} * (stamp.head.size() + stamp.pattern.size()) > kMaxStampedBytes) {
    return "the stamped messages are longer than 512 MiB";
  }
  return std::nullopt;
}

void put_value(const Site& site, const std::uint32_t* row, std::byte* target) {
  const std::uint32_t* words = row + site.word;
  switch (site.form) {
    case StampForm::kBytes:
      std::memcpy(target, words, site.length);
      return;
    case StampForm::kHostOrder:  // message.h asserts that the host is little-endian
      std::memcpy(target, words, site.length);
      return;
    case StampForm::kBigEndian: {
      const std::uint32_t big = netlink::to_be32(*words);
      std::memcpy(target, reinterpret_cast<const std::byte*>(&big) + sizeof(big) - site.length, site.length);
      return;
    }
  }
}

}  // namespace

std::optional<std::string> stamp(Words body, std::uint16_t flags, netlink::Buffer& out,
                                 std::vector<EncodedMessage>& encoded) {
  Stamp stamp;
  if (auto reason = read(body, stamp)) return reason;
  const std::size_t most = stamp.per_message == 0 ? 1 : stamp.per_message;
  const std::size_t count = (stamp.rows + most - 1) / most;
  const std::size_t total = count * stamp.head.size() + stamp.rows * stamp.pattern.size();
  if (total > kMaxStampedBytes || out.size() > 0xffffffffu - total) return "the batch is larger than 4 GiB";
  out.reserve(out.size() + total);
  encoded.reserve(encoded.size() + count);

  const std::uint32_t* row = stamp.values;
  for (std::size_t left = stamp.rows; left > 0;) {
    const std::size_t here = std::min(left, most);
    const std::size_t offset = out.size();
    out.append(stamp.head);
    for (std::size_t n = 0; n < here; ++n, row += stamp.row_words) {
      const std::size_t start = out.size();
      out.append(stamp.pattern);
      for (const Site& site : stamp.sites) put_value(site, row, out.data() + start + site.offset);
    }
    left -= here;

    if (stamp.per_message != 0) {
      const std::size_t nest = offset + stamp.head.size() - NLA_HDRLEN;
      out.store(nest, static_cast<std::uint16_t>(out.size() - nest));
    }
    nlmsghdr header{};
    netlink::load(out.bytes(), offset, header);
    header.nlmsg_len = static_cast<std::uint32_t>(out.size() - offset);
    header.nlmsg_flags = static_cast<std::uint16_t>(header.nlmsg_flags | flags | NLM_F_REQUEST);
    header.nlmsg_seq = 0;
    header.nlmsg_pid = 0;
    out.store(offset, header);
    encoded.push_back(
        {static_cast<std::uint32_t>(offset), header.nlmsg_len, stamp.message, header.nlmsg_flags});
  }
  return std::nullopt;
}

}  // namespace nfbridge::codec
