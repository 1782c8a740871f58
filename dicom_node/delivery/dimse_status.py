"""What a destination's answer to a C-STORE request means for us."""

from enum import StrEnum


class Verdict(StrEnum):
    """What becomes of an object after one attempt."""

    SENT = "sent"
    WARNING = "warning"
    """Stored, but not quite as we sent it."""
    LATER = "later"
    """Not stored for a reason that passes."""
    DOUBTFUL = "doubtful"
    """Not stored for a reason that seldom passes: worth a few attempts, not days of them."""
    REFUSED = "refused"
    """Not stored, and asking again will not help."""


Answer = tuple[int, int, Verdict, str]
"""First and last code of a range, what it means for us, and the words."""

# PS3.4 Table B.2-1 unless another place is named.
ANSWERS: tuple[Answer, ...] = (
    (0x0000, 0x0000, Verdict.SENT, "stored"),
    (
        0x0001,
        0x0001,
        Verdict.WARNING,
        "stored, with optional attributes it does not support",
    ),  # PS3.7 Annex C
    (0x0107, 0x0107, Verdict.WARNING, "stored, with attributes missing from its list"),  # PS3.7 Annex C
    (0x0110, 0x0110, Verdict.LATER, "processing failure"),  # PS3.7 Annex C
    (
        0x0111,
        0x0111,
        Verdict.WARNING,
        "it holds this object already",
    ),  # PS3.7 Annex C; our UIDs fix the content
    (0x0117, 0x0117, Verdict.REFUSED, "it calls the SOP Instance UID invalid"),  # PS3.7 9.1.1.1.9
    (0x0122, 0x0122, Verdict.REFUSED, "it does not support this SOP class"),  # PS3.7 9.1.1.1.9
    (0x0124, 0x0124, Verdict.REFUSED, "it does not authorise us to store"),  # PS3.7 9.1.1.1.9
    (0x0210, 0x0212, Verdict.REFUSED, "it calls our request malformed"),  # PS3.7 9.1.1.1.9
    (0x0213, 0x0213, Verdict.LATER, "resource limitation"),  # PS3.7 Annex C
    (0xA700, 0xA7FF, Verdict.LATER, "it is out of resources"),
    (0xA900, 0xA9FF, Verdict.REFUSED, "it finds that the object does not match its SOP class"),
    (0xB000, 0xB000, Verdict.WARNING, "stored, with data elements coerced"),
    (0xB006, 0xB006, Verdict.WARNING, "stored, with data elements discarded"),
    (0xB007, 0xB007, Verdict.WARNING, "stored, although the object seems not to match its SOP class"),
    (0xB001, 0xBFFF, Verdict.WARNING, "stored, with a warning of its own"),
    (0xC000, 0xCFFF, Verdict.DOUBTFUL, "it cannot understand the object"),
)


def verdict_on(status: int) -> tuple[Verdict, str]:
    """What `status` (0000H..FFFFH) means, and its words; a code no table knows is worth a few attempts."""
    for first, last, verdict, words in ANSWERS:
        if first <= status <= last:
            return verdict, words
    return Verdict.DOUBTFUL, "an answer that DICOM does not define"
