"""What is not a cine: one word or two for every plane that cannot be part of one."""

import re
from collections.abc import Iterable
from functools import lru_cache

from pipeline.facts import InstanceFacts
from pipeline.frames import FrameFacts

_OURS = "dicom-node"
_NOT_MAGNITUDE = frozenset(
    {"P", "PHASE", "PHASE MAP", "PHASE CONTRAST", "R", "REAL", "I", "IMAGINARY", "VELOCITY"}
)
_REFORMATTED = frozenset(
    {"MPR", "CSA MPR", "MIP", "MINIP", "CSA MIP", "PROJECTION IMAGE", "MOSAIC", "T1 MAP", "T2 MAP"}
)
_FLOW = re.compile(
    r"\bflow\b|\bq ?flow\b|\bvenc|\bvelocity\b|\bphase contrast\b|\b2d ?pc\b|\bpc ?(cine|mra)\b|\bpcmr\b"
)
_FLOW_SEQUENCE = re.compile(r"_v\d+(in|thr|ap|rl|fh)|\bfl_?pc|fastcard pc|pcmr", re.IGNORECASE)
_TAGGING = re.compile(r"\btag(s|ged|ging)?\b|\bc?spamm\b|\bgrid ?tag|\bdense\b|\bharp\b")
_MAPPING = re.compile(r"\bt[12] ?(star ?)?map|\b(sh)?molli\b|\bti ?scout\b|\blook ?locker\b|\bsasha\b")
_PERFUSION = re.compile(r"\bperf|\bfirst ?pass\b|\bdynamic contrast\b")
_LATE = re.compile(r"\blge\b|\blate ?(gad|enh)|\bdelayed\b|\bpsir\b|\bviability\b|\bmag ir\b")
_SCOUT = re.compile(r"\blocali[sz]er\b|\bscout\b|\bsurvey\b|\bplan ?scan\b|\bloc\b")
_CINE = re.compile(r"\bcine|\bfiesta|\btrufi\b|\btrue ?fisp\b|\bbalanced\b|\bb ?tfe\b|\bretro\b|\bssfp\b")
_BY_NAME = ((_SCOUT, "localizer"), (_PERFUSION, "perfusion"), (_LATE, "late enhancement"))


def why_not_cine(instance: InstanceFacts, frame: FrameFacts) -> str:
    """The kind of image this is, if the header alone rules a cine out; else empty.

    Image Type and Frame Type decide (PS3.3 C.8.3.1.1.1, C.8.13.3.1.1). Words of a description only do
    where they name another technique, and not against a word that says cine.
    """
    if _OURS in instance.model_name.lower():
        return "result of this node"
    by_header = _by_marks(frame.marks, instance.lossy)
    return by_header or _by_name(words_of(instance), instance.sequence_name)


def flow_series(instances: Iterable[InstanceFacts]) -> frozenset[str]:
    """Series UIDs that hold phase images: their magnitude images are flow, too."""
    return frozenset(
        instance.series_instance_uid
        for instance in instances
        if any({"P", "PHASE", "PHASE MAP", "VELOCITY"} & set(frame.marks) for frame in instance.frames)
    )


@lru_cache(maxsize=1024)
def _by_marks(marks: tuple[str, ...], lossy: bool) -> str:
    """DERIVED is honest for a lossy copy (PS3.3 C.7.6.1.1.5), so a lossy file is not dropped for it."""
    if _NOT_MAGNITUDE.intersection(marks) or any("PCA" in mark for mark in marks):
        return "flow or phase image"
    if _REFORMATTED.intersection(marks):
        return "reformatted or computed image"
    for mark, kind in (("LOCALIZER", "localizer"), ("PERFUSION", "perfusion"), ("TAGGED", "tagging")):
        if mark in marks:
            return kind
    return "derived image" if "DERIVED" in marks and not lossy else ""


@lru_cache(maxsize=1024)
def _by_name(words: str, sequence_name: str) -> str:
    if _FLOW.search(words) or _FLOW_SEQUENCE.search(sequence_name):
        return "flow or phase image"
    if _TAGGING.search(words):
        return "tagging"
    if _MAPPING.search(words):
        return "mapping"
    if _CINE.search(words):
        return ""
    return next((kind for pattern, kind in _BY_NAME if pattern.search(words)), "")


def words_of(instance: InstanceFacts) -> str:
    """Description and protocol in lower case, with blanks between the words."""
    return _words(f"{instance.series_description} {instance.protocol_name}")


@lru_cache(maxsize=1024)
def _words(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.lower()).strip()
