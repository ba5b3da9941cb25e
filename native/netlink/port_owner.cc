#include "netlink/port_owner.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <memory>
#include <span>
#include <string_view>

#include "netlink/descriptor.h"
#include "netlink/dump.h"
#include "netlink/socket.h"

namespace nfbridge::netlink {
namespace {

using Clock = std::chrono::steady_clock;

// How long the processes are searched for the socket.
constexpr auto kSearchTime = std::chrono::milliseconds(300);

// The sockets that keep others from the port rank higher: those that listen or are bound only, not the
// connections that a listener accepted.
struct Owner {
  std::uint32_t inode = 0;
  std::uint32_t user = 0;
  int rank = 0;  // 0: none found
};

bool is_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte each) { return each == std::byte{0}; });
}

// Whether a socket keeps others, who want IPv6 alone where they want IPv6, from its port on an address.
bool covers(const inet_diag_msg& found, Bytes attributes, Bytes wanted) {
  if (wanted.empty()) return true;
  const Bytes bound =
      std::as_bytes(std::span(found.id.idiag_src)).first(found.idiag_family == AF_INET ? 4 : 16);
  if (bound.size() == wanted.size()) {
    return is_zero(bound) || is_zero(wanted) || std::ranges::equal(bound, wanted);
  }
  // One of all IPv6 addresses has the IPv4 ones, too, unless it said otherwise.
  std::uint8_t only = 0;
  Attribute attribute;
  if (find_attribute(attributes, INET_DIAG_SKV6ONLY, attribute)) attribute.value(only);
  return found.idiag_family == AF_INET6 && is_zero(bound) && only == 0;
}

class Sockets final : public Replies {
 public:
  Sockets(std::uint16_t port, Bytes address) : port_(to_be16(port)), address_(address) {}

  void reply(const MessageView& message, std::uint32_t) override {
    inet_diag_msg found{};
    if (message.header.nlmsg_type != SOCK_DIAG_BY_FAMILY || !load(message.payload, 0, found)) return;
    // The kernel's own filter passes over sockets that are bound only.
    if (found.id.idiag_sport != port_) return;
    const std::size_t header = std::min(align(sizeof(found)), message.payload.size());
    if (!covers(found, message.payload.subspan(header), address_)) return;
    const int rank = rank_of(found);
    if (rank > owner_.rank) owner_ = {found.idiag_inode, found.idiag_uid, rank};
  }
  void restart() override { owner_ = {}; }
  const Owner& owner() const { return owner_; }

 private:
  static int rank_of(const inet_diag_msg& found) {
    if (found.idiag_inode == 0) return 1;  // a connection that no process has any more, such as in TIME_WAIT
    const bool connected = found.idiag_state != TCP_LISTEN && found.id.idiag_dport != 0;
    return connected ? 2 : 3;
  }

  const std::uint16_t port_;  // network byte order
  const Bytes address_;
  Owner owner_;
};

Outcome<Owner> find_socket(std::uint8_t protocol, std::uint16_t port, Bytes address) {
  Outcome<Socket> socket = Socket::open(NETLINK_SOCK_DIAG);
  if (!socket.ok()) return std::move(socket.failures());
  Sockets sockets(port, address);
  Owner best;
  for (const int family : {AF_INET, AF_INET6}) {
    Buffer bytes;
    Writer writer(bytes);
    const std::size_t offset = writer.begin_message(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST);
    inet_diag_req_v2 request{};
    request.sdiag_family = static_cast<std::uint8_t>(family);
    request.sdiag_protocol = protocol;
    request.idiag_states = UINT32_MAX;
    request.id.idiag_sport = to_be16(port);  // a filter: other ports are not listed
    writer.put_header(request);
    writer.end_message(offset);
    sockets.restart();
    const Failures failures = dump(socket.value(), {bytes, {&offset, 1}}, sockets);
    if (failures.empty() && sockets.owner().rank > best.rank) best = sockets.owner();
  }
  return best;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

Directory open_directory(int parent, const char* name) {
  Descriptor opened(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return nullptr;
  Directory directory(fdopendir(opened.get()));
  // The directory owns the descriptor from here on.
  if (directory) [[maybe_unused]]
    const int owned = opened.release();
  return directory;
}

bool is_number(std::string_view name) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc{} && end == name.data() + name.size();
}

bool has_descriptor(int process, std::string_view target, Clock::time_point deadline) {
  const Directory descriptors = open_directory(process, "fd");
  if (!descriptors) return false;  // not ours to see, or gone
  while (const dirent* entry = readdir(descriptors.get())) {
    std::array<char, 64> link;
    const ssize_t length = readlinkat(dirfd(descriptors.get()), entry->d_name, link.data(), link.size());
    if (length > 0 && std::string_view(link.data(), static_cast<std::size_t>(length)) == target) return true;
    if (Clock::now() > deadline) return false;
  }
  return false;
}

// The name of a process, without what would spoil a sentence.
std::string name_of(int process) {
  const Descriptor file(openat(process, "comm", O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text;
  const ssize_t length = file ? read(file.get(), text.data(), text.size()) : 0;
  std::string name(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  if (name.ends_with('\n')) name.pop_back();
  for (char& c : name) {
    if (c < ' ' || c > '~' || c == '"') c = '?';
  }
  return name;
}

// Empty when no process that can be seen has the socket.
std::string find_process(std::uint32_t inode) {
  const std::string target = "socket:[" + std::to_string(inode) + "]";
  const auto deadline = Clock::now() + kSearchTime;
  const Directory processes = open_directory(AT_FDCWD, "/proc");
  if (!processes) return {};
  while (const dirent* entry = readdir(processes.get())) {
    if (!is_number(entry->d_name)) continue;
    const Descriptor process(
        openat(dirfd(processes.get()), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (process && has_descriptor(process.get(), target, deadline)) {
      return std::string("process ") + entry->d_name + " \"" + name_of(process.get()) + '"';
    }
    if (Clock::now() > deadline) return {};
  }
  return {};
}

}  // namespace

Outcome<std::string> port_owner(std::uint8_t protocol, std::uint16_t port, Bytes address) {
  Outcome<Owner> owner = find_socket(protocol, port, address);
  if (!owner.ok()) return std::move(owner.failures());
  if (owner.value().rank == 0) return std::string();
  if (owner.value().inode == 0) return std::string("a connection that is being closed (TIME_WAIT)");
  std::string process = find_process(owner.value().inode);
  if (!process.empty()) return process;
  return "a process of user " + std::to_string(owner.value().user) + " that cannot be seen from here";
}

}  // namespace nfbridge::netlink
