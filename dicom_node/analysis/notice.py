"""From a study that cannot be analysed to the notice that says so: headers alone, no pixel and no model."""

from collections import Counter

from dicom_node.analysis.attribution import Identity, refuse_misattribution
from dicom_node.analysis.engine import NoticeRequest
from dicom_node.claims import said
from dicom_node.errors import Misattributed
from pipeline import ContradictoryStudy, Instance, NoCine, PlaneSource, Study, find_stack, read_study
from reports import NoticeContext, Report, build_notice


def make_notice(request: NoticeRequest) -> tuple[Report, ...]:
    """The notice on one study; touches no clock, network or database.

    Where the images name several patients it goes to the one most of them name, and cites only those: the
    reader of that study must learn why there is no result, or why an earlier one no longer stands.

    Raises:
        PipelineError: no file can be read, or no patient is named by most of them.
        Misattributed: files and notice do not agree on whose they are; nothing may be written.
        ReportError: the notice could not be written.
    """
    study = read_study(request.paths)
    if study.uid != request.study_instance_uid:
        raise Misattributed("the files of this study say that they belong to another one")
    images = _images(_one_patient(study))
    context = NoticeContext(
        study=study,
        images=images,
        refusal=request.refusal,
        equipment=request.equipment,
        now=request.now,
        priors=request.priors,
        config_sha256=request.config_sha256,
    )
    reports = tuple(build_notice(context))
    identity = Identity(said(context.source_header, "PatientID"), study.uid, "")
    refuse_misattribution(reports, identity)
    return reports


def _one_patient(study: Study) -> list[Instance]:
    people = Counter(_person(instance) for instance in study.instances)
    [(person, count)] = people.most_common(1)
    if 2 * count <= len(study.instances):
        raise ContradictoryStudy(f"the images of this study name {len(people)} patients, none of them mostly")
    return [instance for instance in study.instances if _person(instance) == person]


def _person(instance: Instance) -> tuple[str, str]:
    return said(instance.header, "PatientID"), said(instance.header, "PatientName")


def _images(instances: list[Instance]) -> tuple[PlaneSource, ...]:
    """The images of the cine, each file once; without a cine, the first of each series."""
    facts = [instance.facts for instance in instances]
    try:
        chosen = {plane.instance.sop_instance_uid: plane.instance for plane in find_stack(facts).planes}
    except NoCine:
        chosen = {one.series_instance_uid: one for one in reversed(facts)}
    return tuple(
        PlaneSource(one.sop_class_uid, one.sop_instance_uid, one.series_instance_uid)
        for one in chosen.values()
    )
