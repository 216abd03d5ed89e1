"""The network as an ONNX graph with 8-bit weights, written operator by operator, to run without torch.

Word embeddings are int8 with one scale a row. Linear layers are int8 with one scale for 32 inputs of each
output (`MatMulNBits` of onnxruntime, accuracy level 4: inputs are quantised by row and block too), so what a
text scores does not depend on the texts beside it in the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["write"]

_LAYERS, _HEADS, _WIDTH = 6, 12, 384
_BLOCK = 32
Array = NDArray[np.float32]


def write(weights: Mapping[str, Array], path: Path) -> None:
    """Writes the graph: input "ids" (texts × pieces, int64, 0 where a text has ended), output "logits" (texts
    × labels, float32). `weights` are the network's, by name."""
    graph = _Graph(weights)
    hidden = graph.embeddings()
    keep = graph.add(
        "Cast", graph.add("Greater", "ids", graph.number("none", 0, np.int64)), to=TensorProto.FLOAT
    )
    away = graph.add("Mul", graph.add("Sub", keep, graph.number("one", 1)), graph.number("far", 1e4))
    bias = graph.add("Unsqueeze", away, graph.shape("mask_axes", 1, 2))
    for layer in range(_LAYERS):
        hidden = graph.layer(f"encoder.encoder.layer.{layer}", hidden, bias)
    graph.pool(hidden, keep)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "toxicity",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "pieces"])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", None])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)],
        ir_version=8,
    )
    onnx.save(model, path)


class _Graph:
    """Nodes and constants, each output named after its node."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._weights = weights
        self._scale = self.number("scale", (_WIDTH // _HEADS) ** -0.5)
        self._split = self.shape("split", 0, 0, _HEADS, _WIDTH // _HEADS)
        self._join = self.shape("join", 0, 0, _WIDTH)

    def add(
        self, kind: str, *inputs: str, name: str | None = None, domain: str = "", **attributes: Any
    ) -> str:
        """A node; returns the name of its output."""
        output = name or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], domain=domain, **attributes))
        return output

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def number(self, name: str, value: float, kind: type[np.generic] = np.float32) -> str:
        return self.constant(name, np.array(value, kind))

    def shape(self, name: str, *sizes: int) -> str:
        return self.constant(name, np.array(sizes, np.int64))

    def embeddings(self) -> str:
        """Words by their row's scale, positions and the one token type as they are, normalised."""
        prefix = "encoder.embeddings"
        table = self._weights[f"{prefix}.word_embeddings.weight"]
        scales = np.abs(table).max(axis=1, keepdims=True) / 127 + 1e-12
        self.constant("words", np.round(table / scales).astype(np.int8))
        self.constant("word_scales", scales.astype(np.float32))
        rows = self.add("Cast", self.add("Gather", "words", "ids"), to=TensorProto.FLOAT)
        words = self.add("Mul", rows, self.add("Gather", "word_scales", "ids"))
        places = self._weights[f"{prefix}.position_embeddings.weight"][:64]
        self.constant("places", places + self._weights[f"{prefix}.token_type_embeddings.weight"][:1])
        length = self.add("Slice", self.add("Shape", "ids"), self.shape("from1", 1), self.shape("to2", 2))
        place = self.add("Slice", "places", self.shape("from0", 0), length, self.shape("axis0", 0))
        return self._normalised(f"{prefix}.LayerNorm", self.add("Add", words, place))

    def layer(self, prefix: str, hidden: str, bias: str) -> str:
        """Self-attention, then two linear layers, each added to what went in and normalised."""
        query, key, value = (
            self._heads(self._linear(f"{prefix}.attention.self.{part}", hidden))
            for part in ("query", "key", "value")
        )
        likeness = self.add("MatMul", query, self.add("Transpose", key, perm=[0, 1, 3, 2]))
        weights = self.add("Softmax", self.add("Add", self.add("Mul", likeness, self._scale), bias), axis=-1)
        mixed = self.add("Transpose", self.add("MatMul", weights, value), perm=[0, 2, 1, 3])
        out = self._linear(f"{prefix}.attention.output.dense", self.add("Reshape", mixed, self._join))
        hidden = self._normalised(f"{prefix}.attention.output.LayerNorm", self.add("Add", hidden, out))
        wide = self.add("Gelu", self._linear(f"{prefix}.intermediate.dense", hidden), domain="com.microsoft")
        out = self._linear(f"{prefix}.output.dense", wide)
        return self._normalised(f"{prefix}.output.LayerNorm", self.add("Add", hidden, out))

    def pool(self, hidden: str, keep: str) -> None:
        """The mean over the pieces of each text, and the labels' logits."""
        axis = self.shape("axis1", 1)
        total = self.add(
            "ReduceSum",
            self.add("Mul", hidden, self.add("Unsqueeze", keep, self.shape("axis2", 2))),
            axis,
            keepdims=0,
        )
        mean = self.add("Div", total, self.add("ReduceSum", keep, axis, keepdims=1))
        weight = self.constant("head", self._weights["head.weight"].T)
        self.add(
            "Add",
            self.add("MatMul", mean, weight),
            self.constant("head_bias", self._weights["head.bias"]),
            name="logits",
        )

    def _heads(self, hidden: str) -> str:
        return self.add("Transpose", self.add("Reshape", hidden, self._split), perm=[0, 2, 1, 3])

    def _linear(self, prefix: str, hidden: str) -> str:
        weight = self._weights[f"{prefix}.weight"]
        outputs, inputs = weight.shape
        blocks = weight.reshape(outputs, inputs // _BLOCK, _BLOCK)
        scales = np.abs(blocks).max(axis=2, keepdims=True) / 127 + 1e-12
        packed = (np.round(blocks / scales) + 128).astype(np.uint8)  # 128 stands for zero
        return self.add(
            "MatMulNBits",
            hidden,
            self.constant(f"{prefix}.q", packed),
            self.constant(f"{prefix}.s", scales.astype(np.float32).reshape(outputs, -1)),
            "",
            "",
            self.constant(f"{prefix}.b", self._weights[f"{prefix}.bias"]),
            domain="com.microsoft",
            K=inputs,
            N=outputs,
            bits=8,
            block_size=_BLOCK,
            accuracy_level=4,
        )

    def _normalised(self, prefix: str, hidden: str) -> str:
        scale = self.constant(f"{prefix}.g", self._weights[f"{prefix}.weight"])
        shift = self.constant(f"{prefix}.b", self._weights[f"{prefix}.bias"])
        return self.add("LayerNormalization", hidden, scale, shift, axis=-1, epsilon=1e-12)
