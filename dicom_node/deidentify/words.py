"""Descriptions of cardiac series without the names in them (PS3.15 E.3.5: Clean Descriptors)."""

import re

_TRADE = """
    cine retro retrospective prospective realtime sax sa ksa kurzachse short axis ax long lax shortaxis
    corte corto petit axe hla vla lvot rvot two three four chamber ch cv sagittal sag coronal cor axial
    transversal transverse tra aorta aortic aort arch valve apex apical basal base mid ventricle lv rv la ra
    heart cardiac thorax stack fiesta trufi true truefisp fisp balanced btfe sbtfe bffe ssfp bssfp tfe ffe
    gre spgr flash se tse haste epi flow q qflow venc velocity phase contrast pc pcmr pcmra mra fastcard tag
    tags tagged tagging spamm cspamm grid gridtag dense harp map maps mapping star molli shmolli sasha ti
    scout look locker perf perfusion first pass dynamic rest stress lge late gad gadolinium enh enhancement
    delayed psir viability mag magnitude ir inversion recovery localizer localiser loc survey plan scan
    planscan bh breath hold free breathing fb nav navigator ecg ekg gated trigger triggered pre post native
    multi slice slices single shot iso tfi tf moco dis norm fil
"""
_WORDS = frozenset(_TRADE.split())
_SHORT = re.compile(r"\d{1,2}|[234]d|[234](?:ch|cv|chamber)|b\d{1,2}|t[12]|([a-z]+)\d{0,2}", re.ASCII)
_BETWEEN = re.compile(r"[^A-Za-z0-9]+")


def of_the_trade(description: str) -> str:
    """The words of `description` that describe a heart or how it was imaged, with `_` between them.

    A number stays only if it is short and alone: it counts slices or views, and is no part of a date.
    """
    words = [word for word in _BETWEEN.split(description) if _known(word.lower())]
    if sum(word.isdigit() for word in words) > 1:
        words = [word for word in words if not word.isdigit()]
    return "_".join(words)[:64]


def _known(word: str) -> bool:
    found = _SHORT.fullmatch(word)
    return found is not None and (found[1] is None or found[1] in _WORDS)
