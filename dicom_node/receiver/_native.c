/* A place for the native lane of the receiver; it shows that the build finds Python and libcrypto. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <openssl/sha.h>

static PyObject *sha256(PyObject *module, PyObject *data) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    Py_buffer view;
    (void)module;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) return NULL;
    SHA256(view.buf, (size_t)view.len, digest);
    PyBuffer_Release(&view);
    return PyBytes_FromStringAndSize((const char *)digest, sizeof digest);
}

static PyMethodDef functions[] = {{"sha256", sha256, METH_O, "The SHA-256 of some bytes."}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "The native lane of the receiver.",
    .m_methods = functions,
    .m_slots = slots,
};
PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
