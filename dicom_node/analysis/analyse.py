"""The whole story of one study, from files to reports."""

from collections.abc import Sequence
from dataclasses import dataclass

from dicom_node.analysis.attribution import (
    Identity,
    frames_of_reference,
    refuse_misattribution,
    refuse_strangers,
)
from dicom_node.analysis.engine import AnalysisRequest
from dicom_node.analysis.findings import Findings, VolumeFound
from dicom_node.errors import Misattributed
from models import ContractViolation, ModelAdapter
from pipeline import (
    CineStack,
    CineVolume,
    Completeness,
    Study,
    VoxelMemory,
    assemble,
    find_stack,
    judge,
    read_study,
    refusal,
)
from reports import InputQuality, Report, ReportContext, build_reports


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What came of a study: the reports, the SR first, and a summary for the record."""

    reports: tuple[Report, ...]
    findings: Findings


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a model made of a study, before anything is written."""

    context: ReportContext
    stack: CineStack
    judged: Completeness
    identity: Identity

    @property
    def findings(self) -> Findings:
        """A summary for the record."""
        return _findings(self.context, self.stack, self.judged)


def analyse(request: AnalysisRequest, *models: ModelAdapter, memory: VoxelMemory | None = None) -> Analysis:
    """One study to its reports. Reads the request's files; touches no clock, network or database.

    Of several models the first whose contract the study fits reads it. The volume lies in `memory`, which
    saves whoever reads many studies a hundredth of each.

    Raises:
        PipelineError: the images are the reason: no cine, holes, contradictions, unreadable pixels.
        Misattributed: files, volume and reports do not agree on whose they are; nothing may be written.
        ContractViolation: no model was made for such a volume.
        ModelError: the network gave no usable answer.
        ReportError: a report could not be written.
    """
    reading = read(request, *models, memory=memory)
    reports = tuple(build_reports(reading.context))
    refuse_misattribution(reports, reading.identity)
    return Analysis(reports, reading.findings)


def read(request: AnalysisRequest, *models: ModelAdapter, memory: VoxelMemory | None = None) -> Reading:
    """`analyse` up to the model's answer."""
    study = read_study(request.paths, dict(zip(request.paths, request.facts, strict=False)))
    if study.uid != request.study_instance_uid:
        raise Misattributed("the files of this study say that they belong to another one")
    stack = find_stack(study.facts)
    volume = assemble(study, stack, allow_missing=request.allow_incomplete, memory=memory)
    identity = refuse_strangers(study, volume)
    model = _first_fit(volume, models)
    judged = judge(stack)
    context = ReportContext(
        study=study,
        volume=volume,
        prediction=model.predict(volume, study),
        quality=input_quality(judged, stack, volume, study),
        equipment=request.equipment,
        now=request.now,
        priors=request.priors,
        options=request.options,
        config_sha256=request.config_sha256,
    )
    return Reading(context, stack, judged, identity)


def _first_fit(volume: CineVolume, models: Sequence[ModelAdapter]) -> ModelAdapter:
    """The first model whose contract the volume fits. Raises ContractViolation, with every model's reason."""
    reasons = []
    for model in models:
        if (reason := refusal(volume, model.contract)) is None:
            return model
        reasons.append(f"{model.identity.name} cannot read this study: {reason}")
    raise ContractViolation("; ".join(reasons))


def input_quality(
    completeness: Completeness, stack: CineStack, volume: CineVolume, study: Study
) -> InputQuality:
    """What the reader must know about the input; the volume's own notes, which name each gap, come on top.

    Gaps, filled planes, unreadable files and lossy compression make the quality limited. Frames of reference
    that differ do not: where they come from de-identification, the coordinates still fit.
    """
    limits = []
    if volume.filled:
        phases, slices = volume.voxels.shape[:2]
        limits.append(f"{len(volume.filled)} of {phases * slices} planes are interpolated in time.")
    if study.unreadable:
        limits.append(f"{len(study.unreadable)} files of the study could not be read.")
    limited = bool(limits) or not completeness.full or stack.lossy
    if len(frames_of_reference(study, volume)) > 1:
        limits.append("The images name different frames of reference; only coordinates tell how they lie.")
    return InputQuality(completeness.sentence, tuple(limits), limited)


def _findings(context: ReportContext, stack: CineStack, judged: Completeness) -> Findings:
    volume, prediction, quality = context.volume, context.prediction, context.quality
    return Findings(
        probability=prediction.probability,
        threshold=prediction.threshold,
        completeness=quality.completeness,
        remarks=tuple(dict.fromkeys((*quality.limits, *volume.notes, *prediction.notes))),
        volume=VolumeFound(
            sha256=volume.digest,
            shape=volume.voxels.shape,
            evidence=judged.evidence,
            missing=judged.missing,
            filled=tuple((phase + 1, slice_ + 1) for phase, slice_ in volume.filled),
            notes=volume.notes,
            sources=tuple(dict.fromkeys(plane.instance.sop_instance_uid for plane in stack.planes)),
        ),
        model=prediction.model,
    )
