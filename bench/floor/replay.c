// The floor: sends prepared netlink messages and reads the answers, and does nothing else.
//
//   replay SCRIPT ROUNDS HOST_NAMESPACE [CONTAINER_NAMESPACE…]
//
// The script (bench/recording.ts writes it) is a sequence of
//   u32 phase, u32 place, u32 protocol, u32 length, bytes padded to four
// phase 0: once, before the rounds; in each round 3: not timed, to prepare it; 1: timed; 2: not timed, to
// undo it. place 0: a socket in the host's namespace that stays open; n: a socket opened in the n-th
// container's namespace for this send and closed after it. The containers' namespaces are kept open as
// descriptors 100, 101 …, for messages that name them. Prints the nanoseconds of each round's timed sends, a
// line each. Any netlink error ends it with status 1.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { kSetup, kTimed, kUndo, kBefore };
enum { kHost };
enum { kContainerFd = 100, kMaxProtocol = 32 };

struct send {
  uint32_t phase, place, protocol, length;
  char* bytes;
  struct send* next;
};

static int host_fd;
static int host_sockets[kMaxProtocol];
static char answers[1 << 20];

static void fail(const char* what) {
  fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void enter(int fd) {
  if (setns(fd, CLONE_NEWNET) != 0) fail("setns");
}

static int open_socket(int protocol, int persistent) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) fail("socket");
  int on = 1;
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  if (!persistent) return fd;
  int size = 64 << 20;  // as much as a batch of 10,000 rules needs; SO_SNDBUF where forcing is not permitted
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  // The answers to a thousand questions of one send.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  return fd;
}

static void drain(int fd) {
  for (;;) {
    ssize_t got = recv(fd, answers, sizeof answers, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (got < 0) fail("recv");
    int left = (int)got;
    for (struct nlmsghdr* header = (struct nlmsghdr*)answers; NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type != NLMSG_ERROR) continue;
      const struct nlmsgerr* error = NLMSG_DATA(header);
      if (error->error == 0) continue;
      errno = -error->error;
      fail("the kernel answers");
    }
  }
}

static void transmit(int fd, const struct send* send) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  struct iovec part = {send->bytes, send->length};
  struct msghdr message = {
      .msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = &part, .msg_iovlen = 1};
  if (sendmsg(fd, &message, 0) < 0) fail("sendmsg");
  drain(fd);
}

static void play(const struct send* send) {
  if (send->place == kHost) {
    if (host_sockets[send->protocol] < 0) host_sockets[send->protocol] = open_socket((int)send->protocol, 1);
    transmit(host_sockets[send->protocol], send);
    return;
  }
  enter(kContainerFd + (int)send->place - 1);
  int fd = open_socket((int)send->protocol, 0);
  enter(host_fd);
  transmit(fd, send);
  close(fd);
}

static void play_phase(const struct send* script, uint32_t phase) {
  for (const struct send* send = script; send != NULL; send = send->next)
    if (send->phase == phase) play(send);
}

static struct send* load(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) fail(path);
  struct send* first = NULL;
  struct send** end = &first;
  uint32_t head[4];
  while (fread(head, sizeof head, 1, file) == 1) {
    struct send* send = calloc(1, sizeof *send);
    size_t padded = ((size_t)head[3] + 3) & ~(size_t)3;
    if (send == NULL || head[2] >= kMaxProtocol || (send->bytes = malloc(padded + 1)) == NULL) fail("script");
    send->phase = head[0];
    send->place = head[1];
    send->protocol = head[2];
    send->length = head[3];
    if (padded > 0 && fread(send->bytes, padded, 1, file) != 1) fail("script is cut short");
    *end = send;
    end = &send->next;
  }
  fclose(file);
  return first;
}

int main(int count, char** words) {
  if (count < 4) {
    fprintf(stderr, "usage: replay SCRIPT ROUNDS HOST_NAMESPACE [CONTAINER_NAMESPACE…]\n");
    return 2;
  }
  const struct send* script = load(words[1]);
  host_fd = open(words[3], O_RDONLY | O_CLOEXEC);
  if (host_fd < 0) fail(words[3]);
  for (int i = 4; i < count; i++) {
    int fd = open(words[i], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || dup3(fd, kContainerFd + i - 4, O_CLOEXEC) < 0) fail(words[i]);
    close(fd);
  }
  for (int i = 0; i < kMaxProtocol; i++) host_sockets[i] = -1;
  enter(host_fd);
  // Sockets are opened before anything is timed, as ours are.
  for (const struct send* send = script; send != NULL; send = send->next)
    if (send->place == kHost && host_sockets[send->protocol] < 0)
      host_sockets[send->protocol] = open_socket((int)send->protocol, 1);

  play_phase(script, kSetup);
  for (int round = atoi(words[2]); round > 0; round--) {
    struct timespec begin, end;
    play_phase(script, kBefore);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    play_phase(script, kTimed);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%lld\n", (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec);
    play_phase(script, kUndo);
  }
  return 0;
}
