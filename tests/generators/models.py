"""Small causal models and folders of them, of the kinds users bring.

Learned and rotary positions, tied heads, scaled embeddings, layers that look a few tokens back only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

VOCABULARY = 23
KINDS = ("gpt2", "llama", "gemma3")
ANSWERING_KINDS = ("t5", "bart")


def causal_model(kind: str, seed: int = 0, vocabulary: int = VOCABULARY) -> Any:
    """A model with large weights, so that its laws are far from even."""
    transformers = pytest.importorskip("transformers", reason="pre-trained models need the extra [lm]")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind == "gpt2":
            sizes = transformers.GPT2Config(
                vocab_size=vocabulary, n_layer=2, n_embd=16, n_head=2, n_positions=64, bos_token_id=0, eos_token_id=0
            )
            model = transformers.GPT2LMHeadModel(sizes)
        else:
            shared = {"vocab_size": vocabulary, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
            shared |= {"bos_token_id": 1, "eos_token_id": 0}
            if kind == "gemma3":  # embeddings that are scaled, every second layer looks 4 tokens back
                sizes = transformers.Gemma3TextConfig(
                    **shared,
                    num_attention_heads=2,
                    num_key_value_heads=1,
                    head_dim=8,
                    query_pre_attn_scalar=8,
                    sliding_window=4,
                    layer_types=["sliding_attention", "full_attention"],
                    pad_token_id=0,
                )
                model = transformers.Gemma3ForCausalLM(sizes)
            else:
                model = transformers.LlamaForCausalLM(
                    transformers.LlamaConfig(**shared, num_attention_heads=4, num_key_value_heads=2)
                )
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8)
    return model


def answering_model(kind: str, seed: int = 0, vocabulary: int = VOCABULARY) -> Any:
    """An encoder-decoder with large weights: relative or learned positions, a factor or scaled embeddings."""
    transformers = pytest.importorskip("transformers", reason="pre-trained models need the extra [lm]")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind == "t5":
            sizes = transformers.T5Config(
                vocab_size=vocabulary,
                d_model=16,
                d_kv=8,
                d_ff=24,
                num_layers=2,
                num_heads=2,
                relative_attention_num_buckets=8,
                relative_attention_max_distance=12,
                decoder_start_token_id=2,
                pad_token_id=2,
                eos_token_id=0,
            )
            model = transformers.T5ForConditionalGeneration(sizes)
        else:
            sizes = transformers.BartConfig(
                vocab_size=vocabulary,
                d_model=16,
                encoder_layers=2,
                decoder_layers=2,
                encoder_attention_heads=2,
                decoder_attention_heads=2,
                encoder_ffn_dim=24,
                decoder_ffn_dim=24,
                max_position_embeddings=64,
                scale_embedding=True,
                bos_token_id=1,
                eos_token_id=0,
                decoder_start_token_id=0,
                pad_token_id=2,
                forced_eos_token_id=None,
            )
            model = transformers.BartForConditionalGeneration(sizes)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8 if kind == "bart" else 2)
    return model.eval()


def model_folder(path: Path, weights: bool = True, kind: str = "gpt2") -> Path:
    """A folder of a model with a tokenizer of words, `<eos>` and w1 to w22, as `save_pretrained` writes it."""
    transformers = pytest.importorskip("transformers", reason="pre-trained models need the extra [lm]")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers need the extra [data]")
    symbols = {"<eos>": 0, **{f"w{number}": number for number in range(1, VOCABULARY)}}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(symbols, unk_token="<eos>"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>", pad_token="<eos>").save_pretrained(
        path
    )
    model = answering_model(kind) if kind in ANSWERING_KINDS else causal_model(kind)
    if weights:
        model.save_pretrained(path)
    else:
        model.config.save_pretrained(path)
    return path
