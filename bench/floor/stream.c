// Datagrams or bytes along several ways, each from one network namespace to another, by one thread on one
// core: some are sent, then taken out of the receiver's socket. A veth pair hands a packet over at once, so
// sending one takes it along its whole way, up to the receiver's socket, in the same core's softirq. The ways
// take turns of some milliseconds, so that what slows the machine slows all.
//
//   stream datagrams TURNS [SENDER_NAMESPACE RECEIVER_NAMESPACE ADDRESS PORT COUNT]...
//     For each way COUNT datagrams of 64 bytes a turn, to ADDRESS and PORT, which the receiver gets on the
//     same port. The first one is answered, so that the connection is established. One that is lost ends it
//     with status 1.
//   stream answers TURNS [SENDER_NAMESPACE RECEIVER_NAMESPACE ADDRESS PORT COUNT]...
//     The same the other way round: the receiver of one question sends COUNT answers.
//   stream bytes TURNS [SENDER_NAMESPACE RECEIVER_NAMESPACE ADDRESS PORT COUNT CONNECTIONS]...
//     COUNT bytes a turn over so many TCP connections, in equal parts.
//
// It prints a line for each turn: the nanoseconds that each way took, in the order of the arguments.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, SIZE = 64, BUFFER = 1 << 20 };
enum { CHUNK = 1 << 16, WAYS = 64, WARM_UPS = 2, CONNECTIONS = 16, PATIENCE_MS = 5000 };

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

