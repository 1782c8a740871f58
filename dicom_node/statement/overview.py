"""The first page: what the node does with whom, in tables."""

from collections.abc import Iterator

from dicom_node.conformance import BASIC, IMAGE, SERVICES, UNCOMPRESSED, Action, Role, Service, Syntax
from dicom_node.statement.markdown import code, table
from reports import CreatedObject, Creation

_HEAD = """\
# DICOM conformance statement

dicom-node receives cardiac cine MR studies, has a network look for myocardial scar, and sends a
structured report and attention maps to the archive. For research; not a medical device.

`dicom-node conformance` prints this file from the tables that the node runs on, and from the objects it
writes; a test keeps the two equal. Its parts follow the template of PS3.2 Annex N.

## 1. Overview

### 1.1 Services
"""
_SERVICES = (
    ("Receive images (Storage)", "SCP", "yes", "from scanners, or from an archive that forwards studies"),
    ("Send results (Storage)", "SCU", "yes", "to every configured destination"),
    ("Verification (C-ECHO)", "SCP and SCU", "yes", "answers; asks with `dicom-node echo`"),
    (
        "Storage Commitment (Push Model)",
        "SCU and SCP",
        "yes",
        "asks destinations to commit to results; takes their reports on any association. Commits to images "
        "that it keeps, when their sender asks",
    ),
    (
        "Query/Retrieve (Study Root, C-FIND and C-GET)",
        "SCU",
        "yes",
        "to prove that destinations hold results",
    ),
    ("Modality Worklist, MPPS, Unified Procedure Step", "", "no", "the node starts when a study is complete"),
    (
        "DICOMweb: STOW-RS, WADO-RS, QIDO-RS",
        "user agent",
        "yes",
        "sends results to destinations with a `url`, and has them proved; section 4.7",
    ),
    ("DICOMweb, as origin server", "", "no", ""),
    ("Print, media, real-time video", "", "no", ""),
)
_ACTIONS = {
    Action.ANSWER: "answered",
    Action.ANALYSE: "kept and analysed",
    Action.DISCARD: "discarded",
    Action.COMMIT: "answered with a report",
    Action.SEND: "sent",
    Action.ASK: "asked for proof of delivery",
}
_SYNTAX_SETS = {BASIC: "Basic", UNCOMPRESSED: "Uncompressed", IMAGE: "Image"}
_DISCARDED = """\
Of an object that is discarded a note is kept, and no pixels. It is answered with Success, so that a
router does not retry a whole study; it is never committed to. With `receive.other_objects: reject` these
classes are not negotiated at all.
"""

CONTENTS = {
    "sr": "probability of scar, threshold, finding, quality, attention by segment, model, images (TID 1500)",
    "text": "the same in words, summary first (TID 2000)",
    "summary": "the finding on one page, for every viewer",
    "attention": "where the network looked, over a slice, lying where the slice lies",
    "parametric_map": "the attention as numbers",
    "segmentation": "where the attention is at least half its maximum; no outline of a scar",
    "key_objects": "the images that the report points at",
    "presentation": "annotations for the original images",
    "pdf": "the summary page as a document",
    "cardiovascular": "the finding in the form of TID 3900",
    "notice": "that the study was not analysed, and why",
    "notice-page": "the same on one page",
}


def overview(creation: Creation) -> Iterator[str]:
    """Services, SOP classes, transfer syntaxes, and what is made."""
    yield _HEAD
    yield from table(("service", "role", "supported", ""), _SERVICES)
    yield "### 1.2 SOP classes\n"
    yield from table(
        ("SOP class", "UID", "role", "what happens", "transfer syntaxes"), map(_class, _ordered())
    )
    yield _DISCARDED
    yield "### 1.3 Transfer syntaxes, in order of preference\n"
    yield from table(("transfer syntax", "UID", *_SYNTAX_SETS.values(), "remark"), map(_syntax, IMAGE))
    yield "### 1.4 Objects created\n"
    yield from table(
        ("object", "kind", "content", "modality", "series", "when"), map(_created, creation.objects)
    )
    yield "Annex A lists them attribute by attribute. `dicom-node show` names the kinds.\n"


def _ordered() -> list[Service]:
    return sorted(SERVICES, key=lambda service: service.role is Role.SCU)


def _class(service: Service) -> tuple[str, ...]:
    happens, syntaxes = _ACTIONS[service.action], _SYNTAX_SETS[service.syntaxes]
    return service.name, code(service.sop_class_uid), service.role.value, happens, syntaxes


def _syntax(syntax: Syntax) -> tuple[str, ...]:
    members = ("yes" if syntax in syntaxes else "" for syntaxes in _SYNTAX_SETS)
    remark = "lossy: accepted and flagged" if syntax.lossy else ""
    return syntax.uid.name, code(syntax.uid), *members, remark


def _created(made: CreatedObject) -> tuple[str, ...]:
    values = {row.name: row.value for row in made.attributes if row.depth == 0}
    when = f"with `report.{made.option}`" if made.option else "by default"
    content = CONTENTS.get(made.kind, "")
    return made.name, made.kind, content, values.get("Modality", ""), values.get("Series Number", ""), when
