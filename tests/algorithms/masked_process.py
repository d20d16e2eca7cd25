"""RLGAF in two processes, the answers of one of which have no real token: does every process make the same calls?

    accelerate launch --multi_gpu --num_processes 2 masked_process.py FOLDER

Each process writes what it has in the end to FOLDER/RANK.json.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import torch

from seqgans.algorithms.base import Play, Players, Update
from seqgans.sequences import Loss
from seqgans.training.build import build_players, open_corpus
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team


def main() -> None:
    """Two rounds, and what came of them."""
    torch.set_num_threads(1)
    folder, team = Path(sys.argv[1]), Team("cpu")
    pairs = folder / f"pairs-{team.rank}.tsv"
    pairs.write_text("".join(f"a {word}\t{word} b\n" for word in "cdefghij" * 3))
    game = {"pretrain_epochs": 0, "discriminator_pretrain_steps": 1, "rounds": 2, "batch": 8, "group": 4, "memory": 16}
    recipe = Recipe.of(
        {
            "algorithm": {"name": "rlgaf", "variant": "ppo", "ppo_epochs": 2, "likelihood_weight": 0.0, **game},
            "corpus": {"spec": str(pairs), "text": "1", "source": "0", "end": "yes"},
            "generator": {"name": "seq2seq", "hidden": 5, "layers": 1},
            "discriminator": {"name": "lstm", "embedding": 4, "hidden": 5},
            "run": {"device": "cpu"},
        }
    )
    corpus, _ = open_corpus(recipe.corpus, recipe.corpus_settings, 0)
    training = Training(recipe.played, build_players(recipe, corpus, 0), corpus, 0, team)
    masked = 0

    def muted(update: Update) -> Update:
        """The update, its loss without any real token of an answer in the second process."""

        def loss(players: Players, play: Play) -> Loss:
            nonlocal masked
            masked += 1
            if play.fake is not None and team.rank == 1:
                play = dataclasses.replace(play, fake=dataclasses.replace(play.fake, mask=play.fake.mask & False))
            return update.loss(players, play)

        return dataclasses.replace(update, loss=loss)

    first, *others = training.schedule.round
    first = dataclasses.replace(first, updates=tuple(map(muted, first.updates)))
    training.schedule = dataclasses.replace(training.schedule, round=(first, *others))
    losses = [event.loss for event in training.events() if event.kind == "update"]
    found = {name: part.tolist() for name, part in training.players.named_parameters()}
    (folder / f"{team.rank}.json").write_text(json.dumps({"losses": losses, "parameters": found, "masked": masked}))


if __name__ == "__main__":
    main()
