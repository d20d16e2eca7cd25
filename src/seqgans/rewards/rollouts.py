"""Monte Carlo roll-outs: what a discriminator makes of a prefix once it has been completed.

All prefixes of all sequences and all their roll-outs advance together, one recurrent step a token; no
prefix is read twice, and the first token after a prefix is drawn N times from one shared row of logits.
That is N·B·(T−1)(T−2)/2 steps of the cell besides the B·T of reading the sequences once. Roll-outs that have come to
their end are dropped on the way, where there is an end token.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seqgans.discriminators.base import Discriminator
from seqgans.generators.base import Generator, State, join, repeat, select
from seqgans.generators.decoding import PLAIN, Head, draw
from seqgans.randomness import Stream
from seqgans.sequences import mask_until

WORTH_KEEPING = 0.8  # share of roll-outs that go on, above which dropping the others would cost more than it spares


@torch.no_grad()
def complete(
    generator: Generator,
    tokens: Int[Tensor, "batch time"],
    rollouts: int,
    random: Stream,
    positions: Sequence[int] | None = None,
) -> Int[Tensor, "prefixes rollouts batch time"]:
    """Complete prefixes by sampling from the generator.

        {Y¹, …, Yᴺ} = MC(Y_1:t; N)  for t = 1 … T − 1   (SeqGAN Eq. 3)

    Args:
        generator: the roll-out policy.
        tokens: the sequences whose prefixes are completed.
        rollouts: N, completions of each prefix.
        random: where the numbers come from.
        positions: lengths t of the prefixes, ascending, each from 1 to T − 1; None for all.

    Returns:
        Entry [p, n, b] starts with the first `positions[p]` tokens of sequence b. What follows an end token is
        padding, to be masked by whoever reads it.
    """
    batch, time = tokens.shape
    lengths = list(range(1, time)) if positions is None else list(positions)
    if any(later <= earlier for earlier, later in itertools.pairwise(lengths)) or not all(
        1 <= length < time for length in lengths
    ):
        raise ValueError(f"roll-outs need ascending prefix lengths from 1 to {time - 1}, got {lengths}")
    weight, bias = generator.output.weight, generator.output.bias
    head = Head.of(weight, bias)
    completed = tokens[None, None].repeat(len(lengths), rollouts, 1, 1)  # (prefixes, rollouts, batch, time)
    state = generator.start_state(batch)
    previous = torch.full((batch,), generator.start, dtype=torch.long, device=tokens.device)
    flat = completed.view(-1, time)
    under_way: State | None = None  # prefixes that have their first token, their roll-outs, their sequences: flat rows
    going = torch.zeros(0, dtype=torch.long, device=tokens.device)  # which rows of `flat` those are
    places = torch.arange(len(flat), device=tokens.device).view(completed.shape[:3])
    every, ends = torch.arange(batch, device=tokens.device), generator.end is not None
    for step in range(time):
        how = generator.decoding_at(step, PLAIN)
        hidden, state = generator.advance(previous, state)  # (batch, width)
        previous = tokens[:, step]
        begun = sum(length < step for length in lengths)
        if begun:
            uniforms = random.uniform(begun, rollouts, batch, rows=2).to(tokens.device).reshape(-1, 1)
            if ends:
                going, under_way = still_going(flat[:, step - 1] != generator.end, going, under_way)
            if under_way is not None:
                rows = going if len(going) < len(uniforms) else slice(len(uniforms))  # all of them, without a copy
                ahead, under_way = generator.advance(flat[rows, step - 1], under_way)
                drawn, _ = draw(ahead, weight, bias, uniforms[rows], how, False, head)
                flat[rows, step] = drawn[:, 0]
        if step in lengths:
            uniforms = random.uniform(rollouts, batch, rows=1).to(tokens.device)
            first = uniforms.t().contiguous()
            drawn, _ = draw(hidden, weight, bias, first, how, False, head)  # (batch, rollouts)
            completed[begun, :, :, step] = drawn.t()
            unended = (tokens[:, :step] != generator.end).all(1).nonzero()[:, 0] if ends else every
            if step < time - 1 and len(unended):
                fresh = repeat(state if len(unended) == batch else select(state, unended), rollouts)
                under_way = fresh if under_way is None else join((under_way, fresh))
                going = torch.cat([going, places[begun][:, unended].flatten()])
    if generator.stops is not None and generator.end is not None:
        flat = completed.flatten(0, 2)
        completed = flat.masked_fill(generator.closed(flat), generator.end).view(completed.shape)
    return completed


def still_going(
    alive: Bool[Tensor, " rows"], going: Int[Tensor, " going"], state: State | None
) -> tuple[Int[Tensor, " left"], State | None]:
    """Roll-outs that have not come to their end, and their states; as they are while most go on: copies cost, too.

    Args:
        alive: whether the newest token of each roll-out is no end token.
        going: which roll-outs the states are of.
        state: theirs; None for none.
    """
    left = alive[going].nonzero()[:, 0]
    if state is None or len(left) > WORTH_KEEPING * len(going):
        return going, state
    return going[left], select(state, left) if len(left) else None


@torch.no_grad()
def rollout_values(
    generator: Generator,
    discriminator: Discriminator,
    tokens: Int[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    rollouts: int,
    random: Stream,
    worth: Callable[[Tensor], Tensor] = torch.sigmoid,
) -> Float[Tensor, "batch time"]:
    """What each prefix is worth: the mean worth of its completions.

        V_t = (1/N) Σ_n f(s(Yⁿ)), Yⁿ ∈ MC(Y_1:t; N), for t < T;   f(s(Y_1:T)) for t = T and from the end token on

    Args:
        generator: the roll-out policy.
        discriminator: scores finished sequences (s), without dropout.
        tokens: sequences drawn from the generator.
        mask: True where a token is real.
        rollouts: N, at least 1.
        random: where the numbers come from.
        worth: f, from the score of a sequence to what it is worth.
    """
    values = worth(discriminator.scores(tokens, mask))[:, None].repeat(1, tokens.shape[1])
    if tokens.shape[1] > 1:
        completed = complete(generator, tokens, rollouts, random)
        open_ended = mask[:, :-1] & mask[:, 1:]  # the sequence goes on after the prefix
        longest = max(1, int(open_ended.any(0).sum()))
        completed = completed[:longest]  # behind it every sequence has ended
        ended = mask_until(completed.flatten(0, 2), generator.end).view(completed.shape)
        scores = discriminator.completion_scores(completed, ended, range(1, longest + 1))  # (prefixes, rollouts, batch)
        found = worth(scores).mean(1).t()
        values[:, :longest] = torch.where(open_ended[:, :longest], found, values[:, :longest])
    return values


def rollout_rewards(
    generator: Generator,
    discriminator: Discriminator,
    tokens: Int[Tensor, "batch time"],
    mask: Bool[Tensor, "batch time"],
    rollouts: int,
    random: Stream,
    worth: Callable[[Tensor], Tensor] = torch.sigmoid,
) -> Float[Tensor, "batch time"]:
    """What choosing each token earned: the mean probability of being real over completions.

        Q(Y_1:t−1, y_t) = (1/N) Σ_n D(Yⁿ), Yⁿ ∈ MC(Y_1:t; N), for t < T;   D(Y_1:T) for t = T   (SeqGAN Eq. 4)

    Args:
        generator: the roll-out policy; the policy gradient is unbiased when it is the one that drew `tokens`.
        discriminator: scores finished sequences, without dropout.
        tokens: sequences drawn from the generator.
        mask: True where a token is real; from the end token on, Q is D(Y) itself.
        rollouts: N, at least 1.
        random: where the numbers come from.
        worth: what stands for D, from the score of a sequence.

    Returns:
        Q, in [0, 1] for probabilities, 0 where the mask is False.
    """
    return rollout_values(generator, discriminator, tokens, mask, rollouts, random, worth) * mask
