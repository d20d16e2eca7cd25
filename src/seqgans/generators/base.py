"""What every generator can do: likelihood, sampling from a start or a prefix, relaxed sampling.

A generator turns what came before into a hidden state, and a linear layer turns the hidden state into
logits. Only the first half differs between architectures (`start_state`, `advance`, `hidden`); the second
half, where nearly all the arithmetic is, is written once, here and in `decoding.py` and `likelihood.py`.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.data.stops import Stops
from seqgans.generators.decoding import PLAIN, Decoding, Head, draw
from seqgans.generators.likelihood import token_log_probs
from seqgans.generators.relaxation import relaxed_draw
from seqgans.randomness import Stream, as_stream
from seqgans.sequences import Relaxed, Samples, mask_until

BARRED = -1e9  # the logit of what cannot be drawn
State = tuple[Tensor, ...]
"""What a generator remembers of a prefix: tensors whose first axis is the batch."""


def select(state: State, rows: Tensor) -> State:
    """The state of the chosen rows, copied."""
    return tuple(part[rows] for part in state)


def repeat(state: State, times: int) -> State:
    """The state of the whole batch, then the whole batch again, `times` times, copied."""
    return tuple(part.repeat(times, *(1,) * (part.dim() - 1)) for part in state)


def join(states: Sequence[State]) -> State:
    """The rows of several states, one after another; caches of different sizes are filled up with zeros."""
    joined = []
    for parts in zip(*states, strict=True):
        largest = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
        joined.append(torch.cat([_filled_up(part, largest) for part in parts]))
    return tuple(joined)


def _filled_up(part: Tensor, shape: Sequence[int]) -> Tensor:
    """`part` with zeros behind it, until all axes but the first have the given sizes."""
    if list(part.shape[1:]) == list(shape):
        return part
    whole = part.new_zeros(part.shape[0], *shape)
    whole[tuple(slice(size) for size in part.shape)] = part
    return whole


def look_up(table: Float[Tensor, "vocab width"], tokens: Tensor) -> Tensor:
    """Rows of `table` by id, or mixed by weights over the vocabulary when `tokens` is floating point."""
    return tokens @ table if tokens.is_floating_point() else nn.functional.embedding(tokens, table)


class Generator(nn.Module, ABC):
    """A law over token sequences.

    Attributes:
        vocabulary_size: number of ids.
        start: the id fed in before the first token; no part of the sequence.
        end: the id after which a sequence is over, or None when all sequences have the same length.
        output: from hidden state to logits.
        minimum: so many tokens come before an end token can; that is part of the law, in samples and likelihoods.
        stops: behind one of these strings the end token follows for sure; that is part of the law as well.
    """

    output: nn.Linear
    minimum: int = 0
    stops: Stops | None = None

    def __init__(self, vocabulary_size: int, start: int = 0, end: int | None = None) -> None:
        super().__init__()
        self.vocabulary_size = vocabulary_size
        self.start = start
        self.end = end

    @abstractmethod
    def start_state(self, count: int) -> State:
        """The state of `count` empty prefixes."""

    @abstractmethod
    def advance(self, tokens: Tensor, state: State) -> tuple[Float[Tensor, "batch width"], State]:
        """Read one token a row and say what follows.

        Args:
            tokens: ids (batch,), or weights over the vocabulary (batch, vocab).
            state: what came before; it is spent, and only copies of it may be used again.

        Returns:
            The hidden state from which the next token is drawn, and the new state.
        """

    @abstractmethod
    def hidden(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """The hidden states from which each of the given tokens would be drawn (teacher forcing)."""

    def begin(self, count: int, random: Stream) -> State:
        """The state from which `count` samples start; where it is drawn, it is drawn here. Most have one only."""
        return self.start_state(count)

    def attach(self, discriminator: nn.Module) -> None:
        """Meet the discriminator, once, before anything is sampled. Most generators have no use for it."""

    def inputs(self, tokens: Int[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
        """The start token, then all given tokens but the last: what is read before each token."""
        return nn.functional.pad(tokens[:, :-1], (1, 0), value=self.start)

    def log_probs(self, tokens: Int[Tensor, "batch time"], temperature: float = 1.0) -> Float[Tensor, "batch time"]:
        """Log G(y_t | y_<t) of the given tokens, in nats, with gradient. Padding is not masked here.

        Args:
            tokens: ids.
            temperature: above 0; what the logits are divided by.
        """
        return self.log_probs_after(self.hidden(tokens), tokens, temperature)

    def log_probs_after(
        self, hidden: Float[Tensor, "batch time width"], tokens: Int[Tensor, "batch time"], temperature: float = 1.0
    ) -> Float[Tensor, "batch time"]:
        """The same from hidden states, whatever was read to come to them."""
        weight, bias = self.output.weight, self.output.bias
        if temperature != 1:
            weight, bias = weight / temperature, bias / temperature
        found = token_log_probs(hidden, weight, bias, tokens)
        if self.stops is not None:
            found = self.settled(found, tokens)
        early = min(self.minimum, tokens.shape[1])
        if not early or self.end is None:
            return found
        first, barred = tokens[:, :early], bias.index_fill(0, torch.tensor([self.end], device=bias.device), BARRED)
        others = token_log_probs(hidden[:, :early], weight, barred, first)  # as they are drawn: among the rest
        return torch.cat([torch.where(first == self.end, found[:, :early], others), found[:, early:]], 1)

    def log_prob_at(self, time: int, hidden: Float[Tensor, "batch width"], tokens: Tensor) -> Float[Tensor, " batch"]:
        """Log-probability of one token a row at some place, from the states before it."""
        how = self.decoding_at(time, PLAIN)
        if how == PLAIN:
            return token_log_probs(hidden, self.output.weight, self.output.bias, tokens)
        return how.shape(self.output(hidden).float()).log_softmax(1).gather(1, tokens[:, None])[:, 0]

    def closed(self, tokens: Int[Tensor, "batch time"]) -> Bool[Tensor, "batch time"]:
        """True where nothing but the end token can stand: right behind a stop string."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        if self.stops is None or self.end is None:
            return torch.zeros_like(tokens, dtype=torch.bool)
        return places == self.stops.places(tokens, self.minimum)[:, None]

    def settled(
        self, log_probs: Float[Tensor, "batch time"], tokens: Int[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Log-probabilities, where tokens behind a stop string are no choice: 0 for the end token, −∞ for others."""
        sure = torch.zeros_like(log_probs).masked_fill(tokens != self.end, -math.inf)
        return torch.where(self.closed(tokens), sure, log_probs)

    def decoding_at(self, time: int, decoding: Decoding) -> Decoding:
        """How a token is drawn at some place: before the minimum, never the end token."""
        if self.end is None or time >= self.minimum:
            return decoding
        return dataclasses.replace(decoding, excluded=(*decoding.excluded, self.end))

    def logits(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time vocab"]:
        """All logits at once. For small worlds; `log_probs` needs far less memory."""
        return self.output(self.hidden(tokens))

    @torch.no_grad()
    def sample(
        self,
        count: int,
        length: int,
        *,
        random: torch.Generator | Stream,
        prefix: Int[Tensor, "batch prefix"] | None = None,
        kept: Bool[Tensor, "batch prefix"] | None = None,
        decoding: Decoding = PLAIN,
    ) -> Samples:
        """Draw sequences, from the start, from a prefix or around tokens that are kept.

        Args:
            count: rows of the result.
            length: tokens of each, prefix included.
            random: where the numbers come from; the same seed gives the same samples.
            prefix: tokens that are kept as they are, one row a sample.
            kept: True where a token of the prefix is kept, the others are drawn; None keeps all. An end token that
                is drawn ends the sample, whatever would be kept behind it.
            decoding: temperature, top-k, top-p, excluded tokens.

        Returns:
            Samples whose log-probabilities are those of the drawn law; those of kept tokens are their
            plain log-probabilities at temperature 1.
        """
        stream = as_stream(random)
        device = self.output.weight.device
        uniforms = stream.uniform(count, length).to(device)
        tokens = torch.zeros(count, length, dtype=torch.long, device=device)
        log_probs = torch.zeros(count, length, device=device)
        given = 0 if prefix is None else prefix.shape[1]
        if prefix is not None and given:
            if prefix.shape[0] != count or given > length:
                raise ValueError(
                    f"a prefix must have {count} rows and at most {length} tokens, got {tuple(prefix.shape)}"
                )
            tokens[:, :given] = prefix
        if kept is not None and (prefix is None or kept.shape != prefix.shape):
            raise ValueError(f"what is kept must have the shape of the prefix, got {tuple(kept.shape)}")
        state = self.begin(count, stream)
        previous = torch.full((count,), self.start, dtype=torch.long, device=device)
        alive = torch.ones(count, dtype=torch.bool, device=device)
        weight, bias = self.output.weight, self.output.bias
        head = Head.of(weight, bias)
        for time in range(length):
            hidden, state = self.advance(previous, state)
            if time < given:
                log_probs[:, time] = self.log_prob_at(time, hidden, tokens[:, time])
            if time >= given or kept is not None:
                how = self.decoding_at(time, decoding)
                ours = uniforms[:, time : time + 1]
                if time == 0 and count and bool((hidden == hidden[:1]).all()):  # all begin alike: one row of logits
                    drawn, of = (each.t() for each in draw(hidden[:1], weight, bias, ours.t(), how, head=head))
                else:
                    drawn, of = draw(hidden, weight, bias, ours, how, head=head)
                free = ~kept[:, time] if kept is not None and time < given else alive.new_ones(count)
                tokens[:, time] = torch.where(free, drawn[:, 0], tokens[:, time])
                log_probs[:, time] = torch.where(free, of[:, 0], log_probs[:, time])
            previous = tokens[:, time]
            if self.end is not None:
                alive &= previous != self.end
                if self.stops is not None and time + 1 >= self.minimum:
                    alive[alive.clone()] = ~self.stops.completes(tokens[alive, : time + 1])
                if not bool(alive.any()):  # the rest is padding
                    break
        if self.stops is not None:
            closed = self.closed(tokens)
            tokens, log_probs = tokens.masked_fill(closed, self.end or 0), log_probs.masked_fill(closed, 0.0)
        mask = mask_until(tokens, self.end)
        if self.end is not None:
            tokens = tokens.masked_fill(~mask, self.end)
        return Samples(tokens, mask, log_probs * mask)

    def relax(
        self,
        count: int,
        length: int,
        *,
        random: torch.Generator | Stream,
        inverse_temperature: float = 1.0,
        straight_through: bool = False,
        soft_inputs: bool = False,
        noisy: bool = True,
        prefix: Int[Tensor, "batch prefix"] | None = None,
        kept: Bool[Tensor, "batch prefix"] | None = None,
    ) -> Relaxed:
        """Draw sequences that a gradient can flow through (Gumbel-softmax).

            y_t = argmax(o_t + g_t),   ŷ_t = softmax(β (o_t + g_t)),   g = −ln(−ln U)

        The next input is the hard token, without gradient, or ŷ itself; ŷ carries gradient to every o_t.

        Args:
            count: rows of the result.
            length: tokens of each.
            random: where the noise comes from.
            inverse_temperature: β; the larger, the closer to one-hot.
            straight_through: hand on hard rows whose gradient is that of the soft ones.
            soft_inputs: read ŷ_t before step t + 1, so that gradient also flows back through what was read.
            noisy: False leaves the noise out of ŷ = softmax(β o): the law of the token instead of a draw from it.
            prefix: tokens that are given, one row a sample: their rows are one-hot and carry no gradient.
            kept: True where a token of the prefix is kept, the others are drawn; None keeps all.
        """
        stream = as_stream(random)
        device = self.output.weight.device
        state = self.begin(count, stream)
        previous = torch.full((count,), self.start, dtype=torch.long, device=device)
        weights, tokens = [], []
        for _ in range(length):
            hidden, state = self.advance(previous, state)
            logits = self.decoding_at(len(tokens), PLAIN).shape(self.output(hidden))  # (batch, vocab)
            soft, hard = relaxed_draw(logits, stream, inverse_temperature, straight_through, noisy)
            if prefix is not None and len(tokens) < prefix.shape[1]:
                here = prefix[:, len(tokens)]
                stays = torch.ones_like(here, dtype=torch.bool) if kept is None else kept[:, len(tokens)]
                hard = torch.where(stays, here, hard)
                soft = torch.where(stays[:, None], nn.functional.one_hot(here, soft.shape[1]).to(soft.dtype), soft)
            previous = soft if soft_inputs else hard
            weights.append(soft)
            tokens.append(hard)
        drawn, rows = torch.stack(tokens, 1), torch.stack(weights, 1)
        if self.stops is not None and self.end is not None:
            closed = self.closed(drawn)
            drawn = drawn.masked_fill(closed, self.end)
            rows = torch.where(closed[:, :, None], nn.functional.one_hot(drawn, rows.shape[2]).to(rows.dtype), rows)
        return Relaxed(rows, drawn, mask_until(drawn, self.end))
