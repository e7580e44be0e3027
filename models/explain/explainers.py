"""Which explanations there are for a model."""

from __future__ import annotations

from collections.abc import Callable

from models.explain.base import Explainer, Runner
from models.explain.forward import forward_explainers
from models.explain.guided import GuidedBackprop, guided_file
from models.explain.occlusion import Occlusion
from models.runtime.card import ModelError
from models.runtime.classifier import OnnxClassifier


def explainers_for(
    classifier: OnnxClassifier,
    *,
    on_problem: Callable[[str], None] | None = None,
    threads: int = 1,
) -> list[Explainer]:
    """Return every explanation that a model can give.

    In this order, those that apply: "cam", "cbam", "theta", "region", "spatial1" to "spatial8",
    "guided" where its graph lies beside the model, "occlusion" always. They run in a session of
    their own, so that they may be asked from another thread than the classifier, though only from
    one. on_problem: told in a sentence why a damaged graph is left out; without it `ModelError` is
    raised. threads: of ONNX Runtime, for one map.
    """
    runner = Runner(classifier, threads=threads)
    found: list[Explainer] = [*forward_explainers(runner)]
    if guided_file(classifier.path).is_file():
        try:
            found.append(GuidedBackprop(classifier, threads=threads))
        except ModelError as error:
            if on_problem is None:
                raise
            on_problem(str(error))
    found.append(Occlusion(runner))
    return found
