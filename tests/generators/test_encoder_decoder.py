"""Encoder-decoders as generators and judges, against the models themselves, row by row.

Mutants killed: a source without its marks or with its padding, a start token that is not the model's, the factor before
the head left out, embeddings that are not scaled, a cache gone on from where rows stand at different places, a score
that has not read its own token.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seqgans.algorithms.equipment import frozen_copy
from seqgans.discriminators.encoder_decoder import AnswerJudge
from seqgans.discriminators.pairs import beside
from seqgans.errors import BadInput
from seqgans.generators.base import join, repeat, select
from seqgans.generators.behaviour import decoded_log_probs
from seqgans.generators.decoding import Decoding
from seqgans.generators.encoder_decoder import EncoderDecoderLM
from seqgans.generators.pretrained import Pretrained
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.rollouts import complete
from seqgans.sequences import Sequences
from seqgans.training.build import build_players, open_corpus
from seqgans.training.checkpoint import load_checkpoint, save_checkpoint
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from seqgans.verbs.export import export
from seqgans.verbs.loading import load_run
from seqgans.verbs.train import train
from tests.generators.models import ANSWERING_KINDS, VOCABULARY, answering_model, model_folder

LENGTH = 6
SIZES = (5, 2, 0, 1, 4)


@pytest.fixture(params=ANSWERING_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def sources() -> Sequences:
    """Of several lengths; what stands behind them is never to be read."""
    tokens = torch.randint(3, VOCABULARY, (len(SIZES), max(SIZES)), generator=generator_for(3))
    return Sequences(tokens, torch.arange(max(SIZES)) < torch.tensor(SIZES)[:, None])


def alone(kind: str, model: Any, source: list[int], answer: list[int]) -> Tensor:
    """The model's own logits before each token of one answer to one source."""
    begin = [1] if kind == "bart" else []
    read = torch.tensor([[*begin, *source, 0]])
    written = torch.tensor([[model.config.decoder_start_token_id, *answer[:-1]]])
    return model(input_ids=read, decoder_input_ids=written).logits[0]


def test_each_row_has_the_law_of_the_model_alone(kind: str) -> None:
    model = answering_model(kind)
    law = EncoderDecoderLM(answering_model(kind), VOCABULARY, None).given(sources())
    samples = law.sample(len(SIZES), LENGTH, random=generator_for(5))
    with torch.no_grad():
        found = law.log_probs(samples.tokens)
        for row, size in enumerate(SIZES):
            answer = samples.tokens[row].tolist()
            logits = alone(kind, model, sources().tokens[row, :size].tolist(), answer).log_softmax(-1)
            exact = logits.gather(1, samples.tokens[row][:, None])[:, 0]
            torch.testing.assert_close(found[row], exact, rtol=0, atol=1e-4)
            torch.testing.assert_close(samples.log_probs[row], exact, rtol=0, atol=1e-4)  # no second pass needed
    assert float(found.std()) > 0.1


def test_a_bias_of_the_models_own_is_kept() -> None:
    model = answering_model("bart")
    model.final_logits_bias.copy_(torch.linspace(-2, 2, VOCABULARY))
    law = EncoderDecoderLM(model, VOCABULARY, None).given(sources()[:1])
    tokens = torch.tensor([[4, 5, 6]])
    again = answering_model("bart")
    again.final_logits_bias.copy_(torch.linspace(-2, 2, VOCABULARY))
    exact = alone("bart", again, sources().tokens[0].tolist(), [4, 5, 6]).log_softmax(-1).gather(1, tokens.t())[:, 0]
    torch.testing.assert_close(law.log_probs(tokens)[0], exact, rtol=0, atol=1e-4)


def test_what_a_row_is_padded_with_changes_nothing(kind: str) -> None:
    model, source = EncoderDecoderLM(answering_model(kind), VOCABULARY, None), sources()
    other = Sequences(torch.where(source.mask, source.tokens, 7), source.mask)
    wide = Sequences(nn.functional.pad(source.tokens, (0, 4)), nn.functional.pad(source.mask, (0, 4)))
    tokens = model.given(source).sample(len(SIZES), LENGTH, random=generator_for(5)).tokens
    plain = model.given(source).log_probs(tokens)
    for same in (other, wide):
        torch.testing.assert_close(model.given(same).log_probs(tokens), plain, rtol=0, atol=1e-4)
        assert model.given(same).sample(len(SIZES), LENGTH, random=generator_for(5)).tokens.equal(tokens)
    assert not model.given(source[torch.tensor([1, 0, 2, 3, 4])]).log_probs(tokens).allclose(plain, atol=1e-2)


