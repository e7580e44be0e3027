"""What makes a machine train as fast as it can."""

from __future__ import annotations

import ctypes
import sys
from typing import cast

import torch
from torch import Tensor, nn

STEPS_APART = 50
"""Steps between two looks at the loss on a GPU: each look waits for all that was begun."""


def keep_freed_memory() -> None:
    """Let glibc keep freed activations for the next step.

    By default it gives them back to the system and every step faults them in again; keeping them
    took a mini-Xception step on two cores from 196 to 142 ms.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # absent from other C libraries
    if mallopt is not None:
        trim_threshold, mmap_threshold = -1, -3
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(mmap_threshold, 2**30)


def prepare(device: torch.device) -> None:
    """Set torch up for the fixed shapes of a training on this device."""
    keep_freed_memory()
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")


def arithmetic(device: torch.device, precision: str) -> str:
    """Return the precision, bf16 or fp32, in which a recipe's is computed on this device.

    bf16 pays only where the processor multiplies it. Others work it out number by number: one with
    AVX2 and no AVX-512 then takes twenty times as long for a step as in float32.
    """
    if precision != "bf16":
        return precision
    if device.type == "cuda":
        able = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # Older versions of torch, which train as well, do not have it.
        known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        names = ("avx512_bf16", "amx_bf16", "avx10_2", "bf16")  # the last is an ARM's
        has_kernels: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        able = has_kernels and any(known.get(name) for name in names)
    return precision if able else "fp32"


def no_bf16(device: torch.device, precision: str) -> str:
    """Return what to say after a device that does not compute as a recipe asks; else nothing."""
    if arithmetic(device, precision) == precision:
        return ""
    return f" in float32, since it has no {precision} arithmetic"


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which a recipe's network computes on this device."""
    enabled = arithmetic(device, precision) == "bf16"
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def compiled(module: nn.Module, example: Tensor, precision: str) -> tuple[nn.Module, str]:
    """Return a module compiled by torch, proved on one forward and backward pass, or itself.

    The second value is empty, or says why the module stayed as it was. example: a batch of the
    shape of all batches. precision: the recipe's. Running statistics and gradients are left as they
    were.
    """
    # Replays whole CUDA graphs on a GPU. Of a module torch.compile makes a module.
    fast = cast(nn.Module, torch.compile(module, mode="reduce-overhead"))
    kept = [buffer.clone() for buffer in module.buffers()]
    try:
        with autocast(example.device, precision):
            logits, attention = fast(example)
        parts = [logits, *(value for value in attention.values() if value.requires_grad)]
        torch.stack([part.float().mean() for part in parts]).sum().backward()  # type: ignore[no-untyped-call]
    except Exception as error:  # a missing compiler, an operator: each has its own
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:160]
        return module, f"torch.compile does not take this network here ({reason})"
    finally:
        with torch.no_grad():
            for buffer, value in zip(module.buffers(), kept, strict=True):
                buffer.copy_(value)
        module.zero_grad()
    return fast, ""
