/* The journal, as Python holds it. */
#ifndef DICOM_NODE_JOURNAL_OBJECT_H
#define DICOM_NODE_JOURNAL_OBJECT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "journal.h"

/* What a Lane was given: NULL for None, and with an exception for anything else that is none. */
Journal *journal_of(PyObject *object);

int add_journal(PyObject *module);

#endif
