// Runs commands one after the other inside network namespaces and prints how long they took, in nanoseconds,
// from the first fork to the last exit. Starting this program is not counted.
//
//   launch ( -- NAMESPACE COMMAND WORD… )…
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

static int run(char** command) {
  pid_t pid = 0;
  int status = 0;
  if (posix_spawnp(&pid, command[0], NULL, NULL, command, environ) != 0) {
    perror(command[0]);
    return 127;
  }
  if (waitpid(pid, &status, 0) < 0) return 127;
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
