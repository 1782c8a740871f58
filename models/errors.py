"""What can go wrong between a volume and a prediction.

ModelError
├── ContractViolation      the volume is not what the model was trained on
├── WeightsCorrupt         the weights file is missing, or not the one its manifest names
└── InferenceFailed        the network ran and gave no usable answer
    └── OutOfMemory            memory did not suffice; `models.ladder` has ways that need less
"""


class ModelError(Exception):
    """The model could not answer. The message is one sentence for an administrator."""


class ContractViolation(ModelError):
    """The volume is not what the model was trained on."""


class WeightsCorrupt(ModelError):
    """The weights file is missing, or not the one its manifest names."""


class InferenceFailed(ModelError):
    """The network ran and gave no usable answer."""


class OutOfMemory(InferenceFailed):
    """Memory did not suffice to compute the network in the way that was asked for."""
