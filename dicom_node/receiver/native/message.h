/* A C-STORE request in the bytes as they came, if it is written plainly. Functions that only look.
 *
 * Plain is what framing.py, store_command.py and quick_header.py call so, and less: all elements up to the pixel
 * data lie in the first fragment, the pixel data is native, and nothing is longer than usual. Whatever is not
 * plain, or not known to be, is OTHERWISE, which says nothing against it: those three look at it then.
 */
#ifndef DICOM_NODE_MESSAGE_H
#define DICOM_NODE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_FRAGMENTS = 64, LONGEST_UID = 256, LONGEST_ANSWER = 1024 };

typedef struct {
    const uint8_t *at;
    size_t size;
} Bytes;

typedef enum { COMING, FOUND, OTHERWISE } Verdict;

typedef struct {
    size_t size;                      /* of the whole message, PDU heads included */
    uint8_t context_id;
    uint16_t message_id;
    Bytes sop_class, sop_instance;    /* as the command has them, with their padding */
    Bytes fragments[MOST_FRAGMENTS];  /* of the data set; none of them is empty */
    size_t number, bytes;             /* how many, and what they hold */
    size_t parts;                     /* how many came, empty ones too: a message that is coming is read again and
                                         again, which must not take longer the more nothing there is in it */
} Message;

typedef struct {
    Bytes study, sop_instance, sop_class, model;  /* without padding */
} Header;

/* The message that `received` begins with, of `longest` bytes at most. COMING: so far it is plain. */
Verdict find_message(Bytes received, size_t longest, Message *found);

/* What reception needs to know of its data set; false: it is not plain. */
bool read_header(const Message *message, bool implicit, Header *header);

/* The C-STORE-RSP as a PDU, in room for LONGEST_ANSWER bytes; returns its size. */
size_t write_answer(uint8_t *room, const Message *message, uint16_t status);

Bytes stripped(Bytes text);
bool is_same(Bytes one, Bytes other);

#endif
