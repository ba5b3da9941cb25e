// Datagrams, connections or bytes along several ways, each from one network namespace to another, by one
// thread on one core: some are sent, then taken out of the receiver's socket. A veth pair hands a packet over
// at once, so sending one takes it along its whole way, up to the receiver's socket, in the same core's
// softirq. The ways take turns of some milliseconds, so that what slows the machine slows all.
//
//   stream datagrams WARM_UPS TURNS [SENDER_NAMESPACE RECEIVER_NAMESPACE ADDRESS PORT COUNT]...
//     For each way COUNT datagrams of 64 bytes a turn, to ADDRESS and PORT, which the receiver gets on the
//     same port. The first one is answered, so that the connection is established. One that is lost ends it
//     with status 1.
//   stream answers WARM_UPS TURNS [SENDER_NAMESPACE RECEIVER_NAMESPACE ADDRESS PORT COUNT]...
//     The same the other way round: the receiver of one question sends COUNT answers.
//   stream connections WARM_UPS TURNS [SENDER_NAMESPACE RECEIVER_NAMESPACE ADDRESS PORT COUNT]...
//     COUNT datagrams and their answers, each from a source port of its own, so that each is a connection
//     that the rules judge anew.
//   stream bytes WARM_UPS TURNS [SENDER_NAMESPACE RECEIVER_NAMESPACE ADDRESS PORT COUNT CONNECTIONS]...
//     COUNT bytes a turn over so many TCP connections, in equal parts.
//
// The first WARM_UPS turns fill caches and let congestion windows grow. Of the others it prints a line each:
// the nanoseconds that each way took, in the order of the arguments.
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
enum { CHUNK = 1 << 16, WAYS = 64, CONNECTIONS = 16, PATIENCE_MS = 5000 };
enum { FIRST_SOURCE = 6000, LAST_SOURCE = 65535 };

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

enum kind { UNKNOWN, DATAGRAMS, ANSWERS, CONNECTIONS_ANEW, BYTES };

static struct way {
  int64_t count;
  // Of connections.
  int sender_namespace;
  int asked;
  struct addrinfo* target;
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

static void open_datagrams(struct way* way, char** words, enum kind kind) {
  struct addrinfo* target = address(words[2], words[3], AF_UNSPEC, SOCK_DGRAM);
  enter(words[1]);
  struct addrinfo* own = address(NULL, words[3], target->ai_family, SOCK_DGRAM);
  int receiver = udp_socket(target->ai_family);
  if (bind(receiver, own->ai_addr, own->ai_addrlen) != 0) fail("bind");
  enter(words[0]);
  if (kind == CONNECTIONS_ANEW) {
    way->receiver = receiver;
    way->target = target;
    way->sender_namespace = open(words[0], O_RDONLY | O_CLOEXEC);
    if (way->sender_namespace < 0) fail(words[0]);
    return;
  }
  int sender = udp_socket(target->ai_family);
  if (connect(sender, target->ai_addr, target->ai_addrlen) != 0) fail("connect");
  establish(sender, receiver);
  way->sender = kind == ANSWERS ? receiver : sender;
  way->receiver = kind == ANSWERS ? sender : receiver;
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

// One question and one answer, from a socket of its own.
static void ask(struct way* way) {
  char bytes[SIZE] = {0};
  struct sockaddr_storage own = {.ss_family = (sa_family_t)way->target->ai_family};
  struct sockaddr_storage from;
  socklen_t size = sizeof from;
  if (way->asked == LAST_SOURCE - FIRST_SOURCE) fail("no source port is left");
  in_port_t port = htons((uint16_t)(FIRST_SOURCE + way->asked++));
  if (own.ss_family == AF_INET6)
    ((struct sockaddr_in6*)&own)->sin6_port = port;
  else
    ((struct sockaddr_in*)&own)->sin_port = port;
  int fd = udp_socket(own.ss_family);
  if (bind(fd, (struct sockaddr*)&own, way->target->ai_addrlen) != 0) fail("bind");
  if (sendto(fd, bytes, sizeof bytes, 0, way->target->ai_addr, way->target->ai_addrlen) != SIZE) fail("send");
  if (recvfrom(way->receiver, bytes, sizeof bytes, 0, (struct sockaddr*)&from, &size) != SIZE)
    fail("no question");
  if (sendto(way->receiver, bytes, sizeof bytes, 0, (struct sockaddr*)&from, size) != SIZE) fail("send");
  if (recv(fd, bytes, sizeof bytes, 0) != SIZE) fail("no answer");
  close(fd);
}

static void ask_often(struct way* way) {
  for (int i = 0; i < way->count; i++) ask(way);
}

static void take_turns(int count, int warm_ups, int turns, enum kind kind) {
  for (int turn = -warm_ups; turn < turns; turn++) {
    for (int i = 0; i < count; i++) {
      struct way* way = &ways[i];
      if (kind == CONNECTIONS_ANEW && setns(way->sender_namespace, CLONE_NEWNET) != 0) fail("setns");
      int64_t begin = now();
      if (kind == BYTES)
        transfer(way);
      else if (kind == CONNECTIONS_ANEW)
        ask_often(way);
      else
        pass(way->sender, way->receiver, (int)way->count);
      if (turn >= 0) printf("%lld%c", (long long)(now() - begin), i + 1 < count ? ' ' : '\n');
    }
  }
}

static enum kind kind_of(const char* word) {
  if (strcmp(word, "datagrams") == 0) return DATAGRAMS;
  if (strcmp(word, "answers") == 0) return ANSWERS;
  if (strcmp(word, "connections") == 0) return CONNECTIONS_ANEW;
  return strcmp(word, "bytes") == 0 ? BYTES : UNKNOWN;
}

int main(int count, char** words) {
  enum { FIRST = 4 };
  enum kind kind = count > FIRST ? kind_of(words[1]) : UNKNOWN;
  int each = kind == BYTES ? 6 : 5;
  int way_count = (count - FIRST) / each;
  if (kind == UNKNOWN || way_count > WAYS || count != FIRST + way_count * each) {
    fprintf(stderr,
            "usage: stream datagrams|answers|connections|bytes WARM_UPS TURNS [SENDER_NAMESPACE "
            "RECEIVER_NAMESPACE ADDRESS PORT COUNT [CONNECTIONS]]...\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  stay_on_one_core();
  for (int i = 0; i < way_count; i++) {
    char** given = words + FIRST + i * each;
    ways[i].count = atoll(given[4]);
    if (kind == BYTES)
      open_connections(&ways[i], given);
    else
      open_datagrams(&ways[i], given, kind);
  }
  take_turns(way_count, atoi(words[2]), atoi(words[3]), kind);
  return 0;
}
