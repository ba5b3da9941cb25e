// Runs commands one after the other inside a network namespace and prints how long they took, in nanoseconds,
// from the first fork to the last exit. Entering the namespace and starting this program are not counted.
//
//   launch NAMESPACE -- COMMAND WORD… [-- COMMAND WORD…]…
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

int main(int count, char** words) {
  int fd = count > 3 ? open(words[1], O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) {
    perror("launch");
    return 2;
  }
  // Cut the words into commands, each ended by NULL.
  for (int i = 2; i < count; i++)
    if (strcmp(words[i], "--") == 0) words[i] = NULL;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 2; i + 1 < count; i++) {
    if (words[i] != NULL) continue;
    int status = run(&words[i + 1]);
    if (status != 0) return status;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%lld\n", (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec);
  return 0;
}
