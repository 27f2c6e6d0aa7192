"""The command line: reads options, calls the library, prints."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from luma_studio import kinds
from luma_studio.agents import NO_MIND, MindQuote
from luma_studio.commands.bars import bars
from luma_studio.commands.clips import animate_command, talk_command
from luma_studio.commands.explained import explained
from luma_studio.commands.film import film_command
from luma_studio.commands.jobs import as_job, clean_command, jobs_command, metrics_command, tell_job
from luma_studio.commands.personas import personas_command
from luma_studio.commands.take import take_command
from luma_studio.errors import ChangedError, InputError, NoKeyError, VendorError, counted
from luma_studio.export import Exported, check_name
from luma_studio.health import health
from luma_studio.production import Production
from luma_studio.progress import Listener
from luma_studio.script import draw_outline, outline, parse
from luma_studio.server import find_notebook
from luma_studio.settings import Choices, chosen, load_settings
from luma_studio.speaking import Quote
from luma_studio.store import files
from luma_studio.store.state import Decided
from luma_studio.studio import Studio, read_script
from luma_studio.timeline.duration import clock, samples_of
from luma_studio.voices import Offer, offers
from luma_studio.voices.embedded import languages, variants

_SCRIPT = click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="luma-studio")
def main() -> None:
    """Luma Studio: spoken scripts, with pauses tuned by hand and ear."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show Hindi is no reason to stop
            stream.reconfigure(errors="replace")


for family in (
    film_command,
    animate_command,
    talk_command,
    take_command,
    personas_command,
    jobs_command,
    clean_command,
    metrics_command,
):
    main.add_command(family)


@main.command()
@_SCRIPT
@click.option("--name", help="Name of the production; the file's name by default.")
@click.option(
    "--voice",
    help="Voice of the narrator and of whoever has none: espeak:hi+f3,rate=140, elevenlabs:Rachel, persona:asha.",
)
@click.option(
    "--speaker", "speakers", multiple=True, metavar="NAME=VOICE", help="Voice of one speaker; may be repeated."
)
@click.option("--language", help="Language where the writing cannot tell, such as hi for Hindi in Latin letters.")
@click.option(
    "--granularity",
    type=click.Choice(["sentence", "clause"]),
    help="Where clauses end: at sentences, or at commas too.",
)
@click.option("--fit", metavar="TOTAL", help="Stretch the free pauses to this total: 10:00, or seconds.")
@click.option(
    "--to",
    "masters",
    multiple=True,
    metavar="NAME",
    help="Master to write, named in the production's folder: master.mp3 (default), NAME.wav, .flac, .m4a, .aac; "
    "may be repeated.",
)
@click.option("--kbps", "mp3_kbps", type=int, help="MP3 bit rate, 128 by default.")
@click.option("--mind", help="Mind that cuts and times clauses: openai:MODEL, groq:MODEL,effort=low; '' for none.")
@click.option("--budget", metavar="DOLLARS", help="Buy no more for this production than so many US dollars in all.")
@as_job
@explained
def narrate(
    script: Path,
    name: str | None,
    speakers: tuple[str, ...],
    fit: str | None,
    masters: tuple[str, ...],
    later: bool,
    **options: Any,
) -> None:
    """Speak SCRIPT, lay it out in time, and export it with captions, chapters, scenes and audit."""
    for master in masters:
        check_name(master)
        files.safe_name(master)
    if fit is not None:
        samples_of(fit, load_settings().sample_rate)  # what cannot be read is told before anything is spoken
    text = read_script(script)
    changes = {option: value for option, value in options.items() if value is not None}
    if speakers:
        changes["speakers"] = _speakers(speakers)
    chosen(Choices(), changes, called=_option)
    with Studio() as studio, bars() as listener:
        name = files.name_from(script.stem) if name is None else name
        if later:
            production = studio.production(name, text, **changes)
            _warn(production, changes.get("speakers", ()))
            _tell_quote(production.quote(), studio.names.shown)
            tell_job(studio, kinds.narrate_later(studio, name, fit=fit, masters=masters))
            return

        def narrated() -> tuple[Production, Exported]:
            production = studio.production(name, text, **changes)
            _prepare(production, listener)
            _warn(production, changes.get("speakers", ()))
            _tell_quote(production.quote(), studio.names.shown)
            asyncio.run(production.speak(listener))
            if fit is not None:
                _tell_decisions(asyncio.run(production.plan(fit, listener)))
            return production, production.export(*masters, listener=listener)

        try:
            production, exported = narrated()
        except ChangedError:  # somebody narrates the same; what both need is here by now
            production, exported = narrated()
    _report(production, exported)


