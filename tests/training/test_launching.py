"""The shipped files of accelerate are what accelerate reads, and what cannot be shared out is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file
from accelerate.utils import DistributedType

from seqgans.errors import BadInput
from seqgans.training.team import Team

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


def test_deepspeed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(
        BadInput, match=r"moves parameters itself, which DeepSpeed .* take recipes/accelerate/fsdp\.yaml"
    ):
        Team("cpu")


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
