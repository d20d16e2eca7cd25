"""A judge on the generator's frozen trunk: one base in memory, adapters and a last layer of its own.

Mutants killed: adapters of the generator that the judge reads through, a trunk that is copied or loaded again, a base
that learns, a judge that is put back by a checkpoint with the generator's adapters.
"""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seqgans.algorithms.base import Players
from seqgans.data.corpus import Corpus
from seqgans.discriminators import DISCRIMINATORS
from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.pairs import beside
from seqgans.discriminators.pretrained import PretrainedScorer
from seqgans.errors import BadInput
from seqgans.generators import pretrained
from seqgans.generators.loading import load_model
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences
from seqgans.training.build import build_players, open_corpus
from seqgans.training.checkpoint import load_checkpoint, save_checkpoint
from seqgans.training.fitting import estimate, model_config
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from tests.generators.models import VOCABULARY, model_folder

pytest.importorskip("peft", reason="adapters need the extra [lm]")
GAMES = {
    "reinforce": {"name": "rlgaf", "group": 2},
    "ppo": {"name": "rlgaf", "group": 2, "variant": "ppo", "ppo_epochs": 2},
    "gumbel": {"name": "rlgaf", "group": 2, "variant": "gumbel"},
    "coldgan": {"name": "coldgan"},
}
SMALL = {"pretrain_epochs": 1, "discriminator_pretrain_steps": 1, "rounds": 2, "batch": 4, "memory": 8}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A model and pairs."""
    tmp = tmp_path_factory.mktemp("shared")
    (tmp / "pairs.tsv").write_text("".join(f"w1 w{number}\tw3 w{number}\n" for number in range(2, 18)))
    return str(model_folder(tmp / "model")), str(tmp / "pairs.tsv")


def recipe_of(files: tuple[str, str], game: str = "ppo", trunk: str = "shared", **more: Any) -> Recipe:
    model, pairs = files
    mapping = {
        "algorithm": {**GAMES[game], **SMALL, "generator_rate": 0.01, "discriminator_rate": 0.01},
        "corpus": {"spec": pairs, "text": "1", "source": "0", "end": "yes"},
        "generator": {"model": model, "lora": 2},
        "discriminator": {"lora": 3, "trunk": trunk},
        "run": {"device": "cpu"},
    }
    return Recipe.of({**mapping, **more})


def corpus_of(recipe: Recipe) -> Corpus:
    return open_corpus(recipe.corpus, recipe.corpus_settings, 0)[0]


def made(recipe: Recipe) -> Training:
    corpus = corpus_of(recipe)
    return Training(recipe.played, build_players(recipe, corpus, 0), corpus, 0, Team("cpu"))


@pytest.fixture
def judge(files: tuple[str, str]) -> Discriminator:
    """One whose adapters and last layer are far from nothing, beside a generator whose adapters are too."""
    recipe = recipe_of(files)
    players = build_players(recipe, corpus_of(recipe), 0)
    drawn(players, 5)
    return players.discriminator


def drawn(module: nn.Module, seed: int) -> None:
    """Give all that learns random values."""
    with torch.no_grad():
        for part in module.parameters():
            if part.requires_grad:
                part.normal_(std=0.5, generator=generator_for(seed))


def test_the_model_is_loaded_once_and_lies_in_memory_once(
    files: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def noted(spec: str, random: torch.Generator, **how: bool) -> Any:
        loaded.append(spec)
        return load_model(spec, random, **how)

    monkeypatch.setattr(pretrained, "load_model", noted)
    monkeypatch.setattr("seqgans.discriminators.pretrained.load_model", noted)
    shared, owned = recipe_of(files), recipe_of(files, trunk="own")
    players = build_players(shared, corpus_of(shared), 0)
    assert loaded == [files[0]]
    base = {part.data_ptr() for part in players.generator.parameters() if not part.requires_grad}
    judge = players.discriminator
    assert {part.data_ptr() for part in judge.parameters() if not part.requires_grad} <= base
    learns = [name for name, part in judge.named_parameters() if part.requires_grad]
    assert {name.rpartition("lora_")[1] or name for name in learns} == {"lora_", "head.weight", "head.bias"}
    assert len(loaded) == 1
    build_players(owned, corpus_of(owned), 0)
    assert len(loaded) == 3


def test_the_memory_estimate_counts_the_base_once(files: tuple[str, str]) -> None:
    recipe = recipe_of(files)
    players = build_players(recipe, corpus_of(recipe), 0)
    config = model_config(players.generator)
    needed = estimate(players, config, 8, 4, 1)
    alone = estimate(Players({"generator": players.generator}), config, 8, 4, 1)
    base = sum(part.numel() * 4 for part in players.generator.parameters() if not part.requires_grad)
    adapters = sum(part.numel() * 4 for part in players.discriminator.parameters() if part.requires_grad)
    assert alone.parameters > base
    assert needed.parameters - alone.parameters < base / 2
    whole = build_players(recipe_of(files, discriminator={}), corpus_of(recipe), 0)
    assert estimate(whole, config, 8, 4, 1).certain > needed.certain + base
    assert needed.learning >= 3 * adapters


def test_it_judges_as_one_with_a_trunk_of_its_own(files: tuple[str, str]) -> None:
    """Equal adapters and head, equal scores: nothing of the generator's adapters is read."""
    recipe = recipe_of(files)
    corpus = corpus_of(recipe)
    shared, owned = (build_players(one, corpus, 0) for one in (recipe, recipe_of(files, trunk="own")))
    drawn(shared.discriminator, 1)
    drawn(owned.discriminator, 1)
    drawn(shared.generator, 2)
    source, tokens = Sequences.of(torch.tensor([[1, 5], [1, 7]])), torch.tensor([[3, 5, 0], [3, 7, 9]])
    scores = [beside(one.discriminator, source).scores(tokens, tokens != 0) for one in (shared, owned)]
    assert scores[0].equal(scores[1])
    assert float(scores[0].detach().std()) > 1e-3


