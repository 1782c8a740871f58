"""DICOM files in, beating volumes out. Knows nothing of models, reports or the network."""

from pipeline.assemble import assemble
from pipeline.completeness import Completeness, judge
from pipeline.contract import InputContract, refusal
from pipeline.decoders import decodable
from pipeline.errors import ContradictoryStudy, IncompleteCine, NoCine, PipelineError, UnreadableInstance
from pipeline.facts import InstanceFacts, read_facts, read_plain
from pipeline.frames import FrameFacts
from pipeline.resemblance import resembles_cine
from pipeline.scan import USUAL_HEAD, Beginning, PlainHeader, begin
from pipeline.stack import CineSlice, CineStack, find_stack
from pipeline.study import Instance, Study, read_study
from pipeline.volume import CineVolume, Geometry, PlaneSource, Vector
from pipeline.voxel_memory import VoxelMemory

__all__ = [
    "USUAL_HEAD",
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
    "PlainHeader",
    "PlaneSource",
    "Study",
    "UnreadableInstance",
    "Vector",
    "VoxelMemory",
    "assemble",
    "begin",
    "decodable",
    "find_stack",
    "judge",
    "read_facts",
    "read_plain",
    "read_study",
    "refusal",
    "resembles_cine",
]
