#define _GNU_SOURCE
#include "draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PIECE = 16384 };

bool draft_has_room(int folder, uint64_t wanted, uint64_t reserve)
{
    struct statvfs disk;
    if (fstatvfs(folder, &disk))
        return false;
    uint64_t free = (uint64_t)disk.f_bavail * disk.f_frsize;
    return free >= wanted && free - wanted >= reserve;
}

/* In pieces of a few pages. In large ones it would be put into large pages of the cache, which come from memory that
 * has been free for long; and where the host of a virtual machine takes such memory back, each costs it an errand.
 * Page by page, the system calls cost more than they spare. */
static bool write_pieces(int file, const struct iovec *parts, int number)
{
    size_t offset = 0;
    for (int i = 0; i < number; i++) {
        const char *at = parts[i].iov_base, *end = at + parts[i].iov_len;
        while (at < end) {
            size_t piece = PIECE - offset % PIECE;
            if (piece > (size_t)(end - at))
                piece = (size_t)(end - at);
            if (write(file, at, piece) != (ssize_t)piece)
                return false;
            at += piece;
            offset += piece;
        }
    }
    return true;
}

bool draft_write(Draft *draft, int folder, const struct iovec *parts, int number, uint64_t reserve)
{
    uint64_t wanted = 0;
    for (int i = 0; i < number; i++)
        wanted += parts[i].iov_len;
    draft->file = -1;
    draft->folder = folder;
    if (!draft_has_room(folder, wanted, reserve))
        return false;
    draft->file = openat(folder, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
    if (draft->file < 0 || !write_pieces(draft->file, parts, number))
        return false;
    (void)posix_fadvise(draft->file, 0, 0, POSIX_FADV_DONTNEED);
    return true;
}

static int link_as(const Draft *draft, const char *name)
{
    char itself[40];
    snprintf(itself, sizeof itself, "/proc/self/fd/%d", draft->file);
    return linkat(AT_FDCWD, itself, draft->folder, name, AT_SYMLINK_FOLLOW);
}

bool draft_name(const Draft *draft, const char *name)
{
    return !link_as(draft, name) || errno == EEXIST;
}

Outcome draft_become(const Draft *draft, const char *name)
{
    if (fdatasync(draft->file) || link_as(draft, name))
        return NOTHING_THERE;
    return fsync(draft->folder) ? IN_DOUBT : DURABLE;
}

void draft_close(const Draft *draft)
{
    if (draft->file >= 0)
        close(draft->file);
}
