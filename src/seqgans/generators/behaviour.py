"""Behaviour policies: laws to draw from that are more cautious than the generator's own, and their densities.

    cold      π^τ(y_t | ·) ∝ π(y_t | ·)^{1/τ}                        full support
    nucleus   the fewest tokens whose mass reaches p, renormalised    nothing elsewhere
    mixture   ε π^τ + (1 − ε) π^nuc                                   full support again

A mixture of sequences draws once which of the two writes the whole, and its density is a sum of both; a mixture of
tokens draws anew at each, and is one more way to decode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seqgans.generators.base import Generator
from seqgans.generators.decoding import CHUNK_VALUES, Decoding
from seqgans.randomness import Stream
from seqgans.sequences import Samples

Kind = Literal["cold", "nucleus", "mixture"]


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """Where samples come from.

    Attributes:
        kind: cold, nucleus or mixture.
        temperature: τ of what is cold; 1 is the generator itself.
        nucleus: p, the mass of the nucleus, in (0, 1].
        cold_share: ε, share of the mixture that is cold, in (0, 1).
        level: what is mixed: whole sequences, or tokens.
    """

    kind: Kind = "mixture"
    temperature: float = 0.2
    nucleus: float = 0.9
    cold_share: float = 0.1
    level: Literal["sequence", "token"] = "sequence"

    def draw(self, law: Generator, count: int, length: int, random: Stream) -> tuple[Samples, Float[Tensor, " batch"]]:
        """Samples, and the log-density of each whole sequence under this policy, in nats.

        In a mixture of sequences both components write every row, so that several processes stay in step; a row's
        density under the one that wrote it is the sampler's own: rounding cannot move a token out of its nucleus.

        Args:
            law: the generator.
            count: rows.
            length: tokens of each.
            random: where the numbers come from.
        """
        cold, nucleus = Decoding(temperature=self.temperature), Decoding(top_p=self.nucleus)
        if self.kind != "mixture" or self.level == "token":
            one = Decoding(temperature=self.temperature, share=self.cold_share, other=nucleus)
            found = law.sample(
                count, length, random=random, decoding={"cold": cold, "nucleus": nucleus, "mixture": one}[self.kind]
            )
            return found, found.log_probs.sum(1)
        is_cold = random.uniform(count).to(law.output.weight.device) < self.cold_share
        both = [law.sample(count, length, random=random, decoding=decoding) for decoding in (cold, nucleus)]
        rows = is_cold[:, None]
        tokens, mask = torch.where(rows, both[0].tokens, both[1].tokens), torch.where(rows, both[0].mask, both[1].mask)
        densities = []
        for decoding, drawn, own in ((cold, both[0], is_cold), (nucleus, both[1], ~is_cold)):
            again = decoded_log_probs(law, tokens, decoding).masked_fill(~mask, 0.0).sum(1)
            densities.append(torch.where(own, drawn.log_probs.sum(1), again))
        shares = torch.tensor([self.cold_share, 1 - self.cold_share], device=tokens.device).log()
        density = torch.logaddexp(densities[0] + shares[0], densities[1] + shares[1])
        own = torch.where(rows, both[0].log_probs, both[1].log_probs)
        return Samples(tokens, mask, own), density


@torch.no_grad()
def decoded_log_probs(
    law: Generator, tokens: Int[Tensor, "batch time"], decoding: Decoding
) -> Float[Tensor, "batch time"]:
    """Log-probability of given tokens under the law that a decoding makes of a generator's; −∞ for what it never draws.

    A few rows of logits at a time: no (batch, time, vocabulary) tensor.
    """
    hidden, weight, bias = law.hidden(tokens), law.output.weight, law.output.bias
    found, step = torch.empty_like(hidden[:, :, 0]), max(1, CHUNK_VALUES // len(weight))
    for time in range(tokens.shape[1]):
        how = law.decoding_at(time, decoding)
        for rows in torch.arange(len(tokens), device=tokens.device).split(step):
            logits = how.shape(nn.functional.linear(hidden[rows, time].to(weight.dtype), weight, bias).float())
            found[rows, time] = logits.log_softmax(1).gather(1, tokens[rows, time, None])[:, 0]
    return found if law.stops is None else law.settled(found, tokens)
