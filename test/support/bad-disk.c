/*
 * A slow or failing disk, for programs under LD_PRELOAD. The file that BAD_DISK names holds two numbers: how many ms fdatasync and fsync
 * take, and an errno. As Linux does, the errno is reported once for each open file (a descriptor here), and 0 after that.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char reported[4096];

static int suffer(int fd) {
  const char *path = getenv("BAD_DISK");
  int ms = 0, error = 0;
  FILE *file = path ? fopen(path, "r") : NULL;
  if (!file) return 0;
  if (fscanf(file, "%d %d", &ms, &error) != 2) ms = error = 0;
  fclose(file);
  usleep(ms * 1000);
  if (error == 0 || fd < 0 || fd >= (int)sizeof reported) return 0;
  pthread_mutex_lock(&mutex);
  int first = !reported[fd];
  reported[fd] = 1;
  pthread_mutex_unlock(&mutex);
  return first ? error : 0;
}

#define SYNC(name)                                                  \
  int name(int fd) {                                                \
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, #name);       \
    int error = suffer(fd);                                         \
    int result = real(fd);                                          \
    if (error == 0) return result;                                  \
    errno = error;                                                  \
    return -1;                                                      \
  }

SYNC(fsync)
SYNC(fdatasync)

int close(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
  if (fd >= 0 && fd < (int)sizeof reported) reported[fd] = 0;
  return real(fd);
}
