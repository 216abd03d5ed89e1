"""AudioSeal's two networks, built by the package `audioseal` out of pinned files (extra `[local]`).

What was found in version 0.2.0 of the package, and how it is met here:

- Its own loader unpickles whatever a file holds. Here the sha256 is compared with a pin first, and then
  nothing but tensors, plain containers and OmegaConf's nodes is unpickled.
- Its activations go through torch.compile, whose first call takes minutes. The package looks for
  NO_TORCH_COMPILE when it is imported, so that is set before.
- It wants the names that weights had before its layers were nested; the newer ones are turned into those.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guard.errors import ConfigurationError, MissingExtraError

__all__ = ["Checkpoint", "detector", "detector_of", "generator", "generator_of"]

Sound = NDArray[np.float32]

_PARTS = ("nbits", "seanet", "decoder", "detector", "normalizer")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file that `torch.save` wrote, as AudioSeal's weights are published, and its sha256 in hexadecimal.

    It holds the weights below `model` or `best_state.model`, and below `xp.cfg` the hyperparameters in which
    it differs from the package's card.
    """

    path: Path
    sha256: str


@cache
def generator(checkpoint: Checkpoint) -> Callable[[Sound, list[int]], Sound]:
    """From sound (n, channels) at 16 kHz and the bits to what has to be added to each channel.

    Raises `ConfigurationError` where the file is not what was pinned or no generator, and
    `MissingExtraError`.
    """
    net, torch = _filled(generator_of, checkpoint)

    def mark(sound: Sound, bits: list[int]) -> Sound:
        with torch.inference_mode():
            added = net.get_watermark(torch.from_numpy(sound.T[:, None].copy()), message=torch.tensor(bits))
        return np.asarray(added[:, 0].numpy().T, np.float32)

    return mark


@cache
def detector(checkpoint: Checkpoint) -> Callable[[Sound], tuple[float, NDArray[np.float64]]]:
    """From mono sound (n, 1) at 16 kHz to the share of it that looks marked, and each bit's chance to be set.

    Raises as `generator`.
    """
    net, torch = _filled(detector_of, checkpoint)

    def look(sound: Sound) -> tuple[float, NDArray[np.float64]]:
        with torch.inference_mode():
            share, _ = net.detect_watermark(wave := torch.from_numpy(sound.T[:, None].copy()))
            _, bits = net(wave)
        return float(share), bits[0].double().numpy()

    return look


def generator_of(hyperparameters: Mapping[str, Any]) -> Any:
    """The package's generator with random weights: the card's hyperparameters, those given laid over them."""
    package = _package()
    config = _config("audioseal_wm_16bits", hyperparameters, package.builder.AudioSealWMConfig)
    return package.builder.create_generator(config).eval()


def detector_of(hyperparameters: Mapping[str, Any]) -> Any:
    """The package's detector, as `generator_of`."""
    package = _package()
    config = _config("audioseal_detector_16bits", hyperparameters, package.builder.AudioSealDetectorConfig)
    return package.builder.create_detector(config).eval()


def _package() -> Any:
    os.environ["NO_TORCH_COMPILE"] = "1"
    try:
        with warnings.catch_warnings():
            # It uses torch.jit.script, which torch has deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            import audioseal.builder
            import audioseal.loader
    except ImportError as error:
        raise MissingExtraError("The engine audioseal", "local") from error
    return audioseal


def _config(card: str, hyperparameters: Mapping[str, Any], schema: Any) -> Any:
    from omegaconf import OmegaConf

    loader = _package().loader
    ours = {name: hyperparameters[name] for name in _PARTS if name in hyperparameters}
    laid = OmegaConf.merge(loader.load_local_model_config(card), OmegaConf.create(ours))
    return loader.AudioSeal.parse_config(OmegaConf.to_container(laid), schema)


def _filled(make: Callable[[Mapping[str, Any]], Any], checkpoint: Checkpoint) -> tuple[Any, Any]:
    """The network that `make` builds, with the checkpoint's weights, and torch."""
    loader = _package().loader
    import torch

    held = _unpickled(checkpoint, torch)
    try:
        weights = held.get("best_state", held)["model"]
        plain = {name.replace(".inner_conv", ""): weight for name, weight in weights.items()}
        net = make(held.get("xp.cfg", {}))
        with warnings.catch_warnings():
            # The package folds weight norm by a function that torch has deprecated.
            warnings.simplefilter("ignore", FutureWarning)
            loader.load_state_dict(net, loader.convert_state_dict_for_scriptable_model(plain))
    except Exception as error:  # whatever the package meets in weights that are not its own
        raise ConfigurationError(
            f"{checkpoint.path.name} does not hold the weights of this network of AudioSeal.",
            "Give the generator's file as generator and the detector's as detector.",
        ) from error
    return net, torch


def _unpickled(checkpoint: Checkpoint, torch: Any) -> Mapping[str, Any]:
    """What the file holds: its bytes are hashed and read once, so that nobody can exchange them between."""
    name = checkpoint.path.name
    try:
        data = checkpoint.path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{name} cannot be read: {error.strerror}.", "Give the path of a checkpoint of AudioSeal."
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != checkpoint.sha256.lower():
        raise ConfigurationError(
            f"{name} is not the pinned file: got sha256 {found}, expected {checkpoint.sha256}.",
            "Fetch it again, or correct the pin if you trust the file.",
        )
    try:
        with torch.serialization.safe_globals(_nodes()):
            held = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch, pickle and zipfile each raise their own
        raise ConfigurationError(
            f"{name} holds more than weights, or is no checkpoint.", "Use the file that AudioSeal publishes."
        ) from error
    if not hasattr(held, "get"):
        raise ConfigurationError(f"{name} is no checkpoint of AudioSeal.", "Give one that is.")
    return held  # type: ignore[no-any-return]


def _nodes() -> list[Any]:
    """What a configuration of OmegaConf consists of: classes that hold values and do nothing."""
    from collections import defaultdict

    from omegaconf import AnyNode, DictConfig, ListConfig
    from omegaconf.base import ContainerMetadata, Metadata

    return [DictConfig, ListConfig, AnyNode, ContainerMetadata, Metadata, Any, defaultdict, dict, list, int]
