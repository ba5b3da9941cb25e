// Runs commands one after the other inside network namespaces and prints how long they took, in nanoseconds,
// from the first fork to the last exit. Starting this program is not counted. A command does not outlive it.
//
//   launch ( -- NAMESPACE COMMAND WORD… )…
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

static volatile pid_t running = 0;

// The bench ends this program when it takes too long, and so does the kernel when the bench is gone.
static void end(int signal) {
  if (running > 0) kill(running, SIGKILL);
  _exit(128 + signal);
}

static int run(char** command) {
  pid_t pid = 0;
  int status = 0;
  if (posix_spawnp(&pid, command[0], NULL, NULL, command, environ) != 0) {
    perror(command[0]);
    return 127;
  }
  running = pid;
  if (waitpid(pid, &status, 0) < 0) return 127;
  running = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int enter(const char* path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  int status = fd < 0 ? -1 : setns(fd, CLONE_NEWNET);
  if (fd >= 0) close(fd);
  if (status != 0) perror(path);
  return status;
}

int main(int count, char** words) {
  signal(SIGTERM, end);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // Cut the words into commands, each ended by NULL.
  for (int i = 1; i < count; i++)
    if (strcmp(words[i], "--") == 0) words[i] = NULL;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 1; i + 2 < count; i++) {
    if (words[i] != NULL) continue;
    if (words[i + 1] == NULL || words[i + 2] == NULL || enter(words[i + 1]) != 0) return 2;
    int status = run(&words[i + 2]);
    if (status != 0) return status;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%lld\n", (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec);
  return 0;
}
