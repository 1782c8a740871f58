"""What can be wrong with the images we were sent.

PipelineError
├── UnreadableInstance      a file is not a DICOM image, or its pixels cannot be decoded
├── NoCine                  the study holds no short-axis cine
├── IncompleteCine          the slice x phase grid has holes nobody allowed us to fill
└── ContradictoryStudy      two patients, or geometry that cannot be one heart
"""


class PipelineError(Exception):
    """The study cannot be turned into a volume, and will not be without other images.

    The message is one sentence that a technologist can read and act on.
    """


class UnreadableInstance(PipelineError):
    """A file is not a DICOM image, or its pixels cannot be decoded."""


class NoCine(PipelineError):
    """No series of the study is a short-axis cine."""


class IncompleteCine(PipelineError):
    """The slice x phase grid has holes."""


class ContradictoryStudy(PipelineError):
    """The images cannot belong to one patient's one heart."""
