"""Another program that writes what a pre-trained model answers: vLLM, with the parameters of the moment.

It stands behind `sample` of a law: prompts, seeds and the law's rules go in as ids and numbers, ids and the
log-probabilities they were drawn with come back. Before it writes it is given the model's parameters wherever they have
changed, adapters merged; and what it then writes first is scored again by the model itself, so that a hand-over that
went wrong is an error and no silent change of law.

Roll-outs, relaxed samples, given prefixes, mixtures at every token and excluded ids stay with the model's own sampler.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seqgans.data.packages import optional_package
from seqgans.data.tokenizer import GGUF
from seqgans.errors import BadInput, Failed
from seqgans.generators.base import Generator
from seqgans.generators.conditional import given
from seqgans.generators.decoding import Decoding
from seqgans.randomness import Stream
from seqgans.sequences import Samples, Sequences, mask_until

SEED_BITS = 24  # of one uniform number in float32; a seed is made of two
LOOKED_AT = 8  # answers after a hand-over that are scored again
APART = 0.1  # nats a token: far above what bfloat16 rounds, far below what other parameters say


@dataclass(frozen=True)
class Written:
    """One answer as an engine gives it.

    Attributes:
        ids: with the end token, where it came.
        log_probs: under the law they were drawn from, nats.
    """

    ids: list[int]
    log_probs: list[float]


class VLLM:
    """vLLM in this process, one on each where there are several.

    It is made at the first sample, since it takes its share of the GPU at once.

    Args:
        model: a folder with config.json, or a name on the hub; its weights are not read but handed over.
        memory: share of the GPU's memory that it may take, in (0, 1).

    Raises:
        BadInput: vLLM is not installed, or cannot read the model's sizes.
    """

    def __init__(self, model: str, memory: float) -> None:
        if model.endswith(GGUF):
            raise BadInput(f"vllm needs a model folder or a hub name, got {model}; take --generator.engine own")
        optional_package("vllm", "--generator.engine vllm", extra="vllm")
        self.model, self.memory = model, memory
        self.llm: Any = None
        self.known: tuple[tuple[int, int], ...] = ()  # which parameters it has: identity and version of each

    def __deepcopy__(self, memo: dict[int, Any]) -> VLLM:
        return self  # one for all copies of a model; it is handed over whose turn it is

    def can(self, decoding: Decoding) -> bool:
        """Whether it draws from this law exactly."""
        return decoding.other is None and not decoding.excluded

    @torch.no_grad()
    def sample(self, whole: Generator, source: Sequences, length: int, random: Stream, how: Decoding) -> Samples:
        """Answers of a law, as its own sampler would give them but for the numbers it draws with.

        Args:
            whole: a pre-trained model: its parameters, end token, minimum and stop strings.
            source: prompts, one a row.
            length: most tokens of each.
            random: where seeds come from, one a row.
            how: temperature, top-k, top-p.

        Raises:
            Failed: the engine does not write by the law of the model.
        """
        fresh = self.take(whole.get_submodule("model"), bool(whole.stops))
        halves = (random.uniform(len(source), 2).double() * 2**SEED_BITS).long()
        seeds = (halves[:, 0] * 2**SEED_BITS + halves[:, 1]).tolist()
        written = self.write(whole, source.lists(), seeds, length, how)
        found = arranged(whole, written, length, source.tokens.device)
        if how.temperature == 0:
            return Samples(found.tokens, found.mask, torch.zeros_like(found.log_probs))
        if fresh and not how.top_k and how.top_p == 1:
            self.compare(whole, source, found, how.temperature)
        return found

    def take(self, model: nn.Module, reads_text: bool) -> bool:
        """Hand over the parameters where they have changed since the last time; whether they had."""
        version = tuple((id(part), part._version) for part in model.parameters())
        if version == self.known:
            return False
        if self.llm is None:
            self.llm = self.begin(reads_text)
        self.llm.apply_model(lambda inside: inside.load_weights(weights_of(model)) and None)
        self.llm.reset_prefix_cache()
        self.known = version
        return True

    def begin(self, reads_text: bool) -> Any:
        """The engine, in this very process, so that parameters need not be sent anywhere."""
        several = torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        return optional_package("vllm", "--generator.engine vllm", extra="vllm").LLM(
            model=self.model,
            load_format="dummy",  # what it is made with is replaced before it writes
            generation_config="vllm",  # the law is ours: no other end tokens, no penalties of the model's own file
            logprobs_mode="processed_logprobs",  # after temperature, top-k and top-p
            skip_tokenizer_init=not reads_text,
            gpu_memory_utilization=self.memory,
            distributed_executor_backend="external_launcher" if several else None,
        )

    def write(
        self, law: Generator, prompts: Sequence[list[int]], seeds: Sequence[int], length: int, how: Decoding
    ) -> list[Written]:
        """Answers to prompts, row by row."""
        vllm = optional_package("vllm", "--generator.engine vllm", extra="vllm")
        asked = [
            vllm.SamplingParams(
                temperature=how.temperature,
                top_k=how.top_k,
                top_p=how.top_p,
                seed=seed,
                max_tokens=length,
                min_tokens=min(law.minimum, length),
                ignore_eos=True,  # the end token is the corpus', and named here
                stop_token_ids=None if law.end is None else [law.end],
                stop=list(law.stops.strings) if law.stops else None,
                include_stop_str_in_output=bool(law.stops),
                detokenize=bool(law.stops),
                skip_special_tokens=False,
                logprobs=0,  # that of the drawn token alone
            )
            for seed in seeds
        ]
        rows = [{"prompt_token_ids": ids} for ids in prompts]
        found = []
        for answer in self.llm.generate(rows, sampling_params=asked, use_tqdm=False):
            (one,) = answer.outputs
            ids = list(one.token_ids)
            found.append(Written(ids, [step[token].logprob for step, token in zip(one.logprobs, ids, strict=True)]))
        return found

    def compare(self, whole: Generator, source: Sequences, found: Samples, temperature: float) -> None:
        """Make sure that the engine has the parameters of the model, on a few answers.

        Raises:
            Failed: it gives other log-probabilities than the model.
        """
        few = slice(0, LOOKED_AT)
        mask = found.mask[few]
        again = given(whole, source[few]).log_probs(found.tokens[few], temperature).masked_fill(~mask, 0.0)
        apart = float((found.log_probs[few] - again).abs().sum() / mask.sum().clamp(min=1))
        if not apart < APART:
            raise Failed(
                f"vllm writes by another law than {self.model} has now: their log-probabilities are {apart:.3f} nats a "
                "token apart; take --generator.engine own"
            )


@torch.no_grad()
def weights_of(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The parameters of a model one by one, by the names of its files, adapters added to what they adapt.

    The model is not touched: an adapter that is merged and taken out again leaves other last digits.
    """
    adapted: dict[str, Any] = {name: part for name, part in model.named_modules() if hasattr(part, "get_delta_weight")}
    for name, parameter in model.named_parameters():
        if ".lora_" in name:
            continue
        plain = name.replace(".base_layer.", ".")
        layer = adapted.get(plain.removesuffix(".weight"))
        if layer is None:
            yield plain, parameter.detach()
        else:
            yield plain, parameter + sum(layer.get_delta_weight(which) for which in layer.active_adapters)


