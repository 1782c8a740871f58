"""Pixel data that is drawn while it is written."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray

from reports.film import Film


def frame(number: int, size: int = 7) -> NDArray[np.uint8]:
    return np.arange(10 * number, 10 * number + size, dtype=np.uint8)


def whole(frames: int, size: int) -> bytes:
    joined = b"".join(frame(number, size).tobytes() for number in range(frames))
    return joined + b"\0" * (len(joined) % 2)


@pytest.mark.parametrize(("frames", "size"), [(3, 7), (4, 7), (3, 8), (1, 5)])
@pytest.mark.parametrize("piece", [1, 3, 7, 10, 1000])
def test_the_pieces_are_the_frames_padded_to_an_even_length(frames: int, size: int, piece: int) -> None:
    film = Film(frames, size, lambda number: frame(number, size))
    pieces = list(iter(lambda: film.read(piece), b""))
    assert b"".join(pieces) == whole(frames, size)
    assert all(len(one) == piece for one in pieces[:-1])


def test_reading_everything_needs_no_size() -> None:
    film = Film(3, 7, frame)
    assert film.read() == whole(3, 7)
    assert film.read() == b""


def test_it_can_be_read_from_any_place() -> None:
    film = Film(3, 7, frame)
    assert film.seek(0, io.SEEK_END) == len(whole(3, 7))
    assert film.seek(-4, io.SEEK_CUR) == film.tell() == 18
    assert film.read(10) == whole(3, 7)[18:]
    assert film.seek(5) == 5
    assert film.read(6) == whole(3, 7)[5:11]


def test_a_frame_is_drawn_once_and_not_before_it_is_reached() -> None:
    drawn: list[int] = []

    def draw(number: int) -> NDArray[np.uint8]:
        drawn.append(number)
        return frame(number)

    film = Film(3, 7, draw)
    assert (film.seek(0, io.SEEK_END), film.seek(0), drawn) == (22, 0, [])
    film.read(5)
    film.read(2)
    assert drawn == [0]
    film.read(1)
    assert drawn == [0, 1]
