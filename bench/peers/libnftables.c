// libnftables in process, as the nft program uses it: runs a text of commands in a network namespace and
// prints the nanoseconds of each round; what undoes a round is not timed. The text is read from its file
// before.
//
//   libnftables text|json FILE UNDO ROUNDS NAMESPACE
#define _GNU_SOURCE
#include <fcntl.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char* read_file(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) return NULL;
  long size = ftell(file);
  rewind(file);
  char* text = size < 0 ? NULL : calloc(1, (size_t)size + 1);
  if (text != NULL && size > 0 && fread(text, (size_t)size, 1, file) != 1) return NULL;
  fclose(file);
  return text;
}

static void execute(struct nft_ctx* context, const char* text, int json) {
  // Which of both a text is, the context says by the form of its output.
  nft_ctx_output_set_flags(context, json ? NFT_CTX_OUTPUT_JSON : 0);
  if (nft_run_cmd_from_buffer(context, text) == 0) return;
  const char* said = nft_ctx_get_error_buffer(context);
  fprintf(stderr, "libnftables: %.300s\n", said == NULL || *said == 0 ? "failed" : said);
  exit(1);
}

int main(int count, char** words) {
  if (count != 6) {
    fprintf(stderr, "usage: libnftables text|json FILE UNDO ROUNDS NAMESPACE\n");
    return 2;
  }
  int json = strcmp(words[1], "json") == 0;
  char* text = read_file(words[2]);
  int fd = open(words[5], O_RDONLY | O_CLOEXEC);
  if (text == NULL || fd < 0 || setns(fd, CLONE_NEWNET) != 0) {
    perror("libnftables");
    return 1;
  }
  close(fd);
  struct nft_ctx* context = nft_ctx_new(NFT_CTX_DEFAULT);
  if (context == NULL) return 1;
  nft_ctx_buffer_output(context);
  nft_ctx_buffer_error(context);
  for (int round = atoi(words[4]); round > 0; round--) {
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    execute(context, text, json);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%lld\n", (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec);
    execute(context, words[3], 0);
  }
  nft_ctx_free(context);
  free(text);
  return 0;
}