def arranged(law: Generator, written: Sequence[Written], length: int, device: torch.device) -> Samples:
    """Answers as rows, by the law's own rules of where they end.

    Raises:
        Failed: an answer ends where the law does not.
    """
    tokens = torch.full((len(written), length), 0 if law.end is None else law.end, dtype=torch.long)
    log_probs: Float[Tensor, "batch time"] = torch.zeros(len(written), length)
    for row, one in enumerate(written):
        tokens[row, : len(one.ids)] = torch.tensor(one.ids, dtype=torch.long)
        log_probs[row, : len(one.ids)] = torch.tensor(one.log_probs)
    closed = law.closed(tokens)  # behind a stop string: the end token, for sure
    tokens, log_probs = tokens.masked_fill(closed, law.end or 0), log_probs.masked_fill(closed, 0.0)
    mask = mask_until(tokens, law.end)
    for one, size, sure in zip(written, mask.sum(1).tolist(), closed.any(1).tolist(), strict=True):
        if len(one.ids) < size and not sure:
            raise Failed(
                f"vllm ended an answer after {len(one.ids)} of {length} tokens without the end token or a stop string; "
                "take --generator.engine own"
            )
    if law.end is not None:
        tokens = tokens.masked_fill(~mask, law.end)
    return Samples(tokens.to(device), mask.to(device), (log_probs * mask).to(device))
