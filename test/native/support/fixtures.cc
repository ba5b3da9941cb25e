#include "support/fixtures.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace nfbridge::test {

std::vector<std::byte> from_hex(const std::string& text) {
  std::vector<std::byte> bytes;
  int high = -1;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::byte>(high << 4 | digit));
      high = -1;
    }
  }
  return bytes;
}

std::vector<Fixture> fixtures() {
  std::vector<Fixture> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(NFB_FIXTURES, ignored)) {
    if (entry.path().extension() != ".hex") continue;
    Fixture fixture{.name = entry.path().stem().string(),
                    .protocol = codec::Protocol::kRoute,
                    .messages = {},
                    .expected = {}};
    // The first part of the name is the protocol: route-links, netfilter-rules.
    if (fixture.name.starts_with("netfilter")) fixture.protocol = codec::Protocol::kNetfilter;
    std::ifstream hex(entry.path());
    for (std::string line; std::getline(hex, line);) {
      if (!line.empty() && line[0] != '#') fixture.messages.push_back(from_hex(line));
    }
    auto text_path = entry.path();
    std::ifstream text(text_path.replace_extension(".txt"));
    std::stringstream expected;
    expected << text.rdbuf();
    fixture.expected = expected.str();
    found.push_back(std::move(fixture));
  }
  std::ranges::sort(found, {}, &Fixture::name);
  return found;
}

}  // namespace nfbridge::test
