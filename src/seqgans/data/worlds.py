"""Tiny worlds whose law is known exactly, so that what a model learnt can be measured and not only guessed.

Every world is a probabilistic automaton: a state, a law over the next token for each time and state, and the
state each token leads to. Entropy, likelihood and sampling follow from that alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from seqgans.randomness import Stream, as_stream, generator_for


class Automaton(NamedTuple):
    """The law of a world; state 0 is the one before the first token.

    Attributes:
        law: float64, probability of each token at each time in each state; rows of states that can be reached
            sum to 1.
        moves: the state each token leads to.
    """

    law: Float[Tensor, "time states vocab"]
    moves: Int[Tensor, "time states vocab"]


@final
@dataclass(frozen=True)
class World:
    """A law over sequences of one length, known exactly.

    Attributes:
        name: what follows `world:` in a spec.
        description: one line.
        vocabulary_size: number of ids; 0 is also the input before the first token.
        length: tokens of every sequence; there is no end token.
        build: makes the automaton, when it is first needed.
    """

    name: str
    description: str
    vocabulary_size: int
    length: int
    build: Callable[[int, int], Automaton]

    @cached_property
    def automaton(self) -> Automaton:
        """The law, made once."""
        return self.build(self.vocabulary_size, self.length)

    def entropy(self) -> float:
        """Exact entropy in nats per token: what a perfect model's negative log-likelihood per token is.

        H = −(1/T) Σ_t Σ_s P(s_t = s) Σ_y p_t(y | s) ln p_t(y | s)
        """
        law, moves = self.automaton
        reached = torch.zeros(law.shape[1], dtype=torch.float64)
        reached[0] = 1.0
        total = 0.0
        for now, lead in zip(law, moves, strict=True):
            joint = reached[:, None] * now  # (states, vocab)
            total -= (reached[:, None] * torch.special.xlogy(now, now)).sum().item()
            reached = torch.zeros_like(reached).index_add_(0, lead.flatten(), joint.flatten())
        return total / self.length

    def log_probs(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
        """Log p(y_t | y_<t) in nats, exact; −inf for a token that cannot follow.

        After the first −inf of a row the values are those of some possible history; their sum is −inf anyway.

        Args:
            tokens: sequences of at most `length` tokens.
        """
        law, moves = (part.to(tokens.device) for part in self.automaton)
        state = torch.zeros(tokens.shape[0], dtype=torch.long, device=tokens.device)
        columns = []
        for time in range(tokens.shape[1]):
            columns.append(law[time, state, tokens[:, time]].log())
            state = moves[time, state, tokens[:, time]]
        return torch.stack(columns, 1).float()

    def sample(self, count: int, random: torch.Generator | Stream) -> Int[Tensor, "batch time"]:
        """Sequences drawn from the world, on the CPU.

        Args:
            count: rows.
            random: where the numbers come from; the same seed gives the same sequences.
        """
        law, moves = self.automaton
        uniforms = as_stream(random).uniform(count, self.length).double().cpu().t().contiguous()  # (time, batch)
        state = torch.zeros(count, dtype=torch.long)
        tokens = torch.empty(count, self.length, dtype=torch.long)
        for time in range(self.length):
            upto = law[time, state].cumsum(1)  # (batch, vocab)
            upto = upto / upto[:, -1:]  # ends at exactly 1, so that no impossible token is drawn
            tokens[:, time] = torch.searchsorted(upto, uniforms[time, :, None], right=True)[:, 0]
            state = moves[time, state, tokens[:, time]]
        return tokens

    def support(self) -> Int[Tensor, "sequences time"]:
        """Every sequence that can occur, in dictionary order; only for worlds that have few (not `markov`)."""
        law, moves = self.automaton
        rows = torch.zeros(1, 0, dtype=torch.long)
        state = torch.zeros(1, dtype=torch.long)
        for now, lead in zip(law, moves, strict=True):
            row, token = (now[state] > 0).nonzero(as_tuple=True)
            if len(row) > LARGEST_SUPPORT:
                raise ValueError(f"world:{self.name} must have at most {LARGEST_SUPPORT} sequences to list them all")
            rows = torch.cat((rows[row], token[:, None]), 1)
            state = lead[state[row], token]
        return rows


LARGEST_SUPPORT = 1_000_000


def parrot(vocabulary_size: int, length: int) -> Automaton:
    """Says 1 2 1 2 ... or 2 1 2 1 ...: one coin, then no choice."""
    law = torch.zeros(length, 3, vocabulary_size, dtype=torch.float64)
    law[:, 0, 1:3] = 0.5
    law[:, 1, 2] = law[:, 2, 1] = 1.0  # state = the token before
    return Automaton(law, torch.arange(vocabulary_size).expand(length, 3, -1))


def markov(vocabulary_size: int, length: int) -> Automaton:
    """Each token depends on the one before through softmax(2 z), z ~ N(0, 1) from a fixed seed."""
    random = generator_for(0, "world", "markov")
    scores = 2.0 * torch.randn(vocabulary_size + 1, vocabulary_size, generator=random, dtype=torch.float64)
    law = scores.softmax(1).expand(length, -1, -1)  # state = 1 + the token before
    return Automaton(law, torch.arange(1, vocabulary_size + 1).expand(length, vocabulary_size + 1, -1))


def brackets(vocabulary_size: int, length: int) -> Automaton:
    """Balanced strings of 1 (opens) and 2 (closes), all equally likely: each choice by what it can still become."""
    depths = length + 1
    completions = torch.zeros(length + 1, depths + 1, dtype=torch.float64)  # of `left` tokens from a depth to 0
    completions[0, 0] = 1.0
    for left in range(1, length + 1):
        completions[left, :-1] += completions[left - 1, 1:]  # open
        completions[left, 1:] += completions[left - 1, :-1]  # close
    law = torch.zeros(length, depths, vocabulary_size, dtype=torch.float64)
    for time in range(length):
        left = length - time
        law[time, :, 1] = completions[left - 1, 1:]
        law[time, 1:, 2] = completions[left - 1, : depths - 1]
        law[time] /= completions[left, :depths, None].clamp(min=1.0)
    depth = torch.arange(depths)[:, None]
    moves = depth.repeat(1, vocabulary_size)
    moves[:, 1], moves[:, 2] = (depth[:, 0] + 1).clamp(max=depths - 1), (depth[:, 0] - 1).clamp(min=0)
    return Automaton(law, moves.expand(length, -1, -1))


def skewed(vocabulary_size: int, length: int) -> Automaton:
    """Sequence number n (read as digits) has probability ∝ 1 / (1 + 7 n mod N), N the number of sequences.

    Zipf's law over all sequences in a scattered order: no token or pair alone tells what is likely.
    """
    total = vocabulary_size**length
    weights = 1.0 / (1.0 + (7.0 * torch.arange(total, dtype=torch.float64)) % total)
    states = total // vocabulary_size
    law = torch.zeros(length, states, vocabulary_size, dtype=torch.float64)
    for time in range(length):  # state = the digits so far as one number
        mass = weights.reshape(vocabulary_size**time, vocabulary_size, -1).sum(2)
        law[time, : mass.shape[0]] = mass / mass.sum(1, keepdim=True)
    moves = torch.arange(states)[:, None] * vocabulary_size + torch.arange(vocabulary_size)
    return Automaton(law, (moves % states).expand(length, -1, -1))


def copy(vocabulary_size: int, length: int) -> Automaton:
    """The first half is uniform, the second repeats it: 1/2 ln V nats per token, all of it long-range."""
    half = length // 2
    words = vocabulary_size**half
    law = torch.zeros(length, words, vocabulary_size, dtype=torch.float64)
    moves = torch.arange(words)[:, None].repeat(length, 1, vocabulary_size)
    for time in range(half):  # state = the digits so far as one number
        law[time] = 1.0 / vocabulary_size
        moves[time] = (torch.arange(words)[:, None] * vocabulary_size + torch.arange(vocabulary_size)) % words
        digit = torch.arange(words) // vocabulary_size ** (half - 1 - time) % vocabulary_size
        law[half + time, torch.arange(words), digit] = 1.0
    return Automaton(law, moves)


def arithmetic(vocabulary_size: int, length: int) -> Automaton:
    """S → x | S+S | S−S | S*S | S/S: 1 is x, 2 and above are operators, 0 is the blank that fills up the rest.

    Each number of operators that fits is equally likely, and each of them is drawn uniformly.
    """
    most = (length - 1) // 2  # operators
    operand, between, over = range(3)  # what the state says of the next token
    law = torch.zeros(length, 3, vocabulary_size, dtype=torch.float64)
    law[:, operand, 1] = law[:, over, 0] = 1.0
    for time in range(length):
        left = max(0, most - time // 2)  # operators that still fit, after an operand at an even place
        law[time, between, 0] = 1.0 / (1 + left)
        law[time, between, 2:] = left / (1 + left) / (vocabulary_size - 2)
    moves = torch.full((3, vocabulary_size), operand)
    moves[operand, 1], moves[between, 0], moves[over] = between, over, over
    return Automaton(law, moves.expand(length, -1, -1))


WORLDS: dict[str, World] = {
    "parrot": World("parrot", "1 2 1 2 ... or 2 1 2 1 ..., one coin for all of it", 3, 8, parrot),
    "markov": World("markov", "a Markov chain with random transitions", 20, 12, markov),
    "brackets": World("brackets", "balanced brackets, every such string equally likely", 3, 16, brackets),
    "skewed": World("skewed", "27 sequences under Zipf's law in a scattered order", 3, 3, skewed),
    "copy": World("copy", "four free tokens, then the same four again", 4, 8, copy),
    "arithmetic": World("arithmetic", "x, x+x, x*x-x … of at most 12 symbols, filled up", 6, 12, arithmetic),
}
