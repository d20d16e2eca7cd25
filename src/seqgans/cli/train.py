"""Train and resume: defaults, then a YAML file, then flags into a recipe; the outcome as a table.

Which settings there are depends on the algorithm and its players, so their names are looked up first, in the
words and in the file; the parser is then made from the dataclasses those names stand for.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from seqgans.algorithms import ALGORITHMS
from seqgans.algorithms.relgan import ANNEALINGS
from seqgans.algorithms.textgan import MATCHINGS
from seqgans.choices import choice
from seqgans.cli.arguments import Parser
from seqgans.cli.config import algorithm_of, on_another_corpus, read_config, without_name
from seqgans.data import CorpusSettings
from seqgans.discriminators import DISCRIMINATORS
from seqgans.errors import BadInput
from seqgans.generators import GENERATORS
from seqgans.objectives.adversarial import ADVERSARIAL
from seqgans.options import Options
from seqgans.report.table import before_after
from seqgans.rewards.answers import REWARDS
from seqgans.training.folder import RunFolder
from seqgans.training.mapping import PARTS, merged
from seqgans.training.recipe import Recipe, usual_players, usual_sizes
from seqgans.training.settings import RunSettings
from seqgans.training.shipped import recipes
from seqgans.training.team import parting
from seqgans.verbs.progress import Progress
from seqgans.verbs.train import resume, train

USAGE = "train ALGORITHM (--corpus SPEC | --config FILE.yaml) --out DIR [--any.setting VALUE] [--print-config]"
SHORT = {
    "--corpus": "--corpus.spec",
    "--model": "--generator.model",
    "--variant": "--algorithm.variant",
    "--seed": "--run.seed",
    "--device": "--run.device",
    "--eval-every": "--run.eval_every",
    "--checkpoint-every": "--run.checkpoint_every",
    "--pretrain-epochs": "--algorithm.pretrain_epochs",
    "--rounds": "--algorithm.rounds",
}
SWITCHES = ("-h", "--help", "--print-config")  # flags that no value follows
TABLES: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(("objective", "discriminator_objective", "discriminator_loss", "mutations"), ADVERSARIAL),
    "reward": REWARDS,
    "annealing": ANNEALINGS,
    "matching": MATCHINGS,
}
"""Where the names stand that settings of algorithms take as texts."""

HEADS = {"untrained": "untrained", "pretraining": "likelihood", "pretrained": "pretrained", "final": "final"}


@dataclass(frozen=True)
class Order:
    """What a call of train asks for.

    Attributes:
        recipe: all settings.
        out: the folder of the run, None where only the settings are wanted.
    """

    recipe: Recipe
    out: Path | None


def run_train(words: list[str]) -> None:
    """`seqgans train`: a run's folder, or with --print-config its settings on stdout."""
    order = read_order(words)
    if order.out is None:
        sys.stdout.write(order.recipe.to_yaml())
        return
    mind_launcher()
    with parting():
        show_outcome(train(order.recipe, order.out, Progress()))


def run_resume(words: list[str]) -> None:
    """`seqgans resume`: go on from the newest checkpoint."""
    parser = Parser("resume", "resume DIR", "Go on with a run from its newest checkpoint, as if it had never stopped.")
    parser.add_argument("dir", type=str, metavar="DIR", help="folder of a run")
    mind_launcher()
    with parting():
        folder = RunFolder.existing(parser.read(words).dir)
        before = folder.events()
        show_outcome(resume(folder.path, Progress()))
        if speaks() and before and before == folder.events():
            sys.stderr.write("nothing was left to do: the run had come to its end\n")


def mind_launcher() -> None:
    """Say so where `accelerate launch` was asked for several processes and has started one, as on a processor."""
    if {"MASTER_PORT", "ACCELERATE_DYNAMO_BACKEND"} <= os.environ.keys() and "WORLD_SIZE" not in os.environ:
        sys.stderr.write("accelerate launch has started one process; for several give it --multi_gpu, on a CPU too\n")


