"""The watermarks that are compared: the tile mark and what is importable of its peers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from bench.image_attacks import Pixels
from guard.watermark.base import Payload
from guard.watermark.tile import embed, read

__all__ = ["Method", "Tile", "Timed", "peers"]

_KEY = b"the key of the benchmark"
_PAYLOAD = Payload(0x5EED_CAFE_0123_4567)
_BITS = np.unpackbits(np.frombuffer(b"mark", np.uint8)).tolist()
_LEAST_AREA = 256 * 256


class Method(Protocol):
    """A watermark with a fixed message."""

    name: str
    bits: int

    def mark(self, pixels: Pixels) -> Pixels: ...
    def reads(self, pixels: Pixels) -> bool:
        """Whether the whole message comes back exactly."""


class Tile:
    name, bits = "tile", 64

    def mark(self, pixels: Pixels) -> Pixels:
        return np.asarray(embed(pixels, _PAYLOAD, key=_KEY), np.uint8)

    def reads(self, pixels: Pixels) -> bool:
        return read(pixels, keys=[_KEY]).payload == _PAYLOAD


class InvisibleWatermark:
    """One method of invisible-watermark: 32 bits, no check, no presence test."""

    bits = len(_BITS)

    def __init__(self, method: str) -> None:
        from imwatermark import WatermarkDecoder, WatermarkEncoder

        self.name = method
        self._encoder, self._decoder = WatermarkEncoder(), WatermarkDecoder("bits", self.bits)
        if method == "rivaGan":
            self._encoder.loadModel()
            self._decoder.loadModel()
        self._encoder.set_watermark("bits", _BITS)

    def mark(self, pixels: Pixels) -> Pixels:
        marked = self._encoder.encode(np.ascontiguousarray(pixels[..., ::-1]), self.name)
        return np.ascontiguousarray(marked[..., ::-1])

    def reads(self, pixels: Pixels) -> bool:
        if pixels.shape[0] * pixels.shape[1] < _LEAST_AREA:
            return False
        found = self._decoder.decode(np.ascontiguousarray(pixels[..., ::-1]), self.name)
        return [int(bit) for bit in found] == _BITS


class BlindWatermark:
    """blind_watermark, told the length of its 32 bits."""

    name, bits = "blind_watermark", len(_BITS)

    def __init__(self) -> None:
        from blind_watermark import WaterMark

        self._new: Callable[..., Any] = WaterMark

    def mark(self, pixels: Pixels) -> Pixels:
        engine = self._new(password_img=1, password_wm=1)
        engine.read_img(img=np.ascontiguousarray(pixels[..., ::-1]))
        engine.read_wm(_BITS, mode="bit")
        return np.asarray(np.clip(np.rint(engine.embed()[..., ::-1]), 0, 255), np.uint8)

    def reads(self, pixels: Pixels) -> bool:
        engine = self._new(password_img=1, password_wm=1)
        found = engine.extract(
            embed_img=np.ascontiguousarray(pixels[..., ::-1]), wm_shape=self.bits, mode="bit"
        )
        return [int(bit > 0.5) for bit in found] == _BITS


class Timed:
    """A method, and the processor time per megapixel that it takes."""

    def __init__(self, method: Method) -> None:
        self.name, self.bits, self._method = method.name, method.bits, method
        self.marking: list[float] = []
        self.reading: list[float] = []

    def mark(self, pixels: Pixels) -> Pixels:
        return np.asarray(self._timed(self.marking, self._method.mark, pixels), np.uint8)

    def reads(self, pixels: Pixels) -> bool:
        return bool(self._timed(self.reading, self._method.reads, pixels))

    @staticmethod
    def _timed(times: list[float], step: Callable[[Pixels], Any], pixels: Pixels) -> Any:
        start = time.process_time()
        result = step(pixels)
        times.append((time.process_time() - start) * 1e9 / (pixels.shape[0] * pixels.shape[1]))
        return result


def peers() -> Iterator[Method]:
    """The peers that can be imported; says plainly which cannot."""
    makers: list[tuple[str, Callable[[], Method]]] = [
        *((name, lambda name=name: InvisibleWatermark(name)) for name in ("dwtDct", "dwtDctSvd", "rivaGan")),
        ("blind_watermark", BlindWatermark),
    ]
    for name, make in makers:
        try:
            yield make()
        except ImportError as error:
            print(f"{name} is not compared: {error}.")
