// Records as text, for tests to compare; and the judge of their layout.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace nfbridge::test {

// One message a line: `nftNewRule flags=0 tag=0 {family=2 table="t" expressions=[{name="cmp"
// data:cmp={…}}]}`. The first words that do not follow codec/records.h to the letter give `MALFORMED`, and
// nothing after it.
std::string describe(std::span<const std::uint32_t> words);

// Whether `text` of describe tells of a record that is not as it should be.
bool is_malformed(const std::string& text);

}  // namespace nfbridge::test