def speaks() -> bool:
    """Whether this process says how a run went: of several, one does."""
    return os.environ.get("RANK", "0") == "0"


def show_outcome(folder: RunFolder) -> None:
    """Figures before and after, and where everything is."""
    if not speaks():
        return
    evaluations: Mapping[str, Any] = folder.read_report()["evaluations"]
    columns = {HEADS.get(stage, stage): figures for stage, figures in evaluations.items() if figures}
    if len(columns) > 1:
        columns.pop("likelihood", None)
    sys.stdout.write(f"{before_after(columns)}\n\nrun: {folder.path}\n")


def read_order(words: Sequence[str]) -> Order:
    """The words after `train` as a recipe and a folder.

    Raises:
        BadInput: a name, a setting or a value is wrong, or something is missing.
    """
    words = spelled(words)
    configs = sum(word.partition("=")[0] == "--config" for word in words)
    if configs > 1:
        raise BadInput(f"train takes one --config, got {configs}; write what differs as flags")
    named, flags = glanced(words)
    if configs and "--config" not in flags:
        raise BadInput("--config needs a value, a YAML file or a recipe; see seqgans train --help")
    config = read_config(flags["--config"]) if "--config" in flags else {part: {} for part in PARTS}
    source, corpus = flags.get("--config", ""), flags.get("--corpus.spec")
    own = config["corpus"].get("spec")
    config, left_out = on_another_corpus(config, corpus)
    if left_out and speaks():
        sys.stderr.write(f"{', '.join(left_out)} of {own} in {source} are not for {corpus}: left out\n")
    algorithm = algorithm_of(named, config, source)
    if algorithm is None:
        if "--help" in flags or "-h" in flags:
            parser_for(None, None, None).read(["--help"])
        raise BadInput(f"train needs the name of an algorithm; choose one of: {', '.join(sorted(ALGORITHMS))}")
    kind: type[Any] = choice(ALGORITHMS, algorithm, "algorithm")
    known = {f"--algorithm.{field.name}" for field in dataclasses.fields(kind)}
    for brief, full in SHORT.items():
        if full in flags and full.startswith("--algorithm.") and full not in known:
            raise BadInput(
                f"{brief} means nothing to {algorithm}; leave it out, or see seqgans train {algorithm} --help"
            )
    model = flags.get("--generator.model") or config["generator"].get("model")
    usual = usual_players(algorithm, bool(model))
    generator = flags.get("--generator.name") or config["generator"].get("name") or usual[0]
    discriminator = flags.get("--discriminator.name") or config["discriminator"].get("name") or usual[1]
    if kind.discriminator is None:
        discriminator = None
        unasked = next((flag for flag in flags if flag.startswith("--discriminator.")), None)
        if unasked:
            raise BadInput(f"{algorithm} has no discriminator; leave out {unasked}")
    parser = parser_for(algorithm, generator, discriminator)
    given = parser.read(words, defaults=False)
    from_file = parser.read_mapping(without_name(config), source)
    mapping = merged(nested(from_file), nested(given))
    mapping["algorithm"] = {"name": algorithm, **mapping.get("algorithm", {})}
    print_config = bool(mapping.pop("print_config", False))
    out = mapping.pop("out", None)
    mapping = {part: mapping[part] for part in PARTS if part in mapping}
    if not mapping.get("corpus", {}).get("spec"):
        if not print_config:
            raise BadInput(
                "train needs --corpus SPEC, the data to learn from; seqgans list corpora shows what it can be"
            )
        mapping["corpus"] = {"spec": "oracle", **mapping.get("corpus", {})}
    if print_config:
        return Order(Recipe.of(mapping), None)
    if not out:
        raise BadInput("train needs --out DIR, a new folder for the run")
    return Order(Recipe.of(mapping), Path(out))


