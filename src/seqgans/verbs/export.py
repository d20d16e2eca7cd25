"""Export: a fine-tuned model as a folder that plain transformers loads, with no trace of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from seqgans.data.packages import optional_package
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput, unwritten
from seqgans.generators.encoder_decoder import EncoderDecoderLM
from seqgans.generators.loading import quiet
from seqgans.generators.pretrained import CausalLM
from seqgans.verbs.card import card
from seqgans.verbs.loading import load_run


def export(path: Path | str, out: Path | str, checkpoint: str = "latest") -> Path:
    """Write a run's language model, tokenizer and card as `save_pretrained` does; low-rank adapters are merged.

    Args:
        path: the run's folder.
        out: a folder that does not exist yet.
        checkpoint: "latest", "best" or "pretrained".

    Returns:
        The folder.

    Raises:
        BadInput: the run's generator is no pre-trained model, or the folder is there already.
    """
    where = Path(out)
    if where.exists():
        raise BadInput(f"{where} must not exist yet; choose another folder")
    run = load_run(path, checkpoint)
    if not isinstance(run.players.generator, CausalLM | EncoderDecoderLM):
        raise BadInput(
            f"the generator of {path} must be a pre-trained model, got {run.recipe.generator}; nothing to export"
        )
    transformers = optional_package("transformers", "a pre-trained model", extra="lm")
    try:
        with quiet(transformers):
            merged(run.players.generator.model).save_pretrained(where)
            tokenizer_of(run.corpus.vocabulary).save_pretrained(where)
        (where / "README.md").write_text(card(run.folder, run.recipe, checkpoint), encoding="utf-8")
    except OSError as error:
        raise unwritten(error, where, "the run is untouched") from error
    return where


def merged(model: Any) -> Any:
    """The model with its adapters added to what they adapt, and gone."""
    for name, part in list(model.named_modules()):
        if hasattr(part, "lora_A") and hasattr(part, "merge"):
            part.merge()
            above, _, last = name.rpartition(".")
            parent: nn.Module = model.get_submodule(above)
            setattr(parent, last, part.base_layer)
    for hook in ("peft_config", "_hf_peft_config_loaded"):
        model.__dict__.pop(hook, None)
    return model.requires_grad_(True)


def tokenizer_of(vocabulary: Vocabulary) -> Any:
    """The vocabulary as a tokenizer of transformers."""
    transformers = optional_package("transformers", "a pre-trained model", extra="lm")
    tokenizers = optional_package("tokenizers", "a pre-trained model", extra="lm")
    end = None if vocabulary.end is None else vocabulary.symbols[vocabulary.end]
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer.from_str(vocabulary.tokenizer),
        bos_token=vocabulary.symbols[vocabulary.start],
        eos_token=end or vocabulary.symbols[vocabulary.start],
        pad_token=end or vocabulary.symbols[vocabulary.start],
    )
