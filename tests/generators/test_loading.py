"""Folders whose weights are damaged, incomplete or of another model: one clear line, never parameters drawn afresh.

Mutants killed: missing parameters that are not looked for, a head that a judge must bring, a tied head that counts as
missing, a classifier taken for its trunk, shapes that are left to the library, an error caught by its usual kind alone,
layers beyond those of the settings, a lack of memory taken for a broken file.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from seqgans.data.tokenizer import check_there, tokenizer_of_model, vocabulary_of_model
from seqgans.discriminators.pretrained import PretrainedScorer
from seqgans.errors import BadInput
from seqgans.generators.loading import load_model
from seqgans.randomness import generator_for
from tests.generators.models import ANSWERING_KINDS, KINDS, VOCABULARY, answering_model, causal_model, model_folder

transformers = pytest.importorskip("transformers", reason="pre-trained models need the extra [lm]")
safetensors = pytest.importorskip("safetensors.torch")

WEIGHTS = "model.safetensors"
LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "num_decoder_layers", "encoder_layers", "decoder_layers")


def rewritten(folder: Path, keep: Callable[[str], bool]) -> None:
    """The same weights, without those that are not to be kept."""
    parts = safetensors.load_file(folder / WEIGHTS)
    kept = {name: part for name, part in parts.items() if keep(name)}
    assert 0 < len(kept) < len(parts)
    safetensors.save_file(kept, folder / WEIGHTS, metadata={"format": "pt"})


def as_judge(folder: Path) -> None:
    PretrainedScorer(model=str(folder)).build(VOCABULARY, 6, generator_for(0))


@pytest.mark.parametrize("kind", [*KINDS, *ANSWERING_KINDS])
def test_a_whole_model_loads_and_one_without_a_layer_does_not(kind: str, tmp_path: Path) -> None:
    folder = model_folder(tmp_path, kind=kind)
    loaded = load_model(str(folder), generator_for(0)).state_dict()
    whole = (answering_model if kind in ANSWERING_KINDS else causal_model)(kind).state_dict()
    assert all(loaded[name].equal(part) for name, part in whole.items())
    as_judge(folder)
    rewritten(folder, lambda name: not any(part in name for part in ("h.1.", "layers.1.", "decoder.block.1.")))
    for attempt in (lambda: load_model(str(folder), generator_for(0)), lambda: as_judge(folder)):
        with pytest.raises(BadInput, match=r"must hold every parameter of a \w+, but \d+ of \d+ are missing \(.*1\."):
            attempt()


def test_a_model_without_its_head_judges_and_does_not_write(tmp_path: Path) -> None:
    causal_model("llama").base_model.save_pretrained(tmp_path / "trunk")
    with pytest.raises(BadInput, match=r"every parameter of a LlamaForCausalLM, but 1 of \d+ are missing \(lm_head"):
        load_model(str(tmp_path / "trunk"), generator_for(0))
    as_judge(tmp_path / "trunk")
    causal_model("gpt2").base_model.save_pretrained(tmp_path / "tied")  # its head is its embeddings
    loaded = load_model(str(tmp_path / "tied"), generator_for(0))
    assert loaded.lm_head.weight.equal(causal_model("gpt2").lm_head.weight)
    rewritten(tmp_path / "tied", lambda name: "wte" not in name)
    with pytest.raises(BadInput, match=r"1 of \d+ are missing \(transformer\.wte\.weight first\)"):
        as_judge(tmp_path / "tied")


def test_a_classifier_judges_and_does_not_write(tmp_path: Path) -> None:
    transformers.GPT2ForSequenceClassification(causal_model("gpt2").config).save_pretrained(tmp_path)
    with pytest.raises(BadInput, match="must be a model that writes, but is a GPT2ForSequenceClassification; choose"):
        load_model(str(tmp_path), generator_for(0))
    as_judge(tmp_path)


def test_shapes_that_differ_are_one_line(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, kind="llama")
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "intermediate_size": 30}))
    said = r"(the shape \[16, 24\] there and \[16, 30\] here|another shape)"  # older releases tell the name alone
    with pytest.raises(BadInput, match=rf"must fit its config\.json, but \S+ has {said}; save both again, together"):
        load_model(str(folder), generator_for(0))


@pytest.mark.parametrize("kind", [*KINDS, *ANSWERING_KINDS])
def test_layers_that_the_settings_leave_out_are_one_line(kind: str, tmp_path: Path) -> None:
    folder = model_folder(tmp_path, kind=kind)
    settings = json.loads((folder / "config.json").read_text())
    fewer = {name: 1 for name in LAYERS if name in settings}
    assert fewer
    if "layer_types" in settings:
        fewer["layer_types"] = settings["layer_types"][:1]
    (folder / "config.json").write_text(json.dumps({**settings, **fewer}))
    for attempt in (lambda: load_model(str(folder), generator_for(0)), lambda: as_judge(folder)):
        with pytest.raises(BadInput, match=r"but hold \d+ parameters of layers that it does not speak of \(\S*1\.\S+ "):
            attempt()


def test_another_head_may_be_left_over(tmp_path: Path) -> None:
    """As libraries leave one that learnt values beside the model."""
    folder = model_folder(tmp_path)
    parts = safetensors.load_file(folder / WEIGHTS)
    safetensors.save_file({**parts, "v_head.weight": torch.ones(1, 16)}, folder / WEIGHTS, metadata={"format": "pt"})
    load_model(str(folder), generator_for(0))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 2147483648 bytes."),
    ],
)
@pytest.mark.parametrize("chained", [False, True])
def test_a_lack_of_memory_is_no_broken_model(
    error: Exception, chained: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*_: object, **__: object) -> None:
        if chained:
            raise ValueError("the weights could not be read") from error
        raise error

    folder = str(model_folder(tmp_path, kind="llama"))
    readers = (
        (transformers.AutoModelForCausalLM, lambda: load_model(folder, generator_for(0)), "; choose a smaller model"),
        (transformers.AutoTokenizer, lambda: tokenizer_of_model(folder), "; make room"),
    )
    for reader, attempt, advice in readers:
        monkeypatch.setattr(reader, "from_pretrained", short)
        with pytest.raises(BadInput, match=f"^there is not enough memory.* for .*{re.escape(folder)}{advice}"):
            attempt()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (WEIGHTS, None),
        (WEIGHTS, b""),
        (WEIGHTS, b"\xff" * 90),
        ("config.json", b'{"model_type": "llama", "vocab_size": "x"}'),
    ],
)
def test_damaged_files_are_one_line(name: str, content: bytes | None, tmp_path: Path) -> None:
    file = model_folder(tmp_path, kind="llama") / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2] if content is None else content)
    with pytest.raises(BadInput, match="must be a causal language model or an encoder-decoder: a folder of"):
        load_model(str(tmp_path), generator_for(0))


def test_a_damaged_tokenizer_is_one_line(tmp_path: Path) -> None:
    (model_folder(tmp_path) / "tokenizer.json").write_text("{}")
    with pytest.raises(BadInput, match="must be a model with a tokenizer: a folder, "):
        tokenizer_of_model(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\x03\x00\x00\x00" + b"\xff" * 40, b"no model at all" * 9])
def test_a_damaged_gguf_file_is_one_line(content: bytes, tmp_path: Path) -> None:
    pytest.importorskip("gguf", reason="GGUF files need the extra [lm]")
    file = tmp_path / "small.gguf"
    file.write_bytes(content)
    with pytest.raises(BadInput, match=r"small\.gguf must be a causal language model or an encoder-decoder"):
        load_model(str(file), generator_for(0))
    with pytest.raises(BadInput, match=r"small\.gguf must be a model with a tokenizer"):
        vocabulary_of_model(str(file))


@pytest.mark.parametrize("spec", ["/nonexist", "./x", "../x", "~/x", "a/b/c", "x.gguf"])
def test_a_path_that_leads_nowhere_is_no_name_on_the_hub(spec: str) -> None:
    for reader in (lambda: load_model(spec, torch.Generator()), lambda: vocabulary_of_model(spec)):
        with pytest.raises(BadInput, match=f"there is no such folder or file: {spec}; check the path of the model"):
            reader()


def test_a_name_on_the_hub_is_left_to_the_hub() -> None:
    for spec in ("gpt2", "openai-community/gpt2"):
        check_there(spec)
