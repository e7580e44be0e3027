"""The architectures by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.nets.deep_emotion import DeepEmotion, DeepEmotionParallel
from models.nets.mini_xception import MiniXception
from models.nets.network import Network
from models.nets.simple_cnn import SimpleCnn
from models.runtime.errors import UserError


@dataclass(frozen=True, slots=True)
class Architecture:
    """Name a network, how to build it for a number of classes, and where it comes from."""

    name: str
    build: Callable[[int], Network]
    title: str
    paper: str
    input_size: int


ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            name="mini_xception",
            title="mini-Xception",
            build=MiniXception,
            paper="Arriaga et al., arXiv 1710.07557",
            input_size=48,
        ),
        Architecture(
            name="simple_cnn",
            build=SimpleCnn,
            title="simple CNN",
            paper="Arriaga et al., arXiv 1710.07557",
            input_size=48,
        ),
        Architecture(
            name="deep_emotion",
            build=DeepEmotion,
            title="Deep-Emotion",
            paper="Minaee et al., arXiv 1902.01019",
            input_size=48,
        ),
        Architecture(
            name="deep_emotion_parallel",
            build=DeepEmotionParallel,
            title="Deep-Emotion, parallel",
            paper="Minaee et al., arXiv 1902.01019",
            input_size=48,
        ),
    )
}


def find_architecture(name: str) -> Architecture:
    """Return the architecture of that name; raise `UserError` that lists the known ones."""
    try:
        return ARCHITECTURES[name]
    except KeyError:
        known = ", ".join(sorted(ARCHITECTURES))
        raise UserError(
            f"expected one of the architectures {known}, found {name!r}: correct the name"
        ) from None
