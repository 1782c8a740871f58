#define _GNU_SOURCE
#include "journal.h"

#include <string.h>
#include <unistd.h>

enum { HEAD = 256, KEY_AT = 8, SIZE_AT = 24, HEAD_SIZE_AT = 32, DIGEST_AT = 40, PATH_AT = 72, SUM_AT = 184 };

static void ring(const Journal *journal)
{
    uint64_t one = 1;
    (void)!write(journal->bell, &one, sizeof one);
}

static void make_full(Journal *journal)
{
    Segment *segment = &journal->segments[journal->current];
    segment->state = FULL;
    journal->current = -1;
    if (!segment->open)
        ring(journal);
}

static int free_segment(const Journal *journal)
{
    for (int i = 0; i < SEGMENTS; i++)
        if (journal->segments[i].state == FREE)
            return i;
    return -1;
}

/* Room for `size` bytes: in which segment, and where in it; -1 if there is none for now. */
static int reserve(Journal *journal, uint64_t size, uint64_t *at, uint8_t key[KEY_BYTES])
{
    if (size > journal->segment_bytes - BLOCK)
        return -1;
    pthread_mutex_lock(&journal->lock);
    if (journal->current >= 0 && journal->segment_bytes - journal->segments[journal->current].used < size)
        make_full(journal);
    if (journal->current < 0)
        journal->current = free_segment(journal);
    int found = journal->current;
    if (found >= 0) {
        Segment *segment = &journal->segments[found];
        segment->state = FILLING;
        if (segment->used == BLOCK)
            ring(journal);
        *at = segment->used;
        segment->used += size;
        segment->open++;
        memcpy(key, segment->key, KEY_BYTES);
    }
    pthread_mutex_unlock(&journal->lock);
    return found;
}

static void put64(uint8_t *to, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(number >> 8 * i);
}

static bool write_head(uint8_t head[HEAD], const Entry *entry, const uint8_t *key, uint64_t size, EVP_MD_CTX *hash)
{
    const struct iovec *own = &entry->parts[1];
    memset(head, 0, HEAD);
    memcpy(head, "DCMNODE1", 8);
    memcpy(head + KEY_AT, key, KEY_BYTES);
    put64(head + SIZE_AT, size);
    put64(head + HEAD_SIZE_AT, own->iov_len);
    memcpy(head + DIGEST_AT, entry->digest, DIGEST_BYTES);
    if (strlen(entry->path) >= PATH_ROOM)
        return false;
    strcpy((char *)head + PATH_AT, entry->path);
    return EVP_DigestInit_ex(hash, EVP_sha256(), NULL) && EVP_DigestUpdate(hash, head, SUM_AT)
        && EVP_DigestUpdate(hash, own->iov_base, own->iov_len) && EVP_DigestFinal_ex(hash, head + SUM_AT, NULL);
}

bool journal_enter(Journal *journal, const Entry *entry, EVP_MD_CTX *hash, int *segment)
{
    uint8_t head[HEAD], key[KEY_BYTES];
    uint64_t at, size = 0;
    for (int i = 1; i < entry->number; i++)
        size += entry->parts[i].iov_len;
    uint64_t whole = (HEAD + size + BLOCK - 1) / BLOCK * BLOCK;
    *segment = reserve(journal, whole, &at, key);
    if (*segment < 0)
        return false;
    entry->parts[0] = (struct iovec){head, HEAD};
    bool durable = write_head(head, entry, key, size, hash)
        && pwritev2(journal->segments[*segment].file, entry->parts, entry->number, (off_t)at, RWF_DSYNC) == (ssize_t)(HEAD + size);
    if (!durable)
        journal_filed(journal, *segment, true);  /* nobody was promised anything */
    return durable;
}

void journal_filed(Journal *journal, int segment, bool filed)
{
    Segment *one = &journal->segments[segment];
    pthread_mutex_lock(&journal->lock);
    one->open--;
    one->unfiled += !filed;
    if (!one->open && one->state == FULL)
        ring(journal);
    pthread_mutex_unlock(&journal->lock);
}

void journal_add(Journal *journal, int file, const uint8_t key[KEY_BYTES])
{
    pthread_mutex_lock(&journal->lock);
    for (int i = 0; i < SEGMENTS; i++)
        if (journal->segments[i].state == ABSENT) {
            journal->segments[i] = (Segment){.state = FREE, .file = file, .used = BLOCK};
            memcpy(journal->segments[i].key, key, KEY_BYTES);
            break;
        }
    pthread_mutex_unlock(&journal->lock);
}

void journal_turn(Journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    if (journal->current >= 0 && journal->segments[journal->current].used > BLOCK)
        make_full(journal);
    pthread_mutex_unlock(&journal->lock);
}

void journal_renew(Journal *journal, int segment, const uint8_t key[KEY_BYTES])
{
    Segment *one = &journal->segments[segment];
    pthread_mutex_lock(&journal->lock);
    one->state = FREE;
    one->used = BLOCK;
    one->unfiled = 0;
    memcpy(one->key, key, KEY_BYTES);
    pthread_mutex_unlock(&journal->lock);
}

bool journal_close(Journal *journal)
{
    bool idle = true;
    pthread_mutex_lock(&journal->lock);
    journal->current = -1;
    for (int i = 0; i < SEGMENTS; i++) {
        journal->segments[i].state = ABSENT;
        idle &= !journal->segments[i].open;
    }
    pthread_mutex_unlock(&journal->lock);
    return idle;
}
