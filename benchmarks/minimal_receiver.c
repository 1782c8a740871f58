/* The least that can receive images durably: what a C-STORE SCP costs when nothing is checked.
 *
 * Every context is accepted, every command is taken for a C-STORE-RQ in one fragment, and every data set goes to
 * a file of its own behind an empty head: written, fdatasync, closed, renamed, answered with Success. One thread
 * per association. Not to be let near a network.
 *
 *   cc -O2 -pthread minimal_receiver.c -o minimal && ./minimal PORT FOLDER
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROOM = 1 << 20, MOST_PARTS = 256, HEAD = 132 };

typedef unsigned char byte;

struct message {
    byte context, uids[2][128];   /* SOP class and instance, as they came */
    uint32_t lengths[2];
    uint16_t id;
    byte *data;                   /* the data set so far */
    size_t size, room;
};

static const char *folder;
static atomic_int associations;

static uint32_t big32(const byte *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }
static uint16_t big16(const byte *p) { return p[0] << 8 | p[1]; }
static uint32_t little32(const byte *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }
static void put32(byte *p, uint32_t v) { v = htonl(v); memcpy(p, &v, 4); }
static void put16(byte *p, uint16_t v) { v = htons(v); memcpy(p, &v, 2); }

static byte *element(byte *p, uint16_t number, const void *value, uint32_t length)
{
    uint16_t tag[2] = {0, number};
    memcpy(p, tag, 4);
    memcpy(p + 4, &length, 4);
    memcpy(p + 8, value, length);
    return p + 8 + length;
}

static int answer(int connection, const struct message *m)
{
    byte pdu[600], *p = pdu + 24;
    uint16_t field = 0x8001, none = 0x0101, success = 0;
    p = element(p, 0x0002, m->uids[0], m->lengths[0]);
    p = element(p, 0x0100, &field, 2);
    p = element(p, 0x0120, &m->id, 2);
    p = element(p, 0x0800, &none, 2);
    p = element(p, 0x0900, &success, 2);
    p = element(p, 0x1000, m->uids[1], m->lengths[1]);
    uint32_t length = p - pdu - 24;
    element(pdu + 12, 0x0000, &length, 4);
    memcpy(pdu, "\4\0", 2);
    put32(pdu + 2, length + 18);
    put32(pdu + 6, length + 14);
    pdu[10] = m->context;
    pdu[11] = 3;
    return send(connection, pdu, p - pdu, 0) == p - pdu ? 0 : -1;
}

static void command(struct message *m, const byte *p, const byte *end)
{
    while (p + 8 <= end) {
        uint16_t number = p[2] | p[3] << 8;
        uint32_t length = little32(p + 4);
        const byte *value = p + 8;
        if (number == 0x0110)
            memcpy(&m->id, value, 2);
        if ((number == 0x0002 || number == 0x1000) && length <= sizeof m->uids[0]) {
            int which = number == 0x1000;
            memcpy(m->uids[which], value, m->lengths[which] = length);
        }
        p = value + length;
    }
    m->size = 0;
}

static int keep(const char *home, const struct message *m)
{
    static const byte head[HEAD] = {[128] = 'D', 'I', 'C', 'M'};
    char temporary[300], name[500];
    snprintf(temporary, sizeof temporary, "%s/.part", home);
    snprintf(name, sizeof name, "%s/%.*s", home, (int)strnlen((const char *)m->uids[1], m->lengths[1]), m->uids[1]);
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    struct iovec parts[2] = {{(void *)head, HEAD}, {m->data, m->size}};
    int bad = file < 0 || writev(file, parts, 2) != (ssize_t)(HEAD + m->size) || fdatasync(file);
    return close(file) || bad || rename(temporary, name);
}

static int data_pdu(int connection, const char *home, struct message *m, const byte *p, const byte *end)
{
    while (p + 6 <= end) {
        const byte *value = p + 6, *next = p + 4 + big32(p);
        if (next > end)
            return -1;
        if (p[5] & 1) {
            m->context = p[4];
            command(m, value, next);
        } else {
            size_t size = next - value;
            if (m->size + size > m->room)
                m->data = realloc(m->data, m->room = 2 * (m->size + size));
            memcpy(m->data + m->size, value, size);
            m->size += size;
            if (p[5] & 2 && (keep(home, m) || answer(connection, m)))
                return -1;
        }
        p = next;
    }
    return 0;
}

static int accept_association(int connection, const byte *request, const byte *end)
{
    static const byte user[] = {0x50, 0, 0, 8, 0x51, 0, 0, 4, 0, 2, 0, 0};
    byte *pdu = calloc(1, end - request + 1000), *to = pdu + 74;
    memcpy(pdu, "\2", 1);
    memcpy(pdu + 6, request + 6, 68);
    for (const byte *item = request + 74, *next; item + 4 <= end; item = next) {
        next = item + 4 + big16(item + 2);
        if (item[0] == 0x10)
            to = (byte *)memcpy(to, item, next - item) + (next - item);
        if (item[0] != 0x20)
            continue;
        const byte *syntax = item + 8;            /* the abstract syntax; the first transfer syntax follows */
        syntax += 4 + big16(syntax + 2);
        uint16_t length = 4 + big16(syntax + 2);
        byte context[8] = {0x21, 0, 0, 0, item[4]};
        put16(context + 2, 4 + length);
        memcpy(to, context, 8);
        memcpy(to + 8, syntax, length);
        to += 8 + length;
    }
    memcpy(to, user, sizeof user);
    to += sizeof user;
    put32(pdu + 2, to - pdu - 6);
    int bad = send(connection, pdu, to - pdu, 0) != to - pdu;
    free(pdu);
    return bad;
}

static int pdu(int connection, const char *home, struct message *m, const byte *p, const byte *end)
{
    static const byte released[10] = {6, 0, 0, 0, 0, 4};
    if (p[0] == 4)
        return data_pdu(connection, home, m, p + 6, end);
    if (p[0] == 1)
        return accept_association(connection, p, end);
    if (p[0] == 5)
        send(connection, released, sizeof released, 0);
    return -1;
}

static void *serve(void *argument)
{
    int connection = (intptr_t)argument, one = 1;
    char home[200];
    struct message m = {0};
    byte *buffer = malloc(ROOM);
    size_t begin = 0, end = 0;
    ssize_t came;
    snprintf(home, sizeof home, "%s/%d", folder, atomic_fetch_add(&associations, 1));
    mkdir(home, 0700);
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (;;) {
        size_t length;
        while (end - begin >= 6 && (length = 6 + (size_t)big32(buffer + begin + 2)) <= end - begin) {
            if (pdu(connection, home, &m, buffer + begin, buffer + begin + length))
                goto over;
            begin += length;
        }
        memmove(buffer, buffer + begin, end - begin);
        end -= begin;
        begin = 0;
        setsockopt(connection, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
        if (end == ROOM || (came = recv(connection, buffer + end, ROOM - end, 0)) <= 0)
            break;
        end += came;
    }
over:
    close(connection);
    free(m.data);
    free(buffer);
    return NULL;
}

int main(int count, char **words)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listening = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (count != 3)
        return 2;
    folder = words[2];
    here.sin_port = htons(atoi(words[1]));
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listening, (struct sockaddr *)&here, sizeof here) || listen(listening, 64))
        return 1;
    for (;;) {
        pthread_t thread;
        intptr_t connection = accept(listening, NULL, NULL);
        if (connection >= 0 && !pthread_create(&thread, NULL, serve, (void *)connection))
            pthread_detach(thread);
    }
}
