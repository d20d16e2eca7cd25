"""The toy on which a discriminator inside a reward function fails: one prompt, one answer of six tokens.

    python benchmarks/rlgaf_toy.py [--seeds 0 1 2] [--arms reinforce ppo …] [--rounds 300] [--folder DIR]

A GPT-2 of 2 layers of 64 units with random parameters, a vocabulary of 100, a discriminator of the same size, both at a
rate of 0.001, no maximum likelihood before the game. Rows go into benchmarks/results/rlgaf_toy.json, in the place of
those of the same arm and seed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import mean
from typing import Any

from seqgans.training.checkpoint import write_atomically
from seqgans.training.facts import from_json, to_json
from seqgans.training.recipe import Recipe
from seqgans.verbs.sample import sample
from seqgans.verbs.train import train

VOCABULARY, PROMPT, ANSWER, COPIES, SAMPLES = 100, "w1 w2 w3 w4", "w11 w22 w33 w44 w55 w66", 40, 200
RESULTS = Path(__file__).parent / "results" / "rlgaf_toy.json"
PLAIN = {"likelihood_weight": 0.0, "kl": 0.0}
ARMS: dict[str, dict[str, Any]] = {
    "reinforce": {},
    "ppo": {"variant": "ppo"},
    "moving average": {"baseline": "moving_average"},
    "gumbel": {"variant": "gumbel"},
    "control": {"shuffled": True},
    "no likelihood": PLAIN,
    "no reference": {"kl": 0.0},
    "no warm-up": {"discriminator_pretrain_steps": 0},
    "no replay": {"replay": 0.0},
    "no smoothing": {"smoothing": 0.0},
    "no score penalty": {"score_penalty": 0.0},
    "paid at the end": {"credit": "end"},
    "probabilities": {"reward": "probability"},
    "scaled": {"scaled": True},
    "gate": {"gate": 0.9},
    "naive": PLAIN | {"credit": "end", "scaled": True, "smoothing": 0.0, "replay": 0.0, "score_penalty": 0.0},
}
"""Each arm's settings beside the defaults; the control's rewards belong to other answers, the naive one is bare. Those
between leave out one of the remedies, or take one that is off by default."""


def made(folder: Path) -> tuple[Path, Path]:
    """A model without weights, with its tokenizer; and the pairs."""
    import tokenizers
    import transformers

    symbols = {"<eos>": 0, **{f"w{number}": number for number in range(1, VOCABULARY)}}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(symbols, unk_token="<eos>"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()  # pyright: ignore[reportAttributeAccessIssue]
    model = folder / "model"
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>", pad_token="<eos>").save_pretrained(
        model
    )
    transformers.GPT2Config(
        vocab_size=VOCABULARY, n_layer=2, n_embd=64, n_head=4, n_positions=64, bos_token_id=0, eos_token_id=0
    ).save_pretrained(model)
    pairs = folder / "pairs.tsv"
    pairs.write_text("prompt\tanswer\n" + f"{PROMPT}\t{ANSWER}\n" * COPIES)
    return model, pairs


def played(arm: str, seed: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Train one arm; how many of its answers are the right one, and what the others are."""
    model, pairs = made(folder)
    recipe = Recipe.of(
        {
            "algorithm": {
                "name": "rlgaf",
                "pretrain_epochs": 0,
                "rounds": rounds,
                "generator_rate": 0.001,
                "discriminator_rate": 0.001,
                **ARMS[arm],
            },
            "corpus": {"spec": str(pairs), "text": "answer", "source": "prompt", "length": 8, "end": "yes"},
            "generator": {"model": str(model)},
            "run": {
                "seed": seed,
                "final_samples": 100,
                "eval_every": rounds,
                "checkpoint_every": 0,
                "on_collapse": "note",
                "tensorboard": False,
            },
        }
    )
    out = folder / f"{arm.replace(' ', '-')}-{seed}"
    began = time.process_time()
    run = train(recipe, out)
    seconds = time.process_time() - began
    written = Counter(one.text for one in sample(out, SAMPLES, seed=seed))
    commonest, times = written.most_common(1)[0]
    return {
        "arm": arm,
        "seed": seed,
        "rounds": rounds,
        "exact": written[ANSWER] / SAMPLES,
        "different": len(written),
        "commonest": commonest,
        "commonest_share": times / SAMPLES,
        "alarms": [f"{one['detector']}, round {one['round']}" for one in run.events() if one["kind"] == "finding"],
        "cpu_seconds": round(seconds, 1),
    }


def main() -> None:
    """Print a line a run and a mean an arm, write all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = from_json(RESULTS.read_bytes())["rows"] if RESULTS.exists() else []
    for arm in given.arms:
        for seed in given.seeds:
            found = played(arm, seed, given.rounds, folder)
            rows = [row for row in rows if (row["arm"], row["seed"]) != (arm, seed)] + [found]
            print(found, flush=True)
            write_atomically(
                RESULTS, (to_json({"command": "python benchmarks/rlgaf_toy.py", "rows": rows}, 1) + "\n").encode()
            )
        print(f"{arm}: {mean(row['exact'] for row in rows if row['arm'] == arm):.3f} exact", flush=True)


if __name__ == "__main__":
    main()
