"""Settings of a run: everything that is not the algorithm, its players or its corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How a run is carried out and watched.

    Attributes:
        seed: of all randomness.
        device: where networks live; auto takes a GPU where there is one.
        precision: arithmetic inside networks; parameters stay float32.
        threads: processor threads, 0 for PyTorch's own choice; tiny recurrent models are fastest on one.
        accumulate: parts in which a minibatch is computed, one after another, to save memory.
        eval_every: rounds (pre-training: epochs) between evaluations, 0 for only the first and last.
        eval_samples: sequences drawn for an evaluation on the way.
        final_samples: sequences drawn for the evaluations before and after the game, which the report shows.
        checkpoint_every: rounds (pre-training: epochs, d-steps) between checkpoints, 0 for only the last.
        checkpoint_minutes: a checkpoint also after so many minutes without one, in the middle of an epoch too; 0 for
            none.
        keep: how many checkpoints stay, besides the best.
        best: the figure whose lowest value marks the best checkpoint; auto takes the Jensen-Shannon divergence on an
            oracle or world and the negative log-likelihood of validation sequences elsewhere; fed is the Fréchet
            distance of samples and validation sequences as hashed n-grams (by FED ScratchGAN chooses).
        on_collapse: what follows an alarm of collapse in a game: note it, or stop and go back to the last good
            checkpoint; auto stops where the generator is a pre-trained model.
        show: samples printed and kept at each evaluation.
        completions_every: rounds between tables of answers with score, reward and divergence, where the algorithm is a
            fine-tuning; 0 for none; none given: 10 where the generator is a pre-trained model, else 0.
        curves: draw the curves of both players as curves.png; none given: where the generator is a pre-trained model.
        tensorboard: write TensorBoard scalars.
        trackers: further boards that accelerate knows, separated by commas (wandb, trackio, mlflow, …).
        start: folder of a run whose players of the same name this one starts with, instead of fresh ones; set the
            pre-training to 0 epochs to begin the game at once.
        start_checkpoint: which of its checkpoints: latest, best or pretrained.
    """

    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    threads: int = 1
    accumulate: int = 1
    eval_every: int = 5
    eval_samples: int = 1000
    final_samples: int = 5000
    checkpoint_every: int = 5
    checkpoint_minutes: float = 20.0
    keep: int = 2
    best: Literal["auto", "jsd", "reverse_kl", "nll_oracle", "nll_valid", "fed"] = "auto"
    on_collapse: Literal["auto", "note", "stop"] = "auto"
    show: int = 5
    completions_every: int | None = None
    curves: bool | None = None
    tensorboard: bool = True
    trackers: str = ""
    start: str | None = None
    start_checkpoint: str = "latest"

    def __post_init__(self) -> None:
        for name, least in (
            ("seed", 0),
            ("threads", 0),
            ("accumulate", 1),
            ("eval_every", 0),
            ("eval_samples", 2),
            ("final_samples", 2),
            ("checkpoint_every", 0),
            ("checkpoint_minutes", 0),
            ("keep", 1),
            ("show", 0),
            ("completions_every", 0),
        ):
            if getattr(self, name) is not None and getattr(self, name) < least:
                raise ValueError(f"RunSettings.{name} must be at least {least}, got {getattr(self, name)}")
