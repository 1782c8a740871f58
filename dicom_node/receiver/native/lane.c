/* dicom_node.receiver._native: the way of the plainest C-STORE requests, from the socket to the answer.
 *
 * While `serve` runs, the interpreter's lock is free. It waits for the peer and for a bell; what it does not take,
 * it leaves where it is: `rest` gives it back, and native_lane.py says what becomes of it. _native.pyi has the
 * words to each function.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "draft.h"
#include "journal_object.h"
#include "message.h"

enum { CONTEXTS = 256, MOST_RECORDS = 64, SPARE = 1 << 17, DIGEST = 32, NAMED_BY = 20, SHOWN = 8 };
enum { SUCCESS = 0x0000, OUT_OF_RESOURCES = 0xA700 };

typedef enum { PAUSE, SILENT, RUNG, LEFT, ENDED, UNSENT } Why;

typedef enum { STORED, DOUBTFUL, UNFILED, KNOWN } Fate;

typedef struct {
    bool allowed, implicit;
    PyObject *sop_class, *before, *behind;  /* bytes; the last two of the file's head, around the instance's UID */
} Context;

typedef struct {
    char instance[LONGEST_UID], name[80], digest[2 * DIGEST + 1];
    size_t instance_size;
    Fate fate;
} Record;

typedef struct {
    uint8_t head[2048];
    struct iovec parts[MOST_FRAGMENTS + 2];  /* room for one that the journal uses, the head, the data set */
    int number;
    int segment;                             /* of the journal, which has it, while it is no file yet; or -1 */
} File;

typedef struct {
    PyObject_HEAD
    int descriptor, bell;
    size_t longest, room, begin, end;
    uint64_t reserve;
    uint8_t *buffer;
    Context contexts[CONTEXTS];
    PyObject *our_model, *study;            /* bytes */
    int folder;                             /* the study's; -1 if none is followed */
    char home[64];                          /* the same, relative to the archive */
    PyObject *journal_object;
    Journal *journal;                       /* of journal_object; NULL if there is none */
    EVP_MD_CTX *hash;
    EVP_CIPHER_CTX *seal;
    Record records[MOST_RECORDS];
    int number;
    uint8_t answer[LONGEST_ANSWER];
    size_t answer_begin, answer_end;
    atomic_bool storing;
    bool heard;
} Lane;

static Bytes bytes_of(PyObject *object)
{
    return (Bytes){(const uint8_t *)PyBytes_AS_STRING(object), (size_t)PyBytes_GET_SIZE(object)};
}

/* ---- without the interpreter's lock ---- */

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool is_printable(Bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return false;
    return true;
}

/* Whether it is what its command and its context say, in the study that we follow, and not a result of our own. */
static bool is_ours(const Lane *lane, const Message *message, const Header *header)
{
    const Context *context = &lane->contexts[message->context_id];
    return is_same(header->sop_class, bytes_of(context->sop_class))
        && is_same(header->sop_class, stripped(message->sop_class))
        && is_same(header->sop_instance, stripped(message->sop_instance)) && is_printable(header->sop_instance)
        && is_same(header->study, bytes_of(lane->study)) && !is_same(header->model, bytes_of(lane->our_model));
}

static bool hash(Lane *lane, const Bytes *parts, size_t number, uint8_t digest[DIGEST])
{
    bool good = EVP_DigestInit_ex(lane->hash, EVP_sha256(), NULL);
    for (size_t i = 0; good && i < number; i++)
        good = EVP_DigestUpdate(lane->hash, parts[i].at, parts[i].size);
    return good && EVP_DigestFinal_ex(lane->hash, digest, NULL);
}

static void as_hex(const uint8_t *bytes, size_t number, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < number; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * number] = 0;
}

