/*
 * Faults on command, for programs under LD_PRELOAD. The file FAULTS_CONTROL is mapped into memory, so that whoever wrote it turns a fault on
 * and off while the program runs. The faults of the disk concern files whose path begins with FAULTS_PREFIX.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

struct control {
  /* How far the wall clock is ahead, in ms. */
  _Atomic int64_t clock_ms;
  /* How much longer a sync takes, in ms. */
  _Atomic int64_t slow_ms;
  /* By how many bytes files may still grow before the disk is full; below 0 it never is. */
  _Atomic int64_t room;
};

static struct control none = {0, 0, -1};
static struct control *control = &none;
static const char *prefix;

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_statfs)(const char *, struct statfs64 *);
static int (*real_fallocate)(int, off_t, off_t);

__attribute__((constructor)) static void load(void) {
  *(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  *(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
  *(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  *(void **)&real_write = dlsym(RTLD_NEXT, "write");
  *(void **)&real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  *(void **)&real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  *(void **)&real_statfs = dlsym(RTLD_NEXT, "statfs64");
  *(void **)&real_fallocate = dlsym(RTLD_NEXT, "posix_fallocate64");
  prefix = getenv("FAULTS_PREFIX");
  const char *path = getenv("FAULTS_CONTROL");
  int fd = path ? open(path, O_RDWR) : -1;
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) control = mapped;
}

static int concerns(int fd) {
  char link[64], path[PATH_MAX];
  if (!prefix) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, prefix, strlen(prefix)) == 0;
}

/* Whether a file may become this long; takes what it grows by from the room that is left. */
static int fits(int fd, off_t length) {
  struct stat64 info;
  if (atomic_load(&control->room) < 0 || !concerns(fd) || fstat64(fd, &info) != 0) return 1;
  int64_t more = length - info.st_size;
  if (more <= 0) return 1;
  int64_t room = atomic_load(&control->room);
  do {
    if (room < 0) return 1;
    if (more > room) return 0;
  } while (!atomic_compare_exchange_weak(&control->room, &room, room - more));
  return 1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  if (!fits(fd, at + count)) return errno = ENOSPC, -1;
  return real_pwrite(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return pwrite64(fd, bytes, count, at); }

ssize_t write(int fd, const void *bytes, size_t count) {
  if (atomic_load(&control->room) >= 0 && concerns(fd)) {
    if (!fits(fd, lseek64(fd, 0, SEEK_CUR) + count)) return errno = ENOSPC, -1;
  }
  return real_write(fd, bytes, count);
}

int ftruncate64(int fd, off64_t length) {
  if (!fits(fd, length)) return errno = ENOSPC, -1;
  return real_ftruncate(fd, length);
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int posix_fallocate64(int fd, off64_t at, off64_t length) {
  return fits(fd, at + length) ? real_fallocate(fd, at, length) : ENOSPC;
}

int posix_fallocate(int fd, off_t at, off_t length) { return posix_fallocate64(fd, at, length); }

/* On 64-bit Linux `struct statfs` is the same. The folder of the files is asked about, too. */
int statfs64(const char *path, struct statfs64 *info) {
  int result = real_statfs(path, info);
  int64_t room = atomic_load(&control->room);
  if (result == 0 && room >= 0 && prefix && strncmp(path, prefix, strlen(path)) == 0) {
    info->f_bfree = info->f_bavail = room / info->f_bsize;
  }
  return result;
}

int statfs(const char *path, struct statfs *info) { return statfs64(path, (struct statfs64 *)info); }

static void wait_for_disk(int fd) {
  int64_t ms = atomic_load(&control->slow_ms);
  if (ms <= 0 || !concerns(fd)) return;
  struct timespec time = {ms / 1000, (ms % 1000) * 1000000};
  nanosleep(&time, NULL);
}

int fsync(int fd) {
  wait_for_disk(fd);
  return real_fsync(fd);
}

int fdatasync(int fd) {
  wait_for_disk(fd);
  return real_fdatasync(fd);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  if (!real_clock_gettime) load();
  int result = real_clock_gettime(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t ms = atomic_load(&control->clock_ms);
    time->tv_sec += ms / 1000;
    time->tv_nsec += (ms % 1000) * 1000000;
    if (time->tv_nsec >= 1000000000) time->tv_sec++, time->tv_nsec -= 1000000000;
    if (time->tv_nsec < 0) time->tv_sec--, time->tv_nsec += 1000000000;
  }
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  struct timespec now;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
