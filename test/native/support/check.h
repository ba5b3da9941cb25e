// A test framework of one page. TEST(name) { CHECK(…); CHECK_EQUAL(left, right); } anywhere in *_test.cc; the
// program runs all of them, or those whose name contains its argument, and ends with `N passed, N failed, N
// skipped`.
#pragma once

#include <sstream>
#include <string>
#include <string_view>

namespace nfbridge::test {

struct Registration {
  Registration(const char* name, void (*run)());
};

// A failed check ends nothing: the test goes on, and counts as failed.
void fail(const char* file, int line, const std::string& what);
// Ends up as skipped, with the reason, unless a check has failed.
void skip(const std::string& reason);

template <typename T>
std::string show(const T& value) {
  std::ostringstream out;
  if constexpr (requires { out << value; }) {
    out << value;
  } else {
    out << "(a value)";
  }
  return out.str();
}

template <typename Left, typename Right>
bool equal(const char* file, int line, const char* text, const Left& left, const Right& right) {
  if (left == right) return true;
  fail(file, line, std::string(text) + "\n    left:  " + show(left) + "\n    right: " + show(right));
  return false;
}

inline bool check(const char* file, int line, const char* text, bool value) {
  if (!value) fail(file, line, text);
  return value;
}

}  // namespace nfbridge::test

#define NFB_JOIN_(a, b) a##b
#define NFB_JOIN(a, b) NFB_JOIN_(a, b)

#define TEST(name)                                                                                          \
  static void NFB_JOIN(test_, __LINE__)();                                                                  \
  static const ::nfbridge::test::Registration NFB_JOIN(registration_, __LINE__)(name,                       \
                                                                                NFB_JOIN(test_, __LINE__)); \
  static void NFB_JOIN(test_, __LINE__)()

// Both are expressions: `if (!CHECK(…)) return;` stops a test that makes no sense any more.
#define CHECK(condition) ::nfbridge::test::check(__FILE__, __LINE__, #condition, static_cast<bool>(condition))
#define CHECK_EQUAL(left, right) ::nfbridge::test::equal(__FILE__, __LINE__, #left " == " #right, left, right)
