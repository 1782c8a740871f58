"""OHIF in headless Chromium: a series opened as a reader would see it, and what is on the screen then."""

import contextlib
import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from playwright.sync_api import Error as BrowserError
from pydicom import Dataset

from tests.peers.ohif_scripts import HIDE_ALL_BUT_PICTURE, PLACE, RECORD_FAULTS, STATE, STEP
from tests.peers.presence import program

_CHROMIUM = (
    "--no-sandbox",  # Chromium's own sandbox does not work for root
    "--disable-gpu",
    "--use-angle=swiftshader",  # WebGL2 on the processor, given
    "--enable-unsafe-swiftshader",  # only when asked for by this name
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
_MACHINE = re.compile(
    r"shader program|setContext|WebGL|CONTEXT_LOST|reading 'getParameter'|createVertexArray", re.IGNORECASE
)
_PATIENCE_S = 45.0
_SILENCE_S = 20.0


class MachineTrouble(AssertionError):
    """WebGL on this machine's processor failed, so nothing can be said about the object."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How well the screen shows a DICOM frame: shares of pixels within 40 grey levels, 0..1.

    `coloured` looks only at pixels that are vividly coloured in the file: an overlay's own colours.
    """

    all: float
    coloured: float
    coloured_pixels: int


@dataclass(slots=True)
class Pane:
    """One page with one study, one viewport of it filled.

    The page tells its state by itself, several times a second: to ask it would be to wait for ever once it
    loops.
    """

    page: Page
    folder: Path
    state: dict[str, Any] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    _heard_at: float = field(default_factory=time.monotonic)

    def hear(self, state: dict[str, Any]) -> None:
        """Take what the page says of itself."""
        self.state, self._heard_at = state, time.monotonic()

    @property
    def faults(self) -> list[str]:
        """What went wrong with the object: page errors, error toasts, failed requests."""
        return [said for said in self._said() if not _MACHINE.search(said)]

    def _said(self) -> list[str]:
        state = self.state
        return list(dict.fromkeys([*self.complaints, *state.get("faults", ()), *state.get("toasts", ())]))

    def wait(self, what: str, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Look until `condition` holds of the state; returns that state.

        Raises:
            MachineTrouble: it did not come true, and WebGL failed meanwhile.
            AssertionError: it did not come true, or the page has stopped answering.
        """
        end = time.monotonic() + _PATIENCE_S
        while not (self.state and condition(self.state)):
            self.page.wait_for_timeout(100)
            silent = time.monotonic() - self._heard_at > _SILENCE_S
            if silent or time.monotonic() > end:
                self._give_up("the page stopped answering" if silent else f"after {_PATIENCE_S:.0f} s", what)
        return self.state

    def _give_up(self, how: str, what: str) -> NoReturn:
        with contextlib.suppress(BrowserError):
            self.page.screenshot(path=self.folder / "failed.png", timeout=3000)
        machine = [said for said in self._said() if _MACHINE.search(said)]
        kind = MachineTrouble if machine else AssertionError
        raise kind(f"{how}, still not: {what}; {machine or self.faults}")

    def screenshot(self, name: str) -> Path:
        """The whole page as a PNG among those that are kept."""
        path = self.folder / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def drawn(self) -> dict[str, Any]:
        """Wait for a picture in the viewport."""
        return self.wait("a picture is drawn", lambda s: s["status"] == "rendered" and s["spread"] > 2)

    def step(self, index: int) -> None:
        """Show the image with this index (from 0) of the series."""
        self.page.evaluate(STEP, index)
        self.wait(f"image {index} is shown", lambda s: s["index"] == index and s["status"] == "rendered")

    def likeness(self, image: Dataset) -> Likeness:
        """Compare the viewport with a colour frame, point by point."""
        frame = image.pixel_array.astype(float)
        rows, columns = frame.shape[:2]
        place = self.page.evaluate(PLACE, [columns, rows])
        style = self.page.add_style_tag(content=HIDE_ALL_BUT_PICTURE)
        shot = np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")).astype(float)
        style.evaluate("element => element.remove()")
        return _compare(shot, frame, np.asarray(place["corners"]), place["box"])


def _compare(shot: Any, frame: Any, corners: Any, box: list[float]) -> Likeness:
    """`corners`: (x, y) on the page of the first pixel, the last of the first row, the first of the last row."""
    rows, columns = frame.shape[:2]
    across, down = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    origin, right, below = corners
    where = origin + across[..., None] * (right - origin) + down[..., None] * (below - origin)
    x, y = np.rint(where[..., 0]).astype(int), np.rint(where[..., 1]).astype(int)
    left, top, width, height = box
    inside = (x > left + 1) & (x < left + width - 2) & (y > top + 1) & (y < top + height - 2)
    assert inside.mean() > 0.3, f"only {inside.mean():.0%} of the image is in the viewport"
    wanted = frame[inside]
    close = np.abs(shot[y[inside], x[inside]] - wanted).max(axis=1) <= 40
    coloured = wanted.max(axis=1) - wanted.min(axis=1) > 60
    share = float(close[coloured].mean()) if coloured.any() else 0.0
    return Likeness(float(close.mean()), share, int(coloured.sum()))


class Viewer:
    """One browser; every `open` is a fresh page of OHIF in it. `folder` receives the screenshots."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=program("chromium"), args=list(_CHROMIUM), headless=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._browser is not None:
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()

    def open(self, study: str, series: str = "") -> Pane:
        """A study in the viewer, at this series if one is given; returns once its series are listed.

        By address, because a series opened so is shown as a stack; after the viewer's own first view it may be
        opened as a volume, which WebGL on a processor does not always manage.
        """
        assert self._browser is not None
        for context in self._browser.contexts:
            context.close()
        context = self._browser.new_context(viewport={"width": 1600, "height": 1000}, service_workers="block")
        page = context.new_page()
        pane = Pane(page, self._folder)
        page.expose_binding("tellState", lambda _, state: pane.hear(state))
        page.add_init_script(RECORD_FAULTS)
        page.add_init_script(f"setInterval(() => {{ const s = ({STATE})(); if (s) tellState(s); }}, 150)")
        page.on("pageerror", lambda error: pane.complaints.append(f"page error: {error}"))
        page.on("crash", lambda _: pane.complaints.append("the page crashed"))
        page.on(
            "response",
            lambda answer: (
                answer.status >= 400 and pane.complaints.append(f"HTTP {answer.status} for {answer.url}")
            ),
        )
        first = f"&initialSeriesInstanceUID={series}" if series else ""
        page.goto(f"{self._url}/viewer?StudyInstanceUIDs={study}{first}", wait_until="domcontentloaded")
        pane.wait("the study is open", lambda state: state["sets"] and state["thumbnails"] and state["shown"])
        return pane
