"""The finding in words and as a bar: what must be legible from across the room."""

from PIL import ImageDraw

from reports.draft import Draft
from reports.lettering import WHITE, fitted, fitting, typeface
from reports.page_style import BLUE, GREY, RULE
from reports.wording import percentages, verdict

_BASELINE = 192
_BIG = (100, 84, 68, 52, 40)
_LINES = ((42, 36, 30), (34, 30, 26, 22))
_MOST_WIDE = 470
_BAR = (228, 246)


def draw_finding(draw: ImageDraw.ImageDraw, draft: Draft, left: int, right: int) -> None:
    """Probability, verdict and whose answer it is, between `left` and `right`."""
    prediction, model = draft.context.prediction, draft.context.prediction.model
    probability, threshold = percentages(prediction)
    big = fitting(f"{probability} %", _MOST_WIDE, _BIG, bold=True)
    draw.text((left, _BASELINE), f"{probability} %", font=big, fill=WHITE, anchor="ls")
    beside = left + big.getlength(f"{probability} %") + 40
    room = int(right - beside)
    said = f"{verdict(prediction)} of {threshold} %"
    texts = "Probability of myocardial scar", said[0].upper() + said[1:]
    for text, sizes, baseline in zip(texts, _LINES, (144, 182), strict=True):
        font = fitting(text, room, sizes)
        draw.text((beside, baseline), text, font=font, fill=WHITE, anchor="ls")
    whose = f" {model.version}, weights {model.weights_sha256[:12]}, from cardiac cine MR"
    small = typeface(20)
    name = fitted(model.name, small, room - small.getlength(whose))
    draw.text((beside, 210), fitted(name + whose, small, room), font=small, fill=GREY, anchor="ls")
    _bar(draw, draft, left, right)


def _bar(draw: ImageDraw.ImageDraw, draft: Draft, left: int, right: int) -> None:
    """The probability as a bar of 0 to 100 %, with the threshold marked."""
    prediction = draft.context.prediction
    top, bottom = _BAR
    draw.rectangle((left, top, right, bottom), fill=RULE)
    if prediction.probability > 0:
        draw.rectangle((left, top, left + (right - left) * prediction.probability, bottom), fill=BLUE)
    mark = left + (right - left) * prediction.threshold
    draw.line((mark, top - 7, mark, bottom + 7), fill=WHITE, width=4)
    small, text = typeface(18), "operating threshold"
    half = small.getlength(text) / 2
    place = min(max(mark, left + half + 50), right - half - 72)
    draw.text((place, bottom + 10), text, font=small, fill=WHITE, anchor="ma")
    draw.text((left, bottom + 10), "0 %", font=small, fill=GREY, anchor="la")
    draw.text((right, bottom + 10), "100 %", font=small, fill=GREY, anchor="ra")