@pytest.mark.parametrize("decoding", [Decoding(temperature=0.7), Decoding(top_k=4), Decoding(top_p=0.8)], ids=str)
def test_samples_are_as_likely_as_they_are_scored(kind: str, decoding: Decoding) -> None:
    model = EncoderDecoderLM(answering_model(kind), VOCABULARY, 0)
    model.minimum = 2
    law = model.given(sources())
    samples = law.sample(len(SIZES), LENGTH, random=generator_for(6), decoding=decoding)
    again = decoded_log_probs(law, samples.tokens, decoding).masked_fill(~samples.mask, 0.0)
    torch.testing.assert_close(samples.log_probs, again, rtol=0, atol=1e-4)
    assert int(samples.mask.sum(1).min()) >= 3


@torch.no_grad()
def test_states_of_different_lengths_go_on_together(kind: str) -> None:
    """Roll-outs join prefixes of all lengths; each goes on as it would alone."""
    model = EncoderDecoderLM(answering_model(kind), VOCABULARY, None)
    law, count = model.given(sources()), len(SIZES)
    tokens = torch.randint(VOCABULARY, (count, LENGTH), generator=generator_for(7))
    whole, state, under_way = law.hidden(tokens), law.start_state(count), None
    previous = torch.full((count,), law.start)
    for time in range(LENGTH):
        hidden, state = law.advance(previous, state)
        torch.testing.assert_close(hidden, whole[:, time], rtol=0, atol=1e-4)
        previous = tokens[:, time]
        if time == 1:
            under_way = select(repeat(state, 1), torch.tensor([3, 0]))
    assert under_way is not None
    later = select(state, torch.tensor([1, 2]))
    both = join((under_way, later))
    hidden, both = law.advance(torch.cat([tokens[[3, 0], 1], torch.tensor([5, 6])]), both)
    torch.testing.assert_close(hidden[:2], whole[[3, 0], 2], rtol=0, atol=1e-4)
    longer = torch.cat([tokens[:, :-1], torch.tensor([[9], [5], [6], [9], [9]]), torch.zeros(5, 1).long()], 1)
    torch.testing.assert_close(hidden[2:], law.hidden(longer)[[1, 2], LENGTH], rtol=0, atol=1e-4)
    hidden, _ = law.advance(torch.cat([tokens[[3, 0], 2], torch.tensor([5, 6])]), both)  # no cache is gone on from
    torch.testing.assert_close(hidden[:2], whole[[3, 0], 3], rtol=0, atol=1e-4)
    completed = complete(law, tokens, 2, Stream(generator_for(8)))
    for length in range(1, LENGTH):
        assert bool((completed[length - 1, :, :, :length] == tokens[:, :length]).all())


def test_one_hot_rows_are_read_as_their_ids_and_carry_gradient(kind: str) -> None:
    model = EncoderDecoderLM(answering_model(kind), VOCABULARY, None)
    hard, soft = model.given(sources()).start_state(5), model.given(sources()).start_state(5)
    law = model.given(sources())
    for column in (torch.arange(5), torch.arange(5) + 9):
        one, hard = law.advance(column, hard)
        other, soft = law.advance(nn.functional.one_hot(column, VOCABULARY).float(), soft)
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4)
    relaxed = law.relax(5, LENGTH, random=generator_for(9), soft_inputs=True)
    (relaxed.weights @ torch.arange(float(VOCABULARY))).sum().backward()
    assert float(model.output.weight.grad.abs().sum()) > 0  # pyright: ignore


def test_dropout_is_off_and_the_reference_is_the_model(kind: str) -> None:
    model = EncoderDecoderLM(answering_model(kind), VOCABULARY, 0)
    tokens = torch.randint(VOCABULARY, (3, LENGTH), generator=generator_for(10))
    before = model.log_probs(tokens)  # no source: the marks alone
    model.train()
    assert model.log_probs(tokens).equal(before)
    reference = frozen_copy(model)
    torch.testing.assert_close(reference.log_probs(tokens), before, rtol=0, atol=1e-5)
    assert model.sample(3, LENGTH, random=generator_for(11)).tokens.shape == (3, LENGTH)


def test_a_judge_reads_source_and_answer(kind: str) -> None:
    judge = AnswerJudge(answering_model(kind), VOCABULARY)
    tokens = torch.randint(VOCABULARY, (5, LENGTH), generator=generator_for(12))
    mask = torch.arange(LENGTH) < torch.tensor([6, 4, 2, 1, 6])[:, None]
    assert beside(judge, sources()).scores(tokens, mask).tolist() == [0.0] * 5  # untrained it says nothing
    nn.init.normal_(judge.head.weight, generator=generator_for(13))
    scores = beside(judge, sources()).scores(tokens, mask)
    steps = judge.pair_step_scores(tokens, mask, sources())
    torch.testing.assert_close(steps.gather(1, mask.sum(1, keepdim=True) - 1)[:, 0], scores)
    torch.testing.assert_close(beside(judge, sources()).scores(tokens.masked_fill(~mask, 9), mask), scores)
    moved = judge.pair_step_scores(tokens.index_fill(1, torch.tensor([2]), 4), mask, sources())
    torch.testing.assert_close(moved[:, :2], steps[:, :2], rtol=0, atol=1e-5)
    assert bool((moved[tokens[:, 2] != 4, 2] != steps[tokens[:, 2] != 4, 2]).all())  # it has read its own token
    other = beside(judge, sources()[torch.tensor([4, 3, 1, 0, 2])]).scores(tokens, mask)
    assert not other.allclose(scores, atol=1e-3)
    weights = nn.functional.one_hot(tokens, VOCABULARY).float().requires_grad_()
    soft = beside(judge, sources()).scores(weights, mask)
    torch.testing.assert_close(soft, scores, rtol=0, atol=1e-4)
    (gradient,) = torch.autograd.grad(soft.sum(), weights)
    assert bool((gradient[mask] != 0).any(-1).all())
    for row, size in enumerate(SIZES):
        one = Sequences(sources().tokens[row : row + 1, :size], torch.ones(1, size, dtype=torch.bool))
        single = beside(judge, one).scores(
            tokens[row : row + 1, : int(mask[row].sum())], mask[row : row + 1, mask[row]]
        )
        torch.testing.assert_close(single[0], scores[row], rtol=0, atol=1e-4)


