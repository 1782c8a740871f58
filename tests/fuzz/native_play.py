"""A stream is played to the way in C, piece by piece, and what that did is compared with the way in Python."""

import contextlib
import hashlib
import random
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dicom_node.archive.layout import study_folder
from dicom_node.archive.part10 import around
from dicom_node.receiver.storing import OUR_MODEL_NAME
from tests.dicom_node.promises import Promises
from tests.fuzz.conversations import STUDY
from tests.fuzz.native_oracle import CALLING, CONTEXTS, Fate, Told, next_message
from tests.fuzz.native_streams import IMPLICIT

LONGEST = (1 << 20,) * 6 + (1 << 16, 4096, 1000)
_NOISE = b"\xaa" * 4096
_MEMORY = Path("/dev/shm")

_SEGMENT_BYTES, _PER_ENTRY = 1 << 16, 4096 + 160

Record = tuple[str, str, str, int]


class Player:
    """Plays one stream after the other into one folder, which is empty in between; every other with a journal."""

    def __init__(self, module: Any, folder: Path) -> None:
        self._module = module
        root = Path(tempfile.mkdtemp(dir=folder))
        self._folder = root / "study"
        self._folder.mkdir()
        self._promises = Promises(root, _SEGMENT_BYTES, module)

    def close(self) -> None:
        self._promises.close()

    def play(self, stream: bytes, rng: random.Random) -> str:
        """How the stream ended. Raises AssertionError where the ways part."""
        self._emptied()
        longest = rng.choice((*LONGEST, max(1, len(stream) + rng.randrange(-1, 2))))
        journal = self._promises.journal if rng.random() < 0.5 else None
        with contextlib.ExitStack() as open_ones:
            conversation = Conversation(self._module, self._folder, longest, journal, rng, open_ones)
            conversation.hold(stream)
            self._check_promises(conversation)
            return self._compared(stream, longest, conversation)

    def _check_promises(self, played: "Conversation") -> None:
        """All that was stored with a journal is in it, unless it is full; then it is empty again."""
        held = {path.rpartition("/")[2]: content for path, content in self._promises.held().items()}
        assert held.keys() <= {name for _, name, _, _ in played.records}
        assert all((self._folder / name).read_bytes() == content for name, content in held.items())
        if played.lane_has_journal:
            size = sum((self._folder / name).stat().st_size + _PER_ENTRY for _, name, _, _ in played.records)
            assert size > _SEGMENT_BYTES or len(held) == len({name for _, name, _, _ in played.records})
        self._promises.journal.turn()
        self._promises.settle()

    def _compared(self, stream: bytes, longest: int, played: "Conversation") -> str:
        at, answers, names = 0, b"", set[str]()
        for record in played.records:
            message = next_message(stream, at, longest)
            assert message.fate is Fate.PLAIN, f"stored, and it {message.fate.value}: {record}"
            told = message.told(hashlib.sha256(message.dataset).hexdigest())
            self._check(record, told, known=told.name in names)
            at, answers = message.end, answers + told.answer
            names.add(told.name)
        assert played.answers == answers
        assert played.left_over == stream[at:], "what was not used is not what comes next"
        self._check_folder(names)
        return _ending(stream, at, longest, played, names)

    def _check(self, record: Record, told: Told, *, known: bool) -> None:
        fate = self._module.KNOWN if known else self._module.STORED
        assert record == (told.instance, told.name, told.digest, fate)
        assert (self._folder / told.name).read_bytes() == told.content

    def _check_folder(self, names: set[str]) -> None:
        found = self._emptied()
        assert found == names, found ^ names

    def _emptied(self) -> set[str]:
        files = list(self._folder.iterdir())
        for file in files:
            file.unlink()
        return {file.name for file in files}


def _ending(stream: bytes, at: int, longest: int, played: "Conversation", names: set[str]) -> str:
    """Why C went no further is a good reason."""
    message, module = next_message(stream, at, longest), played.module
    fate, count = message.fate, len(played.records)
    if played.why == module.LEFT:
        if fate is Fate.PLAIN:
            name = message.told(hashlib.sha256(message.dataset).hexdigest()).name
            assert name in names, "it was left, and it is plain"
            return "left: it is there already"
        assert fate is not Fate.COMING, "it was left, and it is plain as far as it has come"
        return "left at once" if not count else "left after some"
    assert fate in (Fate.COMING, Fate.UNKNOWN) or at == len(stream), f"it waits for more of what {fate.value}"
    assert fate is not Fate.UNKNOWN, "it waits, and it is not plain"
    if at < len(stream):
        return "taken, and the last is not whole" if count else "not whole"
    return "taken, all of it" if count else "nothing came"


