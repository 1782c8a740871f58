"""DICOM files in, beating volumes out. Knows nothing of models, reports or the network."""

from pipeline.assemble import assemble
from pipeline.completeness import Completeness, judge
from pipeline.contract import InputContract, refusal
from pipeline.decoders import decodable
from pipeline.errors import ContradictoryStudy, IncompleteCine, NoCine, PipelineError, UnreadableInstance
from pipeline.facts import InstanceFacts, read_facts
from pipeline.frames import FrameFacts
from pipeline.resemblance import resembles_cine
from pipeline.scan import Beginning
from pipeline.stack import CineSlice, CineStack, find_stack
from pipeline.study import Instance, Study, read_study
from pipeline.volume import CineVolume, Geometry, PlaneSource, Vector

__all__ = [
    "Beginning",
    "CineSlice",
    "CineStack",
    "CineVolume",
    "Completeness",
    "ContradictoryStudy",
    "FrameFacts",
    "Geometry",
    "IncompleteCine",
    "InputContract",
    "Instance",
    "InstanceFacts",
    "NoCine",
    "PipelineError",
    "PlaneSource",
    "Study",
    "UnreadableInstance",
    "Vector",
    "assemble",
    "decodable",
    "find_stack",
    "judge",
    "read_facts",
    "read_study",
    "refusal",
    "resembles_cine",
]
