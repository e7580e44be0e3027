"""Several processes that train one network, as `torchrun` starts them."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from models.nets.network import Network
from models.runtime.errors import UserError


@dataclass(frozen=True, slots=True)
class Group:
    """Say which of how many processes this is; a lone process is the first of one."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Return whether this process measures, prints and writes."""
        return self.rank == 0

    def share(self, rows: Tensor) -> Tensor:
        """Return this process's part of a batch."""
        return rows[self.rank :: self.size]

    def wait(self) -> None:
        """Wait until every process has come here."""
        if self.size > 1:
            dist.barrier()

    def tell(self, values: dict[str, float]) -> dict[str, float]:
        """Return in every process what the leading one gives; wait for it."""
        if self.size == 1:
            return values
        told = [values]
        dist.broadcast_object_list(told)
        return told[0]


def join_group(device: torch.device) -> Group:
    """Join the processes that `torchrun` started, or be alone.

    Raises `UserError` where they are more than the GPUs, do not find each other, or are no number.
    """
    told = os.environ.get("WORLD_SIZE", "1")
    if not told.isdecimal() or int(told) < 1:
        raise UserError(
            f"expected WORLD_SIZE to be a number of processes, found {told!r}: "
            "start them with torchrun, or unset WORLD_SIZE"
        )
    size = int(told)
    if size == 1:
        return Group()
    if device.type == "cuda":
        if (device.index or 0) >= torch.cuda.device_count():
            raise UserError(
                "expected a GPU for each process of this machine, found "
                f"{torch.cuda.device_count()}: start fewer processes, or give --device cpu"
            )
        torch.cuda.set_device(device)
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    except (ValueError, RuntimeError) as error:  # torch names what is missing or out of reach
        reason = str(error).splitlines()[0][:160]
        raise UserError(
            f"expected {size} processes started by torchrun, found: {reason}; start them with "
            "torchrun, or unset WORLD_SIZE"
        ) from error
    return Group(rank=dist.get_rank(), size=size)


def check_alone(what: str) -> None:
    """Raise `UserError` for what several processes cannot do, where `torchrun` started them."""
    size = os.environ.get("WORLD_SIZE", "1")
    if size != "1":
        raise UserError(
            f"expected one process for {what}, found {size} started by torchrun: start it with "
            "fer-train, or unset WORLD_SIZE"
        )


def leave_group() -> None:
    """Take leave of the other processes, if there are any."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


class Attending(nn.Module):
    """Make `attend` the forward pass, which is what DistributedDataParallel watches."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return self.network.attend(x)


def attending(network: Network, group: Group, device: torch.device) -> nn.Module:
    """Return a module that attends, its gradients averaged over the group.

    On GPUs the batch statistics are those of the whole batch too; on CPUs torch cannot share them,
    and each process uses its own part's.
    """
    if group.size == 1:
        return Attending(network)
    module: nn.Module = Attending(network)
    if device.type == "cuda":
        module = nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]
        return DistributedDataParallel(module, device_ids=[device.index or 0])
    return DistributedDataParallel(module)
