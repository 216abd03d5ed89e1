from __future__ import annotations
from pathlib import Path
from models.local.checkpoint import locate
from models.local.text import LocalText
from models.base import GenerationRequest
from guard.media import Modality

def test_x(text_folder: Path):
    m = LocalText(locate(str(text_folder)))
    print(m.card)
    r = GenerationRequest("red boat", Modality.TEXT, n=2, seed=3)
    a = m.generate(r)
    print([x.text for x in a])
    r = GenerationRequest("red boat", Modality.TEXT, seed=3, parameters={"stop": "green"})
    print(m.generate(r)[0].text)
    print(list(m.stream(r)))
