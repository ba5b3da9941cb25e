// LD_PRELOAD library: appends every netlink send of a process to the file NFBRIDGE_RECORD, so that replay.c
// can send the same bytes. A record is: u64 inode of the socket's namespace, u32 netlink protocol, u32
// length, the bytes.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t namespace_of(int socket_fd) {
  int fd = ioctl(socket_fd, SIOCGSKNS);
  struct stat status = {0};
  if (fd < 0) return 0;
  if (fstat(fd, &status) != 0) status.st_ino = 0;
  close(fd);
  return status.st_ino;
}

static void record(int fd, const struct iovec* parts, size_t count) {
  const char* path = getenv("NFBRIDGE_RECORD");
  int domain = 0;
  uint32_t protocol = 0;
  socklen_t size = sizeof(int);
  if (path == NULL || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_NETLINK)
    return;
  size = sizeof(int);
  if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0) return;

  uint32_t length = 0;
  for (size_t i = 0; i < count; i++) length += parts[i].iov_len;
  uint64_t inode = namespace_of(fd);
  char* copy = malloc(16 + length);
  if (copy == NULL) abort();
  memcpy(copy, &inode, 8);
  memcpy(copy + 8, &protocol, 4);
  memcpy(copy + 12, &length, 4);
  size_t at = 16;
  for (size_t i = 0; i < count; i++) {
    memcpy(copy + at, parts[i].iov_base, parts[i].iov_len);
    at += parts[i].iov_len;
  }
  pthread_mutex_lock(&lock);
  int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0 || write(file, copy, at) != (ssize_t)at) abort();
  close(file);
  pthread_mutex_unlock(&lock);
  free(copy);
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  static ssize_t (*real)(int, const struct msghdr*, int);
  if (real == NULL) real = (ssize_t(*)(int, const struct msghdr*, int))dlsym(RTLD_NEXT, "sendmsg");
  record(fd, message->msg_iov, message->msg_iovlen);
  return real(fd, message, flags);
}

ssize_t sendto(int fd, const void* bytes, size_t length, int flags, const struct sockaddr* to,
               socklen_t to_length) {
  static ssize_t (*real)(int, const void*, size_t, int, const struct sockaddr*, socklen_t);
  if (real == NULL)
    real = (ssize_t(*)(int, const void*, size_t, int, const struct sockaddr*, socklen_t))dlsym(RTLD_NEXT,
                                                                                               "sendto");
  struct iovec part = {(void*)bytes, length};
  record(fd, &part, 1);
  return real(fd, bytes, length, flags, to, to_length);
}

ssize_t send(int fd, const void* bytes, size_t length, int flags) {
  static ssize_t (*real)(int, const void*, size_t, int);
  if (real == NULL) real = (ssize_t(*)(int, const void*, size_t, int))dlsym(RTLD_NEXT, "send");
  struct iovec part = {(void*)bytes, length};
  record(fd, &part, 1);
  return real(fd, bytes, length, flags);
}