@pytest.mark.parametrize("game", GAMES)
def test_an_update_moves_its_player_alone(files: tuple[str, str], game: str) -> None:
    """What the policy says is bit for bit the same before and after a step of its judge, and the other way about."""
    training = made(recipe_of(files, game))
    players, moved = training.players, set()
    drawn(players.discriminator, 3)
    frozen = [part for part in players.generator.parameters() if not part.requires_grad]
    base = [part.clone() for part in frozen]
    before = said(players)
    for event in training.events():
        now = said(players)
        if event.kind == "update":
            for name in ("generator", "discriminator"):
                assert now[name].equal(before[name]) == (name != event.player), (name, event)
            moved.add(event.player)
        before = now
    assert {"generator", "discriminator"} <= moved
    assert all(part.equal(copied) for part, copied in zip(frozen, base, strict=True))


@torch.no_grad()
def said(players: Players) -> dict[str, Tensor]:
    """Log-probabilities of the policy and scores of its judge."""
    source, tokens = Sequences.of(torch.tensor([[1, 5], [1, 7]])), torch.tensor([[3, 5, 0], [3, 7, 9]])
    generator: Any = players.generator
    return {
        "generator": generator.given(source).log_probs(tokens),
        "discriminator": beside(players.discriminator, source).scores(tokens, tokens != 0),
    }


