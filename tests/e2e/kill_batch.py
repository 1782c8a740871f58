"""A batch of rounds on one node and one Orthanc, and what was true afterwards."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.uid import Comprehensive3DSRStorage

from tests.e2e.kill_rounds import Rounds, encoded_digest, unfinished
from tests.e2e.node import ServedNode
from tests.peers import Orthanc
from tests.peers.presence import free_port


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch came to. The last six are sentences, and there should be none.

    Attributes:
        seed: of the batch; with the number of rounds it says which rounds were played.
        rounds, killed: how many, and how many of each kind.
        images: how many were acknowledged.
        starts, starts_refused: of the node, after it had been killed.
        seconds: it took.
        lost: images that were acknowledged and are not in the archive as they were sent.
        astray: studies that did not end DELIVERED, or not with exactly one standing report in Orthanc.
        missing: objects that stand and are not in Orthanc.
        unfinished: files that outlived the last start.
        after_starts: what was wrong right after a start on the way.
        database: what is wrong with the database.
    """

    seed: int
    rounds: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    images: int = 0
    starts: int = 0
    starts_refused: int = 0
    seconds: float = 0.0
    lost: tuple[str, ...] = ()
    astray: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    after_starts: tuple[str, ...] = ()
    database: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that should not be."""
        wrong = (self.lost, self.astray, self.missing, self.unfinished, self.after_starts, self.database)
        return tuple(f"seed {self.seed}: {sentence}" for sentences in wrong for sentence in sentences)


def unfinished_batch(seed: int, why: str) -> Outcome:
    """A batch that did not come to its end: of its rounds none is counted."""
    return Outcome(seed, astray=(f"not played to the end: {why}",))


def play_batch(seed: int, count: int, folder: Path) -> Outcome:
    """Play `count` rounds in a new folder; wait until every study is at rest, start the node once more, and look."""
    began = time.monotonic()
    with Orthanc(folder / "orthanc") as pacs:
        rounds = Rounds(_node(folder, pacs), folder, seed)
        with rounds.node as node:
            for number in range(count):
                rounds.play(number)
            rounds.await_delivered()
        with node:
            pass
        return Outcome(
            seed=seed,
            rounds=count,
            killed=rounds.killed,
            images=len(rounds.acknowledged),
            starts=rounds.starts,
            starts_refused=rounds.starts_refused,
            seconds=time.monotonic() - began,
            lost=tuple(_lost(rounds)),
            astray=tuple(_astray(rounds, pacs)),
            missing=tuple(_missing(rounds, pacs)),
            unfinished=tuple(
                str(path) for path in unfinished(node.data / "archive") + unfinished(node.data / "results")
            ),
            after_starts=tuple(rounds.after_starts),
            database=tuple(_damage(rounds)),
        )


def _node(folder: Path, pacs: Orthanc) -> ServedNode:
    place = {"name": "pacs", "host": "127.0.0.1", "port": pacs.dicom_port, "ae_title": pacs.ae_title}
    return ServedNode(
        folder / "node",
        light=True,
        receive={"port": free_port()},
        complete={"settle_s": 0.2, "quiet_s": 5.0},
        # a study is read while others are killed for: it must not be blamed for that
        model={"max_attempts": 50},
        deliver={"first_retry_s": 0.2, "max_retry_s": 1.0, "timeout_s": 10.0},
        destinations=[place],
    )


def _lost(rounds: Rounds) -> Iterator[str]:
    archive = rounds.node.data / "archive"
    held = dict(rounds.ask("SELECT sop_instance_uid, path FROM instances"))
    for uid, digest in rounds.acknowledged.items():
        if uid not in held:
            yield f"{uid} was acknowledged and is not there"
        elif encoded_digest(archive / held[uid]) != digest:
            yield f"{uid} is not as it was sent"


def _astray(rounds: Rounds, pacs: Orthanc) -> Iterator[str]:
    states = dict(rounds.ask("SELECT study_instance_uid, state FROM jobs"))
    current: dict[str, list[str]] = {}
    for study, uid in rounds.ask(
        "SELECT jobs.study_instance_uid, results.sop_instance_uid FROM results "
        "JOIN jobs ON jobs.id = results.job_id WHERE results.current AND results.kind = 'sr'"
    ):
        current.setdefault(study, []).append(uid)
    standing = standing_reports(pacs)
    for study in rounds.studies:
        if states.get(study) not in ("delivered", "committed"):
            yield f"{study} is {states.get(study)}"
        elif len(current.get(study, [])) != 1 or standing.get(study) != current[study]:
            yield f"{study} has {current.get(study)} here and {standing.get(study)} in the PACS"
    yield from (f"{study} was never sent" for study in states.keys() - set(rounds.studies))


def _missing(rounds: Rounds, pacs: Orthanc) -> Iterator[str]:
    held = {one["MainDicomTags"]["SOPInstanceUID"] for one in pacs.json("/instances?expand")}
    for uid, kind in rounds.ask("SELECT sop_instance_uid, kind FROM results WHERE current"):
        if uid not in held:
            yield f"the {kind} {uid} is not in the PACS"


def _damage(rounds: Rounds) -> Iterator[str]:
    if (said := rounds.ask("PRAGMA integrity_check")) != [("ok",)]:
        yield f"integrity_check says {said}"
    if said := rounds.ask("PRAGMA foreign_key_check"):
        yield f"foreign_key_check says {said}"


def standing_reports(pacs: Orthanc) -> dict[str, list[str]]:
    """Study → its reports in the PACS that no other there names as a predecessor; their text form aside."""
    reports = [one for one in pacs.datasets("SR") if one.SOPClassUID == Comprehensive3DSRStorage]
    replaced = {
        str(item.ReferencedSOPInstanceUID)
        for report in reports
        for study in report.get("PredecessorDocumentsSequence", [])
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    found: dict[str, list[str]] = {}
    for report in reports:
        if report.SOPInstanceUID not in replaced:
            found.setdefault(str(report.StudyInstanceUID), []).append(str(report.SOPInstanceUID))
    return found