_BATCH_WORDS = """
\b
Examples:
  luma-studio batch scripts/*.txt --set fit=10:00 --set voice=hi --workers 2
  luma-studio batch jobs.csv --dry-run
  luma-studio batch jobs.csv --scheduler tcp://127.0.0.1:8786 --budget 20

\b
Parameters of the narration:
  script, production, voice, speakers, language, granularity, sentence_pause,
  comma_pause, fit, formats, loudness, budget, mind

\b
Exit codes:
  0  every run is good
  1  some failed; the same command tries only these again
  2  bad input, told before anything ran
"""


@main.command("batch", epilog=_BATCH_WORDS)
@click.argument("sources", nargs=-1, required=True, metavar="SCRIPT|JOBS...")
@click.option(
    "--set", "pairs", multiple=True, metavar="NAME=VALUE", help="Parameter of every run whose row has none; repeatable."
)
@click.option("--workers", "count", default=2, show_default=True, metavar="COUNT", help="Runs at once, each a process.")
@click.option(
    "--scheduler", metavar="ADDRESS", help="Have the workers of a Dask scheduler do the runs, as tcp://host:8786."
)
@click.option("--again", is_flag=True, help="Do all runs again, also those that are done.")
@click.option("--dry-run", is_flag=True, help="Only say what would be run and bought.")
@click.option("--budget", metavar="DOLLARS", help="Buy for no more than so many US dollars in all.")
@click.option(
    "--name", help="Name of the batch, whose folder is generated_audio/NAME.batch; otherwise that of its files."
)
@click.option("--notebook", default="batch_narration.ipynb", show_default=True, metavar="PATH", help="Notebook to run.")
@explained
def batch_command(sources: tuple[str, ...], pairs: tuple[str, ...], **options: Any) -> None:
    """Run a notebook for many scripts, here or on a cluster.

    SCRIPTs are a run each; JOBS files (.csv, .jsonl, .yaml) have a row a run, and columns that are parameters. Runs
    that were done before are skipped; every run and its files are shown in report.html.
    """
    from luma_studio.batch import command  # noqa: PLC0415 - a second of imports that no other command needs

    with Studio() as studio:
        sys.exit(command.batch(studio, sources, pairs, **options))


@main.command("outline")
@_SCRIPT
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a tree.")
@click.option("--language", help="Language where the writing cannot tell.")
@click.option("--granularity", type=click.Choice(["sentence", "clause"]), help="Where clauses end.")
@explained
def outline_command(script: Path, as_json: bool, **options: Any) -> None:
    """Show how SCRIPT is read: scenes, clauses, pauses, and what to look at."""
    changes = {option: value for option, value in options.items() if value is not None}
    read = parse(read_script(script), chosen(load_settings(), changes, called=_option))
    click.echo(json.dumps(outline(read), ensure_ascii=False, indent=2) if as_json else draw_outline(read))


@main.command("voices")
@explained
def voices_command() -> None:
    """List the voices: what the embedded one can be, those of each vendor that there is a key for, and personas."""
    console = Console(highlight=False)
    with Studio() as studio:
        _list_offers(console, asyncio.run(offers(studio.wires)))
        console.print("[bold]Personas[/]", " ".join(each.voice for each in studio.personas.offered()), soft_wrap=True)
    console.print("[bold]Languages[/]", " ".join(sorted(languages())), soft_wrap=True)
    console.print("[bold]Variants[/]", " ".join(sorted(variants())), soft_wrap=True)
    console.print("[bold]Settings[/]", "rate=80…450 (words a minute, 150), pitch=0…99 (50)")
    console.print("[bold]Example[/]", "espeak:hi+f3,rate=140,pitch=60")


