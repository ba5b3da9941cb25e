// Network namespaces: opened, made, kept under a path, entered.
//
// A thread enters a namespace for the length of one job and then returns to the one in which it began. Never
// Node's main thread, never a thread of libuv: only threads that may be given up, because a thread that
// cannot return (the process may have lost the right to) is of no use for anything else.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "netlink/descriptor.h"
#include "netlink/failure.h"
#include "netlink/thread.h"

namespace nfbridge::netlink {

// A network namespace held open by a descriptor. Immutable, so that threads share it.
class Namespace {
 public:
  // Opens a path such as /run/netns/web or /proc/1234/ns/net. EINVAL when it is something else.
  static Outcome<Namespace> open(const std::string& path);
  // That of a process. ESRCH when there is none, or when it ended meanwhile.
  static Outcome<Namespace> of_process(int pid);
  // Duplicates a descriptor. EINVAL when it is something else.
  static Outcome<Namespace> duplicate(int fd);
  // The calling thread's.
  static Outcome<Namespace> current();

  int fd() const { return descriptor_.get(); }
  std::uint64_t inode() const { return inode_; }
  bool same_as(const Namespace& other) const { return inode_ == other.inode_ && device_ == other.device_; }

 private:
  static Outcome<Namespace> from(Descriptor descriptor, const std::string& what);

  Namespace() = default;

  Descriptor descriptor_;
  std::uint64_t inode_ = 0;
  std::uint64_t device_ = 0;
};

// Where a thread belongs: the namespace in which it was when it first left. Owned by the thread.
class Home {
 public:
  // Runs `body`, which leaves the namespace, and comes back. Where the kernel will not let this thread come
  // back (it belongs to a user namespace that does not own its network namespace), a thread of its own runs
  // the body and ends.
  template <typename T>
  Outcome<T> leave(const std::function<Outcome<T>()>& body) {
    Outcome<bool> returnable = can_return();
    if (!returnable.ok()) return std::move(returnable.failures());
    if (returnable.value()) {
      Outcome<T> result = body();
      go_back();
      return result;
    }
    std::optional<Outcome<T>> result;
    Outcome<Thread> visitor = Thread::start("nfb-visitor", [&] { result = body(); });
    if (!visitor.ok()) return std::move(visitor.failures());
    visitor.value().join();
    return std::move(*result);
  }

  // Runs `body` in a namespace; here, when it is this one: the process's own namespace needs no right to
  // enter any.
  template <typename T>
  Outcome<T> visit(const Namespace& destination, const std::function<Outcome<T>()>& body) {
    Outcome<const Namespace*> origin = find();
    if (!origin.ok()) return std::move(origin.failures());
    if (destination.same_as(*origin.value())) return body();
    return leave<T>([&]() -> Outcome<T> {
      if (auto failure = enter(destination)) return std::move(*failure);
      return body();
    });
  }

  // Whether the thread is away and could not come back after all. It must end and never run anything else.
  bool stranded() const { return stranded_; }

 private:
  Outcome<const Namespace*> find();
  Outcome<bool> can_return();
  void go_back();
  static std::optional<Failure> enter(const Namespace& destination);

  std::optional<Namespace> namespace_;
  std::optional<bool> returnable_;
  bool stranded_ = false;
};

// Moves the calling thread for good. Refused (EINVAL) on the process's main thread.
Outcome<Nothing> enter_for_good(const Namespace& destination);

// Makes a namespace; nobody else holds it.
Outcome<Namespace> create_namespace(Home& home);

// Keeps a namespace under a path: an empty file, made here together with its directory where they are
// missing, onto which the namespace is mounted. EEXIST when there is anything but an empty file.
Outcome<Nothing> mount_namespace(const Namespace& source, const std::string& path);

// Takes away what mount_namespace() did. EINVAL when the path is no network namespace.
Outcome<Nothing> unmount_namespace(const std::string& path);

}  // namespace nfbridge::netlink
