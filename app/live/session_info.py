"""What session.json says of what a session was made with."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from typing import Any

from app.live.status import EngineStatus
from app.versions import version_of
from models.runtime.card import Card

__all__ = ["program_info", "session_info"]

_LIBRARIES = {"opencv": "opencv-python-headless", "onnxruntime": "onnxruntime", "dlib": "dlib-bin"}
"""Packages whose next version may decode a picture, or answer, a little differently."""


def session_info(
    *,
    status: EngineStatus,
    card: Card | None,
    source: Mapping[str, Any],
    frame: tuple[int, ...],
) -> dict[str, Any]:
    """Return what session.json says of program, source, model and finder.

    frame: the shape of its first picture, (height, width, ...).
    """
    return {
        "program": dict(program_info()),
        "source": {**source, "frame_height": frame[0], "frame_width": frame[1]},
        "model": {
            "name": status.model,
            "provider": status.provider,
            "base_rates": str(status.base_rates),
            **_of_card(card),
        },
        "finder": status.finder,
        "landmarks": status.landmarks,
    }


@cache
def program_info() -> Mapping[str, str]:
    """Return which releases are at work; the first call looks for them on the disk."""
    return {
        "name": "Mien",
        "version": version_of("mien") or "unknown",
        "python": platform.python_version(),
        "system": platform.system(),
        **{name: version_of(package) or "unknown" for name, package in _LIBRARIES.items()},
    }


def _of_card(card: Card | None) -> dict[str, Any]:
    if card is None:
        return {}
    return {
        "title": card.title,
        "architecture": card.architecture,
        "label_set": card.label_set,
        "sha256": card.file.sha256 if card.file is not None else None,
        "card_sha256": hashlib.sha256(card.to_json().encode()).hexdigest(),
        "temperature": card.temperature,
    }
