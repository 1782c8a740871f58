"""What identifies a finding from report to report (TID 1501 rows 2 and 3, TID 4108)."""

from highdicom import sr

from reports.context import stable_uid
from reports.draft import Draft


def tracking(draft: Draft, finding: str) -> sr.TrackingIdentifier:
    """The tracking identifier and UID of `finding`: one for all reports of ours on this study.

    What is tracked is the patient's finding at this examination, not the answer to it. A late image, another
    threshold or another model give a new answer, under the same identifiers. Another examination is another
    finding, which nobody has compared with this one.
    """
    study = draft.context.volume.study_instance_uid
    return sr.TrackingIdentifier(uid=stable_uid("tracking", study, finding), identifier=finding)
