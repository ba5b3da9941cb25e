#include "netlink/namespace.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
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
  // Found first, and opened only as a namespace: a FIFO would have the JavaScript thread wait, and a device
  // do what its driver does when it is opened.
  const Descriptor found(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!found) return system_failure("open", errno, path);
  struct statfs filesystem {};
  if (fstatfs(found.get(), &filesystem) != 0) return system_failure("fstatfs", errno, path);
  if (filesystem.f_type != NSFS_MAGIC)
    return system_failure("open", EINVAL, path + " is no network namespace");
  const std::string held = "/proc/thread-self/fd/" + std::to_string(found.get());
  Descriptor descriptor(::open(held.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor) return system_failure("open", errno, path);
  return from(std::move(descriptor), path);
}

namespace {

// A descriptor of a process, whose number is nobody else's as long as it lives; none where the kernel knows
// no such descriptors (5.3), or the number is that of a thread.
Descriptor find_process(int pid) {
#ifdef SYS_pidfd_open
  return Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
#else
  errno = ENOSYS;
  return {};
#endif
}

bool has_ended(const Descriptor& process) {
  pollfd ended = {.fd = process.get(), .events = POLLIN, .revents = 0};
  return poll(&ended, 1, 0) > 0;
}

}  // namespace

Outcome<Namespace> Namespace::of_process(int pid) {
  const Descriptor process = find_process(pid);
  if (!process && errno == ESRCH)
    return system_failure("pidfd_open", ESRCH, "process " + std::to_string(pid));
  Outcome<Namespace> opened = open("/proc/" + std::to_string(pid) + "/ns/net");
  // Ended by now, its number may have been another's already when the path was looked up.
  if (opened.ok() && process && has_ended(process))
    return system_failure("open", ESRCH, "process " + std::to_string(pid) + " has ended");
  return opened;
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
