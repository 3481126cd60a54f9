/*
 * What a power cut leaves, for programs under LD_PRELOAD: a file below POWER_LIVE is copied to the same name below POWER_DISK whenever it
 * is synced, before fsync returns. What was written and never synced is then in POWER_LIVE only. With POWER_SKIPS_FDATASYNC set, fdatasync
 * does not do so: the mistake the power cuts must catch is an answer that does not wait for the disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  abort();
}

static void copy(int from, const char *to) {
  char draft[PATH_MAX];
  const size_t size = 1 << 16;
  char *buffer = malloc(size);
  if (!buffer) fail("malloc");
  /* Drafted and renamed: killed half-way, the disk has the state before. */
  snprintf(draft, sizeof draft, "%s.draft", to);
  int out = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (out < 0) fail(draft);
  off_t at = 0;
  for (ssize_t got; (got = pread(from, buffer, size, at)) > 0; at += got) {
    if (write(out, buffer, got) != got) fail(draft);
  }
  close(out);
  free(buffer);
  if (rename(draft, to) != 0) fail(to);
}

/* One after the other, each as the file is by then: a copy that took longer must not replace a later one. */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static void reach_disk(int fd) {
  const char *live = getenv("POWER_LIVE"), *disk = getenv("POWER_DISK");
  char link[64], path[PATH_MAX], to[PATH_MAX];
  struct stat info;
  if (!live || !disk || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = 0;
  if (strncmp(path, live, strlen(live)) != 0 || path[strlen(live)] != '/') return;
  snprintf(to, sizeof to, "%s%s", disk, path + strlen(live));
  pthread_mutex_lock(&one_at_a_time);
  copy(fd, to);
  pthread_mutex_unlock(&one_at_a_time);
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  int result = real(fd);
  if (result == 0) reach_disk(fd);
  return result;
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  int result = real(fd);
  if (result == 0 && !getenv("POWER_SKIPS_FDATASYNC")) reach_disk(fd);
  return result;
}
