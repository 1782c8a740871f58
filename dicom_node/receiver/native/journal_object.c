#define _GNU_SOURCE
#include "journal_object.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

typedef struct {
    PyObject_HEAD
    Journal journal;
} JournalObject;

static PyObject *journal_new(PyTypeObject *type, PyObject *arguments, PyObject *names)
{
    static char *keywords[] = {"bell", "segment_bytes", NULL};
    int bell;
    Py_ssize_t segment_bytes;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "in", keywords, &bell, &segment_bytes))
        return NULL;
    if (segment_bytes <= BLOCK)
        return PyErr_Format(PyExc_ValueError, "segments of %zd bytes hold nothing", segment_bytes);
    JournalObject *object = (JournalObject *)type->tp_alloc(type, 0);
    if (!object)
        return NULL;
    object->journal.bell = bell;
    object->journal.current = -1;
    object->journal.segment_bytes = (uint64_t)segment_bytes;
    pthread_mutex_init(&object->journal.lock, NULL);
    return (PyObject *)object;
}

static void journal_dealloc(JournalObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    pthread_mutex_destroy(&object->journal.lock);
    type->tp_free(object);
    Py_DECREF(type);
}

Journal *journal_of(PyObject *object)
{
    if (object == Py_None)
        return NULL;
    if (Py_TYPE(object)->tp_dealloc != (destructor)journal_dealloc) {
        PyErr_SetString(PyExc_TypeError, "this is no journal");
        return NULL;
    }
    return &((JournalObject *)object)->journal;
}

static const uint8_t *key_of(const Py_buffer *buffer)
{
    if (buffer->len == KEY_BYTES)
        return buffer->buf;
    PyErr_Format(PyExc_ValueError, "a key has %d bytes", KEY_BYTES);
    return NULL;
}

static PyObject *journal_add_(JournalObject *object, PyObject *arguments)
{
    int file;
    Py_buffer buffer;
    if (!PyArg_ParseTuple(arguments, "iy*", &file, &buffer))
        return NULL;
    const uint8_t *key = key_of(&buffer);
    if (key)
        journal_add(&object->journal, file, key);
    PyBuffer_Release(&buffer);
    return key ? Py_NewRef(Py_None) : NULL;
}

static PyObject *journal_renew_(JournalObject *object, PyObject *arguments)
{
    int segment;
    Py_buffer buffer;
    if (!PyArg_ParseTuple(arguments, "iy*", &segment, &buffer))
        return NULL;
    const uint8_t *key = key_of(&buffer);
    if (key && (segment < 0 || segment >= SEGMENTS || object->journal.segments[segment].state != FULL)) {
        PyErr_Format(PyExc_ValueError, "segment %d is not full", segment);
        key = NULL;
    }
    if (key)
        journal_renew(&object->journal, segment, key);
    PyBuffer_Release(&buffer);
    return key ? Py_NewRef(Py_None) : NULL;
}

static PyObject *journal_turn_(JournalObject *object, PyObject *unused)
{
    (void)unused;
    journal_turn(&object->journal);
    Py_RETURN_NONE;
}

static PyObject *journal_close_(JournalObject *object, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(journal_close(&object->journal));
}

static PyObject *journal_full(JournalObject *object, PyObject *unused)
{
    (void)unused;
    Journal *journal = &object->journal;
    PyObject *full = PyList_New(0);
    for (int i = 0; full && i < SEGMENTS; i++) {
        pthread_mutex_lock(&journal->lock);
        bool due = journal->segments[i].state == FULL && !journal->segments[i].open;
        bool unfiled = journal->segments[i].unfiled > 0;
        pthread_mutex_unlock(&journal->lock);
        PyObject *one = due ? Py_BuildValue("iN", i, PyBool_FromLong(unfiled)) : NULL;
        if (due && (!one || PyList_Append(full, one)))
            Py_CLEAR(full);
        Py_XDECREF(one);
    }
    return full;
}

static PyObject *journal_used(JournalObject *object, void *unused)
{
    (void)unused;
    bool used = false;
    pthread_mutex_lock(&object->journal.lock);
    for (int i = 0; i < SEGMENTS; i++) {
        const Segment *segment = &object->journal.segments[i];
        used |= segment->state == FULL || (segment->state == FILLING && segment->used > BLOCK);
    }
    pthread_mutex_unlock(&object->journal.lock);
    return PyBool_FromLong(used);
}

/* Whether the name and the bytes of a file there are synced, or not being so is told, by one syncfs. */
static PyObject *vouches(PyObject *module, PyObject *arguments)
{
    (void)module;
    int folder;
    struct statfs disk;
    if (!PyArg_ParseTuple(arguments, "i", &folder))
        return NULL;
    if (fstatfs(folder, &disk))
        return PyErr_SetFromErrno(PyExc_OSError);
    bool known = disk.f_type == EXT4_SUPER_MAGIC || disk.f_type == XFS_SUPER_MAGIC || disk.f_type == BTRFS_SUPER_MAGIC;
    return PyBool_FromLong(known);
}

static PyObject *sync_disk(PyObject *module, PyObject *arguments)
{
    (void)module;
    int folder, failed;
    if (!PyArg_ParseTuple(arguments, "i", &folder))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    failed = syncfs(folder) || fsync(folder);  /* ext4 without a journal writes metadata behind syncfs' last flush */
    Py_END_ALLOW_THREADS
    return failed ? PyErr_SetFromErrno(PyExc_OSError) : Py_NewRef(Py_None);
}

static PyMethodDef methods[] = {
    {"add", (PyCFunction)journal_add_, METH_VARARGS, NULL},
    {"close", (PyCFunction)journal_close_, METH_NOARGS, NULL},
    {"full", (PyCFunction)journal_full, METH_NOARGS, NULL},
    {"renew", (PyCFunction)journal_renew_, METH_VARARGS, NULL},
    {"turn", (PyCFunction)journal_turn_, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"used", (getter)journal_used, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, journal_new},
    {Py_tp_dealloc, journal_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {0, NULL},
};

static PyType_Spec spec = {"dicom_node.receiver._native.Journal", sizeof(JournalObject), 0, Py_TPFLAGS_DEFAULT, slots};

static PyMethodDef functions[] = {
    {"sync_disk", sync_disk, METH_VARARGS, NULL},
    {"vouches", vouches, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int add_journal(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&spec);
    if (!type)
        return -1;
    int failed = PyModule_AddObjectRef(module, "Journal", type);
    Py_DECREF(type);
    return failed || PyModule_AddFunctions(module, functions) ? -1 : 0;
}
