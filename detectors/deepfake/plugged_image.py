"""Picture classifiers that somebody else trained, run from files on this machine.

Nothing is fetched and nothing is unpickled. Each class is made from a `detectors.plugged.Entry`; weights load
at the first `inspect`, after their SHA-256 was compared with the entry's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from detectors.base import Context, Finding, abstained
from detectors.deepfake.loading import checked, checkpoint, tensors
from detectors.deepfake.networks import answers, card_of, filled, label_of, scored
from detectors.explain import Explanation, patches
from detectors.quality import first, flat, small_picture
from guard.errors import DetectorError
from guard.media import Artifact, Modality

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from detectors.plugged import Entry

    Pixels = NDArray[np.uint8]
    Planes = NDArray[np.float32]

__all__ = ["ClipLinear", "FerretNetImage", "MesoNetFace", "OnnxImage", "TransformersImage"]

_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_SPREAD = (0.26862954, 0.26130258, 0.27577711)


class PluggedImage(ABC):
    """What all of them do: gates, the network's log-odds, calibration where the entry has one."""

    least = 128
    """Pixels that the shorter side must have."""
    about = ""
    licence = "see the checkpoint"
    limits = ""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.card = card_of(
            entry,
            Modality.IMAGE,
            f"{self.about} Weights: {entry.place}.",
            uncalibrated="scores are the network's own",
            seconds=120.0,
            licence=self.licence,
            data="see the checkpoint's own card",
            limits=self.limits,
            abstains=f"below {self.least} pixels on the shorter side, and on plain surfaces",
        )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding. Raises `DetectorError` where the weights cannot be used."""
        pixels = artifact.picture.rgb()
        if why := first(small_picture(pixels.shape[1], pixels.shape[0], self.least), flat(pixels)):
            return [abstained(self.card, why)]
        return [scored(self.card, self.entry, self.raw([pixels])[0])]

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:
        """What each part of the picture adds to the log-odds, by covering it."""
        if self.inspect(artifact, context)[0].state != "scored":
            return None
        heat = patches(artifact.picture.rgb(), self.raw, 6, 6)
        return Explanation(self.card.id, self.card.signal, heat=heat)

    @abstractmethod
    def raw(self, pictures: Sequence[Pixels]) -> list[float]:
        """The log-odds of each picture (H, W, 3), above 0 toward the signal."""


class FerretNetImage(PluggedImage):
    """FerretNet-S with the published weights: the middle 256 × 256 pixels decide."""

    least = 256
    about = "FerretNet-S, trained on ProGAN pictures of four kinds of things."
    licence = "Apache-2.0"
    limits = "Right on PNG files like those it learned from; no better than chance on recompressed ones."

    def raw(self, pictures: Sequence[Pixels]) -> list[float]:
        """The network's logits."""
        import numpy as np

        batch = np.stack([_normal(_middle(p, 256), _CLIP_MEAN, _CLIP_SPREAD) for p in pictures])
        return answers(self._network, batch)

    @cached_property
    def _network(self) -> Any:
        from detectors.deepfake.ferretnet import FerretNet

        return filled(FerretNet(), self.entry)


class MesoNetFace(PluggedImage):
    """Meso-4 or MesoInception-4 with the published weights: the picture must be a face, cut out."""

    least = 128
    about = "MesoNet, trained on faces cut from Deepfakes or Face2Face videos of 2018."
    licence = "Apache-2.0"
    limits = (
        "Made for face crops; on whole pictures its answer means nothing. Mean AUC across data sets: 0.66."
    )

    def raw(self, pictures: Sequence[Pixels]) -> list[float]:
        """The network's logits turned round: it says how real a face is."""
        import cv2
        import numpy as np

        faces = [cv2.resize(p, (256, 256), interpolation=cv2.INTER_AREA) for p in pictures]
        batch = np.stack([face.transpose(2, 0, 1) for face in faces]).astype(np.float32) / 255
        return [-logit for logit in answers(self._network, batch)]

    @cached_property
    def _network(self) -> Any:
        from detectors.deepfake import mesonet

        inception = self.entry.kind == "mesoinception"
        return filled(mesonet.MesoInception4() if inception else mesonet.Meso4(), self.entry)


