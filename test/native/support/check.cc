#include "support/check.h"

#include <cstdio>
#include <vector>

namespace nfbridge::test {
namespace {

struct Test {
  const char* name;
  void (*run)();
};

std::vector<Test>& tests() {
  static std::vector<Test> list;
  return list;
}

int failures = 0;
std::string skipped;

}  // namespace

Registration::Registration(const char* name, void (*run)()) {
  tests().push_back({name, run});
}

void fail(const char* file, int line, const std::string& what) {
  ++failures;
  std::printf("  %s:%d: %s\n", file, line, what.c_str());
}

void skip(const std::string& reason) {
  skipped = reason;
}

}  // namespace nfbridge::test

int main(int argc, char** argv) {
  using namespace nfbridge::test;
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  int counts[3] = {};
  for (const Test& test : tests()) {
    if (std::string_view(test.name).find(wanted) == std::string_view::npos) continue;
    failures = 0;
    skipped.clear();
    std::printf("%s\n", test.name);
    std::fflush(stdout);
    test.run();
    if (failures > 0) {
      ++counts[1];
      std::printf("  FAILED: %s\n", test.name);
    } else if (!skipped.empty()) {
      ++counts[2];
      std::printf("  skipped: %s\n", skipped.c_str());
    } else {
      ++counts[0];
    }
  }
  std::printf("%d passed, %d failed, %d skipped\n", counts[0], counts[1], counts[2]);
  return counts[1] > 0 || counts[0] == 0 ? 1 : 0;
}
