#define _GNU_SOURCE
#include "journal.h"

#include <string.h>
#include <unistd.h>

enum { HEAD = 160, TAG_AT = 16, TAG_BYTES = 16, SIZE_AT = 32, HEAD_SIZE_AT = 40, NAME_AT = 48, NONCE_BYTES = 12 };

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

static bool write_head(uint8_t head[HEAD], const Entry *entry, const uint8_t *key, uint64_t size)
{
    memset(head, 0, HEAD);
    memcpy(head, key, KEY_BYTES);
    put64(head + SIZE_AT, size);
    put64(head + HEAD_SIZE_AT, entry->parts[1].iov_len);
    if (strlen(entry->name) >= NAME_ROOM)
        return false;
    strcpy((char *)head + NAME_AT, entry->name);
    return true;
}

/* GMAC (NIST SP 800-38D) of all that follows the tag. No two entries under one key begin at the same place. */
static bool seal_entry(EVP_CIPHER_CTX *seal, const Entry *entry, uint64_t at, const uint8_t *key)
{
    uint8_t *head = entry->parts[0].iov_base, nonce[NONCE_BYTES] = {0};
    int unused;
    put64(nonce, at);
    bool good = EVP_EncryptInit_ex(seal, EVP_aes_128_gcm(), NULL, key, nonce)
        && EVP_EncryptUpdate(seal, NULL, &unused, head + SIZE_AT, HEAD - SIZE_AT);
    for (int i = 1; good && i < entry->number; i++)
        good = EVP_EncryptUpdate(seal, NULL, &unused, entry->parts[i].iov_base, (int)entry->parts[i].iov_len);
    return good && EVP_EncryptFinal_ex(seal, head + TAG_AT, &unused)
        && EVP_CIPHER_CTX_ctrl(seal, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, head + TAG_AT);
}

bool journal_enter(Journal *journal, const Entry *entry, EVP_CIPHER_CTX *seal, int *segment)
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
    bool durable = write_head(head, entry, key, size) && seal_entry(seal, entry, at, key)
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
