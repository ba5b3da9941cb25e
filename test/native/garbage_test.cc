// What no kernel sends: random bytes, recorded messages with bytes changed, cut or spliced; and records that
// no packer writes. Under the sanitizers nothing may be read or written outside, and what is decoded is
// always well-formed.
#include <random>
#include <string>
#include <vector>

#include "codec/decode.h"
#include "codec/encode.h"
#include "codec/locate.h"
#include "support/check.h"
#include "support/codec.h"
#include "support/describe.h"
#include "support/fixtures.h"

namespace nfbridge::test {
namespace {

constexpr std::uint32_t kSeed = 20241123;

struct Sample {
  codec::Protocol protocol;
  std::vector<std::byte> bytes;
};

std::vector<Sample> recorded() {
  std::vector<Sample> samples;
  for (const Fixture& fixture : fixtures()) {
    for (const auto& bytes : fixture.messages) samples.push_back({fixture.protocol, bytes});
  }
  return samples;
}

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::uint32_t below(std::size_t limit) {
    return static_cast<std::uint32_t>(engine_() % (limit == 0 ? 1 : limit));
  }
  std::byte byte() { return static_cast<std::byte>(engine_()); }

 private:
  std::mt19937 engine_;
};

// Whatever the bytes are: one well-formed record, and it goes back through the encoder.
void survive(const Sample& sample) {
  std::vector<std::uint32_t> words;
  codec::decode(sample.protocol, sample.bytes, 0, words);
  const std::string text = describe(words);
  if (!CHECK(!is_malformed(text))) fail(__FILE__, __LINE__, to_hex(sample.bytes) + "\n" + text);

  netlink::Buffer buffer;
  std::vector<codec::EncodedMessage> encoded;
  const bool opaque = text.starts_with("opaque");
  const auto error = codec::encode(words, buffer, encoded);
  if (opaque || error) {
    CHECK(error);
    CHECK_EQUAL(buffer.size(), 0u);
    // Only what has no room any more (a string that gets its NUL) may be refused.
    if (!opaque) CHECK(error->message.find("longer than") != std::string::npos);
    return;
  }
  CHECK(!is_malformed(decode_text(sample.protocol, buffer.bytes())));
}

void locate_everywhere(const Sample& sample, Random& random) {
  const auto all = codec::messages();
  const codec::Message& message = all[random.below(all.size())];
  for (int time = 0; time < 20; ++time) {
    const std::uint32_t offset = random.below(sample.bytes.size() + 8);
    codec::locate(message, sample.bytes, offset);
    codec::locate_missing(message, sample.bytes, random.below(70000), offset);
  }
}

TEST("garbage: 10,000 messages of random bytes behind every known header") {
  Random random(kSeed);
  const auto all = codec::messages();
  for (int time = 0; time < 10000; ++time) {
    const codec::Message& message = all[static_cast<std::size_t>(time) % all.size()];
    Sample sample{message.protocol, std::vector<std::byte>(NLMSG_HDRLEN + random.below(300))};
    for (std::size_t index = NLMSG_HDRLEN; index < sample.bytes.size(); ++index) {
      // Small numbers make lengths and types that lead further in.
      sample.bytes[index] = random.below(3) == 0 ? random.byte() : static_cast<std::byte>(random.below(16));
      if (index % 2 == 1 && random.below(4) != 0) sample.bytes[index] = std::byte{0};
    }
    const nlmsghdr header{static_cast<std::uint32_t>(sample.bytes.size()), message.type, 0, 0, 0};
    std::memcpy(sample.bytes.data(), &header, sizeof header);
    survive(sample);
    locate_everywhere(sample, random);
  }
}

TEST("garbage: 10,000 recorded messages with bytes changed, cut and spliced") {
  Random random(kSeed + 1);
  const std::vector<Sample> samples = recorded();
  if (!CHECK(!samples.empty())) return;
  for (int time = 0; time < 10000; ++time) {
    Sample sample = samples[random.below(samples.size())];
    for (std::uint32_t change = random.below(8); change > 0; --change) {
      const std::size_t at = NLMSG_HDRLEN + random.below(sample.bytes.size() - NLMSG_HDRLEN);
      sample.bytes[at] = random.below(2) == 0 ? random.byte() : static_cast<std::byte>(random.below(32));
    }
    if (random.below(4) == 0) sample.bytes.resize(random.below(sample.bytes.size() + 1));
    if (random.below(4) == 0) {
      const Sample& other = samples[random.below(samples.size())];
      const std::size_t from = random.below(other.bytes.size()) & ~3u;
      sample.bytes.insert(sample.bytes.end(), other.bytes.begin() + static_cast<long>(from),
                          other.bytes.end());
    }
    survive(sample);
    locate_everywhere(sample, random);
  }
}

TEST("garbage: every recorded message cut at every length") {
  for (const Sample& whole : recorded()) {
    for (std::size_t size = 0; size < whole.bytes.size(); ++size) {
      // In a block of its own, so that a byte too far is found.
      Sample cut{whole.protocol, {whole.bytes.begin(), whole.bytes.begin() + static_cast<long>(size)}};
      cut.bytes.shrink_to_fit();
      std::vector<std::uint32_t> words;
      codec::decode(cut.protocol, cut.bytes, 0, words);
      if (!CHECK(!is_malformed(describe(words)))) fail(__FILE__, __LINE__, to_hex(cut.bytes));
    }
  }
}

TEST("garbage: every offset of every recorded message is located, or is not, without harm") {
  for (const Sample& sample : recorded()) {
    std::uint16_t type = 0;
    CHECK(netlink::load(sample.bytes, 4, type));
    const int id = codec::find_message(sample.protocol, type);
    if (!CHECK(id >= 0)) continue;
    const codec::Message& message = codec::messages()[static_cast<std::size_t>(id)];
    std::size_t named = 0;
    const auto length = static_cast<std::uint32_t>(sample.bytes.size());
    for (std::uint32_t offset = 0; offset < length + 8; ++offset) {
      if (!codec::locate(message, sample.bytes, offset).empty()) ++named;
    }
    CHECK(named + 16 + 12 >= length);  // all but the nlmsghdr and gaps in the header
  }
}

TEST("garbage: records with words changed and cut are refused or encoded, without harm") {
  Random random(kSeed + 2);
  const std::vector<Sample> samples = recorded();
  if (!CHECK(!samples.empty())) return;
  int accepted = 0;
  for (int time = 0; time < 10000; ++time) {
    const Sample& sample = samples[random.below(samples.size())];
    std::vector<std::uint32_t> words;
    codec::decode(sample.protocol, sample.bytes, 0, words);
    for (std::uint32_t change = 1 + random.below(3); change > 0; --change) {
      const std::uint32_t values[] = {0, 1, random.below(64), 0xffffffffu, 0x80000000u, random.below(70000)};
      words[random.below(words.size())] = values[random.below(std::size(values))];
    }
    if (random.below(3) == 0) words.resize(random.below(words.size() + 1));
    words.shrink_to_fit();
    netlink::Buffer buffer;
    std::vector<codec::EncodedMessage> encoded;
    const auto error = codec::encode(words, buffer, encoded);
    if (error) {
      CHECK_EQUAL(buffer.size(), 0u);
      CHECK(encoded.empty());
      CHECK(!error->message.empty());
      continue;
    }
    ++accepted;
    for (const auto& message : encoded) {
      std::vector<std::uint32_t> again;
      codec::decode(message.message->protocol, buffer.slice(message.offset, message.length), 0, again);
      CHECK(!is_malformed(describe(again)));
    }
  }
  CHECK(accepted > 1000);
}

}  // namespace
}  // namespace nfbridge::test
