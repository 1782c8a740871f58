"""What runs are asked with, out of the whole configuration."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dicom_node.config import Settings
from dicom_node.config_values import NotAnalysed
from dicom_node.places import models_dir, results_dir
from dicom_node.routing import Routes
from models import LAST, Explain, Rung
from reports import Equipment, ReportOptions


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What every run is asked with, beside the study.

    `bundle` and `threshold` are those of config.yaml; `bundles` is where models lie that were imported.
    """

    results: Path
    bundles: Path
    bundle: Path | None
    threshold: float | None
    max_attempts: int
    allow_incomplete: bool
    options: ReportOptions
    equipment: Equipment
    routes: Routes
    not_analysed: NotAnalysed
    rung: Rung
    explain: Explain = "auto"

    @property
    def config(self) -> dict[str, Any]:
        """The choices that can change a report, as plain values."""
        return {
            "threshold": self.threshold,
            "allow_incomplete": self.allow_incomplete,
            "options": asdict(self.options),
            "equipment": asdict(self.equipment),
            **self._explained,
        }

    @property
    def _explained(self) -> dict[str, Any]:
        """Left out where nothing was chosen: the digest stays what it was before there was a choice."""
        return {} if self.explain == "auto" else {"explain": self.explain}

    @property
    def config_sha256(self) -> str:
        """Digest of these choices, which anybody can repeat from what is remembered of them."""
        return hashlib.sha256(json.dumps(self.config, sort_keys=True).encode()).hexdigest()


def run_settings(settings: Settings, equipment: Equipment) -> RunSettings:
    """The part of the settings that a run depends on."""
    return RunSettings(
        results=results_dir(settings),
        bundles=models_dir(settings),
        bundle=settings.model.bundle,
        threshold=settings.model.threshold,
        max_attempts=settings.model.max_attempts,
        allow_incomplete=settings.complete.incomplete == "analyse",
        options=ReportOptions(
            form=settings.report.form,
            finding_code=settings.report.finding_code,
            attention_images=settings.report.attention_images,
            extra_objects=settings.report.extra_objects,
        ),
        equipment=equipment,
        routes=Routes.of(settings.destinations),
        not_analysed=settings.report.not_analysed,
        rung=LAST if settings.model.frugal else Rung.USUAL,
        explain=settings.model.explain,
    )
