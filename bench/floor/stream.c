// Datagrams from one network namespace to another, by one thread on one core: a batch is sent, then taken out
// of the receiver's socket. A veth pair hands a packet over at once, so sending one takes it along its whole
// way, up to the receiver's socket, in the same core's softirq.
//
//   stream SENDER_NAMESPACE RECEIVER_NAMESPACE ADDRESS PORT RECEIVER_PORT COUNT
//     COUNT datagrams of 64 bytes to ADDRESS and PORT, which the receiver gets on RECEIVER_PORT. The first
//     one is answered, so that the connection is established. Prints the nanoseconds that each part of them
//     took, a line each. One that is lost ends it with status 1.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, PARTS = 5, SIZE = 64, BUFFER = 1 << 20 };

static void fail(const char* what) {
  fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void enter(const char* path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) fail(path);
  close(fd);
}

// An answer that never comes ends the program after a second.
static int udp_socket(int family) {
  int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int size = BUFFER;
  struct timeval patience = {.tv_sec = 1};
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
    fail("socket");
  return fd;
}

static struct addrinfo* address(const char* host, const char* port, int family) {
  struct addrinfo hints = {.ai_family = family,
                           .ai_socktype = SOCK_DGRAM,
                           .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
  struct addrinfo* found = NULL;
  if (getaddrinfo(host, port, &hints, &found) != 0) fail("address");
  return found;
}

// The last of the cores that the process may use: the first has most of the interrupts.
static void stay_on_one_core(void) {
  cpu_set_t allowed;
  cpu_set_t one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) fail("sched_getaffinity");
  int core = CPU_SETSIZE - 1;
  while (core > 0 && !CPU_ISSET(core, &allowed)) core--;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) fail("sched_setaffinity");
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void establish(int sender, int receiver) {
  char bytes[SIZE] = {0};
  struct sockaddr_storage from;
  socklen_t size = sizeof from;
  if (send(sender, bytes, sizeof bytes, 0) != SIZE) fail("send");
  if (recvfrom(receiver, bytes, sizeof bytes, 0, (struct sockaddr*)&from, &size) != SIZE) fail("no question");
  if (sendto(receiver, bytes, sizeof bytes, 0, (struct sockaddr*)&from, size) != SIZE) fail("sendto");
  if (recv(sender, bytes, sizeof bytes, 0) != SIZE) fail("no answer");
}

static void pass(int sender, int receiver, int count) {
  char bytes[SIZE] = {0};
  for (int done = 0; done < count; done += BATCH) {
    for (int i = 0; i < BATCH; i++)
      if (send(sender, bytes, sizeof bytes, 0) != SIZE) fail("send");
    for (int i = 0; i < BATCH; i++)
      if (recv(receiver, bytes, sizeof bytes, 0) != SIZE) fail("lost");
  }
}

int main(int count, char** words) {
  if (count != 7) {
    fprintf(stderr, "usage: stream SENDER_NAMESPACE RECEIVER_NAMESPACE ADDRESS PORT RECEIVER_PORT COUNT\n");
    return 2;
  }
  stay_on_one_core();
  struct addrinfo* target = address(words[3], words[4], AF_UNSPEC);
  enter(words[2]);
  struct addrinfo* own = address(NULL, words[5], target->ai_family);
  int receiver = udp_socket(target->ai_family);
  if (bind(receiver, own->ai_addr, own->ai_addrlen) != 0) fail("bind");
  enter(words[1]);
  int sender = udp_socket(target->ai_family);
  if (connect(sender, target->ai_addr, target->ai_addrlen) != 0) fail("connect");
  establish(sender, receiver);
  int part = atoi(words[6]) / PARTS;
  pass(sender, receiver, part);
  for (int i = 0; i < PARTS; i++) {
    int64_t begin = now();
    pass(sender, receiver, part);
    printf("%lld\n", (long long)(now() - begin));
  }
  return 0;
}
