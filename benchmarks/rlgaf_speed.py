"""What a step of fine-tuning costs, beside TRL's RLOO at the same sizes, in the same run.

    OMP_WAIT_POLICY=PASSIVE python benchmarks/rlgaf_speed.py [--vocabulary 1000] [--steps 8] [--repeats 3]

A random GPT-2 of 4 layers of 256 units, prompts of 16 tokens, answers of exactly 32, 32 answers in groups of 4, a
reference model, float32, one thread. Each contestant runs in processes of its own, in turn:

    plain         answers, the reference, a trivial reward, leave-one-out advantages, one policy-gradient step
    adversarial   the same with a discriminator of the same size, paid token by token, which takes a step as well
    full          as `seqgans train rlgaf` does it by default: with the weight on real answers
    trl           TRL's RLOOTrainer, trivial reward

Seconds are CPU seconds of the process, medians over all steps after the second of each process;
benchmarks/results/rlgaf_speed.json has them all. --vocabulary 50257 is GPT-2's own; --device cuda counts wall time.
On a GPU seconds are wall time, and tokens per second stand beside the time that reading all weights once a token takes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROMPT, ANSWER, BATCH, GROUP, LAYERS, WIDTH, HEADS = 16, 32, 32, 4, 4, 256, 4
WARM_UP = 2
CONTESTANTS = ("plain", "adversarial", "full", "trl")
RESULTS = Path(__file__).parent / "results" / "rlgaf_speed.json"
BANDWIDTH = 4.8e12  # bytes a second of an H200; the floor of decoding is reading all weights once a token


def model_of(folder: Path, vocabulary: int) -> Path:
    """A random GPT-2 and its tokenizer of words, as `save_pretrained` writes them."""
    import tokenizers
    import torch
    import transformers

    symbols = {"<eos>": 0, **{f"w{number}": number for number in range(1, vocabulary)}}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(symbols, unk_token="<eos>"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()  # pyright: ignore[reportAttributeAccessIssue]
    path = folder / "model"
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<eos>", pad_token="<eos>", padding_side="left"
    ).save_pretrained(path)
    torch.manual_seed(0)
    sizes = transformers.GPT2Config(
        vocab_size=vocabulary,
        n_layer=LAYERS,
        n_embd=WIDTH,
        n_head=HEADS,
        n_positions=256,
        bos_token_id=0,
        eos_token_id=0,
    )
    transformers.GPT2LMHeadModel(sizes).save_pretrained(path)
    return path


def texts(count: int, length: int, vocabulary: int, seed: int) -> list[str]:
    """Random words."""
    import torch

    ids = torch.randint(1, vocabulary, (count, length), generator=torch.Generator().manual_seed(seed))
    return [" ".join(f"w{number}" for number in row) for row in ids.tolist()]


def clock(device: str) -> float:
    """CPU seconds, on a GPU seconds of wall time."""
    if device == "cpu":
        return time.process_time()
    import torch

    torch.cuda.synchronize()
    return time.perf_counter()


def ours(kind: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Steps of this library, a round each."""
    import torch

    from seqgans.training.build import build_players, open_corpus
    from seqgans.training.loop import Training
    from seqgans.training.recipe import Recipe
    from seqgans.training.team import Team

    torch.set_num_threads(1)
    vocabulary, model = given.vocabulary, model_of(folder, given.vocabulary)
    pairs = folder / "pairs.tsv"
    rows = zip(texts(256, PROMPT, vocabulary, 1), texts(256, ANSWER, vocabulary, 2), strict=True)
    pairs.write_text("prompt\tanswer\n" + "".join(f"{prompt}\t{answer}\n" for prompt, answer in rows))
    game: dict[str, Any] = {"pretrain_epochs": 0, "discriminator_pretrain_steps": 0, "rounds": given.steps, "kl": 0.05}
    game |= {"batch": BATCH, "group": GROUP}
    game |= {} if kind == "full" else {"likelihood_weight": 0.0}
    small = {"name": "lstm", "embedding": 2, "hidden": 2}  # says something trivial
    recipe = Recipe.of(
        {
            "algorithm": {"name": "rlgaf", **game, **({"credit": "end"} if kind == "plain" else {})},
            "corpus": {
                "spec": str(pairs),
                "text": "answer",
                "source": "prompt",
                "end": "no",
                "valid": 0.0,
                "test": 0.0,
            },
            "generator": {"model": str(model)},
            **({"discriminator": small} if kind == "plain" else {}),
        }
    )
    corpus, _ = open_corpus(recipe.corpus, recipe.corpus_settings, 0)
    assert (corpus.source_width, corpus.length) == (PROMPT, ANSWER)
    training = Training(recipe.played, build_players(recipe, corpus, 0), corpus, 0, Team(given.device))
    if kind == "plain":
        import dataclasses

        training.schedule = dataclasses.replace(training.schedule, round=training.schedule.round[:1])
    ends = [clock(given.device)]
    for event in training.events():
        if event.kind == "round":
            ends.append(clock(given.device))
    return figures(ends)


