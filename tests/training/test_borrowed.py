"""Checkpoints of players with adapters: the base stays in its own file, and a resume is bit for bit.

Mutants killed: a base that is kept, adapters or a head that are not, another base that is taken without a word, a
reference that loses its adapters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from seqgans.data.corpus import Corpus
from seqgans.errors import BadInput
from seqgans.randomness import generator_for
from seqgans.training.borrowed import borrowed
from seqgans.training.build import build_players, open_corpus
from seqgans.training.checkpoint import load_checkpoint, save_checkpoint
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from tests.generators.models import causal_model, model_folder

GAME = {"pretrain_epochs": 1, "discriminator_pretrain_steps": 1, "rounds": 2, "batch": 4, "group": 2, "memory": 8}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Corpus]:
    pytest.importorskip("peft", reason="adapters need the extra [lm]")
    tmp = tmp_path_factory.mktemp("lora")
    pairs = tmp / "pairs.tsv"
    pairs.write_text("".join(f"w1 w{number}\tw3 w{number}\n" for number in range(2, 18)))
    recipe = Recipe.of(
        {
            "algorithm": {"name": "rlgaf", "variant": "ppo", "ppo_epochs": 2, **GAME},
            "corpus": {"spec": str(pairs), "text": "1", "source": "0", "end": "yes"},
            "generator": {"model": str(model_folder(tmp / "model")), "lora": 2},
            "discriminator": {"lora": 2},
            "run": {"device": "cpu"},
        }
    )
    return recipe, open_corpus(recipe.corpus, recipe.corpus_settings, 0)[0]


def training(made: tuple[Recipe, Corpus]) -> Training:
    recipe, corpus = made
    return Training(recipe.played, build_players(recipe, corpus, 0), corpus, 0, Team("cpu"))


def copied(learner: Training) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    tensors, facts = learner.state()
    return {name: part.clone() for name, part in tensors.items()}, facts


def test_the_base_is_left_out_and_what_learns_is_not(made: tuple[Recipe, Corpus]) -> None:
    learner = training(made)
    tensors, facts = learner.state()
    left_out = borrowed(learner.players)
    assert {name.split(".")[0] for name in left_out} == {"generator", "reference", "discriminator"}
    assert not {f"players/{name}" for name in left_out} & tensors.keys()
    learns = {f"players/{name}" for name, part in learner.players.named_parameters() if part.requires_grad}
    assert learns <= tensors.keys()
    assert any("reference" in name and "lora_" in name for name in tensors)
    assert facts["bases"].keys() == {"generator", "reference", "discriminator"}
    assert facts["bases"]["generator"]["origin"] == made[0].generator_settings.model
    assert facts["bases"]["generator"] == facts["bases"]["reference"]


def test_all_players_share_one_base(made: tuple[Recipe, Corpus]) -> None:
    """Three models in memory are one and three sets of adapters; what is learnt is the same."""
    players = training(made).players
    generator, judge = players.get_submodule("generator"), players.get_submodule("discriminator")
    owned = {id(part) for part in generator.parameters()}
    assert all(id(part) in owned for part in judge.parameters() if not part.requires_grad)
    assert not any(id(part) in owned for part in judge.parameters() if part.requires_grad)
    tokens = torch.tensor([[1, 2, 3]])
    alone = made[0].discriminator_settings.build(23, 8, generator_for(0, "players", "discriminator"))
    hidden = [one.get_submodule("trunk")(input_ids=tokens).last_hidden_state for one in (judge, alone)]
    assert hidden[0].equal(hidden[1])
    assert not hidden[0].equal(torch.zeros_like(hidden[0]))


def test_going_on_is_not_stopping(made: tuple[Recipe, Corpus], tmp_path: Path) -> None:
    learner = training(made)
    events, states = learner.events(), [copied(learner)]
    states += [copied(learner) for _ in events]
    for index in (3, len(states) // 2, len(states) - 3):
        save_checkpoint(tmp_path / "step", *states[index])
        again = training(made)
        again.restore(*load_checkpoint(tmp_path / "step"))
        list(again.events())
        found, expected = copied(again), states[-1]
        assert found[1] == expected[1]
        assert found[0].keys() == expected[0].keys()
        for name, part in found[0].items():
            assert part.equal(expected[0][name]), name


def test_another_base_is_noticed(made: tuple[Recipe, Corpus]) -> None:
    learner = training(made)
    state = copied(learner)
    folder = Path(made[0].generator_settings.model)
    before = (folder / "model.safetensors").read_bytes()
    try:
        causal_model("gpt2", seed=1).save_pretrained(folder)
        with pytest.raises(BadInput, match=f"was made of {folder}, which is another model now; put the old one back"):
            training(made).restore(*state)
    finally:
        (folder / "model.safetensors").write_bytes(before)
