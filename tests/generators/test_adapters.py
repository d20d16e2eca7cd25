"""A folder of low-rank adapters as a pre-trained model: the base it names with what they learnt.

Mutants killed: the base without its adapters, layers of adapters that are left in the model, a tokenizer that is
sought in the folder of adapters alone, adapters that fit another model, some of which
are missing, or are of layers that it has not.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch

from seqgans.data.tokenizer import base_of, vocabulary_of_model
from seqgans.errors import BadInput
from seqgans.generators.loading import load_model
from seqgans.randomness import generator_for
from tests.generators.models import VOCABULARY, model_folder

peft = pytest.importorskip("peft", reason="low-rank adapters need the extra [lm]")
transformers = pytest.importorskip("transformers", reason="pre-trained models need the extra [lm]")

IDS = torch.arange(1, 9)[None]


def tuned(base: Path, folder: Path) -> torch.Tensor:
    """Adapters as PEFT saves them, their effect not 0; what the tuned model says of some ids."""
    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    settings = peft.LoraConfig(r=2, target_modules="all-linear", fan_in_fan_out=True)
    model = peft.get_peft_model(model, settings)
    random = generator_for(0, "adapters")
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(generator=random)
    model.save_pretrained(folder)
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_adapters_are_the_model_they_were_made_for_with_what_they_learnt(tmp_path: Path) -> None:
    base = model_folder(tmp_path / "base")
    expected = tuned(base, tmp_path / "tuned")
    spec = str(tmp_path / "tuned")
    assert base_of(spec) == str(base)
    model, plain = load_model(spec, generator_for(0)), load_model(str(base), generator_for(0))
    with torch.no_grad():
        torch.testing.assert_close(model(input_ids=IDS).logits, expected, rtol=0, atol=1e-4)
        assert (plain(input_ids=IDS).logits - expected).abs().max() > 0.1
    assert dict(model.named_parameters()).keys() == dict(plain.named_parameters()).keys()
    assert vocabulary_of_model(spec).size == VOCABULARY
    told = tmp_path / "tuned" / "adapter_config.json"
    settings = json.loads(told.read_text())
    told.write_text(json.dumps({**settings, "base_model_name_or_path": None}))
    with pytest.raises(
        BadInput, match=r"must name the model the adapters are for \(base_model_name_or_path\), got None"
    ):
        load_model(spec, generator_for(0))
    told.write_text(json.dumps({**settings, "base_model_name_or_path": spec}))
    with pytest.raises(BadInput, match="got their own folder"):
        load_model(spec, generator_for(0))
    told.write_text(json.dumps({**settings, "r": 3}))
    with pytest.raises(BadInput, match=r"the adapters of .*tuned must fit .*base"):
        load_model(spec, generator_for(0))
    (tmp_path / "tuned" / "adapter_model.safetensors").unlink()
    with pytest.raises(BadInput, match=r"must hold adapter_model\.safetensors"):
        load_model(spec, generator_for(0))


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_adapters_that_are_not_all_there_or_of_no_layer_are_one_line(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    tuned(model_folder(tmp_path / "base"), tmp_path / "tuned")
    file = tmp_path / "tuned" / "adapter_model.safetensors"
    parts = safetensors.load_file(file)
    first = next(iter(parts))
    other = first.replace(".h.0.", ".h.7.")
    assert other != first
    cases = [
        (
            {name: part for name, part in parts.items() if name != first},
            f"1 of their parameters are not there: {first};",
        ),
        ({**parts, other: parts[first].clone()}, f"1 of their parameters fit no layer: {other};"),
        ({other: parts[first].clone()}, f"{len(parts)} of their parameters are not there: {first}, "),
    ]
    for kept, said in cases:
        safetensors.save_file(kept, file, metadata={"format": "pt"})
        with pytest.raises(BadInput, match=f"must fit .*base, for which they are, but {re.escape(said)}"):
            load_model(str(tmp_path / "tuned"), generator_for(0))
