"""What our pages look like: their size, their inks, and the band no page goes without."""

from typing import Final

from PIL import Image, ImageDraw

from models import ModelIdentity
from reports.lettering import BLACK, Colour, typeface
from reports.wording import banner

WIDTH, HEIGHT = 1440, 1120
PAPER: Final[Colour] = (14, 16, 20)
GREY: Final[Colour] = (176, 182, 192)
RULE: Final[Colour] = (58, 62, 70)
AMBER: Final[Colour] = (230, 159, 0)
BLUE: Final[Colour] = (86, 180, 233)

# As high as the tools and labels that viewers lay over the top of an image.
BAND: Final = 96


def blank_page(model: ModelIdentity | None, margin: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty page of ours (WIDTH x HEIGHT) under its band, and the pen for it."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, BAND), fill=AMBER)
    draw.text((margin, BAND / 2), banner(model), font=typeface(34, bold=True), fill=BLACK, anchor="lm")
    draw.text((WIDTH - margin, BAND / 2), "Not for diagnosis", font=typeface(28), fill=BLACK, anchor="rm")
    return image, draw
