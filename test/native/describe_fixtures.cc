// Prints what the decoder makes of the fixtures: `describe FOLDER` writes a .txt beside each .hex, for a
// human to read before it is committed. Built by the target `describe_fixtures`.
#include <fstream>
#include <string>
#include <vector>

#include "codec/decode.h"
#include "support/describe.h"
#include "support/fixtures.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (const auto& fixture : nfbridge::test::fixtures()) {
    std::vector<std::uint32_t> words;
    for (const auto& message : fixture.messages) {
      nfbridge::codec::decode(fixture.protocol, message, 0, words);
    }
    std::ofstream(std::string(argv[1]) + "/" + fixture.name + ".txt") << nfbridge::test::describe(words);
  }
  return 0;
}