/* What stands in front of a data set in its file: archive/part10.py has the words to it (PS3.10 7.1). */
static size_t write_head(uint8_t *to, const Context *context, Bytes instance)
{
    Bytes before = bytes_of(context->before), behind = bytes_of(context->behind);
    size_t padded = instance.size + instance.size % 2;
    size_t elements = before.size + 8 + padded + behind.size;
    uint8_t *p = to + 128;
    memset(to, 0, 128);
    memcpy(p, "DICM\2\0\0\0UL\4\0", 12);
    for (int i = 0; i < 4; i++)
        p[12 + i] = (uint8_t)(elements >> 8 * i);
    p = memcpy(p + 16, before.at, before.size);
    p += before.size;
    memcpy(p, "\2\0\3\0UI", 6);
    p[6] = (uint8_t)padded;
    p[7] = (uint8_t)(padded >> 8);
    memcpy(p + 8, instance.at, instance.size);
    memset(p + 8 + instance.size, 0, padded - instance.size);
    p += 8 + padded;
    memcpy(p, behind.at, behind.size);
    return (size_t)(p + behind.size - to);
}

static void gather(const Lane *lane, const Message *message, const Header *header, File *file)
{
    file->parts[1].iov_base = file->head;
    file->parts[1].iov_len = write_head(file->head, &lane->contexts[message->context_id], header->sop_instance);
    for (size_t i = 0; i < message->number; i++)
        file->parts[i + 2] = (struct iovec){(void *)message->fragments[i].at, message->fragments[i].size};
    file->number = (int)message->number + 2;
    file->segment = -1;
}

/* The first part of its name, which archive/layout.py has the words to. */
static bool name_instance(Lane *lane, const Header *header, Record *record)
{
    uint8_t digest[DIGEST];
    if (!hash(lane, &header->sop_instance, 1, digest))
        return false;
    as_hex(digest, NAMED_BY, record->name);
    return true;
}

/* Its digest, and the rest of its name. */
static bool name_content(Lane *lane, const Message *message, Record *record)
{
    uint8_t digest[DIGEST];
    if (!hash(lane, message->fragments, message->number, digest))
        return false;
    as_hex(digest, DIGEST, record->digest);
    snprintf(record->name + 2 * NAMED_BY, sizeof record->name - 2 * NAMED_BY, "-%.*s.dcm", 2 * SHOWN, record->digest);
    return true;
}

/* Durable at once, in the journal, and a file of its own once it is answered; false if that is not possible now. */
static bool promise(Lane *lane, File *file, const Record *record)
{
    char name[NAME_ROOM];
    uint64_t size = 0;
    for (int i = 1; i < file->number; i++)
        size += file->parts[i].iov_len;
    snprintf(name, sizeof name, "%s/%s", lane->home, record->name);
    Entry entry = {name, file->parts, file->number};
    return draft_has_room(lane->folder, size, lane->reserve) && journal_enter(lane->journal, &entry, lane->seal, &file->segment);
}

static Fate write_promised(const Lane *lane, const File *file, const Record *record)
{
    Draft draft;
    if (!faccessat(lane->folder, record->name, F_OK, 0))
        return KNOWN;
    bool filed = draft_write(&draft, lane->folder, file->parts + 1, file->number - 1, 0) && draft_name(&draft, record->name);
    draft_close(&draft);
    return filed ? STORED : UNFILED;
}

/* While the sender prepares the next. Its digest, and so its name, has waited for that. */
static void keep_promise(Lane *lane, const Message *message, const File *file, Record *record)
{
    if (!name_content(lane, message, record))
        abort();  /* a moment ago it could be done; whoever comes next does it, from the journal */
    record->fate = write_promised(lane, file, record);
    journal_filed(lane->journal, file->segment, record->fate != UNFILED);
}

static Outcome write_file(Lane *lane, const Message *message, const File *file, Record *record)
{
    Draft draft;
    Outcome outcome = NOTHING_THERE;
    if (draft_write(&draft, lane->folder, file->parts + 1, file->number - 1, lane->reserve)
        && name_content(lane, message, record))  /* while the disk is at it */
        outcome = draft_become(&draft, record->name);
    draft_close(&draft);
    return outcome;
}

static Outcome keep(Lane *lane, const Message *message, const Header *header, File *file, Record *record)
{
    gather(lane, message, header, file);
    if (!name_instance(lane, header, record))
        return NOTHING_THERE;
    if (lane->journal && promise(lane, file, record))
        return DURABLE;
    return write_file(lane, message, file, record);
}

