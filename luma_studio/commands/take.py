"""``luma-studio take``: a pitch, as text or a recording, answered by a persona in its words, voice and face."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console
from rich.markup import escape

from luma_studio.agents.hot_take import Kind
from luma_studio.commands.bars import bars
from luma_studio.commands.explained import explained
from luma_studio.errors import InputError
from luma_studio.film import FILM
from luma_studio.hot_take import SOUND, STEPS, Brief, HotTakes, Record, Step, StepQuote
from luma_studio.settings import Choices, chosen
from luma_studio.studio import Studio
from luma_studio.voices import VoiceChoice

_WORDS = """
\b
Examples:
  luma-studio take "An app that reminds cats to drink." --persona otto --text-only
  luma-studio take pitch.mp4 --persona juno --context "Series A" --film
  luma-studio take --persona asha --text "टिकट तो पहले बेचो।" --film
  luma-studio take pitch.txt --persona otto --heygen-voice --budget 5 --dry-run

\b
Exit codes:
  0  the hot take is there
  1  a step could not be made; the same command goes on from there
  2  bad input, told before anything was sent
"""


@click.command("take", epilog=_WORDS)
@click.argument("pitch", metavar="[FILE|TEXT]", required=False)
@click.option("--persona", metavar="ID", help="Who answers: luma-studio personas list tells who there is.")
@click.option("--kind", type=click.Choice(get_args(Kind)), default="hot_take", show_default=True, help="What it is.")
@click.option("--seconds", type=float, default=30.0, show_default=True, help="How long it should take to speak.")
@click.option("--context", default="", help="What else is good to know, such as: Series A pitch.")
@click.option("--tags", is_flag=True, help="Allow delivery tags, for voices that hear them.")
@click.option("--version", type=click.IntRange(1), default=1, help="Another number is another text.")
@click.option("--text", default="", metavar="WORDS", help="The words themselves, typed: no mind writes.")
@click.option("--text-only", "until", flag_value="write", help="Only write the words.")
@click.option("--voice-only", "until", flag_value="speak", help="Write and speak them (this is usual).")
@click.option("--film", "until", flag_value="film", help="Write, speak and film them.")
@click.option("--engine", default="", help="What films it: preview (default), heygen:avatar_iv,resolution=1080p.")
@click.option("--heygen-voice", is_flag=True, help="Film it with HeyGen's own voice of the persona.")
@click.option("--voice-setting", "settings", multiple=True, metavar="NAME=VALUE", help="As rate=160; repeatable.")
@click.option("--mind", default="", help="Who writes: openai:MODEL, groq:MODEL; the settings' by default.")
@click.option("--transcriber", default="", help="Who hears a recording: openai:whisper-1, whisper:small.")
@click.option("--budget", metavar="DOLLARS", help="Buy no more for this hot take than so many US dollars in all.")
@click.option("--dry-run", is_flag=True, help="Only say what would be bought.")
@click.option("--history", is_flag=True, help="List the hot takes that there are.")
@explained
def take_command(pitch: str | None, until: Step | None, dry_run: bool, history: bool, **given: Any) -> None:
    """Have a persona answer a pitch: TEXT, a text FILE, or a recording (audio or video FILE)."""
    with Studio() as studio, bars() as listener:
        takes = HotTakes(studio)
        if history:
            _list(takes)
            return
        brief = _brief(pitch, given)
        until = until or ("film" if brief.heygen_voice or brief.film else "speak")
        _tell_quote(takes.quote(brief, until))
        if dry_run:
            return
        made = asyncio.run(takes.make(brief, until, listener))
    _report(takes, made)
    if made.step(until).state == "processing":
        sys.exit(1)


def _brief(pitch: str | None, given: dict[str, Any]) -> Brief:
    if not given["persona"]:
        raise InputError("Name who answers: --persona ID. To see who there is: luma-studio personas list.")
    if not (pitch or given["text"]):
        raise InputError("There is no pitch. Give its text or file, or the words themselves with --text.")
    chosen(Choices(), {"budget": given["budget"]}, called=lambda name: f"--{name}")
    voice = VoiceChoice.parse(",".join(["espeak", *given.pop("settings")])).settings
    names = {"engine": "film"}
    fields = {names.get(name, name): value for name, value in given.items() if value is not None}
    return Brief.model_validate({**fields, **_pitch(pitch or ""), "voice": dict(voice)})


def _pitch(pitch: str) -> dict[str, str]:
    """A pitch as it was typed, or as its file has it; any file but a text's is a recording."""
    path = Path(pitch).expanduser()
    try:
        is_file = path.is_file()
    except OSError:  # too long for a path: it is a text
        is_file = False
    if not is_file:
        return {"pitch": pitch}
    if path.suffix.lower() in (".txt", ".md"):
        return {"pitch": path.read_text("utf-8-sig", errors="replace")}
    return {"recording": str(path)}


def _tell_quote(quote: tuple[StepQuote, ...]) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for each in quote:
        if each.cost != 0:
            price = "at a price that is not known" if each.cost is None else f"about ${each.cost:.4f}"
            console.print(f"buying    {each.step} by {escape(each.by)}, {price}")


def _list(takes: HotTakes) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for each in takes.history():
        states = ", ".join(f"{step} {each.step(step).state}" for step in STEPS)
        console.print(f"[bold]{escape(each.name)}[/]  [dim]{states}[/]")
        console.print(f"  {escape(each.text or each.pitch)}")


def _report(takes: HotTakes, made: Record) -> None:
    console = Console(soft_wrap=True, highlight=False)
    folder = takes.folder(made.name)
    console.print(f"[bold]{escape(made.name)}[/]")
    console.print(f"  {escape(made.text)}\n")
    rows = {
        "words": _by(made),
        "sound": str(folder / SOUND) if made.step("speak").state == "done" else "",
        "film": str(folder / FILM) if made.step("film").state == "done" else made.step("film").message,
        "cost": f"${made.cost:.4f}" if made.cost else "",
    }
    for name, value in rows.items():
        if value:
            console.print(f"  {name:9} {escape(value)}")


def _by(made: Record) -> str:
    if not made.mind:
        return "typed, not a model's"
    tokens = f", {made.asked:,} + {made.answered:,} tokens" if made.asked and made.answered else ""
    changed = ", changed by hand" if made.is_by_hand else ""
    return f"by {made.mind}{tokens}, {made.latency or 0:.1f} s{changed}"
