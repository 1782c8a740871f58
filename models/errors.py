"""What can go wrong between a volume and a prediction.

ModelError
├── ContractViolation      the volume is not what the model was trained on
├── WeightsCorrupt         the weights file is missing, or not the one its manifest names
├── NotJudged              studies and labels do not allow to say how good a network is
├── TrainingRefused        what was asked for cannot be trained: labels, split, options
├── TrainingFailed         the training went astray; its last good state is kept
├── StudyLost              a study could not be prepared here and now, and may be another time
└── InferenceFailed        the network ran and gave no usable answer
    └── OutOfMemory            memory did not suffice; `models.ladder` has ways that need less
"""


class ModelError(Exception):
    """The model could not answer. The message is one sentence for an administrator."""


class ContractViolation(ModelError):
    """The volume is not what the model was trained on."""


class WeightsCorrupt(ModelError):
    """The weights file is missing, or not the one its manifest names."""


class NotJudged(ModelError):
    """Studies and labels do not allow to say how good a network is."""


class TrainingRefused(ModelError):
    """What was asked for cannot be trained: the labels, the split or the options do not allow it."""


class TrainingFailed(ModelError):
    """The training went astray; its last good state is kept."""


class StudyLost(ModelError):
    """A study could not be prepared here and now, for no reason that lies in what its images say."""


class InferenceFailed(ModelError):
    """The network ran and gave no usable answer."""


class OutOfMemory(InferenceFailed):
    """Memory did not suffice to compute the network in the way that was asked for."""