@pytest.mark.parametrize("game", ["ppo", "coldgan"])
def test_going_on_is_not_stopping(files: tuple[str, str], game: str, tmp_path: Path) -> None:
    def copied(training: Training) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, facts = training.state()
        return {name: part.clone() for name, part in tensors.items()}, copy.deepcopy(facts)

    training = made(recipe_of(files, game))
    states = [copied(training) for _ in training.events()]
    for index in (1, len(states) // 2, len(states) - 3):
        save_checkpoint(tmp_path / "step", *states[index])
        again = made(recipe_of(files, game))
        again.restore(*load_checkpoint(tmp_path / "step"))
        base = {part.data_ptr() for part in again.players.generator.parameters() if not part.requires_grad}
        held = {part.data_ptr() for part in again.players.discriminator.parameters() if not part.requires_grad}
        assert held <= base  # still one in memory
        list(again.events())
        found, expected = copied(again), states[-1]
        assert found[1] == expected[1]
        assert found[0].keys() == expected[0].keys()
        assert all(part.equal(expected[0][name]) for name, part in found[0].items())
    assert not any("wte" in name for name in states[-1][0])  # no base in a checkpoint


ROWS, LENGTH = 5, 7


def batch() -> tuple[Tensor, Tensor]:
    """Ids and a mask whose rows end at 7, 5, 3, 1 and 7 tokens."""
    tokens = torch.randint(VOCABULARY, (ROWS, LENGTH), generator=generator_for(2))
    return tokens, torch.arange(LENGTH) < torch.tensor([7, 5, 3, 1, 7])[:, None]


def test_it_keeps_the_contract_of_all_discriminators(judge: Discriminator) -> None:
    """As tests/contracts/test_discriminators.py asks of those that need no file."""
    tokens, mask = batch()
    hard = judge.scores(tokens, mask)
    soft = judge.scores(nn.functional.one_hot(tokens, VOCABULARY).float(), mask)
    torch.testing.assert_close(hard, soft, rtol=0, atol=1e-5)
    assert torch.equal(hard, judge.scores(torch.where(mask, tokens, (tokens + 1) % VOCABULARY), mask))
    moved = judge.scores(torch.where(mask, (tokens + 1) % VOCABULARY, tokens), mask)
    assert bool((hard != moved).all())
    alone = torch.cat([judge.scores(tokens[[row]], mask[[row]]) for row in range(ROWS)])
    torch.testing.assert_close(hard, alone, rtol=0, atol=1e-5)
    (hard.square().sum() + judge.penalty()).backward()
    for name, parameter in judge.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert bool(parameter.grad.isfinite().all()), name
            assert bool(parameter.grad.abs().sum() > 0), name
        else:
            assert parameter.grad is None, name
    settings = PretrainedScorer(trunk="shared", lora=2)
    assert DISCRIMINATORS["pretrained"](**dataclasses.asdict(settings)) == settings


def test_several_judges_stand_on_one_trunk(files: tuple[str, str]) -> None:
    several = {**GAMES["ppo"], **SMALL, "name": "seqgan", "rollouts": 1}
    for name in ("group", "variant", "ppo_epochs", "memory"):
        several.pop(name)
    recipe = recipe_of(files, algorithm=several, options={"discriminators": 2})
    players = build_players(recipe, corpus_of(recipe), 0)
    pointers = [part.data_ptr() for part in players.parameters() if not part.requires_grad]
    assert len(set(pointers)) == len(pointers)  # nothing frozen is there twice


def test_what_cannot_be_shared_is_one_line(files: tuple[str, str], tmp_path: Path) -> None:
    corpus, other = corpus_of(recipe_of(files)), str(model_folder(tmp_path / "other"))
    whole = recipe_of(files, generator={"model": files[0]})
    with pytest.raises(BadInput, match=r"a shared trunk must be a frozen one: .*; give --generator\.lora 8"):
        build_players(whole, corpus, 0)
    apart = recipe_of(files, discriminator={"model": other, "lora": 2, "trunk": "shared"})
    with pytest.raises(BadInput, match=r"a shared trunk must be of one model, got .* leave out --discriminator\.model"):
        build_players(apart, corpus, 0)
    with pytest.raises(BadInput, match=r"discriminator\.lora must be at least 1 where the trunk is shared, got 0"):
        recipe_of(files, discriminator={"trunk": "shared"})
    with pytest.raises(BadInput, match="a shared trunk needs the generator"):
        PretrainedScorer(model=files[0], lora=2, trunk="shared").build(VOCABULARY, 8, generator_for(0))


def test_a_judge_of_another_vocabulary_is_refused_though_it_has_as_many_ids(
    files: tuple[str, str], tmp_path: Path
) -> None:
    other = model_folder(tmp_path / "other")
    file = other / "tokenizer.json"
    mapping = {"lora": 3, "trunk": "own", "model": str(other)}
    recipe = recipe_of(files, discriminator=mapping)
    build_players(recipe, corpus_of(recipe), 0)
    file.write_text(file.read_text().replace('"w5"', '"v5"'))
    with pytest.raises(BadInput, match="must share one vocabulary, but 1 of 23 ids differ: 5 is 'v5' there"):
        build_players(recipe, corpus_of(recipe), 0)
