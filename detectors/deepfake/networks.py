"""Networks of torch that an entry names: filled with its weights, asked, and their answer as a finding."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from detectors.base import DetectorCard, Finding, calibrated
from detectors.deepfake.loading import tensors
from guard.errors import DetectorError, MissingExtraError
from guard.media import Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from detectors.plugged import Entry

__all__ = ["answers", "card_of", "filled", "label_of", "scored"]


def card_of(
    entry: Entry,
    modality: Modality,
    description: str,
    *,
    licence: str,
    data: str,
    uncalibrated: str,
    limits: str,
    abstains: str,
    seconds: float,
) -> DetectorCard:
    """The card of what an entry names; `uncalibrated` says what its scores are without a calibration."""
    return DetectorCard(
        id=entry.id,
        version=entry.version,
        signal=entry.signal,
        modalities=frozenset({modality}),
        description=description,
        licence=licence,
        data=data,
        calibration=entry.calibration.kind if entry.calibration else f"none: {uncalibrated}",
        calibration_set="given with the entry" if entry.calibration else "none",
        limits=limits,
        abstains=abstains,
        seconds=seconds,
    )


def scored(card: DetectorCard, entry: Entry, raw: float) -> Finding:
    """The finding of a network's log-odds, calibrated where the entry says how."""
    if entry.calibration:
        return calibrated(card, entry.calibration, raw, entry.threshold)
    return Finding(
        card.id,
        card.version,
        card.signal,
        1 / (1 + math.exp(-max(-500.0, min(500.0, raw)))),
        entry.threshold,
        message="The score is not calibrated: it is no probability.",
        details={"raw": raw},
    )


def label_of(entry: Entry, names: dict[int, str]) -> int:
    """The number of the class that the entry means, of those that the checkpoint names."""
    if len(names) == 1:
        return 0
    for index, name in names.items():
        if str(entry.label).casefold() in (name.casefold(), str(index)):
            return int(index)
    raise DetectorError(
        f"Detector '{entry.id}' asks for the label '{entry.label}', which {entry.place} has not.",
        f"Use one of {', '.join(names.values())}.",
    )


def filled(network: Any, entry: Entry) -> Any:
    """The network with the entry's weights, ready to answer."""
    found = tensors(entry.file, entry.sha256)
    expected = {key for key in network.state_dict() if not key.endswith("num_batches_tracked")}
    if set(found) != expected:
        raise DetectorError(
            f"{entry.place} holds no weights of this network.",
            "Convert the published file with `guard detectors convert`.",
        )
    try:
        network.load_state_dict(found, strict=False)
    except RuntimeError as error:
        raise DetectorError(f"{entry.place} holds weights of another shape.") from error
    return network.eval()


def answers(network: Any, batch: NDArray[np.floating[Any]]) -> list[float]:
    """The network's logit for each item of a batch."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("This detector", "local") from error
    with torch.inference_mode():
        return [float(logit) for logit in network(torch.from_numpy(batch))]
