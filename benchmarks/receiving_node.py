"""`python -m benchmarks.receiving_node PORT FOLDER`: the receiving half of a node, until stdin ends."""

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from dicom_node.archive import Archive
from dicom_node.config_sections import ReceiveSettings
from dicom_node.intake.index import Index
from dicom_node.intake.indexer import Indexer
from dicom_node.migrations import migrate
from dicom_node.receiver.process import ReceiverProcess
from dicom_node.store import Store


def main() -> None:
    """Say the receiver's process number once it listens; at the end, how many rows there are."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    url = f"sqlite:///{folder / 'node.db'}"
    migrate(url)
    store, archive = Store(url), Archive(folder / "archive", 0)
    indexer = Indexer(Index(archive, store), lambda: datetime.now(UTC))
    receiver = ReceiverProcess(ReceiveSettings(port=port, disk_reserve_mb=0), folder / "archive")
    receiver.start()
    indexer.start()
    hearing = threading.Thread(target=_hear, args=(receiver, indexer))
    hearing.start()
    _say(receiver.pid)
    sys.stdin.read()
    receiver.stop()
    hearing.join()
    indexer.stop()
    _say(len(store.known_paths()))


def _hear(receiver: ReceiverProcess, indexer: Indexer) -> None:
    while (event := receiver.events.get())["event"] != "ended":
        if event["event"] == "stored":
            indexer.put(event["path"], event["study"], event["digest"])


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
