"""A discriminator that is told good reviews from bad ones before a game, as an option of section 3 of RLGAF's paper."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from typing import Any

import torch
from imdb_data import LENGTH, PROMPT, READ, Place, encoder, of_lists, reviews

from seqgans.algorithms.base import Play
from seqgans.algorithms.judging import judge_loss
from seqgans.sequences import Sequences
from seqgans.training.checkpoint import save_checkpoint
from seqgans.training.folder import RunFolder
from seqgans.verbs.loading import load_run

STEPS, PAIRS, RATE, CLIP = 30, 32, 1e-3, 1.0


def told(place: Place) -> None:
    """A copy of the run before the game, its discriminator told reviews of 10 of 10 from those of 1 of 10."""
    out = place.run("told")
    if out.is_dir():
        return
    run, encode, table = load_run(place.run("sft")), encoder(place), reviews(place, "train")
    there = [pair for pair in zip(table["text"], table["rating"], strict=True) if len(pair[0]) > READ]
    kinds = [[text for text, rating in there if rating == one] for one in (10, 1)]
    learnt = [part for part in run.players.discriminator.parameters() if part.requires_grad]
    optimizer, order = torch.optim.Adam(learnt, lr=RATE), random.Random(place.seed)
    for step in range(STEPS):
        good, bad = (asked_of(encode, order.sample(texts, PAIRS)) for texts in kinds)
        play = Play(real=good, fake=bad)
        loss = judge_loss(
            run.players, play, objective="relativistic", smoothing=0.0, score_penalty=0.001, each_token=True
        )
        optimizer.zero_grad(set_to_none=True)
        loss.value.backward()
        torch.nn.utils.clip_grad_norm_(learnt, CLIP)
        optimizer.step()
        print(f"told {step}: loss {loss.figures['loss']:.3f}, right {loss.figures['accuracy']:.3f}", flush=True)
    beside = out.with_name(f".{out.name}")
    shutil.copytree(place.run("sft"), beside, dirs_exist_ok=True)
    tensors, facts = RunFolder(beside).load("latest")
    known = run.players.state_dict()
    changed = {name: known[name.removeprefix("players/")] for name in tensors if name.startswith("players/discr")}
    save_checkpoint(RunFolder(beside).checkpoints()[-1], tensors | changed, facts)
    beside.rename(out)


def asked_of(encode: Any, texts: Sequence[str]) -> Sequences:
    """Beginnings of reviews, each after its first tokens."""
    rows = [one.ids[: PROMPT + LENGTH] for one in encode.encode_batch([text[:READ] for text in texts])]
    asked, follows = of_lists([row[:PROMPT] for row in rows]), of_lists([row[PROMPT:] for row in rows])
    return Sequences(follows.tokens, follows.mask, source=asked)
