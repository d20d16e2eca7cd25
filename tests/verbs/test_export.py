"""A fine-tuned model leaves as one that plain transformers loads and that says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.training.recipe import Recipe
from seqgans.verbs.export import export
from seqgans.verbs.loading import load_run
from seqgans.verbs.train import train
from tests.generators.models import model_folder


def recipe(folder: Path, pairs: Path, lora: int) -> Recipe:
    return Recipe.of(
        {
            "algorithm": {
                "name": "rlgaf",
                "pretrain_epochs": 1,
                "discriminator_pretrain_steps": 1,
                "rounds": 1,
                "batch": 4,
                "group": 2,
                "memory": 8,
                "generator_rate": 0.01,
            },
            "corpus": {"spec": str(pairs), "text": "1", "source": "0", "end": "yes"},
            "generator": {"model": str(folder), "lora": lora},
            "run": {"device": "cpu", "final_samples": 8, "eval_samples": 8, "tensorboard": False},
        }
    )


@pytest.mark.parametrize("lora", [0, 2])
def test_plain_transformers_load_what_was_learnt(tmp_path: Path, lora: int) -> None:
    transformers = pytest.importorskip("transformers", reason="pre-trained models need the extra [lm]")
    folder, pairs = model_folder(tmp_path / "model"), tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"w1 w{number}\tw3 w{number}\n" for number in range(2, 18)))
    train(recipe(folder, pairs, lora), tmp_path / "run")
    out = export(tmp_path / "run", tmp_path / "out")
    model = transformers.AutoModelForCausalLM.from_pretrained(out).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    ids = torch.tensor([tokenizer("w1 w2 w3 w4")["input_ids"]])
    assert ids.tolist() == [[1, 2, 3, 4]]
    assert tokenizer.eos_token_id == 0
    run = load_run(tmp_path / "run")
    with torch.no_grad():
        exact = run.players.generator.given(  # pyright: ignore
            run.players.generator.nothing(1)  # pyright: ignore
        ).log_probs(torch.cat([ids[:, 1:], ids[:, :1]], 1))
        first = model(torch.tensor([[0, 2, 3, 4]])).logits.log_softmax(-1)[0]
        found = torch.stack([first[place, token] for place, token in enumerate([2, 3, 4])])
    assert torch.allclose(found, exact[0, :3], atol=1e-4)
    assert not any("lora" in name for name, _ in model.named_parameters())
    untouched = transformers.AutoModelForCausalLM.from_pretrained(folder)
    assert any(not one.equal(other) for one, other in zip(model.parameters(), untouched.parameters(), strict=True))
    card = (out / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: transformers\n")
    assert "| nll_gen_test | " in card
    assert f"Made from `{folder}` by rlgaf (Zhang, Lau, Wong and Zhang 2023)" in card
    assert "name: rlgaf" in card
    with pytest.raises(BadInput, match="must not exist yet; choose another folder"):
        export(tmp_path / "run", out)
