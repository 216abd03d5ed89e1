from __future__ import annotations
from pathlib import Path
from models.local.checkpoint import locate
from models.local.image import LocalImage
from models.base import GenerationRequest
from guard.media import Modality

import pytest
pytestmark = [pytest.mark.heavy, pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")]

def test_x(image_folder: Path):
    m = LocalImage(locate(str(image_folder)))
    print(m.card)
    r = GenerationRequest("boat", Modality.IMAGE, n=2, seed=3, parameters={"steps":2})
    a = m.generate(r)
    print([x.picture for x in a])
