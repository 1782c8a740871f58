/* A file that has no name until it is whole: what archive/draft.py says of nameless ones, in the same order. */
#ifndef DICOM_NODE_DRAFT_H
#define DICOM_NODE_DRAFT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct {
    int folder, file;
} Draft;

typedef enum { DURABLE, NOTHING_THERE, IN_DOUBT } Outcome;

/* Write `parts` into a file of this folder, and let the disk begin with them, if so much more leaves `reserve`
 * bytes of it free; false if anything is in the way. The draft is to be closed in any case; the folder stays open. */
bool draft_write(Draft *draft, int folder, const struct iovec *parts, int number, uint64_t reserve);

bool draft_has_room(int folder, uint64_t wanted, uint64_t reserve);

/* Give it its name; true, too, if another has it, which is the same then. Nothing is synced. */
bool draft_name(const Draft *draft, const char *name);

/* Give it its name, which nothing has yet, and make both durable. IN_DOUBT: the name is there, and may be gone after a power cut. */
Outcome draft_become(const Draft *draft, const char *name);

void draft_close(const Draft *draft);

#endif