def _list_offers(console: Console, offered: Sequence[Offer | VendorError]) -> None:
    for each in offered:
        if isinstance(each, NoKeyError):
            console.print(f"[bold]{each.vendor}[/] {escape(str(each))}", soft_wrap=True)
        elif isinstance(each, VendorError):
            console.print(f"[bold]{each.vendor}[/] [yellow]{escape(str(each))}[/]", soft_wrap=True)
        else:
            console.print(f"[bold]{each.vendor}[/] models: {escape(', '.join(each.models))}", soft_wrap=True)
            for voice in each.voices:
                console.print(
                    f"  {escape(voice.voice)}  {escape(voice.name)}  [dim]{escape(voice.about)}[/]", soft_wrap=True
                )


def _serving(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a command that serves; being told to end is how it ends."""
    options = (
        click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen."),
        click.option("--port", type=click.IntRange(0, 65535), help="Port; by default the next free one."),
        click.option("--no-browser", "browser", is_flag=True, default=True, flag_value=False, help="Open no browser."),
    )

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            command(*args, tell=click.echo, **kwargs)

    for option in reversed(options):
        run = option(run)
    return run


@main.command("open")
@click.argument("notebook", required=False)
@click.option("--kernels", "most", type=click.IntRange(min=1), default=8, show_default=True, help="Pages open at once.")
@click.option(
    "--idle", type=click.FloatRange(min=1), default=40, show_default=True, help="Seconds a closed page's kernel lives."
)
@explained
@_serving
def open_command(notebook: str | None, **options: Any) -> None:
    """Open the studio in the browser: the notebooks as pages; NOTEBOOK first, studio.ipynb if none is named."""
    first = find_notebook(notebook)
    click.echo("Warming up…")
    from luma_studio.server import serving  # noqa: PLC0415 - takes seconds, which no other command should

    serving.serve(first, serving.Options(**options))


@main.command("lab")
@click.argument("notebook", required=False)
@explained
@_serving
def lab_command(notebook: str | None, **options: Any) -> None:
    """Open the workspace in JupyterLab, with copies of the studio's notebooks to change; NOTEBOOK first."""
    from luma_studio.server import lab  # noqa: PLC0415 - takes seconds, which no other command should

    lab.serve(notebook, **options)


def _option(setting: str) -> str:
    """What the command line calls a setting."""
    return {"mp3_kbps": "--kbps", "speakers": "--speaker"}.get(setting, f"--{setting}")


def _speakers(pairs: tuple[str, ...]) -> dict[str, str]:
    speakers = {}
    for pair in pairs:
        name, equals, voice = pair.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{pair!r} is not of the form NAME=VOICE, as in --speaker 'Woman=espeak:+f3,rate=140'.")
        speakers[name.strip()] = voice.strip()
    return speakers


@main.command()
@click.option("--production", "name", help="Only what was bought for this production.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@explained
def ledger(name: str | None, as_json: bool) -> None:
    """What was bought from vendors: asked, arrived, refused, and what it cost."""
    with Studio() as studio:
        entries = studio.ledger.entries(name)
        spent = studio.ledger.spent(name)
    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in entries], ensure_ascii=False, indent=1, default=str))
        return
    if not entries:
        click.echo("Nothing was bought yet.")
        return
    table = Table("when", "production", "vendor", "model", "words", "units", "outcome", "US dollars", box=None)
    for each in entries:
        when = datetime.fromtimestamp(each.asked).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        bought = each.purchase
        cost = each.cost if each.outcome == "arrived" else bought.price
        paid = "–" if each.outcome == "refused" else "not known" if cost is None else f"{cost:.4f}"
        cells = (when, each.production, bought.vendor, bought.what, bought.subject[:40], str(bought.units))
        table.add_row(*map(escape, (*cells, each.outcome, paid)))
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    console.print(f"{len(entries)} calls, ${spent:.4f} spent as far as prices are known.")


@main.command()
@explained
def doctor() -> None:
    """Try every engine, and ask each vendor whether its key works and what is left."""
    console = Console(soft_wrap=True, highlight=False)
    with Studio() as studio:
        found = health(studio)
    for each in found:
        sign = "[green]✓[/]" if each.ready else "[red]✗[/]" if each.needed else "·"
        console.print(f"{sign} [bold]{each.name}[/] ({each.what_for}): {escape(' '.join((each.detail, each.remedy)))}")
    if any(each.needed and not each.ready for each in found):
        sys.exit(1)


