"""What can go wrong outside the images, the models and the reports.

NodeError
├── IllegalMove             a job was asked to go where its state does not lead
├── ForeignPackage          another distribution's `models` is being imported in place of ours
├── ConfigError             config.yaml says something we cannot do
├── TlsError                certificates, keys or authorities cannot be used
├── StoreUnavailable        the database is locked, read-only, full or gone
├── NewerDatabase           the database was written by a newer version of the node
├── ArchiveFull             the disk is below its reserve
├── ArchiveUnwritable       the archive's folder cannot be written
├── NotUnderstood           what a peer sent is not a DICOM object we can file
├── ClassMismatch           the object is not of the SOP class its sender announced
├── AuditUnwritable         the audit log cannot be written
├── ReceiverFailed          the receiver process did not start
├── WorkerDied              the worker process ended without an answer
│   ├── WorkerOverdue           it was ended, because its time was over
│   └── WorkerStarved           it ended as a process does that finds no memory
├── NoRoom                  results could not be written, because the disk is full
├── Misattributed           a result names another patient, study or frame of reference than its images
├── NotExported             an image cannot be written without its patient
├── NotNow                  the study, or the model, is not where this can be done with it
├── LabelsRefused           a table of labels contradicts itself, the studies or what is known
├── UnknownObject           no result, image or model goes by the name given
└── DestinationError
    ├── DestinationUnreachable     nobody answered: try again
    ├── DestinationRefused         somebody answered no
    └── ServiceRefused             somebody is there, but does not do what was asked
"""


class NodeError(Exception):
    """Base class for the node's own errors. The message is one sentence for an administrator."""


class IllegalMove(NodeError):
    """A job was asked to move to a state its present one does not lead to."""


class ForeignPackage(NodeError):
    """Another distribution's `models`, `pipeline` or `reports` is being imported."""


class ConfigError(NodeError):
    """config.yaml says something we cannot do."""


class TlsError(NodeError):
    """Certificate, key or authorities cannot be used."""


class StoreUnavailable(NodeError):
    """The database is locked, read-only, full or gone."""


class NewerDatabase(NodeError):
    """The database was written by a newer version of the node."""


class ArchiveFull(NodeError):
    """The disk is below its reserve (C-STORE status 0xA700)."""


class ArchiveUnwritable(NodeError):
    """The archive's folder cannot be written: read-only, no permission, failing disk (status 0xA700)."""


class NotUnderstood(NodeError):
    """What a peer sent is not a DICOM object we can file (C-STORE status 0xC000)."""


class ClassMismatch(NodeError):
    """The object is not of the SOP class its sender announced (C-STORE status 0xA900)."""


class AuditUnwritable(NodeError):
    """The audit log cannot be written: what would have to be in it must wait."""


class ReceiverFailed(NodeError):
    """The receiver process did not start: the port is taken, or the address is not ours."""


class WorkerDied(NodeError):
    """The worker process ended, or was ended, without an answer."""


class UnknownObject(NodeError):
    """No result, image or model of this node goes by the name given; the message says what is known."""


class LabelsRefused(NodeError):
    """A table of labels contradicts itself, the studies here or what is known of them; a line per fault."""


class NotNow(NodeError):
    """The study, or the model, is not where this can be done with it; the message says what to do instead."""


class NotExported(NodeError):
    """An image stays behind in an export for research; the message says why."""


class WorkerOverdue(WorkerDied):
    """The worker process was ended because it took longer than it may."""


class WorkerStarved(WorkerDied):
    """The worker process ended as processes do that find no memory."""


class NoRoom(NodeError):
    """Results could not be written, because the disk is full; the same again may go well later."""


class Misattributed(NodeError):
    """A result names another patient, study or frame of reference than the images behind it."""


class DestinationError(NodeError):
    """A result did not arrive."""


class DestinationUnreachable(DestinationError):
    """Nobody answered."""


class DestinationRefused(DestinationError):
    """Somebody answered no."""


class ServiceRefused(DestinationError):
    """The peer does not offer a service, or answers that it cannot do it."""
