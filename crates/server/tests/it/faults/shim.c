/*
 * A disk that fails on command, for the files of one folder: loaded by LD_PRELOAD before libc.
 *
 * WARIFU_FAULT_FOLDER   the folder; what lies elsewhere is left alone
 * WARIFU_FAULT_ORDER    a file with one order, looked at on every call; without the file all is well
 * WARIFU_FAULT_STDERR   set: standard error, too, lies on the disk that fails
 * WARIFU_FAULT_DURABLE  a folder for copies that hold what a power cut would leave
 *
 * Orders: "full" (no file gets another block), "read-only", "sync NAME" and "sync-once NAME" (fsync of files whose path
 * contains NAME gives EIO; once: and the order is taken away).
 *
 * As on Linux, a failed fsync leaves pages clean in the cache that never came to the disk: the next fsync succeeds without
 * them, unless they were written again.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum order { WELL, FULL, READ_ONLY, SYNC, SYNC_ONCE };

#define BLOCK 512
#define PAGE 4096
#define PAGES 32768
#define FILES 32

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char path[PATH_MAX];
    unsigned char dirty[PAGES];
} files[FILES];

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

/* The order and, for an fsync, whose. */
static enum order ordered(char *name, size_t room)
{
    const char *file = getenv("WARIFU_FAULT_ORDER");
    char text[256], word[32];
    *name = 0;
    if (!file)
        return WELL;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return WELL;
    ssize_t size = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    if (size <= 0)
        return WELL;
    text[size] = 0;
    char rest[200] = "";
    if (sscanf(text, "%31s %199s", word, rest) < 1)
        return WELL;
    snprintf(name, room, "%s", rest);
    if (!strcmp(word, "full"))
        return FULL;
    if (!strcmp(word, "read-only"))
        return READ_ONLY;
    if (!strcmp(word, "sync"))
        return SYNC;
    if (!strcmp(word, "sync-once"))
        return SYNC_ONCE;
    return WELL;
}

static int inside(const char *path)
{
    const char *folder = getenv("WARIFU_FAULT_FOLDER");
    return folder && !strncmp(path, folder, strlen(folder));
}

/* Whether a file lies on the disk that fails, and its path. */
static int ours(int fd, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    if (size <= 0)
        return 0;
    path[size] = 0;
    return inside(path) || (fd == 2 && getenv("WARIFU_FAULT_STDERR"));
}

/* How many of `size` bytes at `offset` may be written; below 0: none, and errno says why. */
static ssize_t room(int fd, off_t offset, size_t size)
{
    char name[256], path[PATH_MAX];
    struct stat stat;
    enum order order = ordered(name, sizeof name);
    if ((order != FULL && order != READ_ONLY) || !ours(fd, path))
        return (ssize_t)size;
    if (order == READ_ONLY) {
        errno = EROFS;
        return -1;
    }
    if (fstat(fd, &stat))
        return (ssize_t)size;
    if (offset < 0)
        offset = fcntl(fd, F_GETFL) & O_APPEND ? stat.st_size : lseek(fd, 0, SEEK_CUR);
    off_t end = (stat.st_size + BLOCK - 1) / BLOCK * BLOCK;
    if (offset + (off_t)size <= end)
        return (ssize_t)size;
    if (offset >= end) {
        errno = ENOSPC;
        return -1;
    }
    return end - offset;
}

static int slot(const char *path)
{
    for (int at = 0; at < FILES; at++) {
        if (!files[at].path[0])
            snprintf(files[at].path, PATH_MAX, "%s", path);
        if (!strcmp(files[at].path, path))
            return at;
    }
    abort();
}

/* Notes pages that are newer in the cache than on the disk. */
static void wrote(int fd, off_t offset, ssize_t size)
{
    char path[PATH_MAX];
    if (size <= 0 || !getenv("WARIFU_FAULT_DURABLE") || fd == 2 || !ours(fd, path))
        return;
    int kept = errno;
    if (offset < 0)
        offset = lseek(fd, 0, SEEK_CUR) - size;
    if ((offset + size) / PAGE >= PAGES)
        abort();
    pthread_mutex_lock(&lock);
    int at = slot(path);
    for (off_t page = offset / PAGE; page <= (offset + size - 1) / PAGE; page++)
        files[at].dirty[page] = 1;
    pthread_mutex_unlock(&lock);
    errno = kept;
}

