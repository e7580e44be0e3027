"""Fingerprints, by which a training knows the data that it began with."""

from __future__ import annotations

import hashlib
from pathlib import Path

from torch import Tensor

from models.runtime.errors import UserError


def digest_of(*values: Tensor) -> str:
    """Return the sha256 of pictures in their order, and of what else is given."""
    digest = hashlib.sha256()
    for each in values:
        digest.update(each.cpu().numpy().tobytes())
    return digest.hexdigest()


def same_data(known: str, found: str, data: Path, *, older: str = "") -> str:
    """Return the fingerprint found of the data; raise `UserError` where another is known.

    known: empty in a new training and in a checkpoint that is older than fingerprints. older: the
    fingerprint that an older version took of the same data.
    """
    if known not in ("", found, older):
        raise UserError(
            f"{data}: expected the pictures and labels that the training began with, found some "
            "that are not the same: resume with the same data and votes, or begin with its "
            "checkpoint in another folder (--from)"
        )
    return found
