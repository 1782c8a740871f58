#include "message.h"

#include <string.h>

enum { PDU_HEAD = 6, PDV_HEAD = 6, ELEMENT_HEAD = 8, LONGEST_PDU = 1 << 20, MOST_ELEMENTS = 32 };
enum { P_DATA_TF = 0x04, COMMAND = 0x01, LAST = 0x02 };
enum { C_STORE_RQ = 0x0001, C_STORE_RSP = 0x8001, NO_DATA_SET = 0x0101 };
enum { SOP_CLASS = 0x0002, FIELD = 0x0100, MESSAGE_ID = 0x0110, ANSWERED_ID = 0x0120 };
enum { DATA_SET_TYPE = 0x0800, STATUS = 0x0900, SOP_INSTANCE = 0x1000 };

static const uint32_t BEFORE_ALL = 0x0007FFFF, PIXEL_DATA = 0x7FE00010;
static const char SHORT_LENGTHS[] = "CSDSISLOUISHDATMPNUSAEASATDTFDFLLTSLSSSTUL";
static const char LONG_LENGTHS[] = "OBODOFOLOVOWSQSVUCUNURUTUV";

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint16_t little16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

static uint32_t little32(const uint8_t *p) { return little16(p) | (uint32_t)little16(p + 2) << 16; }

Bytes stripped(Bytes text)
{
    while (text.size && (!text.at[0] || text.at[0] == ' ')) {
        text.at++;
        text.size--;
    }
    while (text.size && (!text.at[text.size - 1] || text.at[text.size - 1] == ' '))
        text.size--;
    return text;
}

bool is_same(Bytes one, Bytes other)
{
    return one.size == other.size && (!one.size || !memcmp(one.at, other.at, one.size));
}

/* One element of a command: false if it is not all there (PS3.7 6.3.1). */
static bool next_element(Bytes *rest, uint16_t *name, Bytes *value)
{
    if (rest->size < ELEMENT_HEAD || little16(rest->at))
        return false;
    uint32_t length = little32(rest->at + 4);
    if (length > rest->size - ELEMENT_HEAD)
        return false;
    *name = little16(rest->at + 2);
    *value = (Bytes){rest->at + ELEMENT_HEAD, length};
    rest->at += ELEMENT_HEAD + length;
    rest->size -= ELEMENT_HEAD + (size_t)length;
    return true;
}

static bool is_known(uint16_t name, const uint16_t *names, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (names[i] == name)
            return true;
    return false;
}

/* PS3.7 9.3.1.1, E.1 */
static bool is_store_request(Bytes command, Message *found)
{
    uint16_t names[MOST_ELEMENTS], name = 0;
    size_t number = 0;
    bool is_store = false, is_numbered = false, has_data_set = false;
    Bytes value = {NULL, 0};
    while (command.size) {
        if (number == MOST_ELEMENTS || !next_element(&command, &name, &value) || is_known(name, names, number))
            return false;
        names[number++] = name;
        if (name == SOP_CLASS)
            found->sop_class = value;
        else if (name == SOP_INSTANCE)
            found->sop_instance = value;
        else if (name == FIELD)
            is_store = value.size == 2 && little16(value.at) == C_STORE_RQ;
        else if (name == DATA_SET_TYPE)
            has_data_set = value.size == 2 && little16(value.at) != NO_DATA_SET;
        else if (name == MESSAGE_ID && value.size == 2) {
            found->message_id = little16(value.at);
            is_numbered = true;
        }
    }
    size_t classes = found->sop_class.size, instances = found->sop_instance.size;
    return is_store && is_numbered && has_data_set && classes && classes <= LONGEST_UID && instances
        && instances <= LONGEST_UID;
}

static bool add_fragment(Bytes value, Message *found)
{
    if (found->parts++ == MOST_FRAGMENTS)
        return false;
    if (!value.size)
        return true;
    found->fragments[found->number++] = value;
    found->bytes += value.size;
    return true;
}

/* The fragments of one P-DATA-TF, the first of a message or a later one (PS3.8 9.3.5, Annex E). */
static Verdict take_pdu(Bytes pdu, bool is_first, Message *found)
{
    bool is_last = false;
    if (!pdu.size)
        return OTHERWISE;
    while (pdu.size) {
        if (is_last || pdu.size < PDV_HEAD)
            return OTHERWISE;
        uint32_t length = big32(pdu.at);
        if (length < 2 || length > pdu.size - 4)
            return OTHERWISE;
        uint8_t context_id = pdu.at[4], control = pdu.at[5];
        Bytes value = {pdu.at + PDV_HEAD, length - 2};
        if (is_first) {
            found->context_id = context_id;
            if (!(control & COMMAND) || !(control & LAST) || !is_store_request(value, found))
                return OTHERWISE;
            is_first = false;
        } else {
            is_last = control & LAST;
            if (control & COMMAND || context_id != found->context_id || !add_fragment(value, found))
                return OTHERWISE;
        }
        pdu.at += 4 + (size_t)length;
        pdu.size -= 4 + (size_t)length;
    }
    return is_last ? FOUND : COMING;
}