/* A sync: what is dirty comes to the disk, or is lost and forgotten. */
static void synced(const char *path, int succeeded)
{
    const char *durable = getenv("WARIFU_FAULT_DURABLE");
    char copy[PATH_MAX * 2], page[PAGE];
    struct stat stat;
    if (!durable)
        return;
    int kept = errno;
    pthread_mutex_lock(&lock);
    int at = slot(path);
    const char *name = strrchr(path, '/');
    snprintf(copy, sizeof copy, "%s%s", durable, name ? name : path);
    int from = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (from >= 0 && succeeded && !fstat(from, &stat) && S_ISREG(stat.st_mode)) {
        int to = (int)syscall(SYS_openat, AT_FDCWD, copy, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (to < 0)
            abort();
        for (off_t number = 0; number < PAGES; number++) {
            if (!files[at].dirty[number])
                continue;
            ssize_t size = syscall(SYS_pread64, from, page, PAGE, number * PAGE);
            if (size > 0 && syscall(SYS_pwrite64, to, page, size, number * PAGE) != size)
                abort();
        }
        if (syscall(SYS_ftruncate, to, stat.st_size))
            abort();
        syscall(SYS_close, to);
    }
    if (from >= 0)
        syscall(SYS_close, from);
    memset(files[at].dirty, 0, PAGES);
    pthread_mutex_unlock(&lock);
    errno = kept;
}

static int sync_file(int fd, int (*sync)(int))
{
    char name[256], path[PATH_MAX];
    if (!ours(fd, path) || fd == 2)
        return sync(fd);
    enum order order = ordered(name, sizeof name);
    if ((order == SYNC || order == SYNC_ONCE) && strstr(path, name)) {
        if (order == SYNC_ONCE)
            unlink(getenv("WARIFU_FAULT_ORDER"));
        synced(path, 0);
        errno = EIO;
        return -1;
    }
    if (order == READ_ONLY) {
        errno = EROFS;
        return -1;
    }
    int done = sync(fd);
    if (!done)
        synced(path, 1);
    return done;
}

int fsync(int fd)
{
    return sync_file(fd, (int (*)(int))real("fsync"));
}

int fdatasync(int fd)
{
    return sync_file(fd, (int (*)(int))real("fdatasync"));
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    ssize_t some = room(fd, -1, size);
    if (some < 0)
        return -1;
    ssize_t done = ((ssize_t(*)(int, const void *, size_t))real("write"))(fd, bytes, (size_t)some);
    wrote(fd, -1, done);
    return done;
}

static ssize_t write_at(int fd, const void *bytes, size_t size, off_t offset)
{
    ssize_t some = room(fd, offset, size);
    if (some < 0)
        return -1;
    ssize_t done = ((ssize_t(*)(int, const void *, size_t, off_t))real("pwrite"))(fd, bytes, (size_t)some, offset);
    wrote(fd, offset, done);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return write_at(fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    return write_at(fd, bytes, size, offset);
}

static size_t total(const struct iovec *parts, int count)
{
    size_t size = 0;
    for (int at = 0; at < count; at++)
        size += parts[at].iov_len;
    return size;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    size_t size = total(parts, count);
    ssize_t some = room(fd, offset, size);
    if (some < 0)
        return -1;
    if ((size_t)some < size) {
        errno = ENOSPC;
        return -1;
    }
    ssize_t done = ((ssize_t(*)(int, const struct iovec *, int, off_t))real("pwritev"))(fd, parts, count, offset);
    wrote(fd, offset, done);
    return done;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    return pwritev(fd, parts, count, offset);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    ssize_t some = room(fd, offset, (size_t)size);
    if (some < size)
        return some < 0 ? errno : ENOSPC;
    return ((int (*)(int, off_t, off_t))real("posix_fallocate"))(fd, offset, size);
}

int posix_fallocate64(int fd, off64_t offset, off64_t size)
{
    return posix_fallocate(fd, offset, size);
}

static int open_refused(const char *path, int flags)
{
    char name[256];
    int writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    if (writes && inside(path) && ordered(name, sizeof name) == READ_ONLY) {
        errno = EROFS;
        return 1;
    }
    return 0;
}

#define MODE                                   \
    mode_t mode = 0;                           \
    if (flags & O_CREAT) {                     \
        va_list more;                          \
        va_start(more, flags);                 \
        mode = va_arg(more, mode_t);           \
        va_end(more);                          \
    }

int open(const char *path, int flags, ...)
{
    MODE
    if (open_refused(path, flags))
        return -1;
    return ((int (*)(const char *, int, ...))real("open"))(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE
    if (open_refused(path, flags))
        return -1;
    return ((int (*)(const char *, int, ...))real("open64"))(path, flags, mode);
}
