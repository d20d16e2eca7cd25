"""Oracles: the published file against its fixed checks, fresh ones, and corpora drawn from them.

Mutants killed: gates in another order, weights not transposed, a doubled or dropped bias, the start token counted as a
token, parameters that learn, splits that share sequences.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from seqgans.data.corpus import CorpusSettings
from seqgans.errors import BadInput
from seqgans.generators.oracle import fresh_oracle, oracle_corpus, published_oracle
from seqgans.generators.recurrent import Recurrent
from seqgans.randomness import generator_for

FILE = "seqgan_oracle.safetensors"


@pytest.fixture(scope="module")
def published(shared_data: Path) -> Recurrent:
    return published_oracle(shared_data / FILE)


def test_the_published_oracle_passes_its_fixed_checks(published: Recurrent) -> None:
    nll = -published.log_probs(torch.stack([torch.arange(20), torch.zeros(20, dtype=torch.long)]))
    assert nll.mean(1).tolist() == pytest.approx([11.6122, 13.9742], abs=1e-4)
    assert nll[0, :3].tolist() == pytest.approx([12.3476, 13.0033, 11.2148], abs=1e-4)
    assert not any(parameter.requires_grad for parameter in published.parameters())


def test_the_published_oracle_scores_its_own_samples(published: Recurrent) -> None:
    samples = published.sample(10_000, 20, random=generator_for(0))
    assert -samples.log_probs.mean().item() == pytest.approx(5.749, abs=0.02)  # standard error 0.005
    torch.testing.assert_close(published.log_probs(samples.tokens), samples.log_probs, rtol=0, atol=1e-4)


def test_a_fresh_oracle_is_drawn_from_its_seed() -> None:
    one, same, other = fresh_oracle(50, 1), fresh_oracle(50, 1), fresh_oracle(50, 2)
    assert torch.equal(one.output.weight, same.output.weight)
    assert not torch.equal(one.output.weight, other.output.weight)
    values = torch.cat([part.reshape(-1) for part in one.parameters()])
    drawn = values[values != 0]  # one of the two biases in every gate stays 0
    assert len(values) - len(drawn) == 4 * 32
    assert abs(drawn.mean().item()) < 0.05
    assert abs(drawn.std().item() - 1) < 0.05
    assert not any(parameter.requires_grad for parameter in one.parameters())


def test_a_corpus_of_an_oracle_has_three_different_splits() -> None:
    oracle = fresh_oracle(20, 3, embedding=4, hidden=4)
    settings = CorpusSettings(sequences=1500, length=6)
    corpus, again = oracle_corpus(oracle, settings, 5), oracle_corpus(oracle, settings, 5)
    assert [len(part) for part in (corpus.train, corpus.valid, corpus.test)] == [1500, 1000, 1000]
    assert (corpus.length, corpus.vocabulary.size, corpus.vocabulary.end) == (6, 20, None)
    assert torch.equal(corpus.train.tokens, again.train.tokens)
    assert not torch.equal(corpus.train.tokens, oracle_corpus(oracle, settings, 6).train.tokens)
    assert not torch.equal(corpus.valid.tokens, corpus.test.tokens)
    assert not torch.equal(corpus.valid.tokens, corpus.train.tokens[:1000])
    nll = -oracle.log_probs(corpus.train.tokens).mean().item()
    assert nll == pytest.approx(-oracle.log_probs(corpus.test.tokens).mean().item(), abs=0.1)
    assert corpus.facts["kind"] == "oracle"


def test_the_length_is_that_of_the_paper_unless_given() -> None:
    oracle = fresh_oracle(10, 3, embedding=4, hidden=4)
    assert oracle_corpus(oracle, CorpusSettings(sequences=10, valid=0.0, test=0.0), 1).length == 20


def test_files_that_are_no_oracle_are_refused_in_one_line(tmp_path: Path, shared_data: Path) -> None:
    good = load_file(shared_data / FILE)
    path = tmp_path / "oracle.safetensors"
    with pytest.raises(BadInput, match="an oracle must be a safetensors file") as missing:
        published_oracle(path)
    assert str(missing.value).endswith(f"but there is none at {path}; check the path")
    path.write_bytes(b"not a safetensors file at all")
    with pytest.raises(BadInput, match="an oracle must be a safetensors file") as corrupt:
        published_oracle(path)
    path.write_bytes((shared_data / FILE).read_bytes()[:100_000])
    with pytest.raises(BadInput, match="an oracle must be a safetensors file") as truncated:
        published_oracle(path)
    save_file({name: part for name, part in good.items() if name != "U_f"}, path)
    with pytest.raises(BadInput, match="has no U_f") as incomplete:
        published_oracle(path)
    save_file({**good, "W_out": good["W_out"].t().contiguous()}, path)
    with pytest.raises(BadInput, match=r"W_out of an oracle file must have shape \(32, 5000\)") as turned:
        published_oracle(path)
    save_file({**good, "b_i": torch.full((32,), float("nan"))}, path)
    with pytest.raises(BadInput, match="b_i of an oracle file must hold finite real numbers") as spoilt:
        published_oracle(path)
    for error in (missing, corrupt, truncated, incomplete, turned, spoilt):
        assert "\n" not in str(error.value)
