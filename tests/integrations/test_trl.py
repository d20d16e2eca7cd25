"""A discriminator inside TRL's trainers: it learns in training, not in evaluation, and outlives a checkpoint.

Against the release in constraints.txt; left out where TRL is not installed. Mutants killed: a step in an evaluation,
ids that are tokenised again, a resume with a fresh discriminator, moments or memory that are lost.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.integrations.trl import FOLDER, AdversarialReward
from tests.generators.models import model_folder

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("model"))


def weights(reward: AdversarialReward) -> dict[str, torch.Tensor]:
    return {name: part.clone() for name, part in reward.players.state_dict().items()}


def asked(reward: AdversarialReward, ids: list[list[int]], **more: Any) -> list[float]:
    return reward(
        prompts=["w1 w2"] * len(ids), completions=[""] * len(ids), completion_ids=ids, answer=["w3"] * len(ids), **more
    )


def test_what_was_sampled_is_scored_and_equal_ids_score_equally(folder: Path) -> None:
    reward = AdversarialReward(str(folder))
    torch.nn.init.normal_(reward.players.discriminator.get_parameter("head.weight"))
    scores = asked(reward, [[5, 6, 0], [5, 6, 0], [5, 6, 7, 8, 0], [7, 0]])
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)
    assert len({round(score, 5) for score in scores}) == 3
    assert scores[3] == pytest.approx(asked(reward, [[7, 0]])[0], abs=1e-5)  # however far others reach
    assert all(score == score for score in asked(reward, [[]]))  # an answer of nothing


def test_it_scores_before_it_learns_and_only_while_the_policy_trains(folder: Path) -> None:
    reward = AdversarialReward(str(folder), rate=0.01)
    before, first = weights(reward), asked(reward, [[5, 0], [6, 7, 0]])
    assert all(part.equal(before[name]) for name, part in weights(reward).items())  # nobody trains
    reward.policy = SimpleNamespace(training=False)
    assert asked(reward, [[5, 0], [6, 7, 0]]) == first
    assert reward.updates == 0
    reward.policy.training = True
    assert asked(reward, [[5, 0], [6, 7, 0]]) == first  # scored before the step
    assert reward.updates == 1
    assert asked(reward, [[5, 0], [6, 7, 0]]) != first


def test_what_is_missing_is_one_line(folder: Path) -> None:
    reward = AdversarialReward(str(folder), column="good")
    with pytest.raises(BadInput, match="the data set must have a column 'good' of good answers"):
        asked(reward, [[5, 0]])
    with pytest.raises(BadInput, match="give the trainer callbacks="):
        asked(AdversarialReward(str(folder)), [[5, 0]], trainer_state=SimpleNamespace(global_step=1))
    with pytest.raises(ValueError, match="smoothing goes with relativistic and standard alone"):
        AdversarialReward(str(folder), loss="hinge")


def test_what_does_not_fit_is_one_line(folder: Path) -> None:
    """The model has 64 positions. Mutants killed: an IndexError of its embeddings, a TypeError of the tokenizer."""
    reward = AdversarialReward(str(folder))
    assert len(asked(reward, [[5] * 62])) == 1
    with pytest.raises(
        BadInput, match=r"must fit the 64 positions of the discriminator's model, got 65 tokens; shorten"
    ):
        asked(reward, [[5, 0], [5] * 63])
    with pytest.raises(BadInput, match="the column 'answer' must hold good answers as text, got None; leave such out"):
        reward(prompts=["w1"], completions=[""], completion_ids=[[5, 0]], answer=[None])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["RLOO", "GRPO"])
def test_two_lines_train_evaluate_save_and_go_on(folder: Path, tmp_path: Path, kind: str) -> None:
    trl = pytest.importorskip("trl", reason="the bridge needs the extra [trl]")
    datasets = pytest.importorskip("datasets", reason="TRL reads data sets")
    rows = {"prompt": ["w1 w2", "w2 w3"] * 4, "answer": ["w3 w4", "w5"] * 4}
    data = datasets.Dataset.from_dict(rows)
    config, trainer_kind = getattr(trl, f"{kind}Config"), getattr(trl, f"{kind}Trainer")

    def trainer(out: Path, reward: AdversarialReward, steps: int) -> Any:
        settings = config(
            output_dir=str(out),
            per_device_train_batch_size=4,
            per_device_eval_batch_size=4,
            num_generations=2,
            max_completion_length=4,
            max_steps=steps,
            save_steps=2,
            logging_steps=1,
            report_to="none",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            disable_tqdm=True,
            learning_rate=1e-3,
            beta=0.0,
            seed=0,
        )
        return trainer_kind(
            model=str(folder),
            reward_funcs=reward,
            callbacks=[reward.callback],
            args=settings,
            train_dataset=data,
            eval_dataset=data,
        )

    reward = AdversarialReward(str(folder), rate=0.01)
    first = trainer(tmp_path / "out", reward, 4)
    first.train()
    updates = reward.updates
    assert updates >= 4
    before = weights(reward)
    first.evaluate()
    assert reward.updates == updates
    assert all(part.equal(before[name]) for name, part in weights(reward).items())
    assert (tmp_path / "out" / "checkpoint-2" / FOLDER / "tensors.safetensors").is_file()
    again = AdversarialReward(str(folder), rate=0.01, seed=9)
    trainer(tmp_path / "out", again, 4).train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-2"))
    assert again.updates == updates
    assert list(again.past) == list(reward.past)
    for name, part in weights(again).items():
        torch.testing.assert_close(part, before[name], rtol=0, atol=1e-5, msg=name)
