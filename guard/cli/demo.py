"""`guard demo`: the whole story on one screen."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from guard.cli.checks import show_state
from guard.cli.failures import FINE, NO
from guard.cli.output import printable, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guard.demo import Step, Story
    from guard.verdict import Verdict

__all__ = ["demo"]

_WIDTH = 96
_NOUNS = {"image": "picture", "audio": "sound"}
_UNSEEN = {"image": "invisible", "audio": "inaudible"}


def demo(
    modality: Annotated[
        Literal["image", "audio"], typer.Option(help="What the story is about: a picture or a sound.")
    ] = "image",
    out_dir: Annotated[Path, typer.Option("--out-dir", metavar="DIR", help="Where the files go.")] = Path(
        "demo-out"
    ),
) -> None:
    """Generate a picture or a sound, release it, maltreat it, verify it.

    Keeps its own keys and ledger in DIR and touches nothing of yours.
    Exits 0 where every verdict is as expected.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(console.width, _WIDTH) if console.is_terminal else _WIDTH
    with Console(stderr=True).status(f"Generating, releasing and verifying a {_NOUNS[modality]} …"):
        from guard.demo import tell
        from guard.media import Modality

        story = tell(out_dir, Modality(modality))
    console.print(_screen(story))
    say(_ending(story))
    raise typer.Exit(FINE if story.as_expected else NO)


def _screen(story: Story) -> RenderableType:
    return Group(
        Text(f"\nOne {_NOUNS[story.modality]}, from prompt to proof\n", "bold"),
        _release_table(story),
        Text("\nWhat happens to it out there, and what Guard says of the file then", "bold"),
        _verdict_table(story),
    )


def _release_table(story: Story) -> Table:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(style="cyan")
    table.add_column(ratio=1)
    table.add_column(justify="right", style="dim")
    for step, said in _release_steps(story):
        table.add_row(step, said, _milliseconds(story.seconds.get(step, 0.0)))
    return table


def _release_steps(story: Story) -> Iterator[tuple[str, str]]:
    decision, mark = story.release.decision, story.release.mark
    screens = ", ".join(f"{card.id} ({'+'.join(sorted(card.modalities))})" for card in story.detectors)
    yield "generate", f"“{story.prompt}” by the built-in model {story.model.name}"
    yield "screen", f"prompt and {_NOUNS[story.modality]}, by what a rule reads: {screens}"
    yield "decide", f"policy “{decision.policy}” says {decision.action}: {decision.reason}"
    if mark is not None:
        yield "mark", f"{_UNSEEN[story.modality]}, 64-bit payload {story.release.id}, engine {mark.engine}"
    yield "sign", "Content Credential (C2PA), by development keys that nobody else trusts"
    yield "prove", "mark and credential, read back from the final bytes"
    yield "record", f"entry {story.release.receipt.index} of the ledger, durable before anything leaves"


def _verdict_table(story: Story) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, header_style="dim")
    table.add_column("file", ratio=1)
    table.add_column("verdict", no_wrap=True)
    table.add_column("evidence", no_wrap=True)
    table.add_column("time", justify="right", style="dim", no_wrap=True)
    for step in story.steps:
        table.add_row(_file(step), _state(step), _evidence(step.verdict), _milliseconds(step.seconds))
    return table


def _file(step: Step) -> Text:
    return Text.assemble((step.file.name, "bold"), f"\n{step.done}")


def _state(step: Step) -> Text:
    text = Text.assemble(show_state(step.verdict.state.value))
    if step.verdict.state is not step.expected:
        text.append(f"\nNOT {step.expected.value}", "bold red")
    return text


def _evidence(verdict: Verdict) -> Text:
    lines = [_credential(verdict), _mark(verdict), _content(verdict)]
    return Text("\n".join(line for line in lines if line))


def _credential(verdict: Verdict) -> str:
    credential = verdict.credential
    if credential.state == "absent":
        return "no credential"
    mismatch = any("mismatch" in code for code in credential.codes)
    return "credential: content changed" if mismatch else f"credential {credential.state}"


def _mark(verdict: Verdict) -> str:
    reading = verdict.reading
    if reading.payload is None:
        return "no mark"
    return ", ".join(filter(None, [f"mark {reading.payload.hex}", reading.chance]))


def _content(verdict: Verdict) -> str:
    match = verdict.match
    if match.entry is None:
        return "not in the ledger"
    if match.kind == "exact":
        return "ledger: these exact bytes"
    likeness = "" if match.similarity is None else f", similarity {match.similarity:.2f}"
    return f"ledger: {match.kind}{likeness}"


def _ending(story: Story) -> Text:
    folder, home, command = (
        shlex.quote(str(x)) for x in (story.folder, story.folder / "guard-home", _command())
    )
    return Text.assemble(
        "The files stay in ",
        (printable(folder), "bold"),
        ". Ask about them again:\n",
        (f"  GUARD_HOME={printable(home)} {printable(command)} verify {printable(folder)}/0*", "bold"),
    )


def _command() -> str:
    """How to call Guard from here: by its name, or by its path in an environment that is not active."""
    return "guard" if shutil.which("guard") else os.path.relpath(Path(sys.executable).with_name("guard"))


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
