"""Who is judged, on what: the line that no table and no picture goes without."""

from collections.abc import Iterable
from dataclasses import dataclass

from models.evaluation.bootstrap import Estimate, Resampling
from models.evaluation.scored import Scored
from models.prediction import ModelIdentity
from reports.wording import banner

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Subject:
    """A network and the studies it is judged on.

    Attributes:
        model: whose answers they are.
        threshold_rule: how its operating point was chosen.
        data: a clause on the studies and which part of them was taken.
        simulated: whether phantoms are among them.
    """

    model: ModelIdentity
    threshold_rule: str
    data: str
    simulated: bool

    @property
    def name(self) -> str:
        return f"{self.model.name} {self.model.version}"

    @property
    def line(self) -> str:
        """Name, version and hash."""
        return f"{self.name} ({self.model.architecture}, weights {self.model.weights_sha256[:_DIGITS]})"

    @property
    def warning(self) -> str:
        """What must be said first."""
        said = banner(self.model)
        return f"{said}; SIMULATED STUDIES" if self.simulated else said


def counts(scored: Scored) -> str:
    """How many studies of how many patients, and how they are labelled."""
    yes = int(scored.label.sum())
    return (
        f"n = {len(scored)} studies of {scored.patient_count} patients; "
        f"{scored.label_name}: {yes} yes, {len(scored) - yes} no"
    )


def written(estimate: Estimate) -> str:
    """A figure with its interval, for example "0.873 (0.816 to 0.922)"."""
    if not estimate.known:
        return "not defined"
    if estimate.low != estimate.low:
        return f"{estimate.value:.3f} (no interval)"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def method(resampling: Resampling) -> str:
    """How the intervals were found."""
    return (
        f"In brackets: 95 % intervals by bootstrap over patients ({resampling.count} resamples, seed "
        f"{resampling.seed}). Where an interval has no width, the resamples cannot vary; that proves nothing."
    )


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """The lines of a Markdown table; a bar in a cell stays a bar."""
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in lines]
