"""What the values of a recipe may be.

where: the table of the recipe, for the sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from models.runtime.errors import UserError


def check_one_of(value: str, known: tuple[str, ...], what: str, where: str = "recipe") -> None:
    """Raise `UserError` for a word that is none of those known."""
    if value not in known:
        raise UserError(f"{where}: expected {what} of {', '.join(known)}, found {value!r}")


def check_part(where: str, key: str, value: float, most: float = 1.0) -> None:
    """Raise `UserError` for a value that is not of 0 to the most."""
    if not 0 <= value <= most:
        raise UserError(f"{where}: expected {key} of 0 to {most:g}, found {value}")


def check_numbers_finite(where: str, values: Mapping[str, Any]) -> None:
    """Raise `UserError` where a number is infinite or none."""
    for key, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"{where}: expected {key} to be a finite number, found {value}")


def check_positive(where: str, key: str, value: float) -> None:
    """Raise `UserError` for a value that is not above 0 and finite."""
    if not 0 < value < math.inf:
        raise UserError(f"{where}: expected {key} above 0, found {value}")


def check_not_negative(where: str, key: str, value: float) -> None:
    """Raise `UserError` for a value below 0 or not finite."""
    if not 0 <= value < math.inf:
        raise UserError(f"{where}: expected {key} of 0 or more, found {value}")
