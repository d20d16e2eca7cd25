"""A small text CNN that learns to tell classes of sequences apart, for metrics that ask an independent judge.

Filters, pooling and highway are those of the convolutional discriminator (Kim 2014), with a logit for each class.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from seqgans.discriminators.convolutional import CNN, Convolutional
from seqgans.evaluation.closed import UNKNOWN, batches, encoded
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.ngrams import Flat

SETTINGS = CNN(embedding=32, widths=(1, 2, 3, 4, 5), maps=(64, 64, 64, 64, 64), dropout=0.5, decay=0.0)
PADDED = max(SETTINGS.widths)  # so much padding that a row has the same windows in every batch
BATCH, READ = 64, 500  # sequences learnt from and read at once
RATE, EPOCHS = 2e-3, 6
VALID = 10  # every tenth sequence says which pass was best
LONGEST = 128  # tokens that are read of a sequence


@dataclass(frozen=True)
class Classifier:
    """A network that names the class of a sequence.

    Attributes:
        vocabulary: the ids it knows, sorted; all others are one unknown word.
        network: one logit for each class.
        epochs: passes after which held-out sequences were named best.
    """

    vocabulary: np.ndarray
    network: Convolutional
    epochs: int

    @classmethod
    def learn(cls, rows: Sequence[Sequence[int]], labels: Sequence[int], classes: int, *, seed: int = 0) -> Classifier:
        """Cross-entropy by Adam; what is kept is the pass that had the lowest one on every tenth sequence.

        Args:
            rows: lists of ids, at least two; an id that occurs once is unknown.
            labels: class of each, from 0.
            classes: how many there are.
            seed: of the parameters, the order of sequences and dropout.
        """
        random = generator_for(seed, "evaluation", "classifier")
        words, counts = np.unique(Flat.of(rows).tokens, return_counts=True)
        vocabulary = words[counts > 1]
        network = Convolutional(len(vocabulary) + UNKNOWN + 1, PADDED, SETTINGS, random, classes)
        optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
        order = torch.randperm(len(rows), generator=random).numpy()
        valid, train = order[::VALID], np.delete(order, np.s_[::VALID])
        coded, targets = encoded(rows, vocabulary, LONGEST), torch.tensor(labels)
        learnt, held_out = [coded[place] for place in train], [rows[place] for place in valid]
        best, kept, epochs = float("inf"), copy.deepcopy(network.state_dict()), 0
        for epoch in range(1, EPOCHS + 1):
            for places, tokens, mask in batches(learnt, BATCH, random, PADDED):
                optimizer.zero_grad(set_to_none=True)
                logits = network.logits(tokens, mask, random=Stream(random))
                nn.functional.cross_entropy(logits, targets[train[places]]).backward()
                optimizer.step()
            logits = cls(vocabulary, network, epoch).logits(held_out)
            now = float(nn.functional.cross_entropy(logits, targets[valid]))
            if now < best:
                best, kept, epochs = now, copy.deepcopy(network.state_dict()), epoch
        network.load_state_dict(kept)
        return cls(vocabulary, network.requires_grad_(False), epochs)

    @torch.no_grad()
    def logits(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """One number for each row and class."""
        found = torch.zeros(len(rows), self.network.output.out_features)
        for places, tokens, mask in batches(encoded(rows, self.vocabulary, LONGEST), READ, extra=PADDED):
            found[places] = self.network.logits(tokens, mask)
        return found

    def named(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """The most likely class of each row."""
        return self.logits(rows).argmax(1).numpy()
