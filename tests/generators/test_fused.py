"""Activations in one kernel: the same function, slope and files as the model's own.

Mutants killed: the exact GELU in place of the approximate one, models that keep their own, another activation replaced,
settings that forget what the model was.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqgans.generators.fused import WRITTEN_OUT, fused
from seqgans.generators.loading import load_model
from seqgans.randomness import generator_for
from tests.generators.models import causal_model, model_folder

activations = pytest.importorskip("transformers.activations", reason="pre-trained models need the extra [lm]")


@pytest.mark.parametrize("kind", WRITTEN_OUT)
def test_value_and_slope_are_those_of_the_activation_written_out(kind: str) -> None:
    own = torch.nn.Sequential(getattr(activations, kind)())
    points = torch.linspace(-8, 8, 4001, dtype=torch.float64, requires_grad=True)
    written = own(points)
    slope = torch.autograd.grad(written.sum(), points)[0]
    at_once = fused(own)(points)
    assert isinstance(own[0], torch.nn.GELU)
    assert torch.allclose(at_once, written, atol=1e-9)  # FastGELU has √(2/π) in ten digits
    assert torch.allclose(torch.autograd.grad(at_once.sum(), points)[0], slope, atol=1e-9)


def test_what_is_no_such_activation_stays() -> None:
    others = [torch.nn.ReLU(), torch.nn.GELU(), activations.QuickGELUActivation(), activations.ReLUSquaredActivation()]
    assert [*fused(torch.nn.Sequential(*others))] == others


def test_a_loaded_model_is_the_one_that_was_saved(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, kind="gpt2")
    loaded, own = load_model(str(folder), generator_for(0)), causal_model("gpt2").eval()
    assert not any(type(part).__name__ in WRITTEN_OUT for part in loaded.modules())
    assert any(type(part).__name__ in WRITTEN_OUT for part in own.modules())
    ids = torch.arange(12).view(2, 6) % loaded.config.vocab_size
    assert torch.allclose(loaded(ids).logits, own(ids).logits, atol=1e-6)
    assert loaded.config.activation_function == own.config.activation_function == "gelu_new"
