"""What benchmarks/imdb.py works on: where everything is, the model as folders, reviews and held-out prompts."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seqgans.data.tokenizer import tokenizer_of_model, vocabulary_of_model
from seqgans.generators.loading import load_model
from seqgans.generators.pretrained import Pretrained
from seqgans.sequences import Sequences
from seqgans.training.checkpoint import write_atomically
from seqgans.verbs.loading import load_run
from seqgans.verbs.train import resume

PROMPT, LENGTH = 3, 24  # tokens of a prompt and of what follows
ROWS, HELD_OUT = 1216, 300  # real ones, and prompts of the table
LAYERS = 12  # of the model's 30, which are the discriminator
READ = 600  # characters that are read of a review


@dataclass(frozen=True)
class Place:
    """Where everything is.

    Attributes:
        data: folder of both parquet files.
        source: the model as it came.
        folder: what the stages leave.
        seed: of the training and the completions.
        rounds: of the game; None: the recipe's.
        best_of: whether the first prompts of SFT are answered several times, for the discriminators to choose from.
        results: the table's figures; None: benchmarks/results/imdb.json.
    """

    data: Path
    source: str
    folder: Path
    seed: int
    rounds: int | None
    best_of: bool = True
    results: Path | None = None

    @property
    def model(self) -> Path:
        """The model as a folder."""
        return self.folder / "model"

    def run(self, name: str) -> Path:
        """The folder of a run of this seed."""
        return self.folder / f"{name}-{self.seed}"


def model(place: Place) -> None:
    """The model as a folder of float32, and its first layers as another: a GGUF file takes a minute to unpack."""
    if place.model.is_dir():
        return
    found = load_model(place.source, torch.Generator().manual_seed(0))
    tokenizer, tensors = tokenizer_of_model(place.source), found.state_dict()
    for name, layers in (("discriminator", LAYERS), ("model", found.config.num_hidden_layers)):
        config = copy.deepcopy(found.config)
        config.num_hidden_layers = layers
        if getattr(config, "layer_types", None):
            config.layer_types = config.layer_types[:layers]
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        part = type(found)(config)
        part.load_state_dict({key: value for key, value in tensors.items() if key in part.state_dict()})
        part.save_pretrained(place.folder / name)
        tokenizer.save_pretrained(place.folder / name)


def prepare(place: Place) -> None:
    """reviews.tsv (prompt, text), and the prompts of other reviews with what really followed."""
    if (place.folder / "held_out.tsv").exists():
        return
    encode = encoder(place)
    table = reviews(place, "train")
    liked = sorted({text for text, rating in zip(table["text"], table["rating"], strict=True) if rating == 10})
    random.Random(0).shuffle(liked)
    pairs = []
    for text in liked:
        if (halves := halved(encode, text)) is not None:
            pairs.append("{}\t{}\n".format(*halves))
        if len(pairs) == ROWS + HELD_OUT:
            break
    for name, part in (("reviews.tsv", pairs[:ROWS]), ("held_out.tsv", pairs[ROWS:])):
        write_atomically(place.folder / name, ("prompt\ttext\n" + "".join(part)).encode())


def halved(encode: Any, text: str) -> tuple[str, str] | None:
    """The first tokens of a review and what follows; None where the halves are not read as the whole is."""
    ids = encode.encode(text[:READ]).ids[: PROMPT + LENGTH]
    begins, follows = encode.decode(ids[:PROMPT]), encode.decode(ids[PROMPT:])
    same = begins + follows == encode.decode(ids) and encode.encode(begins).ids == ids[:PROMPT]
    return (begins, follows) if len(ids) == PROMPT + LENGTH and same and begins.strip() else None


def carried_on(out: Path) -> bool:
    """Whether a run is there already: one that ended lies as it is, one that was broken off is brought to its end."""
    if (out / "report.json").exists():
        return True
    begun = (out / "checkpoints").is_dir() and any((out / "checkpoints").glob("step-*"))
    if begun:
        resume(out)
    return begun


def encoder(place: Place) -> Any:
    """The model's tokenizer."""
    import tokenizers

    return tokenizers.Tokenizer.from_file(str(place.model / "tokenizer.json"))


def reviews(place: Place, split: str) -> dict[str, list[Any]]:
    """The columns of a split, its texts without line breaks."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(place.data / f"imdb_{split}.parquet").to_pydict()
    table["text"] = [" ".join(re.sub(r"<br\s*/?>", " ", text).split()) for text in table["text"]]
    return table


def held_out(place: Place) -> list[str]:
    """Lines of held_out.tsv, without the names of its columns."""
    return (place.folder / "held_out.tsv").read_text().splitlines()[1:]


def generator_of(place: Place, run: str | None) -> Any:
    """The generator of a run; None for the model as it came."""
    if run is not None:
        return load_run(place.run(run)).players.generator
    vocabulary = vocabulary_of_model(str(place.model))
    settings = Pretrained(model=str(place.model))
    return settings.build(vocabulary.size, vocabulary.start or 0, None, torch.Generator().manual_seed(0))


def of_lists(rows: Sequence[Sequence[int]]) -> Sequences:
    """Lists of ids as rows of one width."""
    mask = torch.arange(max(map(len, rows))) < torch.tensor([len(row) for row in rows])[:, None]
    tokens = torch.zeros(mask.shape, dtype=torch.long)
    tokens[mask] = torch.tensor([one for row in rows for one in row])
    return Sequences(tokens, mask)
