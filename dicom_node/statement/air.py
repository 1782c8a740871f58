"""What of IHE AI Results is claimed, and what is not."""

from collections.abc import Iterator
from dataclasses import dataclass

from dicom_node.statement.markdown import table

_HEAD = """\
## 9. IHE AI Results (AIR)

The node acts as Evidence Creator. *Claimed* means: made so, and tested, as far as the profile is known
from public sources. It is no IHE Integration Statement: the node has not been to a Connectathon.
"""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing AIR asks for. `shown_by` are names in Annex A or codes in Annex C that the claim rests on."""

    asked: str
    done: str
    claimed: str
    shown_by: tuple[str, ...] = ()


REQUIREMENTS = (
    Requirement(
        "Results are in the study of the images, each kind of object in a series of its own",
        "Study Instance UID, patient and study attributes are the source's",
        "claimed",
        ("Study Instance UID", "Series Instance UID"),
    ),
    Requirement(
        "One structured report is the root, and refers to the other objects of the result",
        "the report refers to the summary page, to the overlay of the most telling slice, and to the maps if "
        "they are written",
        "claimed",
        ("Referenced Instance Sequence", "130401"),
    ),
    Requirement(
        "Measurement: TID 1500 in a Comprehensive 3D SR, coded concept and UCUM unit",
        "probability and operating threshold in percent, in a TID 1501 group",
        "claimed; the probability's concept is a private code, see C.4",
        ("SCAR-PROB", "122411", "%"),
    ),
    Requirement(
        "Qualitative finding: TID 1500, coded name and value",
        "Scarred Myocardium: Present, Absent or Undetermined, unless `report.finding_code` is false",
        "claimed",
        ("122113", "52101004", "272519000", "373068000"),
    ),
    Requirement(
        "Procedure Reported names the imaging procedure, not the algorithm",
        "Cardiac MRI (CID 3820), which is not among the codes of CID 100 that TID 1500 proposes",
        "claimed",
        ("121058", "241620005"),
    ),
    Requirement(
        "Tracking identifier and tracking UID, the same for the same finding over time",
        "the same for one study, also when another model looks again or a later report replaces the first",
        "claimed",
        ("112039", "112040"),
    ),
    Requirement(
        "Algorithm identification: name, version, parameters",
        "TID 4019 in every group, with the digest of the weights and of the preprocessing",
        "claimed",
        ("111001", "111003", "111002", "111000"),
    ),
    Requirement(
        "Contributing Equipment Sequence describes each algorithm; its Device UID changes with every "
        "retraining",
        "purpose (109102, DCM, Processing Equipment), which replaced the profile's placeholder; Device UID "
        "from the digests of weights and preprocessing",
        "claimed",
        ("Contributing Equipment Sequence", "109102", "Device UID"),
    ),
    Requirement(
        "The device, not a person, is the observer",
        "TID 1002 and 1004; Author Observer Sequence says DEV",
        "claimed",
        ("121005", "121012", "Author Observer Sequence"),
    ),
    Requirement(
        "Image references: what was analysed, and where the finding is",
        "all source images in the evidence; in the image library all, or of very many those of one phase; a "
        "point at the peak of attention",
        "claimed",
        ("111028", "Current Requested Procedure Evidence Sequence"),
    ),
    Requirement(
        "Not attested unless a person signs",
        "COMPLETE, UNVERIFIED, PRELIMINARY",
        "claimed",
        ("Completion Flag", "Verification Flag", "Preliminary Flag"),
    ),
    Requirement(
        "Region: Segmentation; parametric map: Parametric Map",
        "written if the site asks for them (`report.extra_objects`)",
        "optional, claimed where written",
    ),
    Requirement(
        "Location in TID 1410 or 1411",
        "the point is evidence of a measurement (INFERRED FROM), no region",
        "not claimed",
    ),
    Requirement(
        "Baseline display of results (Image Display actor)",
        "the node has no display; the summary page and the overlays are for viewers that show no structured "
        "report",
        "not claimed: another actor's duty",
    ),
    Requirement(
        "Storage Commitment after storing",
        "asked of destinations that offer it; of others, C-GET or C-FIND is the proof (section 4.4)",
        "optional, claimed where the destination offers it",
    ),
    Requirement(
        "Storing and retrieving over the web (STOW-RS, WADO-RS, QIDO-RS)",
        "stores to destinations with a `url`, and retrieves from them for proof (section 4.7); takes images "
        "by DIMSE only",
        "not claimed as a profile option; STOW-RS, WADO-RS and QIDO-RS are tested against Orthanc",
    ),
    Requirement(
        "Worklists of AI Workflow for Imaging (AIW-I)",
        "the node starts when a study is complete",
        "not claimed: another profile",
    ),
)


def air() -> Iterator[str]:
    """Requirement by requirement."""
    yield _HEAD
    yield from table(
        ("asked for", "what the node does", "claim"),
        ((one.asked, one.done, one.claimed) for one in REQUIREMENTS),
    )