class ClipLinear(PluggedImage):
    """A CLIP image encoder with one linear layer on top, as UniversalFakeDetect has (Ojha et al., 2023).

    The entry's path is the encoder's folder or hub id, its head a safetensors file of `weight` (1, D) and
    `bias` (1,).
    """

    least = 224
    about = "A linear layer on CLIP's picture features."
    limits = "The middle 224 × 224 pixels decide."

    def raw(self, pictures: Sequence[Pixels]) -> list[float]:
        """The linear layer's logits."""
        import numpy as np
        import torch

        encoder, weight, bias = self._parts
        batch = np.stack([_normal(_middle(p, 224), _CLIP_MEAN, _CLIP_SPREAD) for p in pictures])
        with torch.inference_mode():
            seen = encoder(pixel_values=torch.from_numpy(batch)).image_embeds
            return [float(logit) for logit in seen @ weight[0] + bias[0]]

    @cached_property
    def _parts(self) -> tuple[Any, torch.Tensor, torch.Tensor]:
        if self.entry.head is None:
            raise DetectorError(
                f"Detector '{self.entry.id}' has no head.", "Name a safetensors file as `head`."
            )
        head = tensors(self.entry.head, self.entry.head_sha256)
        encoder = checkpoint(self.entry, "CLIPVisionModelWithProjection")
        weight, bias = head.get("weight"), head.get("bias")
        width = encoder.config.projection_dim
        if weight is None or bias is None or weight.shape != (1, width) or bias.shape != (1,):
            raise DetectorError(
                f"{self.entry.head.name} is no head for this encoder.",
                f"It must hold weight (1, {width}) and bias (1,).",
            )
        return encoder, weight, bias


class TransformersImage(PluggedImage):
    """Any picture classifier in the hub's format; the entry's label names the class that the signal means."""

    least = 64
    about = "A picture classifier in the hub's format."

    def raw(self, pictures: Sequence[Pixels]) -> list[float]:
        """The log-odds of the label under the network's own probabilities."""
        import torch

        model, processor, label = self._parts
        inputs = processor(images=list(pictures), return_tensors="pt")
        with torch.inference_mode():
            logits = model(**inputs).logits
        if logits.shape[1] == 1:
            return [float(row[0]) for row in logits]
        others = [index for index in range(logits.shape[1]) if index != label]
        return [float(row[label] - row[others].logsumexp(0)) for row in logits]

    @cached_property
    def _parts(self) -> tuple[Any, Any, int]:
        model = checkpoint(self.entry, "AutoModelForImageClassification")
        processor = checkpoint(self.entry, "AutoImageProcessor")
        return model, processor, label_of(self.entry, dict(model.config.id2label))


class OnnxImage(PluggedImage):
    """Any ONNX network from pictures (N, 3, H, W) to one logit or some classes' logits, as the entry says."""

    least = 64
    about = "A picture classifier in ONNX."

    def raw(self, pictures: Sequence[Pixels]) -> list[float]:
        """The log-odds of the label."""
        import cv2
        import numpy as np

        session, size = self._session
        shown = [cv2.resize(p, (size, size), interpolation=cv2.INTER_AREA) for p in pictures]
        batch = np.stack([_normal(p, self.entry.mean, self.entry.spread) for p in shown])
        try:
            outputs = [session.run(None, {session.get_inputs()[0].name: row[None]})[0] for row in batch]
        except Exception as error:  # the runtime's own errors share no base class
            raise DetectorError(f"{self.entry.place} does not run: {error}") from error
        return [_log_odds(np.ravel(output), int(self.entry.label or 0)) for output in outputs]

    @cached_property
    def _session(self) -> tuple[Any, int]:
        import onnxruntime  # type: ignore[import-untyped]

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        data = checked(self.entry.file, self.entry.sha256)
        try:
            return onnxruntime.InferenceSession(data, options), self.entry.side
        except Exception as error:  # as above
            raise DetectorError(f"{self.entry.place} is no ONNX network: {error}") from error


def _log_odds(outputs: NDArray[Any], label: int) -> float:
    import numpy as np

    if outputs.size == 1:
        return float(outputs[0])
    if not 0 <= label < outputs.size:
        raise DetectorError(f"The network has {outputs.size} outputs, none with the number {label}.")
    others = np.delete(outputs, label).astype(np.float64)
    top = others.max()
    return float(outputs[label] - top - np.log(np.exp(others - top).sum()))


def _middle(pixels: Pixels, side: int) -> Pixels:
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    return pixels[top : top + side, left : left + side]


def _normal(pixels: Pixels, mean: Sequence[float], spread: Sequence[float]) -> Planes:
    """(H, W, 3) uint8 to (3, H, W) float32, standardised."""
    import numpy as np

    scaled = (pixels.astype(np.float32) / 255 - np.array(mean, np.float32)) / np.array(spread, np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1), np.float32)
