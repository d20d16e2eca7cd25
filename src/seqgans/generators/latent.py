"""A generator whose sequences begin with a latent code: what TextGAN and FM-GAN move.

A code z is drawn once a sequence; all that follows is a law over tokens given z. So this generator is on the contract
of `Generator` as soon as its codes are given: `given(codes)` has states, exact likelihoods, roll-outs. Without codes it
draws them itself, and its likelihood, an integral over all codes, is estimated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NoReturn

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.errors import BadInput
from seqgans.generators.base import Generator, State, look_up
from seqgans.generators.recurrent import lstm_step
from seqgans.randomness import Stream, as_stream
from seqgans.sequences import Relaxed, mask_until

SMALLEST = 1e-7  # a uniform number of 0 would be a normal one of −∞


@dataclass(frozen=True, kw_only=True)
class Latent:
    """Settings of an LSTM that unfolds a latent code; the defaults are the sizes of FM-GAN's and TextGAN's later code.

    Attributes:
        embedding: width of a token's embedding.
        hidden: units of the LSTM.
        latent: numbers of a code.
        prior: law of each number of a code: uniform in (−1, 1), or normal with deviation 1.
        every_step: let the code enter every step (TextGAN), not only the first state (FM-GAN).
        likelihood_codes: codes over which a likelihood is averaged; its cost grows with them, its error shrinks.
        deviation: every parameter starts from N(0, deviation²).
    """

    paper: ClassVar[str] = "Zhang et al. 2017"

    embedding: int = 300
    hidden: int = 100
    latent: int = 128
    prior: str = "uniform"
    every_step: bool = True
    likelihood_codes: int = 64
    deviation: float = 0.1

    def __post_init__(self) -> None:
        for name in ("embedding", "hidden", "latent", "likelihood_codes"):
            if getattr(self, name) < 1:
                raise ValueError(f"Latent.{name} must be at least 1, got {getattr(self, name)}")
        if self.prior not in ("uniform", "normal"):
            raise ValueError(f"Latent.prior must be uniform or normal, got {self.prior!r}")
        if not self.deviation > 0:
            raise ValueError(f"Latent.deviation must be above 0, got {self.deviation}")

    def build(self, vocabulary_size: int, start: int, end: int | None, random: torch.Generator) -> Generator:
        """A generator with freshly drawn parameters."""
        return LatentGenerator(vocabulary_size, start, end, self, random)


class LatentGenerator(Generator):
    """G(Y) = E_z Π_t G(y_t | y_<t, z), with h_0 = tanh(C_0 z + b_0) and an LSTM that reads y_{t−1} and z.

    Args:
        vocabulary_size: number of ids.
        start: id of the start token.
        end: id of the end token, or None.
        settings: sizes, prior, initial deviation.
        random: where the parameters, and the codes of the likelihood, come from.
    """

    likelihood_codes: Tensor

    def __init__(
        self, vocabulary_size: int, start: int, end: int | None, settings: Latent, random: torch.Generator
    ) -> None:
        super().__init__(vocabulary_size, start, end)
        self.settings = settings
        self.embedding = nn.Embedding(vocabulary_size, settings.embedding)
        self.unfold = nn.Linear(settings.latent, settings.hidden)
        fed = settings.latent if settings.every_step else 0
        self.cell = nn.LSTM(settings.embedding + fed, settings.hidden, batch_first=True)
        self.output = nn.Linear(settings.hidden, vocabulary_size)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(0.0, settings.deviation, generator=random)
            self.cell.get_parameter("bias_hh_l0").zero_()  # two biases are added in every gate: let one speak for both
        self.register_buffer("likelihood_codes", self.draw_codes(settings.likelihood_codes, Stream(random)))

    def draw_codes(self, count: int, random: torch.Generator | Stream) -> Float[Tensor, "batch latent"]:
        """Fresh codes from the prior."""
        uniforms = as_stream(random).uniform(count, self.settings.latent).to(self.output.weight.device)
        if self.settings.prior == "uniform":
            return 2 * uniforms - 1
        return torch.special.ndtri(uniforms.clamp(min=SMALLEST))

    def given(self, codes: Float[Tensor, "batch latent"]) -> Given:
        """The law given one code for each sequence, or one code for all: a generator on the whole contract."""
        return Given(self, codes)

    def begin(self, count: int, random: Stream) -> State:
        """The states of fresh codes. Whoever samples draws codes first and then, given them, tokens.

        So at temperature 0 the codes are all the chance there is, which is how the papers decode. Codes do not look at
        a prefix, and the log-probabilities of samples are those given their codes: on average larger than `log_probs`.
        """
        return self.given(self.draw_codes(count, random)).start_state(count)

    def log_probs(self, tokens: Int[Tensor, "batch time"], temperature: float = 1.0) -> Float[Tensor, "batch time"]:
        """Estimated log G(y_t | y_<t) in nats, with gradient: an average over the same few codes for all sequences.

            log Ĝ(Y_1:t) = log (1/K) Σ_k Π_{s≤t} G(y_s | y_<s, z_k),   log Ĝ(y_t | y_<t) = log Ĝ(Y_1:t) − log Ĝ(Y_1:t−1)

        Ĝ is a law of its own (its probabilities sum to 1) and tends to G as K grows; the expectation of log Ĝ over
        the draw of the codes is at most log G, so an NLL from here is, on average, too high. The more a code says
        about its sequence, the worse: it is right for a code that is ignored.
        """
        rows = tokens.shape[0]
        each = [self.given(code.expand(rows, -1)).log_probs(tokens, temperature) for code in self.likelihood_codes]
        reached = torch.stack(each).cumsum(2).logsumexp(0) - math.log(len(each))  # (batch, time)
        return torch.diff(reached, dim=1, prepend=reached.new_zeros(rows, 1))

    def start_state(self, count: int) -> NoReturn:
        """There is none before a code is given."""
        raise BadInput(
            "a latent generator has states only once its codes are given, so it can neither be rolled out nor read in; "
            "choose another generator for this algorithm"
        )

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """One step of the LSTM."""
        hidden, cell, fed = state
        own = self.cell.get_parameter("weight_ih_l0")[:, : self.settings.embedding]
        weight, bias = (self.cell.get_parameter(name) for name in ("weight_hh_l0", "bias_hh_l0"))
        recurrent = nn.functional.linear(hidden, weight, bias)
        hidden, cell = lstm_step(look_up(self.embedding.weight, tokens) @ own.t() + fed + recurrent, cell)
        return hidden, (hidden, cell, fed)

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> NoReturn:
        """There is no state before a code is given."""
        self.start_state(tokens.shape[0])


class Given(Generator):
    """A latent generator whose codes are known; it shares all parameters.

    Args:
        latent: the generator.
        codes: one row a sequence, or one row for all; gradient flows into them.
    """

    def __init__(self, latent: LatentGenerator, codes: Float[Tensor, "batch latent"]) -> None:
        super().__init__(latent.vocabulary_size, latent.start, latent.end)
        self.latent = latent
        self.output = latent.output
        self.codes = codes

    def codes_of(self, count: int) -> Float[Tensor, "batch latent"]:
        """One code for each of `count` sequences."""
        if len(self.codes) not in (1, count):
            raise ValueError(f"{count} sequences need {count} codes or one for all, got {len(self.codes)}")
        return self.codes.expand(count, -1)

    def start_state(self, count: int) -> State:
        """Hidden state h_0, cell state 0, and what the code adds to the gates of every step."""
        codes, latent = self.codes_of(count), self.latent
        first = latent.unfold(codes).tanh()
        fed = latent.cell.get_parameter("bias_ih_l0").expand(count, -1)
        if latent.settings.every_step:
            fed = fed + codes @ latent.cell.get_parameter("weight_ih_l0")[:, latent.settings.embedding :].t()
        return first, torch.zeros_like(first), fed

    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """One step of the LSTM."""
        return self.latent.advance(tokens, state)

    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """All hidden states, read in one pass."""
        codes = self.codes_of(tokens.shape[0])
        read = self.latent.embedding(self.inputs(tokens))
        if self.latent.settings.every_step:
            read = torch.cat([read, codes[:, None].expand(-1, tokens.shape[1], -1)], 2)
        first = self.latent.unfold(codes).tanh()[None]
        return self.latent.cell(read, (first, torch.zeros_like(first)))[0]

    def soft_argmax(self, length: int, inverse_temperature: float) -> Relaxed:
        """One sequence for each code, without further chance, that a gradient can flow through.

            ŷ_t = softmax(L · o_t),   y_t = argmax o_t;   what is read next is ŷ_t's mixture of embeddings

        Args:
            length: tokens of each.
            inverse_temperature: L; as it grows, ŷ_t becomes one-hot and its gradient vanishes.

        References:
            Zhang et al. (2017), arXiv:1706.03850, Eq. 8.
        """
        state = self.start_state(len(self.codes))
        previous = torch.full((len(self.codes),), self.start, dtype=torch.long, device=self.output.weight.device)
        weights = []
        for _ in range(length):
            hidden, state = self.advance(previous, state)
            previous = (inverse_temperature * self.output(hidden)).softmax(1)  # (batch, vocab)
            weights.append(previous)
        soft = torch.stack(weights, 1)
        tokens = soft.detach().argmax(2)
        return Relaxed(soft, tokens, mask_until(tokens, self.end))
