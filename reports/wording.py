"""What is said in words, once, so that the report, the page and the overlays cannot disagree."""

from typing import Final

from models import Method, ModelIdentity, Prediction
from reports.context import ReportContext
from reports.map_words import MAP_WORDS

_DEMONSTRATION = "DEMONSTRATION WEIGHTS, RESEARCH USE ONLY"
_RESEARCH = "RESEARCH USE ONLY"
_LONGEST_DESCRIPTION = 64  # Series Description is LO
_MOST_DECIMALS = 9


def banner(model: ModelIdentity | None) -> str:
    """What nothing we write may go without; None where no model answered."""
    return _DEMONSTRATION if model is not None and model.demonstration else _RESEARCH


def research_note(model: ModelIdentity | None) -> str:
    """`banner` with its reason, one line."""
    demonstration = model is not None and model.demonstration
    reason = "no clinical data ever trained this model; " if demonstration else ""
    return f"{banner(model)}: {reason}automated output, not reviewed by a physician, not for diagnosis."


def series_description(model: ModelIdentity | None, what: str) -> str:
    """`what` first, since viewers cut near 20 characters; the model's name gives way to the banner."""
    tail = f" {what}: {banner(model)}"
    name = model.name if model is not None else ""
    return f"{name[: _LONGEST_DESCRIPTION - len(tail)].strip()}{tail}".strip()


def percentages(prediction: Prediction) -> tuple[str, str]:
    """Probability and threshold in percent, with as many decimals (1 or more) as keep them in order."""
    values = 100 * prediction.probability, 100 * prediction.threshold
    for decimals in range(1, _MOST_DECIMALS + 1):
        written = tuple(f"{value:.{decimals}f}" for value in values)
        if (written[0] == written[1]) == (values[0] == values[1]):
            break
    return written[0], written[1]


def verdict(prediction: Prediction) -> str:
    """How the probability stands to the operating point, in words."""
    if prediction.probability == prediction.threshold:
        return "at the operating threshold"
    return f"{'above' if prediction.positive else 'below'} the operating threshold"


def summary(prediction: Prediction) -> str:
    """The first sentence a reader of the SR sees."""
    model = prediction.model
    probability, threshold = percentages(prediction)
    return (
        f"{banner(model)}. {model.name} {model.version}: probability of myocardial scar {probability} %, "
        f"{verdict(prediction)} of {threshold} %."
    )


def remarks(context: ReportContext) -> tuple[str, ...]:
    """What limits the input and what was done to it: every sentence once, in the order of weight."""
    said = (*context.quality.limits, *context.volume.notes, *context.prediction.notes)
    return tuple(dict.fromkeys(sentence for sentence in said if sentence))


_NO_SEGMENTATION: Final = (
    "It is not a segmentation of scar, and a dark region is not proof of healthy myocardium."
)
_POINT: Final = (
    "The point in the structured report marks the heart's centre in the middle slice, not a finding."
)
NOT_AN_OUTLINE: Final = f"The map shows where the network looked. {_NO_SEGMENTATION}"
NO_MAP: Final = f"This model gave no attention map, so nothing is said about where scar would be. {_POINT}"


def what_it_is(context: ReportContext, located: bool) -> str:
    """What the map is not, whatever made it; where there is none, why."""
    prediction = context.prediction
    if not located and prediction.why_no_map:
        return f"There is no map: {prediction.why_no_map}. {_POINT}"
    if not located:
        return NO_MAP
    if prediction.explained_by is Method.ATTENTION:
        return NOT_AN_OUTLINE
    name = MAP_WORDS[prediction.explained_by].name
    return f"The map is made by {name} and shows no attention. {_NO_SEGMENTATION}"


def map_note(context: ReportContext, located: bool) -> str:
    """What the map is and is not, or why there is none."""
    said = what_it_is(context, located)
    return f"{context.prediction.attention_method} {said}".strip() if located else said
