"""The architectures by name."""

from __future__ import annotations

import difflib
import inspect
from dataclasses import dataclass
from typing import Any

from models.nets.cbam_resnet import CbamResnet18
from models.nets.deep_emotion import Acn, DeepEmotion, DeepEmotionParallel
from models.nets.iresnet import IResNet18
from models.nets.mini_xception import MiniXception
from models.nets.network import Network
from models.nets.ran import RegionAttentionNetwork
from models.nets.simple_cnn import SimpleCnn
from models.nets.vgg import Vgg
from models.runtime.errors import UserError


@dataclass(frozen=True, slots=True)
class Architecture:
    """Name a network, its class, and where it comes from.

    only_size: the one side of its input in pixels, None for a network that takes any.
    """

    name: str
    network: type[Network]
    title: str
    paper: str
    only_size: int | None = None

    def options(self) -> dict[str, Any]:
        """Return the options that the network takes, with their defaults."""
        parameters = inspect.signature(self.network).parameters
        return {name: p.default for name, p in parameters.items() if p.default is not p.empty}

    def build(self, num_classes: int, options: dict[str, Any] | None = None) -> Network:
        """Build the network; raise `UserError` for an option that it does not take."""
        known = self.options()
        given = dict(options or {})
        for name, value in given.items():
            where = f"recipe, [network], {name}"
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                takes = ", ".join(known) or "none"
                hint = f"did you mean {near[0]!r}?" if near else f"it takes {takes}"
                raise UserError(f"{where}: {self.name} has no such option; {hint}")
            kind = type(known[name])
            if kind is float and type(value) is int:
                given[name] = float(value)  # as everywhere in a recipe
            elif type(value) is not kind:
                raise UserError(f"{where}: expected {kind.__name__}, found {value!r}")
        try:
            return self.network(num_classes, **given)
        except ValueError as error:
            raise UserError(f"recipe, [network]: {error}") from error


ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            name="mini_xception",
            title="mini-Xception",
            network=MiniXception,
            paper="Arriaga et al., arXiv 1710.07557",
        ),
        Architecture(
            name="simple_cnn",
            network=SimpleCnn,
            title="simple CNN",
            paper="Arriaga et al., arXiv 1710.07557",
        ),
        Architecture(
            name="deep_emotion",
            network=DeepEmotion,
            title="Deep-Emotion",
            paper="Minaee et al., arXiv 1902.01019",
            only_size=48,
        ),
        Architecture(
            name="deep_emotion_parallel",
            network=DeepEmotionParallel,
            title="Deep-Emotion, parallel",
            paper="Minaee et al., arXiv 1902.01019",
            only_size=48,
        ),
        Architecture(
            name="acn",
            network=Acn,
            title="ACN",
            paper="Facial Emotion Recognition by Attentional Convolutional Network, section 4",
            only_size=48,
        ),
        Architecture(
            name="cbam_resnet18",
            network=CbamResnet18,
            title="CBAM-ResNet-18",
            paper="Wen et al. 2020; Woo et al., arXiv 1807.06521",
        ),
        Architecture(
            name="iresnet18",
            network=IResNet18,
            title="iResNet-18",
            paper="Deng et al., arXiv 1801.07698; Han et al., arXiv 1610.02915",
        ),
        Architecture(
            name="vgg",
            network=Vgg,
            title="VGG",
            paper="Simonyan and Zisserman, arXiv 1409.1556",
        ),
        Architecture(
            name="ran",
            network=RegionAttentionNetwork,
            title="RAN",
            paper="Wang et al., arXiv 1905.04075",
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
