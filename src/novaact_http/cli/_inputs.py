"""The options that are the arguments of an operation, as the AWS CLI takes them.

Any of them may be `file://PATH`. Structures are JSON, or, if they are flat, the AWS CLI's shorthand `name=value,...`.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from novaact_http._operations.shapes import (
    Document,
    Enumeration,
    Integer,
    ListOf,
    Member,
    String,
    Structure,
    Token,
)
from novaact_http.cli._options import Number, Option, option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from novaact_http._operations.shapes import Input, Operation, Shape
    from novaact_http.cli._options import Decorator

INPUTS = "What to ask for"
_FILE = "file://"
_PAIR = re.compile(
    r"""\s*([A-Za-z]\w*)\s*=\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|((?:\\.|[^,\\"'][^,\\]*)*))\s*(,|\Z)""",
    re.DOTALL,
)


class InputOption(Option):
    """An option for an argument of an operation. Any value may be `file://PATH` for what is in a file."""

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        try:
            found = _content(value) if isinstance(value, str) else value and tuple(map(_content, value))
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, self) from error
        return super().type_cast_value(ctx, found)


def _content(text: str) -> str:
    """Return text, or what is in the file that it names.

    Raises:
        ValueError: the file cannot be read, or is not text.
    """
    if not text.startswith(_FILE):
        return text
    path = Path(os.path.expandvars(text[len(_FILE) :])).expanduser()
    try:
        return path.read_text(encoding="utf-8-sig")  # Windows may begin text with a byte order mark
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text") from error


def input_option(group: str, *names: str, **settings: Any) -> Decorator:
    """Add an option for an argument of an operation under a heading of the help."""
    return click.option(*names, cls=InputOption, group=group, **settings)


class Structured(click.ParamType):  # type: ignore[type-arg]  # generic only in new versions of click
    """A structure or a list, as the value that the library takes.

    Args:
        shape: what it is made of.
    """

    name = "structure"

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return value_of(self._shape, _parsed(self._shape, value), "")
        except (ValueError, RecursionError) as error:
            self.fail(_reason(error), param, ctx)


def _parsed(shape: Shape, text: str) -> Any:
    if text.lstrip()[:1] in ("{", "["):
        return json.loads(text)
    if _is_flat(shape):
        return _from_shorthand(shape, text)
    raise ValueError("must be JSON, or file://PATH of a file with JSON")


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error}"
    return "is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _is_flat(shape: Shape) -> bool:
    return isinstance(shape, Structure) and all(isinstance(each.shape, (String, Integer)) for each in shape.members)


def _from_shorthand(shape: Any, text: str) -> dict[str, object]:
    shapes = {each.wire_name: each.shape for each in shape.members}
    parsed: dict[str, object] = {}
    position = 0
    while position < len(text):
        pair = _PAIR.match(text, position)
        if pair is None:
            raise ValueError(
                "must be JSON, or name=value,name=value, with quotes around a value that has a comma; this is neither: "
                f"{text[position:]!r}"
            )
        name = pair[1]
        if name in parsed:
            raise ValueError(f"has {name} twice")
        value = re.sub(r"\\(.)", r"\1", next(each for each in (pair[2], pair[3], pair[4]) if each is not None))
        is_integer = isinstance(shapes.get(name), Integer) and re.fullmatch(r"[+-]?[0-9]+", value)
        parsed[name] = int(value) if is_integer else value
        position = pair.end()
        if pair[5] and position == len(text):
            raise ValueError("must not end in a comma")
    return parsed


# The shapes with the kind of JSON that each takes; a boolean is none of them.
_KINDS = (
    (Structure, dict, "an object"),
    (ListOf, list, "a list"),
    ((String, Enumeration), str, "a string"),
    (Integer, int, "a whole number"),
)


def value_of(shape: Shape, value: Any, where: str) -> Any:
    """Return JSON as the value that the library takes for a shape. The library judges limits and patterns.

    Args:
        shape: what the value is.
        value: the JSON.
        where: where it is, for messages, such as `.content[0]`.

    Raises:
        ValueError: it is of another kind, is none of the values that there are, or is a structure that lacks a
            required member or has one that is not known.
    """
    about = f"{where.lstrip('.')} " if where else ""
    for of, kind, expected in _KINDS:
        if isinstance(shape, of) and (not isinstance(value, kind) or isinstance(value, bool)):
            raise ValueError(f"{about}must be {expected}, not {json.dumps(value)[:50]}")
    if isinstance(shape, Enumeration) and value not in list(shape.members):
        raise ValueError(f"{about}must be one of {', '.join(map(str, shape.members))}, not {json.dumps(value)[:50]}")
    if isinstance(shape, Structure):
        names = [each.wire_name for each in shape.members]
        unknown = [name for name in value if name not in names]
        if unknown:
            raise ValueError(f"{about}has the unknown {', '.join(unknown)}; it can have {', '.join(names)}")
        missing = [each.wire_name for each in shape.members if each.required and value.get(each.wire_name) is None]
        if missing:
            raise ValueError(f"{about}lacks {', '.join(missing)}")
        return shape.model(
            **{
                each.name: value_of(each.shape, value[each.wire_name], f"{where}.{each.wire_name}")
                for each in shape.members
                if value.get(each.wire_name) is not None
            }
        )
    if isinstance(shape, ListOf):
        return [value_of(shape.element, each, f"{where}[{number}]") for number, each in enumerate(value)]
    return value


