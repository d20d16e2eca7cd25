"""A discriminator that learns beside the policy of TRL's GRPO and RLOO trainers, in two lines.

    reward = AdversarialReward("model-folder", column="answer")
    trainer = RLOOTrainer(model=…, reward_funcs=reward, callbacks=[reward.callback], train_dataset=…)

`column` names the good answers of the data set, beside its `prompt`. Answers are scored by the ids that were sampled,
before the discriminator learns from them. It learns while the policy trains and never in an evaluation, stands in every
checkpoint of the trainer, and a resumed training goes on with it.

References: huggingface/trl, release 1.16.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqgans.algorithms.base import Play, Players
from seqgans.algorithms.judging import SMOOTHED, judge_loss
from seqgans.choices import choice
from seqgans.data.packages import optional_package
from seqgans.data.tokenizer import tokenizer_of_model
from seqgans.discriminators.pairs import beside
from seqgans.discriminators.pretrained import PretrainedScorer
from seqgans.errors import BadInput
from seqgans.objectives.adversarial import ADVERSARIAL
from seqgans.randomness import generator_for
from seqgans.rewards.answers import REWARDS
from seqgans.sequences import Sequences
from seqgans.training.borrowed import fingerprints, kept, load_players
from seqgans.training.checkpoint import load_checkpoint, save_checkpoint
from seqgans.training.fitting import positions_of

FOLDER = "discriminator"  # within a checkpoint of the trainer
Row = tuple[list[int], list[int], list[int]]
"""Ids of a prompt, of what was written and of the good answer."""


class AdversarialReward:
    """A reward function of TRL with a discriminator inside.

    Args:
        model: folder, .gguf file or hub name of the model that the policy starts from, as the discriminator does.
        column: of the data set, with the good answer to each prompt, as text.
        rate: learning rate of the discriminator.
        lora: rank of its adapters; 0 moves all of it.
        loss: its objective, by its name in `ADVERSARIAL`.
        reward: what a score is worth, by its name in `REWARDS`.
        smoothing: share of wrong labels, for relativistic and standard.
        replay: share of earlier answers among its negatives.
        memory: how many answers are remembered.
        seed: of all randomness.

    Raises:
        BadInput: there is no such model.
    """

    def __init__(
        self,
        model: str,
        *,
        column: str = "answer",
        rate: float = 1e-5,
        lora: int = 0,
        loss: str = "relativistic",
        reward: str = "logit",
        smoothing: float = 0.1,
        replay: float = 0.25,
        memory: int = 1024,
        seed: int = 0,
    ) -> None:
        choice(ADVERSARIAL, loss, "loss")
        self.worth = choice(REWARDS, reward, "reward")
        if smoothing and loss not in SMOOTHED:
            raise ValueError(f"AdversarialReward.smoothing goes with {' and '.join(SMOOTHED)} alone; set it to 0")
        self.__name__ = "adversarial"  # what TRL calls it in its logs
        self.column, self.loss, self.smoothing, self.replay = column, loss, smoothing, replay
        self.tokenizer = tokenizer_of_model(model)
        if self.tokenizer.eos_token_id is None:
            raise BadInput(f"the tokenizer of {model} must have an end token (eos_token); name one")
        self.random = generator_for(seed, "adversarial reward")
        settings, ids = PretrainedScorer(model=model, lora=lora), vocabulary_size(model)
        self.players = Players({"discriminator": settings.build(ids, 0, self.random)})
        self.positions = positions_of(self.players.discriminator.get_submodule("trunk").config)
        learns = [part for part in self.players.parameters() if part.requires_grad]
        self.optimizer = torch.optim.Adam(learns, lr=rate)
        self.past: deque[Row] = deque(maxlen=memory)
        self.policy: Any = None  # told by the callback
        self.updates, self.accuracy = 0, 0.5
        self.callback = callback_of(self)

    def __call__(
        self, prompts: Sequence[Any], completions: Sequence[Any], completion_ids: Sequence[Sequence[int]], **more: Any
    ) -> list[float]:
        """Rewards of some answers; then, while the policy trains, a step of the discriminator.

        Args:
            prompts: texts or messages.
            completions: of no account: what was sampled is in `completion_ids`.
            completion_ids: ids of each answer, the end token included where it came.
            more: columns of the data set, among them the good answers, and what TRL adds.

        Raises:
            BadInput: the column is missing or holds no text, an answer does not fit the model, or training goes on
                without the callback.
        """
        if self.column not in more:
            raise BadInput(f"the data set must have a column {self.column!r} of good answers; name it: column=…")
        if self.policy is None and getattr(more.get("trainer_state"), "global_step", 0) > 0:
            raise BadInput(
                "the discriminator learns only beside its callback; give the trainer callbacks=[reward.callback]"
            )
        rows = [
            (self.prompt_ids(prompt), list(ids) or [self.end], self.answer_ids(good))
            for prompt, ids, good in zip(prompts, completion_ids, more[self.column], strict=True)
        ]
        _, fake = self.sides(rows)
        with torch.no_grad():
            scores = beside(self.players.discriminator, fake.source).scores(fake.tokens, fake.mask)
        if self.policy is not None and self.policy.training:
            self.learn(rows)
            if "log_metric" in more:
                more["log_metric"]("discriminator/accuracy", self.accuracy)
        return self.worth(scores).tolist()

    @property
    def end(self) -> int:
        """Id of the end token."""
        return self.tokenizer.eos_token_id

    def prompt_ids(self, prompt: Any) -> list[int]:
        """Ids of a prompt, a text or messages."""
        if isinstance(prompt, str):
            return self.tokenizer(prompt)["input_ids"] or [self.end]
        return self.tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=False)

    def answer_ids(self, answer: Any) -> list[int]:
        """Ids of a good answer, closed by the end token.

        Raises:
            BadInput: it is no text.
        """
        if not isinstance(answer, str):
            raise BadInput(f"the column {self.column!r} must hold good answers as text, got {answer!r}; leave such out")
        return [*self.tokenizer(answer, add_special_tokens=False)["input_ids"], self.end]

    def sides(self, rows: Sequence[Row]) -> tuple[Sequences, Sequences]:
        """Good answers and written ones, each beside its prompt; of what was cut, the good one is cut as well."""
        longest = max(len(prompt) + max(len(fake), len(good)) for prompt, fake, good in rows)
        if self.positions is not None and longest > self.positions:
            raise BadInput(
                f"prompt and answer must fit the {self.positions} positions of the discriminator's model, "
                f"got {longest} tokens; shorten the data, or lower max_completion_length"
            )
        device = next(self.players.parameters()).device
        source = padded([prompt for prompt, _, _ in rows], self.end, device)
        wide = max(max(len(ids) for _, ids, _ in rows), max(len(ids) for _, _, ids in rows))
        real = [good if fake[-1] == self.end else good[: max(1, len(fake))] for _, fake, good in rows]
        found = [padded(side, self.end, device, wide) for side in (real, [fake for _, fake, _ in rows])]
        return tuple(Sequences(side.tokens, side.mask, source=source) for side in found)  # pyright: ignore

    def learn(self, rows: list[Row]) -> None:
        """One step on the newest answers and some earlier ones."""
        chosen = list(rows)
        for place in torch.randperm(len(rows), generator=self.random)[: round(self.replay * len(rows))].tolist():
            if self.past:
                chosen[place] = self.past[int(torch.randint(len(self.past), (), generator=self.random))]
        self.past.extend(rows)
        real, fake = self.sides(chosen)
        told = {"objective": self.loss, "smoothing": self.smoothing, "score_penalty": 0.001, "each_token": False}
        with torch.enable_grad():
            found = judge_loss(self.players, Play(real=real, fake=fake), **told)  # pyright: ignore[reportArgumentType]
            self.optimizer.zero_grad(set_to_none=True)
            found.value.backward()
        learns = [part for group in self.optimizer.param_groups for part in group["params"]]
        together(learns)
        torch.nn.utils.clip_grad_norm_(learns, 1.0)
        self.optimizer.step()
        self.updates, self.accuracy = self.updates + 1, found.figures["accuracy"]

    def save(self, folder: Path) -> None:
        """Keep what learns, its moments, earlier answers and the random state."""
        tensors = {**kept(self.players, "players/"), "random": self.random.get_state()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{name}": part for name, part in slots.items()}
        facts = {"past": [list(row) for row in self.past], "updates": self.updates, "bases": fingerprints(self.players)}
        save_checkpoint(folder, tensors, facts)

    def load(self, folder: Path) -> None:
        """Stand where `save` stood.

        Raises:
            BadInput: there is nothing, or something else.
        """
        tensors, facts = load_checkpoint(folder)
        state = {name.removeprefix("players/"): part for name, part in tensors.items() if name.startswith("players/")}
        load_players(self.players, state, facts["bases"])
        slots: dict[int, dict[str, Tensor]] = {}
        for name, part in tensors.items():
            if name.startswith("optimizer/"):
                _, index, slot = name.split("/")
                slots.setdefault(int(index), {})[slot] = part
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": slots})
        self.random.set_state(tensors["random"])
        self.past.clear()
        self.past.extend(tuple(row) for row in facts["past"])  # pyright: ignore[reportArgumentType]
        self.updates = facts["updates"]


def callback_of(reward: AdversarialReward) -> Any:
    """What a trainer tells the discriminator: whose policy trains, and when to save or to go on."""
    transformers = optional_package("transformers", "a trainer of TRL", extra="trl")

    class Beside(transformers.TrainerCallback):
        """Saves and resumes the discriminator with the trainer."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            """Know the policy; go on where the trainer goes on."""
            reward.policy = more["model"]
            reward.players.to(next(more["model"].parameters()).device)
            if state.global_step:
                reward.load(Path(args.output_dir) / f"checkpoint-{state.global_step}" / FOLDER)

        def on_save(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            """Into the trainer's own checkpoint."""
            if state.is_world_process_zero:
                reward.save(Path(args.output_dir) / f"checkpoint-{state.global_step}" / FOLDER)

    return Beside()


def vocabulary_size(model: str) -> int:
    """Ids that a model knows."""
    from seqgans.data.tokenizer import address, base_of

    transformers = optional_package("transformers", "a pre-trained model", extra="lm")
    where, more = address(base_of(model))
    return transformers.AutoConfig.from_pretrained(where, **more).vocab_size


def padded(rows: Sequence[Sequence[int]], filler: int, device: torch.device, width: int = 0) -> Sequences:
    """Rows of equal width; the mask says what is real, whatever it is filled with."""
    width = max(width, *(len(row) for row in rows))
    tokens = torch.full((len(rows), width), filler, dtype=torch.long)
    for place, row in enumerate(rows):
        tokens[place, : len(row)] = torch.tensor(list(row), dtype=torch.long)
    mask = torch.arange(width) < torch.tensor([len(row) for row in rows])[:, None]
    return Sequences(tokens, mask).to(device)


def together(parameters: Sequence[torch.nn.Parameter]) -> None:
    """The mean of gradients over all processes, where there are several."""
    if not torch.distributed.is_initialized() or torch.distributed.get_world_size() == 1:
        return
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        torch.distributed.all_reduce(parameter.grad)
        parameter.grad /= torch.distributed.get_world_size()
