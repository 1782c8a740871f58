/* Files that have been promised and may not lie on the disk yet, written here in one piece: archive/journal.py says
 * why, reads it after a crash, and has the words to each field. Segments are filled one after the other; each is
 * used again when all that it holds is safe in files of its own.
 */
#ifndef DICOM_NODE_JOURNAL_H
#define DICOM_NODE_JOURNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <openssl/evp.h>

enum { SEGMENTS = 4, BLOCK = 4096, KEY_BYTES = 16, NAME_ROOM = 112 };

typedef enum { ABSENT, FREE, FILLING, FULL } State;

typedef struct {
    State state;
    int file;
    uint64_t used;
    uint8_t key[KEY_BYTES];
    unsigned open, unfiled;  /* entries that are being written or filed; those that could not be filed */
} Segment;

typedef struct {
    pthread_mutex_t lock;
    int bell;                /* an eventfd: there is something to settle, now or soon */
    int current;             /* the segment that is being filled, or -1 */
    uint64_t segment_bytes;
    Segment segments[SEGMENTS];
} Journal;

typedef struct {
    const char *name;        /* of the file, relative to the archive, up to the digest of all but its head */
    struct iovec *parts;     /* room for one, which is used here; the file's head; the rest of the file */
    int number;
} Entry;

/* Make an entry durable; true, and `segment` is where, if it is. It is to be `journal_filed` then. `seal` is a
 * context to work in. */
bool journal_enter(Journal *journal, const Entry *entry, EVP_CIPHER_CTX *seal, int *segment);

/* Whether it has its own file now, which the disk need not have yet. */
void journal_filed(Journal *journal, int segment, bool filed);

/* One segment more, of `segment_bytes` as they all are. */
void journal_add(Journal *journal, int file, const uint8_t key[KEY_BYTES]);

/* Fill the current segment no further. */
void journal_turn(Journal *journal);

/* Take no further entries. Whether nobody is at one: then descriptor and files are not used any more. */
bool journal_close(Journal *journal);

/* All that this segment holds is safe elsewhere: it may be filled again, under a new key. */
void journal_renew(Journal *journal, int segment, const uint8_t key[KEY_BYTES]);

#endif
