"""Options that belong together, declared once as the fields of dataclasses, for a command that has many."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields
from inspect import Parameter, Signature
from typing import Any, TypeVar, get_type_hints

import typer

Command = Callable[..., None]
T = TypeVar("T")


def taking(wanted: type[Any]) -> Callable[[Command], Command]:
    """Give a command, as its options, the fields of the groups that `wanted` has; it is called with one.

    `wanted` is a dataclass of dataclasses. A field of these is declared as a command's parameter would be:
    `Annotated[int, typer.Option(help="...")] = 3`.
    """

    def decorate(command: Command) -> Command:
        def flat(ctx: typer.Context, **given: Any) -> None:
            command(ctx, _filled(wanted, given))

        options = [_parameter(group, field) for _, group, field in options_of(wanted)]
        parameters = [Parameter("ctx", Parameter.KEYWORD_ONLY, annotation=typer.Context), *options]
        flat.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        flat.__annotations__ = {one.name: one.annotation for one in parameters}
        flat.__name__, flat.__doc__ = command.__name__, command.__doc__
        return flat

    return decorate


def options_of(wanted: type[Any]) -> Iterator[tuple[str, type[Any], Field[Any]]]:
    """Every option: the name and the class of its group, and the field that declares it."""
    for name, group in get_type_hints(wanted).items():
        yield from ((name, group, field) for field in fields(group))


def _filled(wanted: type[T], given: dict[str, Any]) -> T:
    groups = get_type_hints(wanted).items()
    return wanted(
        **{name: group(**{one.name: given[one.name] for one in fields(group)}) for name, group in groups}
    )


def _parameter(group: type[Any], field: Field[Any]) -> Parameter:
    annotation = get_type_hints(group, include_extras=True)[field.name]
    default = Parameter.empty if field.default is MISSING else field.default
    return Parameter(field.name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
