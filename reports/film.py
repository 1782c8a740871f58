"""Pixel Data that is drawn while it is written."""

from collections.abc import Callable
from io import SEEK_CUR, SEEK_END, BufferedIOBase

from reports.overlay import Picture


class Film(BufferedIOBase):
    """The bytes of frames one after the other; a frame is drawn when it is reached, and only one is held.

    pydicom writes an element from such a stream piece by piece, so that a multi-frame result costs the memory
    of one frame until its file is made. A byte of padding makes the length even (PS3.5 8.1.1).

    Args:
        frames: how many there are.
        frame_bytes: the size of each.
        draw: gives frame 0, 1, ... as (row, column, 3) pixels; the same one each time it is asked.
    """

    def __init__(self, frames: int, frame_bytes: int, draw: Callable[[int], Picture]) -> None:
        self._frames = frames
        self._frame_bytes = frame_bytes
        self._draw = draw
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0, /) -> int:
        start = {SEEK_CUR: self._at, SEEK_END: self._size}.get(whence, 0)
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        end = self._size if size is None or size < 0 else min(self._size, self._at + size)
        parts = []
        while self._at < end:
            frame, start = divmod(self._at, self._frame_bytes)
            parts.append(self._bytes_of(frame)[start : start + end - self._at])
            self._at += len(parts[-1])
        return b"".join(parts)

    @property
    def _size(self) -> int:
        size = self._frames * self._frame_bytes
        return size + size % 2

    def _bytes_of(self, frame: int) -> bytes:
        if frame == self._frames:
            return b"\0"
        if self._held[0] != frame:
            self._held = frame, self._draw(frame).tobytes()
        return self._held[1]
