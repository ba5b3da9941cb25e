#include "netlink/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "netlink/descriptor.h"

namespace nfbridge::netlink {
namespace {

Outcome<std::string> read_all(const Descriptor& file, const std::string& name) {
  std::string value;
  std::array<char, 4096> part;
  for (;;) {
    const ssize_t length = read(file.get(), part.data(), part.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return system_failure("read", errno, name);
    if (length == 0) break;
    value.append(part.data(), static_cast<std::size_t>(length));
  }
  if (value.ends_with('\n')) value.pop_back();
  return value;
}

Outcome<Descriptor> open_sysctl(const std::string& name, int mode) {
  Outcome<std::string> path = sysctl_path(name);
  if (!path.ok()) return std::move(path.failures());
  Descriptor file(open(path.value().c_str(), mode | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return system_failure("open", errno, path.value());
  return file;
}

}  // namespace

Outcome<std::string> sysctl_path(const std::string& name) {
  std::string path = name;
  const std::size_t first = path.find_first_of("./");
  if (first != std::string::npos && path[first] == '.') {
    for (char& character : path) {
      if (character == '.') {
        character = '/';
      } else if (character == '/') {
        character = '.';
      }
    }
  }
  if (!path.starts_with("net/") || path.find('\0') != std::string::npos) {
    return malformed("sysctl", "'" + name + "' is no name below net");
  }
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view part(path.data() + start, end - start);
    if (part.empty() || part == "." || part == "..")
      return malformed("sysctl", "'" + name + "' is no sysctl's name");
    start = end + 1;
  }
  return "/proc/sys/" + path;
}

Outcome<std::string> read_sysctl(const std::string& name) {
  Outcome<Descriptor> file = open_sysctl(name, O_RDONLY);
  if (!file.ok()) return std::move(file.failures());
  return read_all(file.value(), name);
}

Outcome<std::string> read_proc_net(const std::string& name) {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char character) {
    return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
           character == '_';
  });
  if (!plain) return malformed("proc", "'" + name + "' is no file of /proc/net");
  const std::string path = "/proc/thread-self/net/" + name;
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return system_failure("open", errno, path);
  return read_all(file, name);
}

Outcome<Nothing> write_sysctl(const std::string& name, const std::string& value) {
  Outcome<Descriptor> file = open_sysctl(name, O_WRONLY);
  if (!file.ok()) return std::move(file.failures());
  // One write: the kernel takes each as a whole value.
  ssize_t length;
  do {
    length = write(file.value().get(), value.data(), value.size());
  } while (length < 0 && errno == EINTR);
  if (length < 0) return system_failure("write", errno, name);
  if (static_cast<std::size_t>(length) != value.size()) return system_failure("write", EIO, name);
  return Nothing{};
}

}  // namespace nfbridge::netlink