GAMES: dict[str, dict[str, Any]] = {
    "coldgan": {"name": "coldgan", "memory": 16, "discriminator_pretrain_steps": 1, "baseline": "greedy", "steps": 2},
    "reinforce": {"name": "rlgaf", "memory": 16, "group": 4, "discriminator_pretrain_steps": 1},
    "ppo": {"name": "rlgaf", "memory": 16, "group": 4, "discriminator_pretrain_steps": 1, "variant": "ppo"},
    "gumbel": {"name": "rlgaf", "memory": 16, "group": 4, "discriminator_pretrain_steps": 1, "variant": "gumbel"},
    "seqgan": {"name": "seqgan", "rollouts": 2, "discriminator_pretrain_steps": 1},
}


def recipe_of(tmp: Path, kind: str, game: str, lora: int = 0) -> Recipe:
    folder, pairs = tmp / f"model-{kind}", tmp / "pairs.tsv"
    if not folder.exists():
        model_folder(folder, kind=kind)
    pairs.write_text("".join(f"w1 w{number}\tw3 w{number}{' w4' * (number % 3)}\n" for number in range(2, 18)))
    return Recipe.of(
        {
            "algorithm": {"pretrain_epochs": 2, "pretrain_rate": 0.003, "rounds": 2, "batch": 8, **GAMES[game]},
            "corpus": {"spec": str(pairs), "text": "1", "source": "0"},
            "generator": {"model": str(folder), "lora": lora},
            "discriminator": {"lora": lora},
            "run": {"device": "cpu", "final_samples": 8, "eval_samples": 8, "tensorboard": False},
        }
    )


@pytest.mark.parametrize("game", GAMES)
def test_every_game_is_played_and_goes_on_bit_for_bit(kind: str, game: str, tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, kind, game, lora=2 if game == "ppo" else 0)
    corpus, _ = open_corpus(recipe.corpus, recipe.corpus_settings, 0)

    def made() -> Training:
        return Training(recipe.settings, build_players(recipe, corpus, 0), corpus, 0, Team("cpu"))

    training, states, losses = made(), [], []
    for event in training.events():
        tensors, facts = training.state()
        states.append(({name: part.clone() for name, part in tensors.items()}, facts))
        losses += [event.loss] if event.kind == "update" and event.phase == "likelihood" else []
    assert losses[-1] < losses[0]
    save_checkpoint(tmp_path / "step", *states[len(states) // 2])
    again = made()
    again.restore(*load_checkpoint(tmp_path / "step"))
    list(again.events())
    for name, part in again.state()[0].items():
        assert part.equal(states[-1][0][name]), name


def test_plain_transformers_load_what_was_learnt(kind: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="pre-trained models need the extra [lm]")
    train(recipe_of(tmp_path, kind, "coldgan", lora=2), tmp_path / "run")
    out = export(tmp_path / "run", tmp_path / "out")
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(out).eval()
    generator: Any = load_run(tmp_path / "run").players.generator
    tokens = torch.tensor([[3, 5, 0]])
    law = generator.given(Sequences.of(torch.tensor([[1, 5]])))
    with torch.no_grad():
        exact = alone(kind, model, [1, 5], [3, 5, 0]).log_softmax(-1).gather(1, tokens.t())[:, 0]
        torch.testing.assert_close(law.log_probs(tokens)[0], exact, rtol=0, atol=1e-4)
    assert not any("lora" in name for name, _ in model.named_parameters())


def test_what_it_cannot_do_is_one_line(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.generators.fake_engine import installed

    installed(monkeypatch)
    folder = str(model_folder(tmp_path / "model", kind=kind))
    with pytest.raises(BadInput, match=r"--generator\.engine vllm writes for causal models, not for encoder-decoders"):
        Pretrained(model=folder, engine="vllm").build(VOCABULARY, 0, 0, generator_for(0))
