"""Every command with the module that holds it, which is imported when the command is called.

So `dicom-node --help` waits for none of them, and no command for what another one needs.
"""

import gc
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

# name: module, function (or Typer with commands of its own), and what `dicom-node --help` says of it
COMMANDS = {
    "serve": ("serve", "serve", "Listen, analyse, report, deliver, until stopped."),
    "demo": ("demo", "demo", "Watch the main job with a simulated heart."),
    "status": ("status", "status", "Is the node running, and does anything need a person?"),
    "jobs": ("look", "jobs", "Every study the node knows."),
    "show": ("look", "show", "All about one study."),
    "trace": ("trace", "trace", "Where did this report come from?"),
    "retry": ("act", "retry", "Start a failed or rejected study again."),
    "resend": ("again", "resend", "Send a study's current objects again."),
    "reconcile": ("again", "reconcile", "Ask destinations for everything they took."),
    "send": ("act", "send", "Send files by C-STORE, as a scanner would."),
    "echo": ("check", "echo", "C-ECHO a destination."),
    "export": ("act", "export", "Copy a study's images out of the archive."),
    "retention": ("keep", "retention", "Which studies' images would go, and why."),
    "train": ("train", "train", "Train a network on labelled studies."),
    "models": ("models", "app", "Which models read studies: import, try, activate, take back."),
    "evaluate": ("judge", "evaluate", "How good is a model, on labelled studies?"),
    "compare": ("judge", "compare", "Models side by side on the same studies."),
    "ablate": ("judge", "ablate", "Train several networks alike, and compare them."),
    "conformance": ("check", "conformance", "Print the DICOM conformance statement."),
    "doctor": ("check", "doctor", "Look at everything the node needs."),
    "db": ("database", "app", "The job database."),
    "labels": ("labels", "app", "What is known of studies from elsewhere."),
    "audit": ("audit", "app", "Who did what: a log that cannot be changed unseen."),
}


class Deferred(TyperCommand):
    """Stands for a command until it is called."""

    def load(self) -> Any:
        """The command itself, a Click command."""
        module, attribute, _ = COMMANDS[str(self.name)]
        found = getattr(import_module(f"dicom_node.cli.{module}"), attribute)
        gc.freeze()  # what was imported stays: the collector need not look through it, now or later
        gc.enable()
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        alone = typer.Typer(rich_markup_mode=None, add_completion=False)
        alone.command(self.name)(found)
        return typer.main.get_command(alone)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """From here on the command itself has the word."""
        return self.load().make_context(info_name, args, parent, **extra)


class Commands(TyperGroup):
    """`dicom-node`, with every command of the table."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (_, _, told) in COMMANDS.items():
            self.add_command(Deferred(name, callback=None, help=told, rich_markup_mode=None))
