"""Whose study this is: nothing may be reported about one patient from the images of another."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dicom_node.claims import claims_of, said
from dicom_node.errors import Misattributed
from pipeline import CineVolume, ContradictoryStudy, Instance, Study
from pipeline.facts import LONGEST_UID
from pipeline.header import text
from reports import Report


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom and what a result may name; the Patient ID, verbatim, may be empty."""

    patient_id: str
    study_instance_uid: str
    frame_of_reference_uid: str


def refuse_strangers(study: Study, volume: CineVolume) -> Identity:
    """The one identity behind `volume`.

    Raises:
        ContradictoryStudy: the images differ in patient (PS3.3 C.7.1.1).
        Misattributed: the volume claims a study or a frame of reference that is not its images'.
    """
    people = _people(_sources(study, volume))
    if len(people) != 1:
        raise ContradictoryStudy(
            f"the images of this study name {len(people)} patients; correct and resend them"
        )
    if {_stated(one, "StudyInstanceUID") for one in _sources(study, volume)} != {volume.study_instance_uid}:
        raise Misattributed("images of another study are among the images of this one")
    if volume.frame_of_reference_uid not in frames_of_reference(study, volume):
        raise Misattributed("the volume is placed in a frame of reference that none of its images has")
    return Identity(people.pop()[0], volume.study_instance_uid, volume.frame_of_reference_uid)


def frames_of_reference(study: Study, volume: CineVolume) -> set[str]:
    """The Frame of Reference UIDs of the images behind `volume` (PS3.3 C.7.4.1); more than one is dirt."""
    return {_stated(one, "FrameOfReferenceUID") for one in _sources(study, volume)}


def refuse_misattribution(reports: Iterable[Report], identity: Identity) -> None:
    """Make sure that each report names its images' patient, study and frame of reference, and no other.

    Raises:
        Misattributed: one does not.
    """
    for report in reports:
        claims = claims_of(report.dataset)
        if claims.patient_id != identity.patient_id:
            raise Misattributed(f"the {report.kind} names another patient than its images")
        if claims.studies != {identity.study_instance_uid}:
            raise Misattributed(f"the {report.kind} names another study than its images")
        if claims.frames - {identity.frame_of_reference_uid}:
            raise Misattributed(f"the {report.kind} names another frame of reference than its images")


def _people(sources: Iterable[Instance]) -> set[tuple[str, str]]:
    """ID and name of everybody these files name; of files that say it in the same bytes one is read."""
    alike = {one.whose or one: one for one in sources}
    return {(said(one.header, "PatientID"), said(one.header, "PatientName")) for one in alike.values()}


def _stated(source: Instance, keyword: Literal["StudyInstanceUID", "FrameOfReferenceUID"]) -> str:
    """What the file says, read as the volume's names were: a stray byte in a UID makes nobody a stranger.

    Where its header was not read, the facts were found to agree with it.
    """
    if not source.whose:
        return text(source.header, keyword, LONGEST_UID)
    facts = source.facts
    return facts.study_instance_uid if keyword == "StudyInstanceUID" else facts.frame_of_reference_uid


def _sources(study: Study, volume: CineVolume) -> list[Instance]:
    """Every image a plane of `volume` was read from, each once."""
    uids = dict.fromkeys(source.sop_instance_uid for row in volume.sources for source in row)
    return [study.instance_of(uid) for uid in uids]
