"""Labels and studies brought together: the examples to learn from, and why others are none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import StudyLost, TrainingRefused
from models.examples import Examples
from models.training.example_store import Addition, Contents, ExampleStore, Kept
from models.training.groups import GROUPS
from models.training.labels import Label, Labels
from models.training.preparing import Prepare, PreparedStudy
from models.training.studies import Found, FoundStudy, Say, patient_digest
from pipeline import PipelineError
from pipeline.preprocessing import Preprocessing


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The labelled studies that could be prepared, and the sentence on each that could not, by its UID."""

    examples: Examples
    left_out: Mapping[str, str]


def gather(
    labels: Labels, found: Found, store: ExampleStore, recipe: Preprocessing, say: Say, prepare: Prepare
) -> Gathered:
    """The examples of all labelled studies; what the store keeps is not prepared again.

    A study that is lost on the way is left out, and tried again another time.

    Raises TrainingRefused if labels and images do not fit together, or too little is left.
    """
    patients = {uid: _patient(label, found.studies.get(uid)) for uid, label in labels.by_study.items()}
    wanted = [found.studies[uid] for uid in labels.by_study]
    contents, lost = store.contents(), dict[str, str]()
    if any(_unknown(study, contents) for study in wanted) or found.files.keys() - contents.files.keys():
        with store.adding() as addition:
            addition.note(found.files)
            contents = addition.contents
            unknown = [study for study in wanted if _unknown(study, contents)]
            lost = _prepare(unknown, addition, say, lambda study: prepare(study, recipe))
    held = [study for study in wanted if study.key in contents.studies]
    reasons = contents.refused | lost
    left_out = {study.uid: reasons[study.key] for study in wanted if study.key in reasons}
    answers = {labels.by_study[study.uid].answer for study in held}
    if len(answers) < 2:
        why = "".join(f"; {reason}" for reason in sorted(set(left_out.values()))[:3])
        raise TrainingRefused(
            f"{len(held)} of {len(wanted)} labelled studies could be prepared, and not both answers to "
            f"{labels.column} are among them{why}"
        )
    kept = [contents.studies[study.key] for study in held]
    examples = Examples(
        cine=store.cines([one.place for one in kept]),
        label=np.array([labels.by_study[study.uid].answer for study in held], np.bool_),
        label_name=labels.column,
        patients=tuple(patients[study.uid] for study in held),
        studies=tuple(study.uid for study in held),
        recipe=recipe,
        groups=_groups(labels, held, kept),
        simulated=any(one.simulated for one in kept),
    )
    return Gathered(examples, left_out)


def _unknown(study: FoundStudy, contents: Contents) -> bool:
    return study.key not in contents.studies and study.key not in contents.refused


def _prepare(
    studies: Sequence[FoundStudy],
    addition: Addition,
    say: Say,
    prepare: Callable[[FoundStudy], PreparedStudy],
) -> dict[str, str]:
    """Keep the studies prepared; why some were lost on the way, by their keys."""
    lost = {}
    for done, study in enumerate(studies, 1):
        try:
            addition.add(prepare(study))
        except PipelineError as error:
            addition.refuse(study.key, str(error))
        except StudyLost as error:
            lost[study.key] = str(error)
        say("preparing studies", done, len(studies))
    return lost


def _groups(labels: Labels, held: Sequence[FoundStudy], kept: Sequence[Kept]) -> dict[str, tuple[str, ...]]:
    groups = {name: tuple(one.groups[name] for one in kept) for name in GROUPS}
    if labels.group_column:
        groups[labels.group_column] = tuple(labels.by_study[study.uid].group for study in held)
    return groups


def _patient(label: Label, found: FoundStudy | None) -> str:
    """The digest of the study's patient, on whom label and images agree."""
    if found is None:
        raise TrainingRefused(f"study {label.study} is labelled, and not among the images")
    labelled = patient_digest(label.patient)
    if labelled and found.patients and found.patients != (labelled,):
        raise TrainingRefused(f"study {label.study}: the label and the images name different patients")
    whose = labelled or "".join(found.patients)
    if not whose:
        raise TrainingRefused(f"study {label.study}: neither label nor images say whose it is")
    return whose
