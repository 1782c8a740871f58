"""Pixels that lie in a file as they are, read from where the index saw them, without its header."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.facts import InstanceFacts

_AS_THEY_ARE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)


def stored_pixels(path: Path, facts: InstanceFacts, frame: int) -> NDArray[np.generic] | None:
    """The stored values of one frame (from 1), (row, column), as pydicom gives them raw.

    Unused bits are cleared of what may lie there (PS3.5 8.1.1). None where pixels are compressed, of another
    kind than 16-bit greyscale, or where the file ends before them: then somebody else must look.

    Raises:
        OSError: the file cannot be read.
    """
    if not is_plain(facts):
        return None
    assert facts.bits_stored is not None
    stored = np.empty((facts.rows, facts.columns), "<i2" if facts.signed else "<u2")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        read = os.preadv(descriptor, [stored.data], facts.pixel_offset + (frame - 1) * stored.nbytes)
    finally:
        os.close(descriptor)
    if read != stored.nbytes:
        return None
    if unused := 16 - facts.bits_stored:
        stored <<= unused
        stored >>= unused
    return stored


def is_plain(facts: InstanceFacts) -> bool:
    """Whether the pixels are 16-bit greyscale that lies in the file as it is."""
    return (
        facts.transfer_syntax_uid in _AS_THEY_ARE
        and facts.photometric == "MONOCHROME2"
        and facts.bits_allocated == 16
        and 0 < (facts.bits_stored or 0) <= 16
        and facts.signed is not None
    )
