"""The command that is the node: serve."""

from typing import Annotated

import typer

from dicom_node import log
from dicom_node.app import Node
from dicom_node.cli.session import err, reported, session
from dicom_node.leaving import until_asked_to_leave


def serve(
    ctx: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Only check the configuration, then leave.")] = False,
) -> None:
    """Listen, analyse, report, deliver, until stopped (Ctrl-C or SIGTERM).

    Stopping is safe at any moment, and so is a power cut: what was acknowledged is on disk, and every job is
    taken up again at the next start.
    """
    with reported():
        settings = session(ctx).settings
        if check:
            err.print("the configuration is fine")
            return
        log.configure(settings.log.level, settings.log.format)
        with until_asked_to_leave() as wait:
            node = Node(settings)
            node.start()
            wait()
            node.stop()
