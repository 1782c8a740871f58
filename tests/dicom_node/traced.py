"""A node's folder with a study in it whose report was made without a network, run by run."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import yaml
from click.testing import Result as Invoked
from pydicom import dcmread
from typer.testing import CliRunner

from dicom_node.analysis.ask_notice import new_results
from dicom_node.analysis.engine import AnalysisRequest, AnalysisResult
from dicom_node.analysis.findings import Findings, VolumeFound
from dicom_node.analysis.results import write_results
from dicom_node.analysis.run_record import Asked
from dicom_node.archive import Archive, Arrival
from dicom_node.cli import app
from dicom_node.installation import installation
from dicom_node.intake.index import Index
from dicom_node.migrations import migrate
from dicom_node.routing import Routes
from dicom_node.store import Store
from dicom_node.store.records import Result
from models import read_manifest
from reports import ReportContext, build_reports
from tests.dicom_node.rows import START, run
from tests.reports.scans import EQUIPMENT, STUDY_UID, single_frames, small_context

CONFIG_SHA256 = "c0" * 32


@dataclass(frozen=True)
class TracedSite:
    """A node that is not running: its configuration, archive, results and database."""

    folder: Path
    context: ReportContext
    store: Store

    @property
    def archive(self) -> Archive:
        return Archive(self.folder / "data" / "archive", 0)

    @property
    def results(self) -> Path:
        return self.folder / "data" / "results"

    def take(self, file: Path, at: datetime = START) -> str:
        """Archive and index one file as if a scanner had sent it; its path in the archive."""
        path = self.archive.keep(arrival(file)).path
        Index(self.archive, self.store).take([path], at)
        return path

    def analyse(self, at: datetime, unused: Sequence[str] = (), probability: float = 0.873) -> list[Result]:
        """Record one run on what is held now, `unused` images outside its volume; its results."""
        job = run(self.store, STUDY_UID, at)
        held = tuple(self.store.held(STUDY_UID))
        paths = tuple(self.archive.open(one.path) for one in held)
        request = AnalysisRequest(
            STUDY_UID, paths, self.results, job.changed_at, EQUIPMENT, config_sha256=CONFIG_SHA256
        )
        answer = replace(self.context.prediction, probability=probability)
        context = replace(self.context, now=job.changed_at, prediction=answer)
        files = write_results(build_reports(context), self.results)
        used = tuple(one.sop_instance_uid for one in held if one.sop_instance_uid not in unused)
        volume = VolumeFound(context.volume.digest, (5, 4, 64, 48), ("seen",), (), ((2, 3),), (), used)
        found = Findings(probability, 0.5, "4 slices x 5 phases", ("noted",), volume, answer.model)
        result = AnalysisResult(
            "done", "", findings=found, files=files, seconds=1.5, installation=installation()
        )
        asked = Asked(request, held, (read_manifest(),), f"key {at}", {"equipment": asdict(EQUIPMENT)})
        assert self.store.record_results(
            job, new_results(files), Routes.everything_to("pacs"), asked.answered(result, at)
        )
        return self.store.current_results(STUDY_UID)

    def trace(self, *arguments: str) -> Invoked:
        """`dicom-node trace` under this node's configuration."""
        return CliRunner().invoke(app, ["--config", str(self.folder / "config.yaml"), "trace", *arguments])

    def traced(self, *arguments: str) -> dict[str, object]:
        """The same with --json, read."""
        done = self.trace(*arguments, "--json")
        assert done.stdout, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found


def traced_site(folder: Path) -> TracedSite:
    """A node's folder with a study of 20 images that nobody has analysed yet."""
    (folder / "config.yaml").write_text(
        yaml.safe_dump({"data_dir": "data", "receive": {"disk_reserve_mb": 0}})
    )
    context = small_context(folder / "scanner", write=single_frames)
    url = f"sqlite:///{folder / 'data' / 'node.db'}"
    (folder / "data").mkdir()
    migrate(url)
    site = TracedSite(folder, context, Store(url))
    paths = [site.archive.keep(arrival(file)).path for file in sorted((folder / "scanner").glob("*.dcm"))]
    Index(site.archive, site.store).take(paths, START)
    return site


def arrival(file: Path) -> Arrival:
    """What a scanner sends of a Part 10 file."""
    content = file.read_bytes()
    meta_end = 144 + int.from_bytes(content[140:144], "little")
    header = dcmread(file, stop_before_pixels=True)
    return Arrival(
        str(header.StudyInstanceUID),
        str(header.SOPInstanceUID),
        str(header.SOPClassUID),
        str(header.file_meta.TransferSyntaxUID),
        "SCANNER",
        content[meta_end:],
    )
