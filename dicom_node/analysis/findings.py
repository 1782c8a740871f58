"""What an analysis found, for the record and for people; the reports hold the rest."""

from dataclasses import dataclass

from models import ModelIdentity


@dataclass(frozen=True, slots=True)
class VolumeFound:
    """How the volume came about.

    Attributes:
        sha256: the volume's digest: equal for equal voxels, geometry and times.
        shape: phases, slices, rows, columns.
        evidence: what finding and judging the stack rest on, sentences.
        missing: what the grid lacks, such as "slice 7, phases 12-25".
        filled: (phase, slice) cells, both from 1, that were interpolated in time.
        notes: what was resampled, filled, repaired or assumed on the way, sentences.
        sources: SOP Instance UIDs of the images in the stack, those between two resampled phases among them.
    """

    sha256: str
    shape: tuple[int, ...]
    evidence: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    filled: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What a finished analysis found.

    `remarks` are the sentences on input, preparation and model, the weightiest first.
    """

    probability: float
    threshold: float
    completeness: str
    remarks: tuple[str, ...]
    volume: VolumeFound
    model: ModelIdentity
