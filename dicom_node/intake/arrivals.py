"""Listens to the receiver process: what came is indexed, who left is noted, a dead receiver is replaced."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

from tenacity import Retrying, retry_if_exception_type, stop_when_event_set, wait_exponential
from tenacity.nap import sleep_using_event

from dicom_node.errors import ReceiverFailed
from dicom_node.intake.associations import OpenAssociations
from dicom_node.intake.indexer import Indexer
from dicom_node.intake.postponed import Postponed
from dicom_node.log import logger
from dicom_node.receiver.process import ReceiverProcess

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Reactions:
    """What the rest of the node does upon what the receiver says.

    Attributes:
        closed: an association has ended, so its studies can be looked at.
        compare: events may have been lost: bring the index in line with the archive.
        reported: an archive reported on commitment; gets the receiver's line.
        commitment: somebody asked for commitment, or answered a report on it, or has left; gets the line.
    """

    closed: Callable[[], None]
    compare: Callable[[], object]
    reported: Callable[[Mapping[str, Any]], None]
    commitment: Callable[[Mapping[str, Any]], None]


@final
class Arrivals:
    """One thread between the receiver's events and the rest of the node.

    Args:
        receiver: started by whoever made it; restarted by us when it dies.
        indexer: gets every new file.
        associations: learns who is sending what.
        postponed: learns what was refused for want of room, and what of it came after all.
        reactions: what follows from the rest.
    """

    def __init__(
        self,
        receiver: ReceiverProcess,
        indexer: Indexer,
        associations: OpenAssociations,
        postponed: Postponed,
        reactions: Reactions,
    ) -> None:
        self._receiver = receiver
        self._indexer = indexer
        self._associations = associations
        self._postponed = postponed
        self._reactions = reactions
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="arrivals", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End the receiver, hear what it still has to say, and end the thread."""
        self._stopping.set()
        self._receiver.stop()
        self._thread.join()

    def _run(self) -> None:
        while True:
            event = self._receiver.events.get()
            if event.get("event") != "ended":
                self._hear(event)
            elif self._stopping.is_set() or not self._replace(event):
                return

    def _hear(self, event: dict[str, Any]) -> None:
        match event.get("event"):
            case "stored":
                self._stored(event)
            case "closed":
                self._associations.closed(str(event["association"]))
                self._indexer.hurry()
                log.info("association-closed", how=event.get("how"), studies=len(event.get("studies", ())))
                self._reactions.commitment(event)
                self._reactions.closed()
            case "reported":
                self._reactions.reported(event)
            case "commitment-asked" | "commitment-told":
                self._reactions.commitment(event)
            case "refused" | "log":
                _log(event)
            case "postponed":
                self._postponed.refused(str(event["study"]), str(event["instance"]), time.monotonic())
            case "missed":
                log.warning("receiver-events-missed", count=event.get("count"))
                self._reactions.compare()

    def _stored(self, event: dict[str, Any]) -> None:
        study = str(event["study"])
        self._associations.stored(str(event["association"]), study)
        if event["new"]:
            self._indexer.put(str(event["path"]), study, str(event["digest"]))
        self._postponed.came(study, str(event["instance"]))  # last: until now the study counts as awaited

    def _replace(self, event: dict[str, Any]) -> bool:
        """A receiver that died is started again until it listens; False if the node stops meanwhile."""
        log.error("receiver-died", code=event.get("code"))
        self._associations.clear()
        attempts = Retrying(
            retry=retry_if_exception_type(ReceiverFailed),
            wait=wait_exponential(multiplier=0.5, max=30),
            stop=stop_when_event_set(self._stopping),
            sleep=sleep_using_event(self._stopping),
            reraise=True,
        )
        try:
            attempts(self._receiver.start)
        except ReceiverFailed as error:
            log.error("receiver-not-restarted", reason=str(error))
            return False
        log.info("receiver-listening", port=self._receiver.port)
        self._reactions.compare()
        self._reactions.closed()
        return True


def _log(event: Mapping[str, Any]) -> None:
    """What the receiver has to say is said by the node: one process writes the log."""
    if event["event"] == "refused":
        log.warning("refused", **{key: value for key, value in event.items() if key != "event"})
    else:
        log.warning("receiver", message=event.get("message"))
