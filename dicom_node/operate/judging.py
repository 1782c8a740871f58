"""A bundle judged on labelled studies, and what is left of it in a folder."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dicom_node.operate.costing import cost_of
from models.errors import NotJudged
from models.evaluation.asking import Tell, ask
from models.evaluation.bootstrap import Resampling
from models.evaluation.groups import require_groups
from models.evaluation.judgement import Judgement, judge
from models.evaluation.motion import measured
from models.evaluation.pairs import compared
from models.examples import Examples
from models.manifest import SHIPPED, Manifest
from models.network import Network
from reports.evaluation.comparison import (
    PICTURE,
    Contestant,
    comparison_page,
    comparison_picture,
    comparison_record,
)
from reports.evaluation.page import page
from reports.evaluation.pictures import pictures
from reports.evaluation.record import record
from reports.evaluation.subject import Subject

Verdict = tuple[Subject, Judgement]


def require_label(manifest: Manifest, column: str, accepted: bool) -> None:
    """Raises NotJudged if the network was taught something else, unless that is meant."""
    if column != manifest.label and not accepted:
        raise NotJudged(
            f"{manifest.name} {manifest.version} was trained to predict {manifest.label}, not {column}; "
            "--other-label says that this is meant"
        )


def verdict(
    folder: Path | None,
    manifest: Manifest,
    examples: Examples,
    data: str,
    resampling: Resampling,
    tell: Tell,
) -> Verdict:
    """The bundle in `folder`, the shipped one without, judged by `examples`; `data` says which these are."""
    answers = ask(Network(manifest, folder or SHIPPED), manifest, examples, tell)
    subject = Subject(manifest.identity, manifest.threshold_rule, data, examples.simulated)
    return subject, judge(answers, measured(examples), resampling)


def contestants(
    verdicts: Sequence[Verdict], folders: Sequence[Path], say: Callable[[str], None]
) -> list[Contestant]:
    """Every network with its cost, and the first one held against it."""
    (_, first), *_ = verdicts
    found = []
    for number, ((subject, judgement), folder) in enumerate(zip(verdicts, folders, strict=True)):
        say(f"measuring {subject.name}")
        behind = compared(first.scored, judgement.scored, judgement.resampling) if number else None
        found.append(Contestant(subject, judgement, cost_of(folder), behind))
    return found


def evaluation_files(subject: Subject, judgement: Judgement, wanted: Sequence[str]) -> dict[str, bytes]:
    """The files of a report on one network; `wanted` groups must be there to be told apart."""
    require_groups(judgement.scored, wanted)
    drawn = pictures(judgement, subject)
    text = page(judgement, subject, tuple(drawn))
    return {"evaluation.md": text.encode(), "evaluation.json": _json(record(judgement, subject)), **drawn}


def comparison_files(found: Sequence[Contestant]) -> dict[str, bytes]:
    """The files of a report on several."""
    return {
        "comparison.md": comparison_page(found).encode(),
        "comparison.json": _json(comparison_record(found)),
        PICTURE: comparison_picture(found),
    }


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Each file whole or not at all; those of an earlier report are replaced, others left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        beside = folder / f"{name}.part"
        beside.write_bytes(content)
        beside.replace(folder / name)


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
