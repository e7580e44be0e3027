"""Guided backpropagation in ONNX Runtime: the backward pass is a graph of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from models.explain.attention import Map
from models.explain.base import Crop
from models.runtime.card import ModelError, file_facts
from models.runtime.classifier import PROVIDERS, OnnxClassifier
from models.runtime.preprocess import to_input

METADATA_KEY = "mien.guided"
FORMAT = 1
HIGHEST = -1
"""As a label: the greatest activation of the last map in each place, whatever its label."""


def guided_file(model: Path) -> Path:
    """Return where the backward graph of a model lies: `x.onnx` has `x.guided.onnx`."""
    return model.with_name(f"{model.stem}.guided.onnx")


class GuidedBackprop:
    """Follow a label back to the pixels, through what was active and spoke for it.

    Springenberg et al., arXiv 1412.6806, section 3.4: at each ReLU a gradient passes where both it
    and the unit's input are above 0. The file shares the weights of the model beside it.
    Raises `ModelError` for a file that is missing, damaged or of another model.
    """

    name = "guided"
    title = "guided backpropagation"
    labels_at_once = False
    """Each label of a crop costs a pass of its own."""

    def __init__(self, classifier: OnnxClassifier, *, threads: int = 1) -> None:
        self._card = classifier.card
        self._file = guided_file(classifier.path)
        self._session = _open(self._file, classifier, threads)
        self.gradients([np.zeros((self._card.input.size,) * 2, np.uint8)], [HIGHEST])

    def explain(self, crop: Crop, label_index: int) -> Map:
        """Return the gradient's size (S, S) float32, 0 to 1, of a crop (S, S) uint8 gray.

        The strongest pixel in a hundred counts as 1, so that no single one sets the scale.
        """
        (size,) = self.explain_labels(crop, [label_index])
        strong = float(size.max())
        if not strong > 0:
            return np.zeros_like(size)
        return np.asarray(size / strong, np.float32)

    def explain_labels(self, crop: Crop, label_indices: Sequence[int]) -> list[Map]:
        """Return for each label the gradient's size (S, S): on one scale, so that labels compare.

        What is greater than the strongest pixel in a hundred counts as that.
        """
        sizes = np.abs(self.gradients([crop] * len(label_indices), label_indices))
        strong = [float(np.percentile(size, 99)) or float(size.max()) for size in sizes]
        return [
            np.asarray(np.minimum(size, most), np.float32)
            for size, most in zip(sizes, strong, strict=True)
        ]

    def gradients(self, crops: Sequence[Crop], label_indices: Sequence[int]) -> Map:
        """Return the guided gradient (N, S, S) float32, signed, of N crops (S, S) uint8.

        label_indices: one a crop; the derivative of that label's logit, or with `HIGHEST` of the
        class activation maps' greatest value in each place, summed (Arriaga et al., arXiv
        1710.07557, section 5); for a model without such maps of the greatest logit. By the
        normalised input.
        """
        feeds = {
            "crops": to_input(crops, self._card.input),
            "label": np.asarray(label_indices, np.int64),
        }
        try:
            (found,) = self._session.run(["guided"], feeds)
        except Exception as error:  # ONNX Runtime raises kinds of its own, one for each cause
            raise ModelError(
                f"{self._file.name}: expected a backward graph that runs, found one that fails "
                f"({_first_line(error)}): write it again with fer-export-onnx --guided"
            ) from error
        gradient: Map = found[:, 0]
        return gradient


def _open(file: Path, classifier: OnnxClassifier, threads: int) -> ort.InferenceSession:
    again = f"write it with fer-export-onnx {classifier.path.name} --guided"
    if not file.is_file():
        raise ModelError(f"expected {file.name} beside the model, found no such file: {again}")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what fails is raised
    provider = PROVIDERS.get(classifier.provider, PROVIDERS["CPU"])
    try:
        session = ort.InferenceSession(
            str(file), options, providers=list(dict.fromkeys([provider, PROVIDERS["CPU"]]))
        )
        facts = _facts(session)
    except Exception as error:  # as above
        raise ModelError(
            f"{file.name}: expected a backward graph, found a file that cannot be loaded "
            f"({_first_line(error)}): {again}"
        ) from error
    ours = classifier.card.file or file_facts(classifier.path)
    if facts.get("format") != FORMAT or facts.get("sha256") != ours.sha256:
        raise ModelError(
            f"{file.name}: expected the backward graph of {classifier.path.name}, found that of "
            f"another model or version: {again}"
        )
    return session


def _facts(session: ort.InferenceSession) -> dict[str, Any]:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "{}")
    facts = json.loads(text)
    return facts if isinstance(facts, dict) else {}


def _first_line(error: Exception) -> str:
    said = str(error).split("] : ")[-1]
    return said.splitlines()[0][:120] if said else type(error).__name__
