#include "netlink/namespace.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace nfbridge::netlink {

Outcome<Namespace> Namespace::from(Descriptor descriptor, const std::string& what) {
  // ENOTTY from any other file; a namespace of another kind answers with its kind.
  if (ioctl(descriptor.get(), NS_GET_NSTYPE) != CLONE_NEWNET) {
    return system_failure("ioctl NS_GET_NSTYPE", EINVAL, what + " is no network namespace");
  }
  struct stat status {};
  if (fstat(descriptor.get(), &status) != 0) return system_failure("fstat");
  Namespace opened;
  opened.descriptor_ = std::move(descriptor);
  opened.inode_ = status.st_ino;
  opened.device_ = status.st_dev;
  return opened;
}

Outcome<Namespace> Namespace::open(const std::string& path) {
  // O_NONBLOCK: the path may be a FIFO, and the caller the JavaScript thread.
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!descriptor) return system_failure("open", errno, path);
  return from(std::move(descriptor), path);
}

Outcome<Namespace> Namespace::duplicate(int fd) {
  Descriptor descriptor(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!descriptor) return system_failure("fcntl F_DUPFD_CLOEXEC", errno, "descriptor " + std::to_string(fd));
  return from(std::move(descriptor), "descriptor " + std::to_string(fd));
}

Outcome<Namespace> Namespace::current() {
  return open("/proc/thread-self/ns/net");
}

Outcome<const Namespace*> Home::find() {
  if (!namespace_) {
    Outcome<Namespace> current = Namespace::current();
    if (!current.ok()) return std::move(current.failures());
    namespace_ = std::move(current.value());
  }
  return &*namespace_;
}

Outcome<bool> Home::can_return() {
  if (!returnable_) {
    Outcome<const Namespace*> origin = find();
    if (!origin.ok()) return std::move(origin.failures());
    // Entering the namespace in which we are needs the same rights as coming back to it.
    returnable_ = setns(namespace_->fd(), CLONE_NEWNET) == 0;
  }
  return *returnable_;
}

void Home::go_back() {
  if (setns(namespace_->fd(), CLONE_NEWNET) != 0) stranded_ = true;
}

std::optional<Failure> Home::enter(const Namespace& destination) {
  if (setns(destination.fd(), CLONE_NEWNET) != 0) return system_failure("setns");
  return std::nullopt;
}

Outcome<Nothing> enter_for_good(const Namespace& destination) {
  if (gettid() == getpid()) {
    return system_failure("setns", EINVAL, "the process's main thread stays in its network namespace");
  }
  if (setns(destination.fd(), CLONE_NEWNET) != 0) return system_failure("setns");
  return Nothing{};
}

Outcome<Namespace> create_namespace(Home& home) {
  return home.leave<Namespace>([]() -> Outcome<Namespace> {
    if (unshare(CLONE_NEWNET) != 0) return system_failure("unshare");
    return Namespace::current();
  });
}

}  // namespace nfbridge::netlink
