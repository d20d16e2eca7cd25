"""A recipe: every setting of a run, as frozen dataclasses, as a plain mapping and as YAML."""

from __future__ import annotations

import dataclasses
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seqgans.algorithms import ALGORITHMS, reading_sources
from seqgans.algorithms.base import Algorithm
from seqgans.choices import choice
from seqgans.data.corpus import CorpusSettings
from seqgans.data.kinds import is_law
from seqgans.discriminators import DISCRIMINATORS
from seqgans.errors import BadInput
from seqgans.generators import GENERATORS
from seqgans.options import Options, equipped
from seqgans.training.mapping import PARTS, mapping_of
from seqgans.training.settings import RunSettings
from seqgans.training.values import filled

PRETRAINED = "pretrained"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All settings of a run.

    Attributes:
        algorithm: name of the algorithm.
        settings: its settings.
        corpus: spec of the corpus.
        corpus_settings: how it is read.
        generator: name of the generator.
        generator_settings: its settings.
        discriminator: name of the discriminator, or None where the algorithm has none.
        discriminator_settings: its settings.
        options: what is added to the algorithm.
        run: how the run is carried out.
    """

    algorithm: str
    settings: Algorithm
    corpus: str
    corpus_settings: CorpusSettings
    generator: str
    generator_settings: Any
    discriminator: str | None
    discriminator_settings: Any
    options: Options
    run: RunSettings

    def __post_init__(self) -> None:
        equipped(self.settings, self.options)  # a contradiction is an error before anything is made

    @property
    def played(self) -> Algorithm:
        """The algorithm with its options.

        Raises:
            BadInput: they contradict each other.
        """
        return equipped(self.settings, self.options)

    @property
    def completions_every(self) -> int:
        """Rounds between tables of answers, 0 for none."""
        asked = self.run.completions_every
        return (10 if self.generator == PRETRAINED else 0) if asked is None else asked

    @property
    def draws_curves(self) -> bool:
        """Whether curves are drawn as a picture."""
        return self.generator == PRETRAINED if self.run.curves is None else self.run.curves

    @property
    def sweeps(self) -> bool:
        """Whether the generator is judged over temperatures unasked: of a large model that takes thousands of texts."""
        return self.generator != PRETRAINED

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> Recipe:
        """The recipe a mapping describes; what it leaves out has its default.

            {"algorithm": {"name": "seqgan", "rounds": 50}, "corpus": {"spec": "oracle"}, "run": {"seed": 1}}

        Raises:
            BadInput: a name or a setting does not exist, or a value is not allowed.
        """
        if not isinstance(mapping, Mapping):
            raise BadInput(f"a recipe must be a mapping with the keys {', '.join(PARTS)}, got {mapping!r}")
        unknown = sorted(set(mapping) - set(PARTS))
        if unknown:
            raise BadInput(f"a recipe holds {', '.join(PARTS)}; got {', '.join(map(str, unknown))} as well")
        for name, part in mapping.items():
            if part is not None and not isinstance(part, Mapping):
                raise BadInput(f"{name} must be a mapping of settings, got {part!r}")
        parts = {name: dict(mapping.get(name) or {}) for name in PARTS}
        for part, name in (("algorithm", "name"), ("corpus", "spec"), ("generator", "name"), ("discriminator", "name")):
            if not isinstance(parts[part].get(name), str | None):
                hint = "; write texts to a file, one a line, and name that" if name == "spec" else ""
                raise BadInput(f"{part}.{name} must be text, got {reprlib.repr(parts[part][name])}{hint}")
        algorithm = parts["algorithm"].pop("name", None)
        spec = parts["corpus"].pop("spec", None)
        if algorithm is None or spec is None:
            raise BadInput("a recipe must name an algorithm (algorithm: name) and a corpus (corpus: spec)")
        kind = choice(ALGORITHMS, algorithm, "algorithm")
        usual = usual_players(algorithm, bool(parts["generator"].get("model")))
        generator = parts["generator"].pop("name", None) or usual[0]
        discriminator = parts["discriminator"].pop("name", None) or usual[1]
        for part, name in (("generator", generator), ("discriminator", discriminator)):
            parts[part] = {**usual_sizes(algorithm, part, name), **parts[part]}
        if discriminator is None and parts["discriminator"]:
            raise BadInput(
                f"{algorithm} has no discriminator; leave out its settings ({', '.join(parts['discriminator'])})"
            )
        share_model(parts, spec, discriminator if kind.discriminator else None)
        return cls(
            algorithm=algorithm,
            settings=filled(kind, parts["algorithm"], "algorithm"),
            corpus=spec,
            corpus_settings=filled(CorpusSettings, parts["corpus"], "corpus"),
            generator=generator,
            generator_settings=filled(choice(GENERATORS, generator, "generator"), parts["generator"], "generator"),
            discriminator=discriminator if kind.discriminator else None,
            discriminator_settings=filled(
                choice(DISCRIMINATORS, discriminator, "discriminator"), parts["discriminator"], "discriminator"
            )
            if discriminator is not None and kind.discriminator
            else None,
            options=filled(Options, parts["options"], "options"),
            run=filled(RunSettings, parts["run"], "run"),
        )

    def to_dict(self) -> dict[str, Any]:
        """The mapping that `of` takes, complete."""
        found: dict[str, Any] = {
            "algorithm": {"name": self.algorithm, **plain(self.settings)},
            "corpus": {"spec": self.corpus, **plain(self.corpus_settings)},
            "generator": {"name": self.generator, **plain(self.generator_settings)},
            "options": plain(self.options),
            "run": plain(self.run),
        }
        if self.discriminator is not None:
            found["discriminator"] = {"name": self.discriminator, **plain(self.discriminator_settings)}
        return found

    def to_yaml(self) -> str:
        """The complete recipe as a YAML file."""
        import yaml

        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)

    @classmethod
    def from_yaml(cls, text: str) -> Recipe:
        """The recipe a YAML file describes.

        Raises:
            BadInput: it is not YAML, or not a recipe.
        """
        return cls.of(mapping_of(text))


def usual_players(algorithm: str, model: bool) -> tuple[str, str | None]:
    """The generator and discriminator of an algorithm where none are named: pre-trained ones where a model is.

    Args:
        algorithm: its name.
        model: whether a pre-trained model is named; of use to algorithms whose generator goes on from a source.
    """
    kind = choice(ALGORITHMS, algorithm, "algorithm")
    if not model or algorithm not in reading_sources():
        return kind.generator, kind.discriminator
    return PRETRAINED, kind.discriminator and PRETRAINED


def usual_sizes(algorithm: str, part: str, player: str | None) -> Mapping[str, Any]:
    """What an algorithm changes in the defaults of its usual player; nothing in those of another.

    Args:
        algorithm: its name.
        part: "generator" or "discriminator".
        player: name of the one that plays.
    """
    kind = choice(ALGORITHMS, algorithm, "algorithm")
    return getattr(kind, "sizes", {}).get(part, {}) if player == getattr(kind, part) else {}


def share_model(parts: dict[str, dict[str, Any]], spec: str, discriminator: str | None) -> None:
    """Where the generator is a pre-trained model, its tokenizer reads the corpus and the discriminator starts from it.

    Args:
        parts: settings by part, changed in place where they are left open.
        spec: the corpus.
        discriminator: its name, None where there is none.

    Raises:
        BadInput: the corpus holds token ids, not text.
    """
    model = parts["generator"].get("model")
    if not model:
        return
    if is_law(spec):
        raise BadInput(f"a pre-trained model reads text, the corpus {spec} has none; give a file of text or a table")
    if not parts["corpus"].get("tokenizer"):
        parts["corpus"]["tokenizer"] = model
    if parts["generator"].get("stop") and not parts["corpus"].get("stop"):
        parts["corpus"]["stop"] = parts["generator"]["stop"]  # real answers end where written ones do
    if discriminator == PRETRAINED and not parts["discriminator"].get("model"):
        parts["discriminator"]["model"] = model


def plain(settings: Any) -> dict[str, Any]:
    """A dataclass as a mapping of plain values (tuples become lists)."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(settings).items()
    }