def parser_for(algorithm: str | None, generator: str | None, discriminator: str | None) -> Parser:
    """The parser of one combination, each setting explained by its dataclass.

    Args:
        algorithm: its name; None for what all have in common.
        generator: its name.
        discriminator: its name, None where there is none.
    """
    about = "Train into a new folder. Defaults are overruled by a YAML file (--config), and both by flags."
    if algorithm is None:
        about += f" ALGORITHM is one of: {', '.join(ALGORITHMS)}; with one, --help shows all its settings."
    elif f"{algorithm}/short" in recipes():
        about += f" Without --config it runs as published; --config {algorithm}/short plays on any corpus in minutes."
    short = {full: f"{brief}, {full}" for brief, full in SHORT.items()} | {"--corpus.spec": "--corpus"}
    verb = "train" if algorithm is None else f"train {algorithm}"
    parser = Parser(verb, USAGE if algorithm is None else USAGE.replace("ALGORITHM", algorithm), about, short)
    parser.add_argument("algorithm_name", nargs="?", type=str, metavar="ALGORITHM", help="name of the algorithm")
    parser.add_argument("--out", type=str, metavar="DIR", help="a new folder for the run")
    parser.add_argument(
        "--config",
        type=str,
        metavar="FILE",
        help="a YAML file, as --print-config writes, or one of `seqgans list recipes`",
    )
    parser.add_argument(
        "--print-config", action="store_true", help="write all settings as YAML to stdout and do nothing else"
    )
    if algorithm is not None and generator is not None:
        kind = choice(ALGORITHMS, algorithm, "algorithm")
        parser.add_settings("algorithm", kind, f"algorithm: {algorithm} ({kind.paper})", TABLES)
        add_player(parser, "generator", GENERATORS, generator, usual_sizes(algorithm, "generator", generator))
        if discriminator is not None:
            sizes = usual_sizes(algorithm, "discriminator", discriminator)
            add_player(parser, "discriminator", DISCRIMINATORS, discriminator, sizes)
    corpus = parser.add_argument_group("corpus")
    corpus.add_argument(
        "--corpus.spec",
        type=str,
        metavar="SPEC",
        help="what is learnt from: oracle, oracle:FILE, world:NAME, a text file, a table, MIDI files or hf:NAME",
    )
    parser.add_settings("corpus", CorpusSettings, "corpus: how it is read")
    parser.add_settings("options", Options, "options: what combines with any algorithm")
    parser.add_settings("run", RunSettings, "run: how it is carried out and watched")
    return parser


def add_player(parser: Parser, part: str, table: Mapping[str, type[Any]], name: str, sizes: Mapping[str, Any]) -> None:
    """The name and the settings of a player, and what the algorithm has as its defaults."""
    settings = choice(table, name, part)
    group = parser.add_argument_group(part)
    group.add_argument(
        f"--{part}.name",
        type=str,
        metavar="NAME",
        default=name,
        help=f"one of: {', '.join(table)}; its settings follow",
    )
    parser.add_settings(part, settings, f"{part}: {name} ({settings.paper})")
    parser.set_defaults({f"{part}.{setting}": value for setting, value in sizes.items()})


def spelled(words: Sequence[str]) -> list[str]:
    """Flags by their full names: hyphens and underscores are equal, short names stand for settings."""
    found = []
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            name = name[2:]
            name = f"--{name.replace('-', '_')}" if "." in name else f"--{name.replace('_', '-')}"
            word = SHORT.get(name, name) + equals + value
        found.append(word)
    return found


def glanced(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The words that are no flags, and the flags with their values, before anything is checked; no flag is a value."""
    named: list[str] = []
    flags: dict[str, str] = {}
    place = 0
    while place < len(words):
        name, equals, value = words[place].partition("=")
        place += 1
        if not name.startswith("-"):
            named.append(words[place - 1])
        elif name in SWITCHES or equals:
            flags[name] = value
        elif place < len(words) and not words[place].startswith("--"):
            flags[name] = words[place]
            place += 1
    return named, flags


def nested(space: Namespace) -> dict[str, Any]:
    """Arguments as plain mappings; what was not given is left out."""
    found = space.as_dict()
    return {name: value for name, value in found.items() if value is not None and name != "algorithm_name"}