def sent(operation: Operation[Any]) -> list[Input]:
    """Return the arguments of an operation that are sent."""
    return [each for each in operation.inputs if each.location != "client"]


def options_of(inputs: Iterable[Input], helps: Mapping[str, str], repeated: str | None = None) -> list[Decorator]:
    """Return the options for arguments of an operation.

    Args:
        inputs: the arguments.
        helps: what each is, by its name.
        repeated: the argument that may be given several times, or None.
    """
    made = []
    for each in inputs:
        is_repeated = each.name == repeated
        metavar, kind = _kind(each.shape)
        text = _help(each, helps[each.name], is_repeated=is_repeated)
        made.append(
            input_option(INPUTS, option_name(each), multiple=is_repeated, metavar=metavar, type=kind, help=text)
        )
    return made


WHOLE_INPUT = [
    input_option(
        INPUTS,
        "--cli-input-json",
        metavar="JSON",
        help="All of these as one JSON object, with the service's names. Options override its members.",
    ),
    option(
        INPUTS,
        "--generate-cli-skeleton",
        type=click.Choice(["input"]),
        is_flag=False,
        flag_value="input",
        help="Print a JSON object for --cli-input-json to fill in, and make no call.",
    ),
]


def option_name(argument: Input) -> str:
    """Return the option of an argument."""
    return f"--{argument.name.replace('_', '-')}"


def _help(argument: Input, text: str, *, is_repeated: bool) -> str:
    repeated = " May be repeated; - reads them from standard input, one per line." if is_repeated else ""
    made_up = " Default: a new one." if isinstance(argument.shape, Token) else ""
    return f"{text}{repeated}{made_up}{'  [required]' if argument.required else ''}"


def _kind(shape: Shape) -> tuple[str | None, click.ParamType]:  # type: ignore[type-arg]
    if isinstance(shape, Enumeration):
        return None, click.Choice([str(each) for each in shape.members])
    if isinstance(shape, Integer):
        return "N", Number(whole=True)
    if isinstance(shape, String):
        return "TEXT", click.STRING
    return ("NAME=VALUE,... or JSON" if _is_flat(shape) else "JSON"), Structured(shape)


def arguments_of(inputs: Iterable[Input], options: dict[str, Any], ctx: click.Context) -> dict[str, Any]:
    """Take the arguments of an operation out of a command's options.

    Args:
        inputs: the operation's arguments.
        options: the options; those that are the arguments' are taken out.
        ctx: the command's context.

    Raises:
        click.UsageError: one is missing or bad.
    """
    inputs = list(inputs)
    text = options.pop("cli_input_json")
    arguments = {} if text is None else _from_json(inputs, text)
    for each in inputs:
        value = options.pop(each.name)
        if value not in (None, ()):
            arguments[each.name] = value
        if each.required and arguments.get(each.name) is None:
            param = next(one for one in ctx.command.params if one.name == each.name)
            raise click.MissingParameter(ctx=ctx, param=param)
    return arguments


def _from_json(inputs: list[Input], text: str) -> dict[str, Any]:
    members = tuple([Member(each.name, each.wire_name, each.shape) for each in inputs])
    try:
        return value_of(Structure(dict, members), json.loads(text), "")  # type: ignore[no-any-return]
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(_reason(error), param_hint="'--cli-input-json'") from error


def skeleton(inputs: Iterable[Input]) -> str:
    """Return the JSON to fill in for arguments of an operation."""
    return json.dumps({each.wire_name: _example(each.shape) for each in inputs}, indent=4)


def _example(shape: Shape) -> object:
    if isinstance(shape, Structure):
        return {each.wire_name: _example(each.shape) for each in shape.members}
    if isinstance(shape, ListOf):
        return [_example(shape.element)]
    if isinstance(shape, Integer):
        return 0
    if isinstance(shape, Document):
        return {}
    return str(next(iter(shape.members))) if isinstance(shape, Enumeration) else ""
