"""The patient-level measurement group on myocardial scar (TID 1501)."""

from collections.abc import Sequence

from highdicom import sr
from pydicom.dataset import Dataset

from reports import codes
from reports.algorithm import algorithm, percentage
from reports.anchor import anchor
from reports.draft import Draft
from reports.qualitative import finding
from reports.tracking import tracking
from reports.wording import percentages


def scar_group(draft: Draft, explaining: Sequence[Dataset]) -> sr.MeasurementsAndQualitativeEvaluations:
    """Probability, operating threshold and finding, with the place that speaks for them.

    The group carries no free text: OHIF draws a comment as one endless line across the image. It carries a
    coordinate even without a map, since OHIF does not load a report with a group that has none.
    """
    context = draft.context
    probability, threshold = percentages(context.prediction)
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking(draft, "Myocardial scar"),
        algorithm_id=algorithm(draft),
        finding_sites=[sr.FindingSite(anatomic_location=codes.LV_MYOCARDIUM)],
        measurements=[
            percentage(
                codes.SCAR_PROBABILITY,
                probability,
                "Probability that scar is present",
                anchor(draft, explaining),
            ),
            percentage(codes.THRESHOLD, threshold, "Operating threshold of the model"),
        ],
        qualitative_evaluations=_evaluations(draft),
    )
    group[0].ContentSequence.extend(_explanation(made) for made in explaining)
    return group


def _explanation(made: Dataset) -> sr.ImageContentItem:
    """A picture of why; of one that plays, the frame that stands for it."""
    frame = made.get("RepresentativeFrameNumber")
    return sr.ImageContentItem(
        codes.VISUAL_EXPLANATION,
        made.SOPClassUID,
        made.SOPInstanceUID,
        referenced_frame_numbers=None if frame is None else [int(frame)],
        relationship_type="CONTAINS",
    )


def _evaluations(draft: Draft) -> list[sr.QualitativeEvaluation] | None:
    value = finding(draft)
    return None if value is None else [sr.QualitativeEvaluation(codes.SCARRED_MYOCARDIUM, value)]
