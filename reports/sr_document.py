"""What every structured report of ours shares around its tree (PS3.3 A.35.13, C.17.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import highdicom as hd
from highdicom import sr
from pydicom.dataset import Dataset

from reports import codes
from reports.equipment import author_observer
from reports.errors import ReportError
from reports.evidence import Citable, cited, evidence_of
from reports.paper import Paper
from reports.wording import series_description


@dataclass(frozen=True, slots=True)
class Place:
    """Which document of the result it is; `purpose` names it in its UIDs, `description` its series."""

    purpose: str
    series_number: int
    description: str


def structured_report(
    paper: Paper,
    root: Dataset,
    evidence: Sequence[Citable],
    place: Place,
    predecessors: Sequence[Dataset] = (),
    library: Dataset | None = None,
) -> sr.Comprehensive3DSR:
    """A document around the tree of `root`, not yet sealed: COMPLETE, UNVERIFIED, PRELIMINARY, by a device.

    `evidence` must hold every object that the tree cites. `library` becomes the tree's last item. highdicom
    checked each item when it was made; here, where it would copy and search them all several times, it sees
    the tree's head alone, and one object of the evidence.

    Raises:
        ReportError: the tree cites what is not among the evidence.
    """
    _check_citations(root, paper, evidence)
    document = _document(paper, _head(root), cited(paper, evidence[0]), place, predecessors)
    document.ContentSequence = [*root.ContentSequence, *([] if library is None else [library])]
    document.CompletionFlagDescription = "Automated research result"
    document.CurrentRequestedProcedureEvidenceSequence = evidence_of(paper, evidence)
    document.AuthorObserverSequence = [author_observer(paper.equipment)]
    return document


def _document(
    paper: Paper, head: Dataset, about: Dataset, place: Place, predecessors: Sequence[Dataset]
) -> sr.Comprehensive3DSR:
    equipment = paper.equipment
    return sr.Comprehensive3DSR(
        evidence=[about],
        content=head,
        series_instance_uid=paper.uid(place.purpose, "series"),
        series_number=place.series_number,
        sop_instance_uid=paper.uid(place.purpose, "instance"),
        instance_number=1,
        series_description=series_description(paper.model, place.description),
        specific_character_set="ISO_IR 192",
        is_complete=True,  # highdicom's default is PARTIAL
        is_final=False,
        is_verified=False,
        previous_versions=list(predecessors) or None,
        coding_schemes=[_private_scheme(paper)],
        manufacturer=equipment.manufacturer,
        manufacturer_model_name=equipment.model_name,
        software_versions=equipment.software_version,
        device_serial_number=equipment.serial_number,
    )


def _head(root: Dataset) -> Dataset:
    """The root with the first of its items only."""
    head = Dataset()
    for element in root:
        if element.keyword != "ContentSequence":
            head.add(element)
    head.ContentSequence = root.ContentSequence[:1]
    return head


def _check_citations(root: Dataset, paper: Paper, evidence: Sequence[Citable]) -> None:
    absent = set(_citations(root)) - {paper.ids.of(one.sop_instance_uid) for one in evidence}
    if absent:
        raise ReportError(f"the report cites {len(absent)} objects that are not among its evidence")


def _citations(item: Dataset) -> Iterator[str]:
    """The SOP Instance UIDs that a tree cites."""
    for reference in item.get("ReferencedSOPSequence", ()):
        yield str(reference.ReferencedSOPInstanceUID)
    for child in item.get("ContentSequence", ()):
        yield from _citations(child)


def observer(paper: Paper) -> sr.ObserverContext:
    """The node as device observer (TID 1002, 1004)."""
    equipment = paper.equipment
    identity = sr.DeviceObserverIdentifyingAttributes(
        uid=equipment.device_uid,
        name=equipment.station_name,
        manufacturer_name=equipment.manufacturer,
        model_name=equipment.model_name,
        serial_number=equipment.serial_number,
    )
    return sr.ObserverContext(
        observer_type=sr.CodedConcept.from_code(codes.DEVICE), observer_identifying_attributes=identity
    )


def opening(paper: Paper) -> list[sr.ContentItem]:
    """How a tree begins: language, observer and procedure (TID 1500 rows 2 to 4)."""
    language = sr.LanguageOfContentItemAndDescendants(sr.CodedConcept.from_code(codes.ENGLISH))
    context = sr.ObservationContext(observer_device_context=observer(paper))
    procedure = sr.CodeContentItem(
        codes.PROCEDURE_REPORTED, codes.CARDIAC_MRI, relationship_type="HAS CONCEPT MOD"
    )
    return [*language, *context, procedure]


def separate(item: Dataset) -> None:
    """SEPARATE everywhere: in CONTINUOUS containers, highdicom's choice, viewers drop the items' names."""
    if item.ValueType == "CONTAINER":
        item.ContinuityOfContent = "SEPARATE"
    for child in item.get("ContentSequence", ()):
        separate(child)


def _private_scheme(paper: Paper) -> hd.coding_schemes.CodingSchemeIdentificationItem:
    return hd.coding_schemes.CodingSchemeIdentificationItem(
        designator=codes.PRIVATE_SCHEME,
        name="Codes of the cardiac MR node",
        version="1",
        responsible_organization=paper.equipment.manufacturer,
    )
