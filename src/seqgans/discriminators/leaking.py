"""The text CNN of LeakGAN: it scores sentences, and hands its features of every prefix to the generator.

A prefix of t tokens is read as a sentence whose other positions are padding. Reading one more token adds one
product to each window that covers it, so the features of all T + 1 prefixes together need as many products
as those of one sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seqgans.discriminators.base import Discriminator, embed
from seqgans.discriminators.convolutional import CNN, PAPER_MAPS, PAPER_WIDTHS, Convolutional, check_filters
from seqgans.errors import BadInput
from seqgans.generators.base import State, look_up
from seqgans.randomness import Stream

Taps = tuple[Tensor, Tensor, Tensor]
"""What reading with the filters of one width takes: see `Leaking._taps`."""


@dataclass(frozen=True, kw_only=True)
class LeakingCNN:
    """Settings of the leaking discriminator; the defaults are those of LeakGAN at length 20.

    Attributes:
        embedding: width of a token's embedding.
        widths: tokens seen by each kind of filter; those longer than the sequences are left out.
        maps: number of filters of each width.
        dropout: probability of dropping a feature while the discriminator learns.
        decay: L2 penalty on the output layer, weight and bias.
    """

    paper: ClassVar[str] = "Guo, Lu, Cai, Zhang, Yu and Wang 2018"

    embedding: int = 64
    widths: tuple[int, ...] = PAPER_WIDTHS
    maps: tuple[int, ...] = PAPER_MAPS
    dropout: float = 0.0
    decay: float = 0.0

    def __post_init__(self) -> None:
        check_filters(self)

    def plain(self) -> CNN:
        """The same settings for the network that does not leak."""
        return CNN(**asdict(self))

    def build(self, vocabulary_size: int, length: int, random: torch.Generator) -> Discriminator:
        """A discriminator with freshly drawn parameters for sequences of `length` tokens."""
        return Leaking(vocabulary_size, length, self, random)


class Leaking(Discriminator):
    """D(s) = σ(φ_l · F(s)); f_t = F(y_1 … y_t, padding …) is what the generator sees of it.

    F is all of the SeqGAN paper's CNN up to and including the highway layer. Leaked features never carry a
    gradient: to the generator they are part of the world.

    Args:
        vocabulary_size: number of ids.
        length: tokens of a sequence; every prefix is padded to it.
        settings: widths, maps, dropout, decay.
        random: where the parameters come from.
    """

    def __init__(self, vocabulary_size: int, length: int, settings: LeakingCNN, random: torch.Generator) -> None:
        super().__init__(vocabulary_size)
        self.settings = settings
        self.length = length
        self.network = Convolutional(vocabulary_size, length, settings.plain(), random)
        self._kept: tuple[tuple[tuple[int, int], ...], list[Taps]] | None = None

    @property
    def feature_count(self) -> int:
        """How many features it leaks."""
        return self.network.output.in_features

    def scores(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"], *, random: Stream | None = None
    ) -> Float[Tensor, " batch"]:
        """Logit of each sequence being real."""
        return self.network.scores(*self._filled(tokens, mask), random=random)

    def completion_scores(
        self,
        tokens: Int[Tensor, "prefixes rollouts batch time"],
        mask: Bool[Tensor, "prefixes rollouts batch time"],
        lengths: Sequence[int],
    ) -> Float[Tensor, "prefixes rollouts batch"]:
        """Scores of roll-outs that share their prefixes."""
        if tokens.shape[-1] != self.length:
            return super().completion_scores(tokens, mask, lengths)
        return self.network.completion_scores(tokens, mask, lengths)

    def penalty(self) -> Tensor:
        """λ/2 (‖w_o‖² + b_o²), on the output layer only."""
        return self.network.penalty()

    def features(self, tokens: Tensor, mask: Bool[Tensor, "batch time"]) -> Float[Tensor, "batch width"]:
        """F(s) of each sequence, padded to the full length."""
        return self.network.features(*self._filled(tokens, mask))

    @torch.no_grad()
    def prefix_features(
        self, tokens: Tensor, mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch prefixes width"]:
        """f_t of every prefix, from the empty one to the whole sequence: time + 1 rows, no gradient.

        Args:
            tokens: ids (batch, time), or weights over the vocabulary (batch, time, vocab).
            mask: True where a token is real; None where all are. From the end of a sequence on, f_t stays as it is.
        """
        if mask is None:
            mask = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        embedded = embed(self.network.embedding, tokens, mask)  # (batch, time, embedding)
        state = self.start_state(len(embedded))
        pooled = [self._pooled_padding().expand(len(embedded), -1)]
        for read in range(embedded.shape[1]):
            now, state = self._read(embedded[:, read], state, read)
            pooled.append(now)
        stacked = torch.stack(pooled, 1)  # (batch, time + 1, width)
        return self.network.highway(stacked.flatten(0, 1)).view(stacked.shape)

    @torch.no_grad()
    def start_state(self, count: int) -> State:
        """What is remembered of `count` empty prefixes.

        Its first tensor holds the largest value of each filter over the windows that are full; each further one
        (batch, windows, maps) holds the sums so far of the windows of one width that still lack tokens.
        """
        largest = self.network.embedding.new_full((count, self.feature_count), -torch.inf)
        return (largest, *(largest.new_empty(count, 0, layer.out_features) for layer in self._layers()))

    @torch.no_grad()
    def empty_features(self, count: int) -> Float[Tensor, "batch width"]:
        """f_0, the features of the empty prefix, in `count` equal rows."""
        return self.network.highway(self._pooled_padding()).expand(count, -1)

    @torch.no_grad()
    def advance(self, tokens: Tensor, state: State, read: int) -> tuple[Float[Tensor, "batch width"], State]:
        """Read one token a row; the features of the prefix it completes, and the new state.

        Args:
            tokens: ids (batch,), or weights over the vocabulary (batch, vocab).
            state: what came before.
            read: how many tokens came before, the same for all rows.
        """
        pooled, state = self._read(look_up(self.network.embedding[:-1], tokens), state, read)
        return self.network.highway(pooled), state

    def _read(
        self, embedded: Float[Tensor, "batch embedding"], state: State, read: int
    ) -> tuple[Float[Tensor, "batch width"], State]:
        """The pooled filters of the padded prefix that ends with `embedded`, before the highway.

        A window of width l that starts at i and covers the token at u = `read` takes it with its tap j = u − i.
        For all such windows, the newest (smallest j) first: add the tap's product, then let the window that is
        full compete with the largest so far, and those still open with their missing tokens read as padding.
        """
        if read >= self.length:
            raise BadInput(f"the discriminator reads at most {self.length} tokens, got one more; shorten the sequences")
        largest, *sums = state
        full = list(largest.split([layer.out_features for layer in self._layers()], 1))
        pooled = []
        for index, (taps, padding, bias) in enumerate(self._taps()):
            width, maps, size = taps.shape
            last = self.length - width  # where the last window starts
            newest, oldest = max(0, read - last), min(read, width - 1)  # taps of the windows that cover the token
            within = taps[newest : oldest + 1].reshape(-1, size)
            products = (embedded @ within.t()).view(len(embedded), -1, maps)  # (batch, windows, maps)
            if read <= last:  # a window starts here
                products[:, 0] += bias
                products[:, 1:] += sums[index]
            else:
                products += sums[index]
            if oldest == width - 1:  # the oldest window is full
                full[index] = torch.maximum(full[index], products[:, -1])
                products, oldest = products[:, :-1], oldest - 1
            sums[index] = products
            best = full[index]
            if oldest >= newest:
                best = torch.maximum(best, (products + padding[newest + 1 : oldest + 2]).amax(1))
            if read < last:  # windows of nothing but padding
                best = torch.maximum(best, padding[0] + bias)
            pooled.append(best)
        return torch.cat(pooled, 1).relu_(), (torch.cat(full, 1), *sums)

    def _pooled_padding(self) -> Float[Tensor, "1 width"]:
        """The pooled filters of a sentence of padding."""
        return torch.cat([padding[0] + bias for _, padding, bias in self._taps()])[None].relu()

    def _layers(self) -> Sequence[nn.Linear]:
        return [layer for layer in self.network.filters if isinstance(layer, nn.Linear)]

    def _taps(self) -> list[Taps]:
        """For each width its taps (width, maps, embedding), what padding adds from tap m on (width, maps), its bias.

        Kept while no parameter changes.
        """
        table = self.network.embedding
        sources = [table, *(part for layer in self._layers() for part in (layer.weight, layer.bias))]
        key = tuple((part.data_ptr(), part._version) for part in sources)
        if self._kept is None or self._kept[0] != key:
            found = []
            for layer in self._layers():
                taps = layer.weight.detach().view(layer.out_features, -1, table.shape[1]).transpose(0, 1).contiguous()
                padding = (taps @ table.detach()[-1]).flip(0).cumsum(0).flip(0)
                found.append((taps, padding, layer.bias.detach()))
            self._kept = key, found
        return self._kept[1]

    def _filled(self, tokens: Tensor, mask: Bool[Tensor, "batch time"]) -> tuple[Tensor, Tensor]:
        """Sequences of the full length, padded where they are shorter."""
        missing = self.length - mask.shape[1]
        if missing < 0:
            raise BadInput(
                f"the discriminator reads at most {self.length} tokens, got {mask.shape[1]}; shorten the sequences"
            )
        behind = (0, 0, 0, missing) if tokens.is_floating_point() else (0, missing)
        return nn.functional.pad(tokens, behind), nn.functional.pad(mask, (0, missing))
