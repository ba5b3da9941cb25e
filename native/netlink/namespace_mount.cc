// Namespaces under a path, as `ip netns` keeps them: a bind mount of the namespace on an empty file.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "netlink/namespace.h"

namespace nfbridge::netlink {
namespace {

bool same_file(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// The file to mount on, locked against another creator, or why it cannot be had. An empty file that is there
// already is what a process leaves that was killed between making it and mounting: it is taken over.
Outcome<Descriptor> claim(const std::string& path) {
  if (const std::size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0) {
    if (mkdir(path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST)
      return system_failure("mkdir", errno, path);
  }
  Descriptor file(
      open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0444));
  if (!file) return system_failure("open", errno, path);
  struct statfs filesystem {};
  struct stat opened {};
  if (fstatfs(file.get(), &filesystem) != 0) return system_failure("fstatfs", errno, path);
  if (fstat(file.get(), &opened) != 0) return system_failure("fstat", errno, path);
  if (filesystem.f_type == NSFS_MAGIC)
    return system_failure("open", EEXIST, path + " is a namespace already");
  if (!S_ISREG(opened.st_mode) || opened.st_size != 0) return system_failure("open", EEXIST, path);
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    return system_failure("flock", EEXIST, path + " is being made");
  // Another creator may have mounted, or removed the file, before we had the lock.
  struct stat now {};
  if (stat(path.c_str(), &now) != 0 || !same_file(opened, now)) return system_failure("open", EEXIST, path);
  return file;
}

}  // namespace

Outcome<Nothing> mount_namespace(const Namespace& source, const std::string& path) {
  Outcome<Descriptor> file = claim(path);
  if (!file.ok()) return std::move(file.failures());
  const std::string origin = "/proc/thread-self/fd/" + std::to_string(source.fd());
  if (mount(origin.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    const int error = errno;
    unlink(path.c_str());
    return system_failure("mount", error, path);
  }
  return Nothing{};
}

Outcome<Nothing> unmount_namespace(const std::string& path) {
  // Never unmounts or deletes anything else, whatever path it is given.
  Outcome<Namespace> mounted = Namespace::open(path);
  if (!mounted.ok()) return std::move(mounted.failures());
  if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) return system_failure("umount2", errno, path);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return system_failure("unlink", errno, path);
  return Nothing{};
}

}  // namespace nfbridge::netlink
