"""How common each expression is taken to be, and what that makes of a model's probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.runtime.errors import UserError
from models.runtime.labels import EVERY_LABEL

__all__ = ["AS_MEASURED", "HOW", "BaseRates", "in_brief", "reweighted", "said", "unweighted"]

_EVEN = "even"
_MOST_TIMES = 1000.0
HOW = (
    "even: each expression as likely as any other; disgust=3: so many times as likely; contempt=0: "
    "left out; several are parted by commas"
)
"""Says how base rates are written, for the help of a command."""


@dataclass(frozen=True, slots=True)
class BaseRates:
    """Say how common expressions are where a model is used.

    even: each is as likely as any other; else as in the pictures that the model was measured on.
    times: factors by label, on top of that, each label once; 0 leaves it out. One that a model does
    not have is of no matter to it.
    """

    even: bool = False
    times: tuple[tuple[str, float], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "even", "contempt=0", "even,disgust=2", or "" for those measured.

        Raises `UserError` for anything else.
        """
        even, times = False, dict[str, float]()
        for part in (part.strip() for part in text.split(",")):
            label, equals, factor = (piece.strip() for piece in part.partition("="))
            if part == _EVEN:
                even = True
            elif equals and label in EVERY_LABEL and label not in times:
                times[label] = _factor(label, factor)
            elif part or text.strip():
                raise UserError(
                    f'expected base rates such as "even" or "disgust=3,contempt=0", each label of '
                    f"{', '.join(EVERY_LABEL)} once, found {part!r}: correct it"
                )
        if sum(times.get(label, 1.0) > 0 for label in EVERY_LABEL) < 2:
            raise UserError(
                f"expected base rates that leave two labels, found {text!r}: correct it"
            )
        return cls(
            even, tuple((name, times[name]) for name in EVERY_LABEL if times.get(name, 1.0) != 1)
        )

    def __str__(self) -> str:
        """Return what `parse` reads; "" for those measured."""
        factors = [f"{label}={factor:g}" for label, factor in self.times]
        return ",".join([_EVEN] * self.even + factors)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Return the labels that are left out."""
        return tuple(label for label, factor in self.times if factor == 0)

    def leaving_out(self, label: str, *, out: bool) -> Self:
        """Return these with a label left out, or as common as the others again."""
        others = [(name, factor) for name, factor in self.times if name != label]
        kept = sorted([*others, *[(label, 0.0)] * out], key=lambda each: EVERY_LABEL.index(each[0]))
        return type(self)(self.even, tuple(kept))

    def spread(self, *, even: bool) -> Self:
        """Return even rates, or those measured, without the labels that these leave out."""
        return type(self)(even, tuple(each for each in self.times if each[1] == 0))

    def among(self, labels: Sequence[str]) -> Self:
        """Return what of these concerns a model with such labels."""
        return type(self)(self.even, tuple(each for each in self.times if each[0] in labels))

    def weights(
        self, labels: Sequence[str], measured: Sequence[float] | None
    ) -> NDArray[np.float64] | None:
        """Return by what each probability (C,) is to be multiplied; None where all stay.

        measured: how common each label was to the model, sums to 1; None where nobody knows. By
        Bayes' rule a posterior for other rates is proportional to itself times new rate over old
        (Saerens, Latinne and Decaestecker 2002, Neural Computation 14, equation 2.4).
        Raises `UserError` where that needs rates which nobody knows, or leaves fewer than two
        labels.
        """
        factors = dict(self.times)
        if not self.even and not factors.keys() & set(labels):
            return None
        weights = np.array([factors.get(label, 1.0) for label in labels])
        if np.count_nonzero(weights) < 2:
            raise UserError(
                f"expected base rates that leave at least two of {', '.join(labels)}, found "
                f"{str(self)!r}: leave fewer out"
            )
        if self.even:
            if measured is None:
                raise UserError(
                    "expected a model that knows how common each expression was to it, found none "
                    "on its card: export it again, with at least 50 pictures to measure on, or "
                    "take the base rates as they are"
                )
            weights = weights / np.array(measured)
        return weights


AS_MEASURED = BaseRates()


def reweighted(
    probabilities: NDArray[np.float32], weights: NDArray[np.float64] | None
) -> NDArray[np.float32]:
    """Return probabilities (..., C) times weights (C,), each again a sum of 1."""
    if weights is None:
        return probabilities
    # What a network gives no chance at all keeps a trace, so that something is left to share.
    values = np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny) * weights
    shared: NDArray[np.float64] = values / values.sum(axis=-1, keepdims=True)
    return shared.astype(np.float32)


def unweighted(
    probabilities: NDArray[np.floating], weights: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return what `reweighted` was given (..., C) from what it returned.

    Of a label that was left out nothing is known, and it stays so.
    """
    values = probabilities.astype(np.float64)
    if weights is None:
        return values
    values = values * np.divide(1.0, weights, out=np.zeros_like(weights), where=weights > 0)
    shared: NDArray[np.float64] = values / values.sum(axis=-1, keepdims=True)
    return shared


def said(rates: BaseRates) -> str:
    """Return base rates in words, "" for those measured."""
    words = ["each expression taken to be as common as any other"] * rates.even
    others = [(label, factor) for label, factor in rates.times if factor not in (0, 1)]
    more = ", ".join(f"{label} {factor:g} times as common" for label, factor in others)
    words += [f"but {more}" if rates.even else more] * bool(more)
    words += [f"{' and '.join(rates.left_out)} left out"] * bool(rates.left_out)
    return "; ".join(words)


def in_brief(rates: BaseRates) -> str:
    """Return base rates in as few words as can be, "" for those measured."""
    words = ["even base rates"] * rates.even
    words += [f"{label} x {factor:g}" for label, factor in rates.times if factor not in (0, 1)]
    words += [f"without {' and '.join(rates.left_out)}"] * bool(rates.left_out)
    return ", ".join(words)


def _factor(label: str, text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if 0 <= factor <= _MOST_TIMES:
        return factor
    raise UserError(
        f"expected {label} times a number from 0 to {_MOST_TIMES:g}, found {text!r}: correct it"
    )
