"""The shipped files of accelerate are what accelerate reads, and what shards parameters is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.utils import DistributedType

from seqgans.errors import BadInput
from seqgans.training.team import Team

FILES = sorted((Path(__file__).parents[2] / "recipes" / "accelerate").glob("*.yaml"))


def test_there_are_some() -> None:
    assert [path.stem for path in FILES] == ["cpus", "gpus"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_accelerate_reads_them(path: Path) -> None:
    config = load_config_from_file(str(path))
    assert config.distributed_type == DistributedType.MULTI_GPU
    assert config.num_processes == 2
    assert config.mixed_precision == "no"


@pytest.mark.parametrize("name", ["ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"])
def test_what_shards_parameters_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "true")
    with pytest.raises(BadInput, match=r"holds all parameters, .* recipes/accelerate/gpus\.yaml"):
        Team("cpu")
