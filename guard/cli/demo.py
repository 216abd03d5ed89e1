"""`guard demo`: the whole story on one screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from guard.cli.checks import show_state
from guard.cli.failures import FINE, NO
from guard.cli.output import chance, printable

if TYPE_CHECKING:
    from guard.demo import Step, Story
    from guard.verdict import Verdict

__all__ = ["demo"]

_WIDTH = 96


def demo(
    out_dir: Annotated[Path, typer.Option("--out-dir", metavar="DIR", help="Where the files go.")] = Path(
        "demo-out"
    ),
) -> None:
    """Generate a picture, release it, maltreat it, verify it.

    Keeps its own keys and ledger in DIR and touches nothing of yours.
    Exits 0 where every verdict is as expected.
    """
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(console.width, _WIDTH) if console.is_terminal else _WIDTH
    with Console(stderr=True).status("Generating, releasing and verifying a picture …"):
        from guard.demo import tell

        story = tell(out_dir)
    console.print(_screen(story))
    raise typer.Exit(FINE if story.as_expected else NO)


def _screen(story: Story) -> RenderableType:
    return Group(
        Text("\nOne picture, from prompt to proof\n", "bold"),
        _release_table(story),
        Text(f"\nDevelopment keys: {story.keys.warning.split(': ', 1)[-1]}\n", "yellow"),
        Text("What happens to it out there, and what Guard says of the file then\n", "bold"),
        _verdict_table(story),
        _ending(story),
    )


def _release_table(story: Story) -> Table:
    release, decision = story.release, story.release.decision
    mark = (
        f"invisible, payload {release.mark.payload.hex}, engine {release.mark.engine}"
        if release.mark
        else "none"
    )
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(style="cyan")
    table.add_column(ratio=1)
    table.add_column(justify="right", style="dim")
    for step, said in {
        "generate": f"“{story.prompt}” by the built-in model {story.model.name}",
        "screen": f"prompt and picture by {story.screened}",
        "decide": f"{decision.action}: {decision.reason} Rule “{decision.rule}”.",
        "mark": mark,
        "sign": "Content Credential (C2PA) in the file",
        "prove": "mark and credential, read back from the final bytes",
        "record": f"entry {release.receipt.index} of the ledger, durable before anything leaves",
    }.items():
        table.add_row(step, said, _milliseconds(story.seconds.get(step, 0.0)))
    return table


def _verdict_table(story: Story) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, header_style="dim")
    table.add_column("file", ratio=8)
    table.add_column("verdict", no_wrap=True)
    table.add_column("evidence", ratio=10)
    table.add_column("time", justify="right", style="dim", no_wrap=True)
    for step in story.steps:
        table.add_row(_file(step), _state(step), _evidence(step.verdict), _milliseconds(step.seconds))
    return table


def _file(step: Step) -> Text:
    return Text.assemble((step.file.name, "bold"), f"\n{step.done}\n")


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
    return f"credential {credential.state}{': content changed' if mismatch else ''}"


def _mark(verdict: Verdict) -> str:
    reading = verdict.reading
    if reading.payload is None:
        return "no mark"
    luck = "" if reading.p_value is None else f", {chance(reading.p_value)}"
    return f"mark {reading.payload.hex}{luck}"


def _content(verdict: Verdict) -> str:
    match = verdict.match
    if match.entry is None:
        return "not in the ledger"
    if match.kind == "exact":
        return "ledger: these exact bytes"
    likeness = "" if match.similarity is None else f", similarity {match.similarity:.2f}"
    return f"ledger: by {match.kind}{likeness}"


def _ending(story: Story) -> Text:
    folder = printable(str(story.folder))
    return Text.assemble(
        f"The files are in {folder}/. Ask about any of them again:\n",
        (f"  GUARD_HOME={folder}/guard-home guard verify {folder}/*.*g", "bold"),
    )


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
