"""The shipped files of accelerate are what accelerate reads, and what cannot be shared out is refused in one line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import DistributedType
from accelerate.utils.launch import prepare_deepspeed_cmd_env

from seqgans.errors import BadInput
from seqgans.training.launcher import asked_to_share
from seqgans.training.team import Precision, Team

DEEPSPEED = Path(__file__).parents[2] / "recipes" / "accelerate" / "deepspeed-zero2.yaml"
FILES = sorted((Path(__file__).parents[2] / "recipes" / "accelerate").glob("*.yaml"))
KINDS = {
    "cpus": DistributedType.MULTI_GPU,
    "deepspeed-zero2": DistributedType.DEEPSPEED,
    "fsdp": DistributedType.FSDP,
    "gpus": DistributedType.MULTI_GPU,
}


def read(path: Path) -> ClusterConfig:
    config = load_config_from_file(str(path))
    assert isinstance(config, ClusterConfig)
    return config


def test_there_are_some() -> None:
    assert [path.stem for path in FILES] == list(KINDS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_accelerate_reads_them(path: Path) -> None:
    config = read(path)
    assert config.distributed_type == KINDS[path.stem]
    assert config.num_processes == 2
    assert config.mixed_precision == ("bf16" if path.stem.startswith("deepspeed") else "no")


def test_what_they_share_out() -> None:
    found = {path.stem: read(path) for path in FILES}
    fsdp, deepspeed = found["fsdp"].fsdp_config or {}, found["deepspeed-zero2"].deepspeed_config or {}
    assert (fsdp["fsdp_version"], fsdp["fsdp_reshard_after_forward"]) == (2, False)
    assert deepspeed["zero_stage"] == 2


def environment_of(*words: str) -> dict[str, str]:
    """What accelerate's launcher for DeepSpeed writes into the environment of its processes; it needs no DeepSpeed."""
    asked = launch_command_parser().parse_args(["--config_file", str(DEEPSPEED), *words, "script.py"])
    asked, _, _ = _validate_launch_command(asked)
    asked.deepspeed_fields_from_accelerate_config = ""  # as `launch_command` says it
    environment = prepare_deepspeed_cmd_env(asked)[1]
    return {name: value for name, value in environment.items() if name.startswith("ACCELERATE_")}


@pytest.fixture
def under(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put the process under an environment of the launcher."""

    def put(**changed: str) -> None:
        for name, value in {**environment_of(), **changed}.items():
            monkeypatch.setenv(name, value)

    return put


def test_stages_of_deepspeed_share_out_moments(under: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutants killed: accelerate's own DeepSpeed, which is not installed here; a variable that is not given back."""
    under()
    assert os.environ["ACCELERATE_DEEPSPEED_ZERO_STAGE"] == "2"
    assert asked_to_share()
    team = Team("cpu", "bfloat16")
    assert team.accelerator.distributed_type == DistributedType.NO
    assert team.accelerator.mixed_precision == "no"  # autocast is that of the run
    assert os.environ["ACCELERATE_USE_DEEPSPEED"] == "true"
    for stage, shares in (("1", True), ("0", False)):
        monkeypatch.setenv("ACCELERATE_DEEPSPEED_ZERO_STAGE", stage)
        assert asked_to_share() is shares


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"ACCELERATE_DEEPSPEED_ZERO_STAGE": "3"},
            r"holds all parameters.* zero_stage must be 0, 1 or 2, got 3; take ",
        ),
        (
            {"ACCELERATE_DEEPSPEED_OFFLOAD_OPTIMIZER_DEVICE": "cpu"},
            r"moments stay on their device: offload_optimizer_device must be none, got cpu; take ",
        ),
        (
            {"ACCELERATE_DEEPSPEED_CONFIG_FILE": "nowhere.json"},
            r"JSON file of DeepSpeed, nowhere\.json is none: .*No such",
        ),
    ],
)
def test_what_deepspeed_would_do_else_is_refused(
    under: Callable[..., None], changed: dict[str, str], message: str
) -> None:
    under(**changed)
    with pytest.raises(BadInput, match=message):
        Team("cpu", "bfloat16")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"zero_optimization": {"stage": 1}}', True),
        ('{"zero_optimization": {"stage": 0}}', False),
        ("{}", False),
        ('{"zero_optimization": {"stage": 3}}', "zero_stage must be 0, 1 or 2, got 3"),
        ('{"zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}}', "must be none, got cpu"),
        ('{"zero_optimization": 3}', "must be a JSON file of DeepSpeed"),
        ("[]", "must be a JSON file of DeepSpeed"),
        ("{", "must be a JSON file of DeepSpeed"),
    ],
)
def test_a_file_of_deepspeed_says_it_instead(
    under: Callable[..., None], text: str, found: bool | str, tmp_path: Path
) -> None:
    """Mutants killed: the stage of accelerate's file where DeepSpeed's own is named."""
    (tmp_path / "zero.json").write_text(text)
    under(ACCELERATE_DEEPSPEED_CONFIG_FILE=str(tmp_path / "zero.json"))
    if isinstance(found, bool):
        assert asked_to_share() is found
    else:
        with pytest.raises(BadInput, match=found):
            asked_to_share()


@pytest.mark.parametrize(
    ("asked", "precision", "way"),
    [
        ("bf16", "float32", "say --run.precision bfloat16"),
        ("fp16", "float32", "float32 and bfloat16 are what there is"),
        ("fp16", "bfloat16", "float32 and bfloat16 are what there is"),
    ],
)
def test_another_precision_than_the_launcher_was_told_is_refused(
    asked: str, precision: Precision, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody computes in float32 who asked for half precision, unless they are told."""
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", asked)
    with pytest.raises(BadInput, match=rf"told mixed_precision {asked}, .* setting of the run, {precision}; {way}"):
        Team("cpu", precision)


@pytest.mark.parametrize("asked", ["bf16", "fp16"])
def test_a_file_of_deepspeed_tells_it_as_well(asked: str, under: Callable[..., None], tmp_path: Path) -> None:
    """Mutants killed: the precision of accelerate's file alone, which leaves it to DeepSpeed's; "auto" as a wish."""
    file = tmp_path / "deepspeed.json"
    under(ACCELERATE_MIXED_PRECISION="no", ACCELERATE_DEEPSPEED_CONFIG_FILE=str(file))
    file.write_text(json.dumps({asked: {"enabled": True}}))
    with pytest.raises(BadInput, match=rf"told mixed_precision {asked}, .* setting of the run, float32"):
        Team("cpu")
    file.write_text(json.dumps({asked: {"enabled": "auto"}}))
    assert Team("cpu").precision == "float32"


@pytest.mark.parametrize(("asked", "precision"), [("no", "bfloat16"), ("no", "float32"), ("bf16", "bfloat16")])
def test_the_same_precision_is_not(asked: str, precision: Precision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", asked)
    assert Team("cpu", precision).precision == precision


@pytest.mark.parametrize(
    "settings", [{}, {"FSDP_RESHARD_AFTER_FORWARD": "true"}, {"FSDP_SHARDING_STRATEGY": "FULL_SHARD"}]
)
def test_parameters_are_not_shared_out(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(
        BadInput, match=r"holds all parameters.* fsdp_reshard_after_forward must be false; take recipes"
    ):
        Team("cpu")


def test_a_process_alone_has_all_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.setenv("FSDP_SHARDING_STRATEGY", "SHARD_GRAD_OP")
    assert not Team("cpu").shares
