"""Take out of an exported graph what is of use on the machine that made it alone."""

from __future__ import annotations

from typing import Any

__all__ = ["clear_notes"]


def clear_notes(model: Any) -> None:
    """Clear where in the Python source each part of an `onnx.ModelProto` comes from.

    torch's exporter notes it for every node: a quarter of a small file, and local paths.
    """
    graph = model.graph
    kinds = (graph.node, graph.initializer, graph.value_info, graph.input, graph.output)
    for part in (graph, *(part for kind in kinds for part in kind)):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
