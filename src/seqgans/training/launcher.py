"""What `accelerate launch` was told to do beyond starting processes, and what of it this loop does.

The loop moves parameters itself, since samplers, roll-outs and evaluations of several players look at any of them; so
it does what wrappers of FSDP and DeepSpeed are asked for with means of its own: moments are shared out among processes
(ZeRO stage 1). What it does not do, parameters in pieces or offloaded moments, is refused in one line, and so is
another precision than the run's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqgans.errors import BadInput

FSDP, DEEPSPEED = "ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"
WHOLE = {"FSDP_RESHARD_AFTER_FORWARD": "false", "FSDP_SHARDING_STRATEGY": "shard_grad_op"}  # leave parameters whole
STAGE, OFFLOAD = "ACCELERATE_DEEPSPEED_ZERO_STAGE", "ACCELERATE_DEEPSPEED_OFFLOAD_OPTIMIZER_DEVICE"
FILE = "ACCELERATE_DEEPSPEED_CONFIG_FILE"
WHOLE_HERE = (
    "every process of seqgans holds all parameters, since samplers look at any of them, and shares out moments alone"
)
ADVICE = "take recipes/accelerate/fsdp.yaml, and learn adapters where memory is short (--generator.lora 8)"


def asked_to_share() -> bool:
    """Whether moments are to be shared out: by FSDP with parameters left whole, or by stage 1 or 2 of DeepSpeed.

    Raises:
        BadInput: parameters are to be shared out as well, or moments to be kept elsewhere.
    """
    if told(DEEPSPEED) == "true":
        return stage_of_deepspeed() > 0
    if told(FSDP) != "true":
        return False
    if not any(told(name) == value for name, value in WHOLE.items()):
        raise BadInput(f"{WHOLE_HERE}: fsdp_reshard_after_forward must be false; {ADVICE}")
    return True


def stage_of_deepspeed() -> int:
    """The stage of ZeRO that accelerate's file, or DeepSpeed's own that it names, asks for.

    Raises:
        BadInput: it shares out parameters, keeps moments elsewhere, or cannot be read.
    """
    zero: Mapping[str, Any] = {"stage": told(STAGE) or "0", "offload_optimizer": {"device": told(OFFLOAD) or "none"}}
    if names_file():
        zero = part_of(Path(os.environ[FILE]), "zero_optimization")
    stage, device = str(zero.get("stage", 0)), str((zero.get("offload_optimizer") or {}).get("device", "none"))
    if stage not in ("0", "1", "2"):
        raise BadInput(f"{WHOLE_HERE}: zero_stage must be 0, 1 or 2, got {stage}; {ADVICE}")
    if device != "none":
        raise BadInput(f"moments stay on their device: offload_optimizer_device must be none, got {device}; {ADVICE}")
    return int(stage)


def names_file() -> bool:
    """Whether accelerate's file names one of DeepSpeed's own."""
    return told(FILE) not in ("", "none")


def part_of(path: Path, name: str) -> Mapping[str, Any]:
    """What a file of DeepSpeed says about a part, such as ZeRO; nothing where it leaves that out.

    Raises:
        BadInput: there is none, or it is not one.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"deepspeed_config_file must be a JSON file of DeepSpeed, {path} is none: {error}") from error
    part = found.get(name, {}) if isinstance(found, dict) else None
    if not isinstance(part, dict):
        raise BadInput(f"deepspeed_config_file must be a JSON file of DeepSpeed, {path} is none; name another")
    return part


def check_precision(precision: str) -> None:
    """Refuse half precision that the launcher is told of and the run is not.

    Args:
        precision: the run's, which holds wherever it goes on.

    Raises:
        BadInput: they differ.
    """
    asked = precision_told()
    if asked == "no" or (asked, precision) == ("bf16", "bfloat16"):
        return
    way = "say --run.precision bfloat16" if asked == "bf16" else "float32 and bfloat16 are what there is"
    raise BadInput(
        f"accelerate is told mixed_precision {asked}, but precision is a setting of the run, {precision}; {way}, or "
        "mixed_precision 'no'"
    )


def precision_told() -> str:
    """What the launcher is told, as accelerate writes it; where it is told nothing, what DeepSpeed's own file says."""
    asked = told("ACCELERATE_MIXED_PRECISION") or "no"
    if asked != "no" or told(DEEPSPEED) != "true" or not names_file():
        return asked
    path = Path(os.environ[FILE])
    return next((name for name in ("bf16", "fp16") if part_of(path, name).get("enabled") is True), "no")


@contextmanager
def plain_processes() -> Iterator[None]:
    """Let accelerate see nothing of wrappers and precisions for a while: processes are all that is wanted of it."""
    hidden = {name: os.environ.pop(name, None) for name in (FSDP, DEEPSPEED, "ACCELERATE_MIXED_PRECISION")}
    try:
        yield
    finally:
        os.environ.update({name: value for name, value in hidden.items() if value is not None})


def told(name: str) -> str:
    """A variable of the environment in small letters; empty where there is none.

    The launcher writes what it is told into the environment of its processes.
    """
    return os.environ.get(name, "").lower()
