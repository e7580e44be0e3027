"""Choose the part of a data set that is held out, so that it stays when pictures are added.

Where a picture or a person stands in an order is decided by a hash of it alone, not by how many
others there are: a network that is trained on more of the same data set later is still chosen on
pictures that it never learnt from.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

TENTH = 10
"""About one of so many pictures is held out."""
_HASHES = 2**64


def hold_out_pictures(pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of N pictures (N,) are held out: those whose hash is in the lowest tenth.

    pixels: (N, S, S). labels: (N,). Of a label without such a picture the one of the least hash is
    held out, and of a label with nothing else the one of the greatest is not. Equal pictures stay
    together. Added pictures move none of the others from training to what is held out, but where
    training had just one of a label.
    """
    hashes = np.array([_hash(face.tobytes()) for face in pixels], np.uint64)
    own = [np.unique(hashes[labels == label]) for label in np.unique(labels)]
    held: set[int] = set()
    for found in own:
        low = int((found < _HASHES // TENTH).sum())
        held.update(found[: min(max(1, low), len(found) - 1)].tolist())
    for found in own:  # an equal picture may be held out for another label
        if held.issuperset(found.tolist()):
            held.discard(int(found[-1]))
    return np.array([value in held for value in hashes.tolist()], dtype=bool)


def hold_out_subjects(labels: NDArray[np.int64], subjects: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Return which of N pictures (N,) are held out: whole subjects, near a tenth of the pictures.

    labels, subjects: (N,), 2 subjects or more. In the order of their hashes, those are taken that
    bring the number nearer to a tenth and leave every label in training; where there are none, the
    subject with fewest pictures, never more than half of them.
    """
    names, subject_of = np.unique(subjects, return_inverse=True)
    _, label_of = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(names), int(label_of.max()) + 1), np.int64)
    np.add.at(counts, (subject_of, label_of), 1)
    sizes = counts.sum(axis=1)
    order = sorted(range(len(names)), key=lambda who: _hash(str(names[who]).encode()))
    wanted, total, left = len(labels) / TENTH, 0, counts.sum(axis=0)
    held: list[int] = []
    for who in order:
        nearer = abs(total + sizes[who] - wanted) < abs(total - wanted)
        if nearer and (left > counts[who]).all():
            held.append(who)
            total += int(sizes[who])
            left = left - counts[who]
    if not held:
        at_most_half = [who for who in order if 2 * sizes[who] <= len(labels)]
        sparing = [who for who in at_most_half if (left > counts[who]).all()]
        held = [min(sparing or at_most_half, key=lambda who: int(sizes[who]))]
    return np.isin(subject_of, held)


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