def _warn(production: Production, named: Iterable[str]) -> None:
    """Print what may need a second look; ``named`` are those who were given a voice by this command."""
    console = Console(stderr=True)
    for each in production.script.diagnostics:
        if each.level != "note":
            console.print(f"[yellow]{each.line}:{each.column} {each.level}:[/] {escape(each.message)}", soft_wrap=True)
    speakers = {clause.speaker.casefold(): clause.speaker for clause in production.clauses if clause.speaker}
    for name in named:
        if name.casefold() not in speakers:
            there = f"Its speakers are: {', '.join(speakers.values())}." if speakers else "It names no speakers."
            message = (
                f"Nobody in the script is called {name!r}, so that voice says nothing. {there} "
                "Run again with the right --speaker; what you name then takes the place of this."
            )
            console.print(f"[yellow]warning:[/] {escape(message)}", soft_wrap=True)


def _prepare(production: Production, listener: Listener) -> None:
    """Have agents cast, cut and look the text through, and tell what they cost and who decided."""
    before = production.decisions
    for quote in production.to_prepare():
        _tell_thinking(quote)
    asyncio.run(production.prepare(listener))
    _tell_decisions(each for each in production.decisions if each not in before)


def _tell_thinking(quote: MindQuote) -> None:
    """What a mind is going to be asked, if anything is."""
    if quote.calls:
        price = "at a price that is not known" if quote.cost is None else f"about ${quote.cost:.4f}"
        bought = f"{counted(quote.calls, 'answer')}, about {quote.tokens:,} tokens of {quote.mind}, {price}"
        Console(stderr=True).print(f"buying    {escape(bought)}", soft_wrap=True, highlight=False)


def _tell_decisions(decisions: Iterable[Decided]) -> None:
    """Who decided what, and why it was the rules where it was; rules that nobody asked to be more are not news."""
    for each in decisions:
        if each.why != NO_MIND:
            told = f"{each.by}: {each.why}" if each.why else each.by
            Console(stderr=True).print(f"{each.agent:12} by {escape(told)}", soft_wrap=True, highlight=False)


def _tell_quote(quote: Quote, shown: Callable[[str], str]) -> None:
    """What is going to be bought, if anything is; ``shown`` gives a voice as one reads it."""
    for each in quote.voices:
        if each.cost is None or each.cost > 0:
            price = "at a price that is not known" if each.cost is None else f"about ${each.cost:.4f}"
            clauses, voice = counted(each.clauses, "clause"), shown(each.voice)
            bought = f"{clauses}, {each.characters:,} characters of {voice}, {price}"
            Console(stderr=True).print(f"buying    {escape(bought)}", soft_wrap=True, highlight=False)


def _report(production: Production, exported: Exported) -> None:
    console = Console(soft_wrap=True, highlight=False)
    timeline = production.timeline
    length, loud = clock(timeline.length, timeline.rate), exported.loudness
    console.print(
        f"[bold]{escape(production.name)}[/]: {length}, {counted(len(timeline.scenes), 'scene')}, "
        f"{counted(len(timeline.takes), 'clause')}"
    )
    console.print(
        f"  folder    {escape(str(production.folder))}, with production.json, audit.json and scene_audio_map.json"
    )
    for path in exported.masters:
        console.print(f"  master    {escape(str(path))}")
    peaks = " (as loud as this voice's peaks allow)" if loud.integrated < production.choices.loudness - 0.5 else ""
    console.print(f"  loudness  {loud.integrated:.1f} LUFS{peaks}, peak {loud.true_peak:.1f} dBTP")
    console.print("  scenes    " + ", ".join(path.name for path in exported.scenes.values()))
    for path in exported.beside:
        console.print(f"  beside    {escape(str(path))}")
    if exported.audit:
        console.print(f"  audit     {escape(exported.audit.summary)}")
    for path in exported.older:
        console.print(f"  [yellow]older[/]     {escape(str(path))} is of an earlier export")
