"""What the store must remember of a run, so that its result can be traced and made again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dicom_node.analysis.engine import AnalysisRequest, AnalysisResult, StudyRequest
from dicom_node.analysis.findings import Findings
from dicom_node.store.run_records import NOBODY, HeldInstance, NewRun, RunInput
from models import Manifest

PLACES = ("paths", "out_dir", "facts")
"""The parts of a request that say where files lie, and what is in them; which they were is told beside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A run that waits for its answer.

    Attributes:
        held: the files behind the request's paths.
        manifests: of the models that are asked, first to last; empty for a notice, which asks none.
        inputs_key: stands for all that the answer depends on.
        config: the choices that `request.config_sha256` is the digest of.
    """

    request: StudyRequest
    held: tuple[HeldInstance, ...]
    manifests: tuple[Manifest, ...]
    inputs_key: str
    config: Mapping[str, Any]

    def answered(self, result: AnalysisResult, at: datetime) -> NewRun:
        """What is to be remembered now that the answer is there."""
        found = asdict(result.findings) if result.findings else {}
        sources = set(found["volume"].pop("sources")) if found else set()
        times = [one.received_at for one in self.held]
        manifest = self._manifest(result.findings)
        return NewRun(
            model=_model_row(manifest, result.findings),
            inputs_key=self.inputs_key,
            at=at,
            received=(min(times), max(times)) if times else None,
            seconds=result.seconds,
            peak_rss_mb=result.peak_rss_mb,
            inputs=tuple(
                RunInput(one.path, one.sop_instance_uid, one.digest, one.sop_instance_uid in sources)
                for one in self.held
            ),
            request=self._as_asked(result, manifest),
            config=self.config,
            installation=asdict(result.installation),
            findings=found,
        )

    def _manifest(self, findings: Findings | None) -> Manifest | None:
        """Of the model that answered; None if none did."""
        if findings is None:
            return None
        named = (one for one in self.manifests if one.identity == findings.model)
        return next(named, self.manifests[0] if self.manifests else None)

    def _as_asked(self, result: AnalysisResult, manifest: Manifest | None) -> dict[str, Any]:
        """The request for this very answer: as it was computed, by the model that gave it and by no other."""
        asked: dict[str, Any] = json.loads(self.request.as_json(without=PLACES))
        if isinstance(self.request, AnalysisRequest):
            asked["rung"] = result.rung.value
            behind = asked.pop("behind")
            if manifest in self.manifests[1:]:
                asked |= behind[self.manifests.index(manifest) - 1]
        return asked


def _model_row(manifest: Manifest | None, findings: Findings | None) -> dict[str, object]:
    """What the models table remembers: who answered, as the worker reported it; nobody wrote a notice."""
    if manifest is None or findings is None:
        return {"weights_sha256": NOBODY}
    return asdict(findings.model) | {"scores": dict(manifest.scores), "command": manifest.command}
