"""A parser whose complaints are one line: what must hold, what came, what to do."""

from __future__ import annotations

import dataclasses
import re
import sys
from argparse import Action
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from docstring_parser import parse as parse_docstring
from jsonargparse import ArgumentError, ArgumentParser, DefaultHelpFormatter, Namespace

from seqgans.errors import BadInput
from seqgans.spelling import nearest
from seqgans.training.values import in_words


class Parser(ArgumentParser):
    """The arguments of one verb.

    Args:
        verb: its name, with whatever decides which arguments there are.
        usage: what follows "seqgans".
        description: what the verb does.
        short: other names of arguments, by the name they stand for.
    """

    def __init__(self, verb: str, usage: str, description: str, short: Mapping[str, str] | None = None) -> None:
        names = dict(short or {})
        words: dict[str, str] = {}

        class Formatter(DefaultHelpFormatter):
            def _get_help_string(self, action: Action) -> str:
                default = str(action.default).lower() if isinstance(action.default, bool) else "%(default)s"
                return f"{action.help} (default: {default})" if action.dest in words else action.help or ""

            def _format_action_invocation(self, action: Action) -> str:
                text = super()._format_action_invocation(action)
                for option in action.option_strings:
                    if option in names:
                        return text.replace(option, names[option])
                return text

        super().__init__(
            prog=f"seqgans {verb}",
            usage=f"seqgans {usage}",
            description=description,
            formatter_class=Formatter,
            exit_on_error=False,
            print_config=None,
            allow_abbrev=False,
        )
        self.words = words  # what values each setting takes
        self.names = names

    def add_settings(
        self, part: str, kind: type[Any], title: str, tables: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """One argument for each field of a settings dataclass, explained by its docstring.

        Args:
            part: what stands before the dot.
            kind: the dataclass.
            title: of the group in the help.
            tables: the names that there are for settings that are texts, by setting; shown in the help.
        """
        group = self.add_argument_group(title)
        hints = get_type_hints(kind)
        entries = [entry for one in reversed(kind.__mro__) for entry in parse_docstring(one.__doc__ or "").params]
        documented = {entry.arg_name: entry.description or "" for entry in entries}
        for field in dataclasses.fields(kind):
            default = field.default
            if field.default_factory is not dataclasses.MISSING:
                default = field.default_factory()
            name = f"{part}.{field.name}"
            self.words[name] = in_words(hints[field.name])
            known = (tables or {}).get(field.name, ()) if hints[field.name] in (str, tuple[str, ...]) else ()
            explained = " ".join(documented.get(field.name, "").split()).removesuffix(".")
            group.add_argument(
                f"--{name}",
                type=hints[field.name],
                metavar=metavar(hints[field.name]),
                default=default,
                help=f"{explained}; one of: {', '.join(known)}" if known else explained,
            )

    def read(self, words: Sequence[str], *, defaults: bool = True) -> Namespace:
        """The arguments that the words give.

        Args:
            words: what follows the verb.
            defaults: also those that were not given.

        Raises:
            BadInput: an argument does not exist, is given twice, lacks its value or has one that is not allowed.
        """
        if any(word in ("-h", "--help") for word in words):
            sys.stdout.write(self.format_help())
            raise SystemExit(0)
        flags = self.flags_in(words)
        twice = next((name for name, values in flags.items() if len(values) > 1), None)
        if twice is not None:
            option = self.names.get(twice, twice).partition(",")[0]
            raise BadInput(f"{option} must be given once, got it {len(flags[twice])} times; see {self.prog} --help")
        try:
            return self.parse_args(list(words), defaults=defaults)
        except (ArgumentError, TypeError) as error:
            typed = {name.lstrip("-").replace("-", "_"): values[0] for name, values in flags.items()}
            raise BadInput(self.explained(str(error), typed)) from error

    def flags_in(self, words: Sequence[str]) -> dict[str, list[str]]:
        """The values of each flag that is known, as they were typed, by its last name; "" where none follows."""
        known = {option: action.option_strings[-1] for action in self._actions for option in action.option_strings}
        found: dict[str, list[str]] = {}
        for place, word in enumerate(words):
            flag, equals, value = word.partition("=")
            if flag in known:
                found.setdefault(known[flag], []).append(value if equals else "".join(words[place + 1 : place + 2]))
        return found

    def read_mapping(self, mapping: Mapping[str, Any], source: str) -> Namespace:
        """The arguments that a mapping gives, without defaults.

        Args:
            mapping: nested by the dots of names.
            source: where it comes from, for messages.

        Raises:
            BadInput: as `read`.
        """
        try:
            return self.parse_object(dict(mapping), defaults=False)
        except (ArgumentError, TypeError) as error:
            raise BadInput(f"{self.explained(str(error))} (in {source})") from error

    def explained(self, message: str, typed: Mapping[str, str] | None = None) -> str:
        """A complaint of the library in our words, one line.

        Args:
            message: what it says.
            typed: values as they were typed, by name; the library says what it took them for.
        """
        help_line = f"see {self.prog} --help"
        if found := re.search(r"unrecognized arguments: (\S+)|Option '([^']+)' is not accepted", message):
            return self.unknown(found[1] or found[2], help_line)
        if found := re.match(r"argument ([^\s/:]+)\S*: expected", message):
            return f"{self.names.get(found[1], found[1]).partition(',')[0]} needs a value; {help_line}"
        if found := re.search(r'Parser key "([^"]+)".*?(?:Got|Given) value: ?(.*?)\s*$', message, re.DOTALL):
            return f"{found[1]} must be {self.wanted(found[1])}, got {(typed or {}).get(found[1], found[2])!r}"
        if found := re.search(r"arguments are required: (.+)", message):
            shown = {action.dest: (*action.option_strings, str(action.metavar))[0] for action in self._actions}
            missing = [shown.get(name, name) for name in re.split(r",\s*", found[1].strip())]
            return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; {help_line}"
        return f"{' '.join(message.split())}; {help_line}"

    def wanted(self, name: str) -> str:
        """What values an argument takes, in words."""
        if name in self.words:
            return self.words[name]
        for action in self._actions:
            if action.dest == name:
                return in_words(getattr(action, "_typehint", None) or action.type or str)
        return "another kind of value"

    def unknown(self, name: str, help_line: str) -> str:
        """What to say about an argument that does not exist; one whose part was left out may be of several parts."""
        name = name.partition("=")[0]
        part, _, word = name.lstrip("-").rpartition(".")
        every = [option.lstrip("-") for action in self._actions for option in action.option_strings]
        known = [option for option in every if option.rpartition(".")[0] == part]
        close = [option for option in known if option.startswith(name.lstrip("-"))][:1] or ending(known, word)[:1]
        if name.startswith("-") and not part and not close:
            close = ending(every, word.replace("-", "_"))
        if not name.startswith("-") and name not in known and not close and not part:
            return f"there is one word too many, {name!r}; {help_line}"
        dashes = "--" if name.startswith("-") else ""
        asked = f"; did you mean {' or '.join(dashes + option for option in close)}?" if close else ""
        return f"no setting is called {name}{asked}{'' if close else ';'} {help_line}"


def ending(options: Sequence[str], word: str) -> list[str]:
    """The options whose last part is a word, or where there are none, the one that is spelled most like it.

    >>> ending(["run.seed", "a.rate", "b.rate"], "rate"), ending(["run.seed", "a.rate"], "sed")
    (['a.rate', 'b.rate'], ['run.seed'])
    """
    ends = [option.rpartition(".")[2] for option in options]
    found = word if word in ends else nearest(word, ends)
    return [option for option, end in zip(options, ends, strict=True) if end == found]


def add_checkpoint(parser: Parser) -> None:
    """The flag that says which checkpoint of a run is read."""
    parser.add_argument(
        "--checkpoint", type=str, metavar="NAME", default="latest", help="latest (default), best or pretrained"
    )


def add_drawing(parser: Parser) -> None:
    """The flags that say how tokens are drawn: temperature, top-k, top-p, seed."""
    parser.add_argument("--temperature", type=float, metavar="T", default=1.0, help="0 takes the most likely token (1)")
    parser.add_argument(
        "--top-k", type=int, metavar="K", default=0, help="draw among the K most likely tokens (0: all)"
    )
    parser.add_argument(
        "--top-p",
        type=float,
        metavar="P",
        default=1.0,
        help="draw among the most likely tokens that together have this probability (1: all)",
    )
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="where the random numbers start (0)")


def dashed(words: Sequence[str]) -> list[str]:
    """The words with --top_k and --top_p spelled as their flags are.

    >>> dashed(["runs/a_b", "--top_k", "5"])
    ['runs/a_b', '--top-k', '5']
    """
    return [word.replace("_", "-") if word.startswith("--top_") else word for word in words]


def metavar(hint: Any) -> str | None:
    """What stands for a value in the help: its values where they are few, else a letter or word.

    >>> metavar(Literal["own", "vllm"] | None), metavar(bool), metavar(float)
    ('{own,vllm}', 'true|false', 'X')
    """
    parts = [part for part in get_args(hint) if part is not NoneType] or [hint]
    if get_origin(hint) in (Union, UnionType) and len(parts) == 1:
        return metavar(parts[0])
    if get_origin(hint) is Literal:
        return f"{{{','.join(map(str, parts))}}}"
    if get_origin(hint) is tuple:
        return "[TEXT, ...]" if str in parts else "[N, ...]"
    return {int: "N", float: "X", str: "TEXT", bool: "true|false"}.get(hint)
