"""A fake of vLLM for tests of the protocol: its names, arguments and answers, and none of its speed.

It takes of `vllm.LLM` and `vllm.SamplingParams` (0.11 and later) what the library uses and refuses the rest, keeps a
model of its own whose parameters are none of the trainer's until they are handed over, and draws with a seed a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class FakeSamplingParams:
    """The part of `vllm.SamplingParams` that is used, with its defaults and checks."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int | None = None
    max_tokens: int | None = 16
    min_tokens: int = 0
    ignore_eos: bool = False
    stop_token_ids: list[int] | None = None
    stop: list[str] | None = None
    include_stop_str_in_output: bool = False
    detokenize: bool = True
    skip_special_tokens: bool = True
    logprobs: int | None = None

    def __post_init__(self) -> None:
        assert self.temperature >= 0
        assert self.max_tokens is None or self.max_tokens >= 1
        assert self.max_tokens is None or self.min_tokens <= self.max_tokens
        assert not self.stop or self.detokenize, "stop strings need detokenize"


@dataclass(frozen=True)
class FakeLogprob:
    """As `vllm.logprobs.Logprob`."""

    logprob: float
    rank: int | None = None
    decoded_token: str | None = None


@dataclass(frozen=True)
class FakeOutput:
    """As `vllm.outputs.CompletionOutput`."""

    token_ids: tuple[int, ...]
    logprobs: list[dict[int, FakeLogprob]]


@dataclass(frozen=True)
class FakeRequestOutput:
    """As `vllm.outputs.RequestOutput`."""

    outputs: list[FakeOutput]


class FakeInside:
    """The model within the engine; it takes parameters by the names of the model's files."""

    def __init__(self, folder: str) -> None:
        import transformers

        config = transformers.AutoConfig.from_pretrained(folder)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(99)
            self.model = transformers.AutoModelForCausalLM.from_config(config).eval()

    @torch.no_grad()
    def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> set[str]:
        """Copy parameters in; a name that is none of its own is an error."""
        there, seen = dict(self.model.named_parameters()), set()
        for name, tensor in weights:
            there[name].copy_(tensor)
            seen.add(name)
        return seen


class FakeEngine:
    """In the place of `vllm.LLM`."""

    made: list[FakeEngine]
    deaf = False  # set by a test: what is handed over is not taken

    def __init__(
        self,
        *,
        model: str,
        load_format: str,
        generation_config: str,
        logprobs_mode: str,
        skip_tokenizer_init: bool,
        gpu_memory_utilization: float,
        distributed_executor_backend: str | None,
    ) -> None:
        assert (load_format, generation_config, logprobs_mode) == ("dummy", "vllm", "processed_logprobs")
        self.settings = {"memory": gpu_memory_utilization, "backend": distributed_executor_backend}
        self.tokenizer: Any = None
        if not skip_tokenizer_init:
            import transformers

            self.tokenizer = transformers.AutoTokenizer.from_pretrained(model)
        self.inside = FakeInside(model)
        self.handed: list[set[str]] = []
        self.resets = 0
        self.asked: list[tuple[list[list[int]], list[FakeSamplingParams]]] = []
        self.watch: Callable[[FakeEngine], None] = lambda engine: None
        FakeEngine.made.append(self)

    def apply_model(self, func: Callable[[Any], Any]) -> list[Any]:
        """Run a function on the model inside each worker."""
        engine = self

        class Noted:
            def load_weights(self, weights: Iterable[tuple[str, Tensor]]) -> set[str]:
                found = {name for name, _ in weights} if engine.deaf else engine.inside.load_weights(weights)
                engine.handed.append(found)
                return found

        return [func(Noted())]

    def reset_prefix_cache(self) -> bool:
        """Forget keys and values of earlier parameters."""
        self.resets += 1
        return True

    def generate(
        self, prompts: list[dict[str, list[int]]], *, sampling_params: list[FakeSamplingParams], use_tqdm: bool
    ) -> list[FakeRequestOutput]:
        """One answer a prompt, in their order."""
        assert not use_tqdm
        assert self.resets == len(self.handed), "keys and values of other parameters are still in the cache"
        rows = [row["prompt_token_ids"] for row in prompts]
        assert all(rows), "a prompt without tokens"
        self.watch(self)
        self.asked.append((rows, sampling_params))
        both = zip(rows, sampling_params, strict=True)
        return [FakeRequestOutput([self.answer(prompt, how)]) for prompt, how in both]

    @torch.no_grad()
    def answer(self, prompt: list[int], how: FakeSamplingParams) -> FakeOutput:
        """Token by token, each from all before it."""
        assert how.ignore_eos
        assert how.seed is not None
        random = torch.Generator().manual_seed(how.seed)
        ids: list[int] = []
        steps: list[dict[int, FakeLogprob]] = []
        while len(ids) < (how.max_tokens or 16):
            logits = self.inside.model(torch.tensor([prompt + ids])).logits[0, -1]
            if len(ids) < how.min_tokens:
                logits[how.stop_token_ids or []] = -torch.inf
            law = shaped(logits, how).log_softmax(0)
            token = int(law.exp().multinomial(1, generator=random)) if how.temperature else int(logits.argmax())
            ids.append(token)
            steps.append({token: FakeLogprob(float(law[token]))})
            if token in (how.stop_token_ids or []):
                break
            text = self.tokenizer.decode(ids) if how.stop else ""
            if len(ids) > how.min_tokens and text.endswith(tuple(how.stop or ["-"])):
                break
        return FakeOutput(tuple(ids), steps)


def shaped(logits: Tensor, how: FakeSamplingParams) -> Tensor:
    """Temperature, top-k, top-p, in vLLM's order."""
    logits = logits / (how.temperature or 1.0)
    if how.top_k:
        logits = logits.masked_fill(logits < logits.topk(how.top_k).values[-1], -torch.inf)
    if how.top_p < 1:
        ordered, order = logits.softmax(0).sort()
        logits = logits.index_fill(0, order[ordered.cumsum(0) <= 1 - how.top_p], -torch.inf)
    return logits


def installed(monkeypatch: pytest.MonkeyPatch) -> type[FakeEngine]:
    """Let `import vllm` find the fake for the rest of a test."""
    module = ModuleType("vllm")
    module.LLM, module.SamplingParams = FakeEngine, FakeSamplingParams  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(__import__("sys").modules, "vllm", module)
    monkeypatch.setattr(FakeEngine, "made", [], raising=False)
    monkeypatch.setattr(FakeEngine, "deaf", False)
    monkeypatch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "1")
    return FakeEngine