class Conversation:
    """One lane, both ends of its connection in our hands."""

    def __init__(
        self,
        module: Any,
        folder: Path,
        longest: int,
        journal: Any,
        rng: random.Random,
        open_ones: contextlib.ExitStack,
    ) -> None:
        self.module = module
        self.lane_has_journal = journal is not None
        self.records: list[Record] = []
        self.answers = self.left_over = b""
        self.why = module.SILENT
        self._noise, self._rung = 0, False
        self._rng = rng
        pairs = (*socket.socketpair(), *socket.socketpair())
        self.peer, self._connection, self._ring, self._bell = map(open_ones.enter_context, pairs)
        for end in pairs:
            end.setblocking(False)
        self.lane = module.Lane(
            descriptor=self._connection.fileno(),
            bell=self._bell.fileno(),
            longest_bytes=longest,
            reserve_bytes=0,
            our_model=OUR_MODEL_NAME.encode(),
            journal=journal,
        )
        for number, context in CONTEXTS.items():
            sop_class = str(context.abstract_syntax)
            before, behind = around(sop_class, str(context.transfer_syntax), CALLING)
            self.lane.allow(number, number == IMPLICIT, sop_class.encode(), before, behind)
        self.lane.follow(STUDY.encode(), str(folder).encode(), study_folder(STUDY).encode())

    def hold(self, stream: bytes) -> None:
        """Say the stream, until it is left or all is said."""
        deaf = self._rng.random() < 0.1
        if deaf:
            self._fill_up()
        sent = self._begun(stream)
        for piece in self._pieces(len(stream) - sent):
            while self._serve(deaf) == self.module.PAUSE:
                continue
            if self.why == self.module.LEFT:
                break
            sent += self.peer.send(stream[sent : sent + piece])
        if sent == len(stream) and self._rng.random() < 0.2:
            self.peer.shutdown(socket.SHUT_WR)
        while self.why != self.module.LEFT and self._serve(deaf) == self.module.PAUSE:
            continue
        self._hear()
        self.left_over = self.lane.rest() + _all_of(self._connection) + stream[sent:]
        assert self.lane.rest() == self.lane.unsent() == b""
        assert not self.lane.storing

    def _fill_up(self) -> None:
        """Leave no room for an answer, until the peer hears."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, len(_NOISE))
        for noise in (_NOISE, _NOISE[:1]):
            with contextlib.suppress(BlockingIOError):
                while True:
                    self._noise += self._connection.send(noise)

    def _begun(self, stream: bytes) -> int:
        """As much as somebody has received before."""
        if self._rng.random() < 0.8:
            return 0
        first = stream[: self._rng.randrange(len(stream) + 1)]
        return len(first) if self.lane.put(first) else 0

    def _pieces(self, length: int) -> Iterator[int]:
        most = self._rng.choice((7, 100, 1000, 20_000, length + 1)) if length < 5000 else 50_000
        while length > 0:
            yield (piece := self._rng.randrange(1, most + 1))
            length -= piece

    def _serve(self, deaf: bool) -> int:
        """Have served what is there, and hear what is answered."""
        if self._rng.random() < 0.02:
            self._rung = True
            self._ring.send(b"\0")
        while True:
            self.why, heard, records = self.lane.serve(0, 0)
            self.records += records
            assert not records or self.why != self.module.SILENT, "it is told later than need be"
            assert heard or records or self.why != self.module.PAUSE, "it comes back for nothing"
            if not deaf:
                self._hear()
            if self.why == self.module.UNSENT:
                self._hear()
                self.answers += self.lane.unsent()
            elif self.why == self.module.RUNG:
                assert self._rung, "nobody rang"
                self._rung = False
                self._bell.recv(4096)
            else:
                return int(self.why)

    def _hear(self) -> None:
        heard = _all_of(self.peer)
        noise = min(self._noise, len(heard))
        self._noise -= noise
        self.answers += heard[noise:]


def _all_of(connection: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(BlockingIOError):
        while part := connection.recv(1 << 20):
            parts.append(part)
    return b"".join(parts)


@contextlib.contextmanager
def archive_folder() -> Iterator[Path]:
    """In memory, if there is such a place: what is synced then is synced at once."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)