/* Whether the message is stored, or in doubt, and has its answer; false: it is as if it had not been looked at. */
static bool store(Lane *lane, const Message *message, File *file)
{
    Header header;
    const Context *context = &lane->contexts[message->context_id];
    Record *record = &lane->records[lane->number];
    if (!context->allowed || !read_header(message, context->implicit, &header) || !is_ours(lane, message, &header))
        return false;
    Outcome outcome = keep(lane, message, &header, file, record);
    if (outcome == NOTHING_THERE)
        return false;
    record->fate = outcome == IN_DOUBT ? DOUBTFUL : STORED;
    record->instance_size = header.sop_instance.size;
    memcpy(record->instance, header.sop_instance.at, header.sop_instance.size);
    lane->number++;
    lane->answer_begin = 0;
    lane->answer_end = write_answer(lane->answer, message, outcome == IN_DOUBT ? OUT_OF_RESOURCES : SUCCESS);
    return true;
}

static bool is_sent(Lane *lane)
{
    while (lane->answer_begin < lane->answer_end) {
        ssize_t sent = send(lane->descriptor, lane->answer + lane->answer_begin, lane->answer_end - lane->answer_begin,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        lane->answer_begin += (size_t)sent;
    }
    return true;
}

/* Serve what has come; COMING if more has to come before there is anything else to do. */
static Verdict take(Lane *lane)
{
    Message message;
    File file;
    while (lane->number < MOST_RECORDS) {
        Bytes received = {lane->buffer + lane->begin, lane->end - lane->begin};
        Verdict verdict = find_message(received, lane->longest, &message);
        if (verdict != FOUND)
            return verdict;
        atomic_store(&lane->storing, true);
        bool stored = store(lane, &message, &file);
        bool sent = !stored || is_sent(lane);
        if (stored && file.segment >= 0)
            keep_promise(lane, &message, &file, &lane->records[lane->number - 1]);
        atomic_store(&lane->storing, !sent);
        if (!stored)
            return OTHERWISE;
        lane->begin += message.size;
        if (!sent)
            return FOUND;
    }
    return FOUND;
}

static void make_room(Lane *lane)
{
    if (lane->begin && (lane->begin == lane->end || lane->room - lane->end < SPARE)) {
        memmove(lane->buffer, lane->buffer + lane->begin, lane->end - lane->begin);
        lane->end -= lane->begin;
        lane->begin = 0;
    }
}

/* Wait until `deadline_ms`; whether the peer has something to say that is to be heard now, else why not. */
static bool is_stirred(const Lane *lane, long long deadline_ms, Why *why)
{
    struct pollfd both[2] = {{lane->descriptor, POLLIN, 0}, {lane->bell, POLLIN, 0}};
    int one = 1;
    (void)setsockopt(lane->descriptor, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
    long long left_ms = deadline_ms - now_ms();
    int stirred = poll(both, 2, left_ms < 0 ? 0 : left_ms > 1000000 ? 1000000 : (int)left_ms);
    if (stirred > 0 && both[1].revents) {
        *why = RUNG;
        return false;
    }
    bool is_telling = lane->heard || lane->number;
    *why = is_telling ? PAUSE : SILENT;
    return stirred > 0 && !(is_telling && left_ms < 0);  /* whoever never pauses is told of, too */
}

static Why serve(Lane *lane, long long patience_ms, long long pause_ms)
{
    long long deadline_ms = now_ms() + patience_ms;
    bool is_telling = false;  /* there is something to say, and it waits no longer than `pause_ms` */
    Why why;
    for (;;) {
        Verdict verdict = take(lane);
        if (verdict == OTHERWISE)
            return LEFT;
        if (verdict == FOUND)
            return lane->answer_begin < lane->answer_end ? UNSENT : PAUSE;
        make_room(lane);
        if (lane->end == lane->room)
            return LEFT;
        if (!is_telling && (lane->heard || lane->number)) {
            deadline_ms = now_ms() + pause_ms;
            is_telling = true;
        }
        if (!is_stirred(lane, deadline_ms, &why))
            return why;
        ssize_t came = recv(lane->descriptor, lane->buffer + lane->end, lane->room - lane->end, MSG_DONTWAIT);
        if (came < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (came <= 0)
            return ENDED;
        lane->end += (size_t)came;
        lane->heard = true;
    }
}

/* ---- with it ---- */

static PyObject *lane_new(PyTypeObject *type, PyObject *arguments, PyObject *names)
{
    static char *keywords[] = {"descriptor", "bell", "longest_bytes", "reserve_bytes", "our_model", "journal", NULL};
    int descriptor, bell;
    Py_ssize_t longest;
    unsigned long long reserve;
    PyObject *our_model, *journal_object = Py_None;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "iinKS|O", keywords, &descriptor, &bell, &longest, &reserve,
                                     &our_model, &journal_object))
        return NULL;
    Journal *journal = journal_of(journal_object);
    if (PyErr_Occurred())
        return NULL;
    if (longest <= 0 || longest > 1 << 24)
        return PyErr_Format(PyExc_ValueError, "messages of %zd bytes are not for here", longest);
    Lane *lane = (Lane *)type->tp_alloc(type, 0);
    if (!lane)
        return NULL;
    lane->descriptor = descriptor;
    lane->bell = bell;
    lane->longest = (size_t)longest;
    lane->reserve = reserve;
    lane->our_model = Py_NewRef(our_model);
    lane->journal_object = Py_NewRef(journal_object);
    lane->journal = journal;
    lane->folder = -1;
    lane->study = PyBytes_FromString("");
    lane->room = lane->longest + SPARE;
    lane->buffer = PyMem_RawMalloc(lane->room);
    lane->hash = EVP_MD_CTX_new();
    lane->seal = EVP_CIPHER_CTX_new();
    if (!lane->buffer || !lane->hash || !lane->seal || !lane->study) {
        Py_DECREF(lane);
        return PyErr_NoMemory();
    }
    return (PyObject *)lane;
}

static void lane_dealloc(Lane *lane)
{
    PyTypeObject *type = Py_TYPE(lane);
    for (int i = 0; i < CONTEXTS; i++) {
        Py_XDECREF(lane->contexts[i].sop_class);
        Py_XDECREF(lane->contexts[i].before);
        Py_XDECREF(lane->contexts[i].behind);
    }
    Py_XDECREF(lane->our_model);
    Py_XDECREF(lane->journal_object);
    Py_XDECREF(lane->study);
    if (lane->folder >= 0)
        close(lane->folder);
    EVP_MD_CTX_free(lane->hash);
    EVP_CIPHER_CTX_free(lane->seal);
    PyMem_RawFree(lane->buffer);
    type->tp_free(lane);
    Py_DECREF(type);
}

static PyObject *lane_allow(Lane *lane, PyObject *arguments)
{
    unsigned char id;
    int implicit;
    PyObject *sop_class, *before, *behind;
    if (!PyArg_ParseTuple(arguments, "bpSSS", &id, &implicit, &sop_class, &before, &behind))
        return NULL;
    if (PyBytes_GET_SIZE(before) + PyBytes_GET_SIZE(behind) > 1024)
        return PyErr_Format(PyExc_ValueError, "the head of a file is too long");
    if (lane->contexts[id].allowed)
        return PyErr_Format(PyExc_ValueError, "context %d is allowed already", (int)id);
    lane->contexts[id] = (Context){true, implicit, Py_NewRef(sop_class), Py_NewRef(before), Py_NewRef(behind)};
    Py_RETURN_NONE;
}

static PyObject *lane_follow(Lane *lane, PyObject *arguments)
{
    PyObject *study, *folder;
    const char *home;
    if (!PyArg_ParseTuple(arguments, "SSy", &study, &folder, &home))
        return NULL;
    if (strlen(home) >= sizeof lane->home)
        return PyErr_Format(PyExc_ValueError, "no study's folder is called %s", home);
    int opened = open(PyBytes_AS_STRING(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    if (lane->folder >= 0)
        close(lane->folder);
    lane->folder = opened;
    strcpy(lane->home, home);
    Py_SETREF(lane->study, Py_NewRef(study));
    Py_RETURN_NONE;
}

static PyObject *lane_put(Lane *lane, PyObject *arguments)
{
    Py_buffer received;
    if (!PyArg_ParseTuple(arguments, "y*", &received))
        return NULL;
    bool fits = lane->begin == lane->end && (size_t)received.len <= lane->room;
    if (fits) {
        memcpy(lane->buffer, received.buf, (size_t)received.len);
        lane->begin = 0;
        lane->end = (size_t)received.len;
    }
    PyBuffer_Release(&received);
    return PyBool_FromLong(fits);
}

static PyObject *lane_rest(Lane *lane, PyObject *unused)
{
    (void)unused;
    PyObject *rest = PyBytes_FromStringAndSize((const char *)lane->buffer + lane->begin, (Py_ssize_t)(lane->end - lane->begin));
    if (rest)
        lane->begin = lane->end = 0;
    return rest;
}

static PyObject *lane_unsent(Lane *lane, PyObject *unused)
{
    (void)unused;
    const char *from = (const char *)lane->answer + lane->answer_begin;
    PyObject *unsent = PyBytes_FromStringAndSize(from, (Py_ssize_t)(lane->answer_end - lane->answer_begin));
    if (unsent) {
        lane->answer_begin = lane->answer_end = 0;
        atomic_store(&lane->storing, false);
    }
    return unsent;
}

static PyObject *records_of(Lane *lane)
{
    PyObject *records = PyList_New(lane->number);
    for (int i = 0; records && i < lane->number; i++) {
        const Record *record = &lane->records[i];
        PyObject *one = Py_BuildValue("s#ssi", record->instance, (Py_ssize_t)record->instance_size, record->name,
                                      record->digest, (int)record->fate);
        if (one)
            PyList_SET_ITEM(records, i, one);
        else
            Py_CLEAR(records);
    }
    return records;
}

static PyObject *lane_serve(Lane *lane, PyObject *arguments)
{
    long long patience_ms, pause_ms;
    Why why;
    if (!PyArg_ParseTuple(arguments, "LL", &patience_ms, &pause_ms))
        return NULL;
    if (lane->folder < 0)
        return PyErr_Format(PyExc_ValueError, "there is no study to follow");
    lane->number = 0;
    lane->heard = false;
    Py_BEGIN_ALLOW_THREADS
    why = serve(lane, patience_ms, pause_ms);
    Py_END_ALLOW_THREADS
    return Py_BuildValue("iNN", (int)why, PyBool_FromLong(lane->heard), records_of(lane));
}

static PyObject *lane_storing(Lane *lane, void *unused)
{
    (void)unused;
    return PyBool_FromLong(atomic_load(&lane->storing));
}

static PyMethodDef methods[] = {
    {"allow", (PyCFunction)lane_allow, METH_VARARGS, NULL},
    {"follow", (PyCFunction)lane_follow, METH_VARARGS, NULL},
    {"put", (PyCFunction)lane_put, METH_VARARGS, NULL},
    {"rest", (PyCFunction)lane_rest, METH_NOARGS, NULL},
    {"serve", (PyCFunction)lane_serve, METH_VARARGS, NULL},
    {"unsent", (PyCFunction)lane_unsent, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"storing", (getter)lane_storing, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, lane_new},
    {Py_tp_dealloc, lane_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {0, NULL},
};

static PyType_Spec spec = {"dicom_node.receiver._native.Lane", sizeof(Lane), 0, Py_TPFLAGS_DEFAULT, slots};

static int prepare(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&spec);
    if (!type)
        return -1;
    int failed = PyModule_AddObjectRef(module, "Lane", type);
    Py_DECREF(type);
    return failed || add_journal(module)
        || PyModule_AddIntMacro(module, STORED) || PyModule_AddIntMacro(module, DOUBTFUL) || PyModule_AddIntMacro(module, UNFILED)
        || PyModule_AddIntMacro(module, KNOWN)
        || PyModule_AddIntMacro(module, PAUSE) || PyModule_AddIntMacro(module, SILENT) || PyModule_AddIntMacro(module, RUNG)
        || PyModule_AddIntMacro(module, LEFT) || PyModule_AddIntMacro(module, ENDED) || PyModule_AddIntMacro(module, UNSENT)
        ? -1 : 0;
}

static PyModuleDef_Slot phases[] = {{Py_mod_exec, prepare}, {0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_native", "The native part of the receiver.", 0, NULL, phases, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module); }
