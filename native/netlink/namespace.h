// Network namespaces: opened, made, kept under a path, entered.
//
// A thread enters a namespace for the length of one job and then returns to the one in which it began. Never Node's
// main thread, never a thread of libuv: only threads that may be given up, because a thread that cannot return (the
// process may have lost the right to) is of no use for anything else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "netlink/descriptor.h"
#include "netlink/failure.h"

namespace nfbridge::netlink {

// A network namespace held open by a descriptor. Immutable, so that threads share it.
class Namespace {
 public:
  // Opens a path such as /run/netns/web or /proc/1234/ns/net. EINVAL when it is something else.
  static Outcome<Namespace> open(const std::string& path);
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

// Where a thread belongs. Owned by the thread; looked up when it first leaves.
class Home {
 public:
  // The namespace in which the thread was when it first asked.
  Outcome<const Namespace*> find();
  // Goes back; false, and the thread is stranded, when the kernel refuses.
  bool go_back();
  // Whether the thread is in a namespace that is not its own and cannot leave it. It must end.
  bool stranded() const { return stranded_; }

 private:
  std::optional<Namespace> namespace_;
  bool stranded_ = false;
};

// Keeps the calling thread in a namespace while it lives. Nothing happens when the thread is there already, so that
// the process's own namespace needs no right to change namespaces.
class Visit {
 public:
  static Outcome<Visit> enter(const Namespace& destination, Home& home);
  Visit(Visit&& other) noexcept : home_(std::exchange(other.home_, nullptr)) {}
  Visit& operator=(Visit&&) = delete;
  ~Visit() {
    if (home_ != nullptr) home_->go_back();
  }

 private:
  explicit Visit(Home* home) : home_(home) {}

  Home* home_;  // null: nowhere to go back to
};

// Moves the calling thread for good. Refused (EINVAL) on the process's main thread.
Outcome<Nothing> enter_for_good(const Namespace& destination);

// Makes a namespace; nobody else holds it. The calling thread is in it for a moment.
Outcome<Namespace> create_namespace(Home& home);

// Keeps a namespace under a path: an empty file, made here together with its directory where they are missing, onto
// which the namespace is mounted. EEXIST when there is anything but an empty file.
Outcome<Nothing> mount_namespace(const Namespace& source, const std::string& path);

// Takes away what mount_namespace() did. EINVAL when the path is no network namespace.
Outcome<Nothing> unmount_namespace(const std::string& path);

}  // namespace nfbridge::netlink
