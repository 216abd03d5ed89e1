"""Scenes of any kind, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from models.scene import Person, Scene, Thing
from models.scene.grammar import MAX_PEOPLE, MAX_THINGS

things = st.builds(Thing)
people = st.builds(Person)
scenes = st.builds(
    Scene,
    things=st.lists(things, max_size=MAX_THINGS).map(tuple),
    people=st.lists(people, max_size=MAX_PEOPLE).map(tuple),
)
