from __future__ import annotations
import numpy as np
from models.scene.grammar import *
from models.scene.paint.canvas import Canvas
from models.scene.paint import backdrop_wild as bw
from models.scene.paint.sky import paint_sky
from models.scene.paint.finish import develop, weather
def draw(scene, size=(1024,1024), seed=0):
    c = Canvas(scene, size[0], size[1], seed)
    paint_sky(c)
    getattr(bw, scene.place.name.lower())(c)
    weather(c)
    return develop(c)