static struct addrinfo* address(const char* host, const char* port, int family, int type) {
  struct addrinfo hints = {
      .ai_family = family, .ai_socktype = type, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
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

// The receiver's socket is connected to the sender's as the receiver sees it, so that it can answer.
static void establish(int sender, int receiver) {
  char bytes[SIZE] = {0};
  struct sockaddr_storage from;
  socklen_t size = sizeof from;
  if (send(sender, bytes, sizeof bytes, 0) != SIZE) fail("send");
  if (recvfrom(receiver, bytes, sizeof bytes, 0, (struct sockaddr*)&from, &size) != SIZE) fail("no question");
  if (connect(receiver, (struct sockaddr*)&from, size) != 0) fail("connect");
  if (send(receiver, bytes, sizeof bytes, 0) != SIZE) fail("send");
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

static struct way {
  int64_t count;
  // Of datagrams.
  int sender;
  int receiver;
  // Of bytes.
  int connection_count;
  struct {
    int sender;
    int receiver;
    int64_t to_send;
    int64_t to_receive;
  } connections[CONNECTIONS];
} ways[WAYS];

static void open_datagrams(struct way* way, char** words, int answers) {
  struct addrinfo* target = address(words[2], words[3], AF_UNSPEC, SOCK_DGRAM);
  enter(words[1]);
  struct addrinfo* own = address(NULL, words[3], target->ai_family, SOCK_DGRAM);
  int receiver = udp_socket(target->ai_family);
  if (bind(receiver, own->ai_addr, own->ai_addrlen) != 0) fail("bind");
  enter(words[0]);
  int sender = udp_socket(target->ai_family);
  if (connect(sender, target->ai_addr, target->ai_addrlen) != 0) fail("connect");
  establish(sender, receiver);
  way->sender = answers ? receiver : sender;
  way->receiver = answers ? sender : receiver;
}

// Without Nagle's algorithm, which would hold back the end of a chunk until what went before is acknowledged.
static void open_connections(struct way* way, char** words) {
  int count = atoi(words[5]);
  if (count < 1 || count > CONNECTIONS) fail(words[5]);
  struct addrinfo* target = address(words[2], words[3], AF_UNSPEC, SOCK_STREAM);
  enter(words[1]);
  struct addrinfo* own = address(NULL, words[3], target->ai_family, SOCK_STREAM);
  int yes = 1;
  int listener = socket(target->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      bind(listener, own->ai_addr, own->ai_addrlen) != 0 || listen(listener, CONNECTIONS) != 0)
    fail("listen");
  enter(words[0]);
  struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
  for (int i = 0; i < count; i++) {
    int sender = socket(target->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sender < 0 || setsockopt(sender, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
        setsockopt(sender, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0 ||
        connect(sender, target->ai_addr, target->ai_addrlen) != 0)
      fail("connect");
    way->connections[i].sender = sender;
    way->connections[i].receiver = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (way->connections[i].receiver < 0) fail("accept");
  }
  way->connection_count = count;
  close(listener);
}

static char chunk[CHUNK];

// As much as a socket takes, and what it gives back; how many bytes of both.
static int64_t exchange(struct way* way, int i) {
  int64_t done = 0;
  int64_t want = way->connections[i].to_send < CHUNK ? way->connections[i].to_send : CHUNK;
  ssize_t sent =
      want == 0 ? 0 : send(way->connections[i].sender, chunk, (size_t)want, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) fail("send");
  if (sent > 0) {
    way->connections[i].to_send -= sent;
    done += sent;
  }
  while (way->connections[i].to_receive > 0) {
    ssize_t got = recv(way->connections[i].receiver, chunk, sizeof chunk, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) fail("recv");
    way->connections[i].to_receive -= got;
    done += got;
  }
  return done;
}

// Nothing moved: an acknowledgement or a retransmission is due. That is rare, and its time counts.
static void wait_for_any(const struct way* way) {
  struct pollfd polled[2 * CONNECTIONS];
  int count = way->connection_count;
  for (int i = 0; i < count; i++) {
    short send = way->connections[i].to_send > 0 ? POLLOUT : 0;
    polled[2 * i] = (struct pollfd){.fd = way->connections[i].sender, .events = send};
    polled[2 * i + 1] = (struct pollfd){.fd = way->connections[i].receiver, .events = POLLIN};
  }
  if (poll(polled, 2 * (nfds_t)count, PATIENCE_MS) <= 0) fail("stuck");
}

static void transfer(struct way* way) {
  int count = way->connection_count;
  int64_t bytes = way->count / count;
  int64_t left = 2 * bytes * count;
  for (int i = 0; i < count; i++) way->connections[i].to_send = way->connections[i].to_receive = bytes;
  while (left > 0) {
    int64_t done = 0;
    for (int i = 0; i < count; i++) done += exchange(way, i);
    if (done == 0) wait_for_any(way);
    left -= done;
  }
}

// The first turns fill caches and let the congestion windows grow, and are not counted.
static void take_turns(int count, int turns, int is_bytes) {
  for (int turn = -WARM_UPS; turn < turns; turn++) {
    for (int i = 0; i < count; i++) {
      struct way* way = &ways[i];
      int64_t begin = now();
      if (is_bytes)
        transfer(way);
      else
        pass(way->sender, way->receiver, (int)way->count);
      if (turn >= 0) printf("%lld%c", (long long)(now() - begin), i + 1 < count ? ' ' : '\n');
    }
  }
}

int main(int count, char** words) {
  const char* what = count > 2 ? words[1] : "";
  int is_bytes = strcmp(what, "bytes") == 0;
  int is_answers = strcmp(what, "answers") == 0;
  int each = is_bytes ? 6 : 5;
  int way_count = (count - 3) / each;
  if (!(is_bytes || is_answers || strcmp(what, "datagrams") == 0) || way_count < 1 || way_count > WAYS ||
      count != 3 + way_count * each) {
    fprintf(stderr,
            "usage: stream datagrams|answers|bytes TURNS [SENDER_NAMESPACE RECEIVER_NAMESPACE ADDRESS PORT "
            "COUNT [CONNECTIONS]]...\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  stay_on_one_core();
  for (int i = 0; i < way_count; i++) {
    char** given = words + 3 + i * each;
    ways[i].count = atoll(given[4]);
    if (is_bytes)
      open_connections(&ways[i], given);
    else
      open_datagrams(&ways[i], given, is_answers);
  }
  take_turns(way_count, atoi(words[2]), is_bytes);
  return 0;
}