Verdict find_message(Bytes received, size_t longest, Message *found)
{
    memset(found, 0, sizeof *found);
    for (Verdict verdict = COMING; verdict == COMING;) {
        const uint8_t *head = received.at + found->size;
        size_t left = received.size - found->size;
        if (left < PDU_HEAD)
            return COMING;
        uint32_t length = big32(head + 2);
        if (head[0] != P_DATA_TF || length > LONGEST_PDU || found->size + PDU_HEAD + length > longest)
            return OTHERWISE;
        if (length > left - PDU_HEAD)
            return COMING;
        verdict = take_pdu((Bytes){head + PDU_HEAD, length}, !found->size, found);
        if (verdict == OTHERWISE)
            return OTHERWISE;
        found->size += PDU_HEAD + (size_t)length;
    }
    return FOUND;
}

static bool is_one_of(const uint8_t *vr, const char *them)
{
    for (; *them; them += 2)
        if (vr[0] == (uint8_t)them[0] && vr[1] == (uint8_t)them[1])
            return true;
    return false;
}

/* How long the head of the element at `p` is, and its value; 0 if it is unusual, or cut short (PS3.5 7.1). */
static size_t element_head(const uint8_t *p, size_t left, bool implicit, uint32_t *length)
{
    if (left < ELEMENT_HEAD)
        return 0;
    if (implicit) {
        *length = little32(p + 4);
        return 8;
    }
    if (is_one_of(p + 4, SHORT_LENGTHS)) {
        *length = little16(p + 6);
        return 8;
    }
    if (left < 12 || !is_one_of(p + 4, LONG_LENGTHS))
        return 0;
    *length = little32(p + 8);
    return 12;
}

static Bytes *wanted(uint32_t tag, Header *header)
{
    switch (tag) {
    case 0x00080016: return &header->sop_class;
    case 0x00080018: return &header->sop_instance;
    case 0x00081090: return &header->model;
    case 0x0020000D: return &header->study;
    default: return NULL;
    }
}

static bool is_upper(uint8_t c) { return c >= 'A' && c <= 'Z'; }

/* Up to the pixel data, or to the end. */
static bool walk(Bytes set, size_t whole, bool implicit, Header *header)
{
    size_t at = 0;
    for (uint32_t last = BEFORE_ALL; at < set.size;) {
        uint32_t length = 0;
        size_t head = element_head(set.at + at, set.size - at, implicit, &length);
        if (!head)
            return false;
        uint32_t tag = (uint32_t)little16(set.at + at) << 16 | little16(set.at + at + 2);
        at += head;
        if (tag <= last || tag > PIXEL_DATA)
            return false;
        if (tag == PIXEL_DATA)
            return length != UINT32_MAX && length <= whole - at;
        if (length > set.size - at)
            return false;
        Bytes *value = wanted(tag, header);
        if (value)
            *value = stripped((Bytes){set.at + at, length});
        at += length;
        last = tag;
    }
    return set.size == whole;
}

static bool is_uid_long(Bytes uid) { return uid.size && uid.size <= LONGEST_UID; }

bool read_header(const Message *message, bool implicit, Header *header)
{
    memset(header, 0, sizeof *header);
    if (!message->number)
        return false;
    Bytes set = message->fragments[0];
    if (implicit && (set.size < 6 || is_upper(set.at[4]) || is_upper(set.at[5])))
        return false;  /* a VR, perhaps, where there should be none */
    return walk(set, message->bytes, implicit, header) && is_uid_long(header->study)
        && is_uid_long(header->sop_instance) && is_uid_long(header->sop_class);
}

static uint8_t *put16(uint8_t *p, uint16_t number)
{
    *p++ = (uint8_t)number;
    *p++ = (uint8_t)(number >> 8);
    return p;
}

static uint8_t *put32(uint8_t *p, uint32_t number) { return put16(put16(p, (uint16_t)number), (uint16_t)(number >> 16)); }

static void put_big32(uint8_t *p, size_t number)
{
    for (int i = 3; i >= 0; i--, number >>= 8)
        p[i] = (uint8_t)number;
}

static uint8_t *put_text(uint8_t *p, uint16_t name, Bytes value)
{
    p = put32(put16(put16(p, 0), name), (uint32_t)value.size);
    memcpy(p, value.at, value.size);
    return p + value.size;
}

static uint8_t *put_number(uint8_t *p, uint16_t name, uint16_t value)
{
    return put16(put32(put16(put16(p, 0), name), 2), value);
}

size_t write_answer(uint8_t *room, const Message *message, uint16_t status)
{
    uint8_t *command = room + PDU_HEAD + PDV_HEAD, *elements = command + ELEMENT_HEAD + 4;
    uint8_t *end = put_text(elements, SOP_CLASS, message->sop_class);
    end = put_number(end, FIELD, C_STORE_RSP);
    end = put_number(end, ANSWERED_ID, message->message_id);
    end = put_number(end, DATA_SET_TYPE, NO_DATA_SET);
    end = put_number(end, STATUS, status);
    end = put_text(end, SOP_INSTANCE, message->sop_instance);
    put32(put32(put16(put16(command, 0), 0), 4), (uint32_t)(end - elements));
    size_t size = (size_t)(end - command);
    room[0] = P_DATA_TF;
    room[1] = 0;
    put_big32(room + 2, size + PDV_HEAD);
    put_big32(room + PDU_HEAD, size + 2);
    room[PDU_HEAD + 4] = message->context_id;
    room[PDU_HEAD + 5] = COMMAND | LAST;
    return (size_t)(end - room);
}
