"""The processes that share a run: who am I, where is my device, how do we join what each has made."""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from seqgans.errors import BadInput
from seqgans.training.launcher import asked_to_share, check_precision, plain_processes

if TYPE_CHECKING:
    from accelerate import Accelerator

Precision = Literal["float32", "bfloat16"]
PATIENCE = timedelta(days=1)  # with the process that judges and writes, while the others wait


class Team:
    """One process among those that `accelerate launch` started, or the only one.

    Rows of a batch are dealt out like cards: row i of the whole belongs to process i mod `processes`.

    Args:
        device: "cpu", "cuda" or "auto" (a GPU where there is one).
        precision: arithmetic inside networks; parameters and sums stay float32.

    Raises:
        BadInput: a GPU was asked for and there is none, parameters are to be shared out, or the launcher is told
            another precision.
    """

    def __init__(self, device: str = "auto", precision: Precision = "float32") -> None:
        if device not in ("cpu", "cuda", "auto"):
            raise BadInput(f"device must be cpu, cuda or auto, got {device!r}")
        if device == "cuda" and not torch.cuda.is_available():
            raise BadInput("device cuda was asked for, but PyTorch finds no GPU here; use --device cpu or auto")
        shares = asked_to_share()
        check_precision(precision)
        from accelerate import Accelerator
        from accelerate.utils import InitProcessGroupKwargs

        on_cpu = device == "cpu" or not torch.cuda.is_available()
        patient = InitProcessGroupKwargs(timeout=PATIENCE)
        if torch.distributed.is_available():  # defaults in there would hold a group that is there already for good
            import_module("torch.distributed.nn")
        with plain_processes():
            self.accelerator: Accelerator = Accelerator(cpu=on_cpu, kwargs_handlers=[patient])
        self.precision = precision
        self.rank = self.accelerator.process_index
        self.processes = self.accelerator.num_processes
        self.shares = shares and self.processes > 1
        self.device = self.accelerator.device
        if self.processes > 1:
            atexit.register(close)  # for scripts, which part where they end

    def gathered(self, numbers: Tensor) -> Tensor:
        """A row of numbers of every process, one below the other."""
        parts = [torch.empty_like(numbers) for _ in range(self.processes)]
        torch.distributed.all_gather(parts, numbers.contiguous())
        return torch.stack(parts)

    def called(self, all_of_you: bool) -> bool:
        """What the leading process says: whether all are needed for what it does; never where moments are whole."""
        if not self.shares:
            return False
        said = torch.tensor(float(all_of_you), device=self.device)
        torch.distributed.broadcast(said, 0)
        return bool(said)

    @property
    def leads(self) -> bool:
        """True in the one process that writes files and speaks."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[Any]:
        """The precision asked for."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")

    def gather(self, rows: Tensor) -> Tensor:
        """The rows of all processes, in their order."""
        if self.processes == 1:
            return rows
        parts = [torch.empty_like(rows) for _ in range(self.processes)]
        torch.distributed.all_gather(parts, rows.contiguous())
        return torch.stack(parts, 1).flatten(0, 1)

    def total(self, value: float) -> float:
        """The sum of a number over all processes."""
        if self.processes == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(tensor)
        return float(tensor)

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its sum over all processes; None only where no process has any.

        Who has one is told in the same sum, so that all processes make the same single call whatever their losses
        reached, and an optimiser passes over the same parameters as that of one process would.
        """
        if self.processes == 1:
            return
        every = list(parameters)
        gradients = [
            parameter.grad if parameter.grad is not None else torch.zeros_like(parameter) for parameter in every
        ]
        known = gradients[0].new_tensor([parameter.grad is not None for parameter in every])
        flat = torch.cat([*(gradient.reshape(-1) for gradient in gradients), known])
        torch.distributed.all_reduce(flat)
        *sums, known = flat.split([*(gradient.numel() for gradient in gradients), len(every)])
        for parameter, part, processes in zip(every, sums, known.tolist(), strict=True):
            parameter.grad = part.view_as(parameter) if processes else None

    def wait(self) -> None:
        """Until all processes are here."""
        self.accelerator.wait_for_everyone()


@contextmanager
def parting() -> Iterator[None]:
    """Close what joins the processes when the work in here ends.

    They leave together: the others wait for the one that writes the report, unless something was raised.
    """
    try:
        yield
        if joined():
            torch.distributed.barrier()
    finally:
        close()


def joined() -> bool:
    """Whether something joins this process to others."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def close() -> None:
    """End what joins the processes, with its threads: one that outlives Python may end it with SIGABRT."""
    if joined():
        torch.distributed.destroy_process_group()
