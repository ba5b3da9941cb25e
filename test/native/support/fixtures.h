// Messages as this kernel sent them: test/fixtures/*.hex, recorded by test/fixtures/record.py.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "codec/schema.h"

namespace nfbridge::test {

struct Fixture {
  std::string name;  // the file's name without `.hex`
  codec::Protocol protocol;
  std::vector<std::vector<std::byte>> messages;  // each with its nlmsghdr
  std::string expected;  // what describe says of them: the file `.txt`; empty without one
};

// All of them, in the order of their names.
std::vector<Fixture> fixtures();

// `de ad be ef` to bytes; blanks are ignored.
std::vector<std::byte> from_hex(const std::string& text);

}  // namespace nfbridge::test
