"""What does not fit is said before the first step, in one line.

Mutants killed: prompts left out of the positions, parameters that players share counted twice, moments of what does not
learn, a warning where there is room.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from seqgans.data.corpus import Corpus
from seqgans.errors import BadInput
from seqgans.training import fitting
from seqgans.training.build import build_players, open_corpus
from seqgans.training.fitting import check_fit, estimate, free_memory, model_config
from seqgans.training.recipe import Recipe
from tests.generators.models import model_folder

CPU = torch.device("cpu")


def made(tmp_path: Path, lora: int = 0, **corpus: Any) -> tuple[Recipe, Any, Corpus]:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"w1 {'w2 ' * 40}w{number}\tw3 w{number} {'w5 ' * 30}\n" for number in range(2, 18)))
    recipe = Recipe.of(
        {
            "algorithm": {"name": "rlgaf"},
            "corpus": {"spec": str(pairs), "text": "1", "source": "0", "end": "yes", **corpus},
            "generator": {"model": str(model_folder(tmp_path / "model")), "lora": lora},
            "discriminator": {"lora": lora},
        }
    )
    opened = open_corpus(recipe.corpus, recipe.corpus_settings, 0)[0]
    return recipe, build_players(recipe, opened, 0), opened


def test_prompts_and_answers_that_are_too_long_for_the_model(tmp_path: Path) -> None:
    recipe, players, corpus = made(tmp_path)
    line = "prompts and answers have up to 75 tokens together, and the model has 64 positions; lower --corpus"
    with pytest.raises(BadInput, match=line):
        check_fit(recipe, players, corpus, 1, CPU)


def test_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, players, corpus = made(tmp_path, source_length=10)
    assert (free_memory(CPU) or 1) > 0
    assert check_fit(recipe, players, corpus, 1, CPU) == ""
    need = estimate(players, model_config(players.generator), corpus.source_width + corpus.length, 32, 1)
    monkeypatch.setattr(fitting, "free_memory", lambda device: need.certain + 1)
    assert "GiB are free: this may not go well; lower --algorithm.batch" in check_fit(recipe, players, corpus, 1, CPU)
    monkeypatch.setattr(fitting, "free_memory", lambda device: need.certain - 1)
    with pytest.raises(BadInput, match=r"for parameters and their moments alone; lower --algorithm\.batch"):
        check_fit(recipe, players, corpus, 1, CPU)
    parts = estimate(players, model_config(players.generator), corpus.source_width + corpus.length, 32, 4)
    assert need.activations == 4 * parts.activations
    plain = dataclasses.replace(recipe, generator="lstm")
    assert check_fit(plain, players, corpus, 1, CPU) == ""


def test_adapters_need_less(tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="adapters need the extra [lm]")
    needs = []
    for lora in (0, 2):
        folder = tmp_path / str(lora)
        folder.mkdir()
        _, players, _ = made(folder, lora, source_length=10)
        needs.append(estimate(players, model_config(players.generator), 20, 32, 1))
        learns = sum(part.numel() * 4 for part in players.parameters() if part.requires_grad)
        assert needs[-1].learning == 3 * learns
        every = {id(part): part.numel() * 4 for part in players.parameters()}  # the reference shares its base
        assert needs[-1].parameters >= sum(every.values())
    assert needs[1].learning < needs[0].learning / 2
    assert needs[1].parameters < needs[0].parameters


def test_answers_that_could_never_end_and_real_ones_that_are_too_short(tmp_path: Path) -> None:
    recipe, players, corpus = made(tmp_path, source_length=10)

    def said(least: int, corpus: Corpus = corpus) -> str:
        settings = dataclasses.replace(recipe.generator_settings, min_new_tokens=least)
        return check_fit(dataclasses.replace(recipe, generator_settings=settings), players, corpus, 1, CPU)

    assert said(32) == ""  # as many as every real answer has
    with pytest.raises(BadInput, match="min-new-tokens 33, but they have at most 32 tokens before their end; lower it"):
        said(33)
    mask = corpus.train.mask.clone()
    mask[:3, 5:] = False  # 4 tokens and an end
    short = dataclasses.replace(corpus, train=dataclasses.replace(corpus.train, mask=mask))
    line = f"3 of {len(corpus.train)} real answers have fewer than 5 tokens, and no written one can"
    assert said(5, short).startswith(line)
    assert said(4, short) == ""
    endless = dataclasses.replace(corpus, vocabulary=dataclasses.replace(corpus.vocabulary, end=None))
    with pytest.raises(BadInput, match="min-new-tokens 1, but they have no end; lower it"):
        said(1, endless)