def theirs(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Steps of TRL's RLOO."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false")
    import torch
    import transformers
    import trl
    from datasets import Dataset

    torch.set_num_threads(1)
    model = model_of(folder, given.vocabulary)
    prompts = texts(BATCH * (given.steps + 2), PROMPT, given.vocabulary, 1)
    ends: list[float] = []

    class Tick(transformers.TrainerCallback):
        """Notes when steps end."""

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            ends.append(clock(given.device))

        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append(clock(given.device))

    def reward(completion_ids: list[list[int]], **_: Any) -> list[float]:
        return [sum(number % 2 == 0 for number in ids) / max(1, len(ids)) for ids in completion_ids]

    settings = trl.RLOOConfig(  # pyright: ignore[reportPrivateImportUsage]
        output_dir=str(folder / "out"),
        per_device_train_batch_size=BATCH,
        learning_rate=1e-5,
        report_to="none",
        save_strategy="no",
        use_cpu=given.device == "cpu",
        disable_tqdm=True,
        seed=0,
        bf16=False,
        gradient_checkpointing=False,
        max_steps=given.steps,
        num_generations=GROUP,
        max_completion_length=ANSWER,
        beta=0.05,
        generation_kwargs={"min_new_tokens": ANSWER},
    )
    trainer = trl.RLOOTrainer(  # pyright: ignore[reportPrivateImportUsage]
        model=str(model),
        reward_funcs=reward,  # pyright: ignore[reportArgumentType]
        args=settings,
        train_dataset=Dataset.from_dict({"prompt": prompts}),
        callbacks=[Tick()],
    )
    trainer.train()
    return {**figures(ends), "version": trl.__version__}


def figures(ends: list[float]) -> dict[str, Any]:
    """The median step after the warm-up, and the most memory there was."""
    steps = [later - earlier for earlier, later in itertools.pairwise(ends)][WARM_UP:]
    return {
        "seconds": round(statistics.median(steps), 3),
        "steps": [round(step, 3) for step in steps],
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Run every contestant in a process of its own; print a line each, write all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabulary", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--one", choices=CONTESTANTS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            found = theirs(path, given) if given.one == "trl" else ours(given.one, path, given)
        print(json.dumps({"contestant": given.one, **found}))
        return
    steps: dict[str, list[float]] = {}
    facts: dict[str, dict[str, Any]] = {}
    for name in given.only * given.repeats:  # in turn, so that all meet the same load
        command = [sys.executable, __file__, "--one", name, "--vocabulary", str(given.vocabulary)]
        command += ["--steps", str(given.steps), "--device", given.device]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name}: {done.stderr.strip().splitlines()[-1]}")
            continue
        found = json.loads(done.stdout.strip().splitlines()[-1])
        print(json.dumps(found), flush=True)
        steps.setdefault(name, []).extend(found.pop("steps"))
        found["peak_mib"] = max(found["peak_mib"], facts[name]["peak_mib"] if name in facts else 0)
        facts[name] = found
    rows = []
    for name, every in steps.items():
        row = {**facts[name], "seconds": round(statistics.median(every), 3), "steps": every}
        if given.device == "cuda":
            row["tokens_per_second"] = round(BATCH * ANSWER / row["seconds"])
            weights = 4 * (12 * LAYERS * WIDTH**2 + given.vocabulary * WIDTH)
            row["decoding_floor_share"] = round(ANSWER * weights / BANDWIDTH / row["seconds"], 4)
        rows.append(row)
        print(json.dumps({key: value for key, value in row.items() if key != "steps"}))
    seconds = {row["contestant"]: row["seconds"] for row in rows}
    ratios = {name: round(value / seconds["trl"], 3) for name, value in seconds.items() if "trl" in seconds}
    sizes = f"--vocabulary {given.vocabulary} --steps {given.steps} --repeats {given.repeats} --device {given.device}"
    command = f"python benchmarks/rlgaf_speed.py {sizes}"
    RESULTS.write_text(json.dumps({"command": command, "rows": rows, "of_trl": ratios}, indent=1) + "\n")
    print(ratios)


if __name__ == "__main__":
    main()
