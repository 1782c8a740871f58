"""From the last image of a real study to its report in Orthanc, by a warm node; and ten studies at once.

SC-HF-I-4 (10 slices x 20 phases, ../shared/data), each time under new UIDs. `complete.settle_s` is 0, so that
a full grid is ready at once, whether or not a tag states its size. The parts that cannot be avoided are
measured in a process of their own, in turns with the node: decode, forward pass, building, writing, sending.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from pydicom import dcmread
from pydicom.uid import generate_uid

from benchmarks.bars import Bar
from benchmarks.tree import ROOT, Brake
from dicom_node.analysis.results import write_results
from dicom_node.config_sections import Destination, ReceiveSettings
from dicom_node.delivery.destination import Pacs
from dicom_node.delivery.storage_scu import ResultObject
from models import ModelAdapter, load_bundle
from pipeline import VoxelMemory, assemble, find_stack, read_facts, read_study
from reports import Equipment, InputQuality, ReportContext, build_reports
from tests.e2e.node import ServedNode
from tests.peers import Orthanc, storescu

BRAKE = Brake("dicom_node/analysis/worker_process.py", "ask", 0.5)
_RUNS = 7
_TOGETHER = 10
_LIMIT_S = 2.0
_MEMORY = VoxelMemory()
_IMAGES = ROOT.parent / "shared" / "data" / "sunnybrook" / "SC-HF-I-4" / "dicom"


def measure() -> list[Bar]:
    """One study after the other, then ten together."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        pacs = stack.enter_context(Orthanc(folder / "orthanc"))
        place = Destination(name="pacs", host="127.0.0.1", port=pacs.dicom_port, ae_title=pacs.ae_title)
        served = [place.model_dump(exclude_none=True) | {"proof": "none"}]
        node = stack.enter_context(
            ServedNode(
                folder / "node",
                destinations=served,
                complete={"settle_s": 0.0, "quiet_s": 60.0},
                receive={"journal_mb": ReceiveSettings().journal_mb},
            )
        )
        studies = _studies(folder / "studies")
        model, send = load_bundle(), Pacs(place, "BENCH", 30.0)
        _latency(node, next(studies))
        _parts(next(studies), model, send, folder / "results")
        single, parts, receive = [], [], []
        for _ in range(_RUNS):
            files = next(studies)
            taken, sent = _latency(node, files)
            single.append(taken)
            receive.append(len(files) / sent)
            parts.append(_parts(next(studies), model, send, folder / "results"))
        del model
        return [*_single(single, parts), *_together(node, [next(studies) for _ in range(_TOGETHER)], receive)]


def _single(single: list[float], parts: list[float]) -> list[Bar]:
    what, note = "last image to SR in Orthanc", "grid rule, settle_s 0, one study at a time"
    return [
        Bar(what, "the unavoidable parts alone", "s", tuple(single), tuple(parts), 1.3, "lower", note),
        Bar(what, "the clock", "s", tuple(single), (1.0,), _LIMIT_S, "lower", note),
    ]


def _together(node: ServedNode, studies: list[list[Path]], receive: list[float]) -> list[Bar]:
    """Ten studies by one sender: how fast they come in while others run, and how fast they go out.

    The cores are the limit: all of them are busy with one study, so ten take ten times what the worker says
    that one takes.
    """
    mark = node.mark()
    rates, sent_at = [], {}
    for files in studies:
        begun = time.perf_counter()
        storescu(files, node.port, node.ae_title)
        rates.append(len(files) / (time.perf_counter() - begun))
        sent_at[_study_of(files)] = begun
    waits = [_await_sr(node, uid, mark) - begun for uid, begun in sent_at.items()]
    whole = max(begun + wait for (begun, wait) in zip(sent_at.values(), waits, strict=True))
    took = [float(node.wait_for("study-analysed", since=mark, study=uid)["took_s"]) for uid in sent_at]
    limit = len(studies) / sum(took)
    rate = len(studies) / (whole - min(sent_at.values()))
    slowest = f"the longest wait was {max(waits):.1f} s"
    return [
        Bar(
            "studies per second, ten together",
            "cores busy all the time",
            "1/s",
            (rate,),
            (limit,),
            0.9,
            "higher",
            slowest,
        ),
        Bar(
            "images received per second, while others run",
            "at rest",
            "1/s",
            tuple(rates[1:]),
            tuple(receive),
            0.8,
            "higher",
        ),
    ]


def _latency(node: ServedNode, files: list[Path]) -> tuple[float, float]:
    """Seconds from the end of sending until the SR is stored, and seconds of sending."""
    mark, begun = node.mark(), time.perf_counter()
    storescu(files, node.port, node.ae_title)
    last = time.perf_counter()
    return _await_sr(node, _study_of(files), mark) - last, last - begun


def _await_sr(node: ServedNode, study: str, mark: int) -> float:
    """When the log said that the SR of this study had arrived."""
    node.wait_for("delivery-tried", since=mark, study=study, kind="sr", state="sent")
    return time.perf_counter()


def _parts(files: list[Path], model: ModelAdapter, pacs: Pacs, results: Path) -> float:
    """Decode, forward, build and store, one after the other, with nothing between."""
    known = {path: read_facts(path) for path in files}
    begun = time.perf_counter()
    study = read_study(files, known)
    volume = assemble(study, find_stack(study.facts), allow_missing=True, memory=_MEMORY)
    context = ReportContext(
        study=study,
        volume=volume,
        prediction=model.predict(volume, study),
        quality=InputQuality("complete"),
        equipment=Equipment("dicom-node project", "dicom-node", "0", "0", "BENCHMARK"),
        now=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    )
    sr, *_ = write_results(build_reports(context), results)
    pacs.send([ResultObject(results / sr.path, sr.sop_class_uid, sr.sop_instance_uid)])
    return time.perf_counter() - begun


def _studies(folder: Path) -> Iterator[list[Path]]:
    """The real study again and again, under new UIDs."""
    images = [dcmread(path) for path in sorted(_IMAGES.glob("*.dcm"), key=lambda path: int(path.stem))]
    while True:
        study, series = generate_uid(prefix=None), generate_uid(prefix=None)
        into = folder / study
        into.mkdir(parents=True)
        for number, image in enumerate(images):
            image.StudyInstanceUID, image.SeriesInstanceUID = study, series
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid(prefix=None)
            image.save_as(into / f"{number}.dcm")
        yield [into / f"{number}.dcm" for number in range(len(images))]


def _study_of(files: list[Path]) -> str:
    return files[0].parent.name
