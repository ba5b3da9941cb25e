// Datagrams from one network namespace to a server in another one and back.
//
//   echo watch SERVER_NAMESPACE CLIENT_NAMESPACE ADDRESS PORT INTERVAL_MICROSECONDS
//     One flow, a datagram each interval, until the standard input ends. Prints how many were sent and how
//     many answers were lost.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char* what) {
  fprintf(stderr, "echo: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void enter(const char* path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) fail(path);
  close(fd);
}

static int udp_socket(uint16_t port) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr*)&own, sizeof own) != 0) fail("socket");
  return fd;
}

// The server is ready when this returns: its socket is bound before the fork.
static pid_t serve(const char* path, uint16_t port) {
  enter(path);
  int fd = udp_socket(port);
  pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid > 0) {
    close(fd);
    return pid;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    char bytes[64];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t got = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr*)&from, &size);
    if (got >= 0) sendto(fd, bytes, (size_t)got, 0, (struct sockaddr*)&from, size);
  }
}

static int watch(const struct sockaddr_in* server, int interval) {
  int fd = udp_socket(0);
  uint32_t sent = 0;
  uint32_t answered = 0;
  uint32_t number = 0;
  for (;;) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&input, 1, 0) != 0) break;
    if (sendto(fd, &sent, sizeof sent, 0, (const struct sockaddr*)server, sizeof *server) >= 0) sent++;
    usleep((useconds_t)interval);
    while (recv(fd, &number, sizeof number, MSG_DONTWAIT) == sizeof number) answered++;
  }
  struct timeval patience = {.tv_usec = 500000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  while (answered < sent && recv(fd, &number, sizeof number, 0) == sizeof number) answered++;
  printf("%u %u\n", sent, sent - answered);
  return 0;
}

int main(int count, char** words) {
  if (count != 7 || strcmp(words[1], "watch") != 0) {
    fprintf(stderr,
            "usage: echo watch SERVER_NAMESPACE CLIENT_NAMESPACE ADDRESS PORT INTERVAL_MICROSECONDS\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[5]))};
  if (inet_pton(AF_INET, words[4], &server.sin_addr) != 1) fail(words[4]);
  pid_t pid = serve(words[2], (uint16_t)atoi(words[5]));
  enter(words[3]);
  int status = watch(&server, atoi(words[6]));
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  return status;
}
