"""What cards of the face finder and of the landmark network say of their data.

A training keeps the words in the `source` column of its pictures in its checkpoint. Checkpoints
older than that were all trained on the project's own three files, whose words are `PROJECT`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.card_making import LICENCE_OF_MIXED, LICENCE_OF_OWN, SOURCES
from models.card_making import OWN as IMAGE_FOLDER

PROJECT = ("udacity", "masks", "mtfl", "scenes")
BEGUN = "begun"
"""Stands among the words for what the network was trained on that a training began with."""
_SCENES = "scenes"  # what pictures without faces are called in anybody's file
_OF_THE_FIRST = "what the network was trained on that this training began with: see its card"


@dataclass(frozen=True, slots=True)
class Words:
    """Hold what a card says of the project's files.

    data: which of the words each sentence is about; where two sentences are about a word, the
    first whose words are all there says it. limits: always true; of_project: where all pictures are
    the project's, at their place among the limits.
    """

    data: tuple[tuple[tuple[str, ...], str], ...]
    licence: str
    limits: tuple[str, ...]
    of_project: tuple[tuple[int, str], ...]


FINDER = Words(
    data=(
        (("udacity",), "frames of YouTube Faces from udacity/P1_Facial_Keypoints (MIT)"),
        (("masks",), "mask pictures of chandrikadeb7/Face-Mask-Detection (MIT)"),
        (("mtfl",), "MTFL (Zhang et al. 2014; pictures from the web, for research)"),
        (("scenes",), "BSDS500 scenes without faces (Berkeley; for research)"),
        ((), "boxes and five landmarks of all of them by YuNet (Wu, Peng and Yu 2023; MIT)"),
    ),
    licence="MIT (weights and code); the pictures trained on are for research",
    limits=(
        "It finds faces; it says nothing of who they are or what they feel.",
        "Heads on their side or upside down, and faces below about 10 pixels, were not taught.",
    ),
    of_project=(
        (
            1,
            "Its truth is what another network, YuNet, found in these pictures: what that one "
            "misses, this one was not taught, and its landmarks behind a mask are a guess.",
        ),
        (
            2,
            "Most pictures are of people on television and the web; darkness and hands were drawn.",
        ),
    ),
)
LANDMARKS = Words(
    data=(
        (
            ("udacity",),
            "68 points, made by a program: frames of YouTube Faces in udacity/P1_Facial_Keypoints "
            "(MIT)",
        ),
        (
            ("mtfl", "masks"),
            "five points by YuNet (MIT) on MTFL (Zhang et al. 2014; for research) and on mask "
            "pictures (chandrikadeb7/Face-Mask-Detection, MIT)",
        ),
        (("mtfl",), "five points by YuNet (MIT) on MTFL (Zhang et al. 2014; for research)"),
        (
            ("masks",),
            "five points by YuNet (MIT) on mask pictures (chandrikadeb7/Face-Mask-Detection, MIT)",
        ),
        (
            ("scenes",),
            "squares without faces: BSDS500 (Berkeley; for research) and beside the faces above",
        ),
    ),
    licence="MIT for the weights; of the pictures they were trained on some are for research",
    limits=(
        "Points behind a mask, a hand or the turn of a head are guessed.",
        "The confidence tells faces from background; it says nothing of who or what kind of face.",
    ),
    of_project=(
        (
            1,
            "The 68 points it learned from are a program's, on 279 people on television, most of "
            "them men seen from the front: finer than those labels it cannot be.",
        ),
    ),
)


def told(
    words: Words, sources: Sequence[str] | None
) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Return what a card says of its data, of its licence and of its limits.

    sources: the words of the pictures trained on, in any order; None for those of the project.
    """
    sources = PROJECT if sources is None else sources
    own = set(sources) - {*PROJECT, BEGUN}
    # Scenes beside pictures of one's own may be anybody's.
    known = [name for name in sources if name in PROJECT and not (own and name == _SCENES)]
    data = _about(words, known, whole=not own)
    data += (SOURCES[IMAGE_FOLDER],) * bool(own) + (_OF_THE_FIRST,) * (BEGUN in sources)
    if not own:
        limits = list(words.limits)
        for place, limit in words.of_project:
            limits.insert(place, limit)
        return data, words.licence, tuple(limits)
    limits = [*words.limits, "Of the trainer's own pictures this card knows nothing more."]
    licence = LICENCE_OF_MIXED if known or BEGUN in sources else LICENCE_OF_OWN
    return data, licence, tuple(limits)


def _about(words: Words, known: Iterable[str], *, whole: bool) -> tuple[str, ...]:
    """Return the sentences about the words known; whole: those about all pictures too."""
    left, said = set(known), []
    for names, sentence in words.data:
        if names and left.issuperset(names):
            said.append(sentence)
            left -= set(names)
        elif not names and whole:
            said.append(sentence)
    return tuple(said)
