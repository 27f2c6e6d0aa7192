"""``luma-studio film``: a script, or a production, as videos of its scenes and one film."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from luma_studio import kinds
from luma_studio.commands.bars import bars
from luma_studio.commands.explained import explained
from luma_studio.commands.jobs import as_job, tell_job
from luma_studio.errors import counted
from luma_studio.film import Film, FilmQuote
from luma_studio.production import Production
from luma_studio.store import files
from luma_studio.studio import Studio, read_script
from luma_studio.timeline.duration import clock

_WORDS = """
\b
Examples:
  luma-studio film my.txt --photo mira.jpg
  luma-studio film evening-calm --engine heygen:avatar_iv --photo mira.jpg --dry-run
  luma-studio film ad.txt --assembly creatomate:TEMPLATE --engine heygen:avatar_iv

\b
Exit codes:
  0  the film is there
  1  some of it is not; the same command tries only that again
  2  bad input, told before anything was sent
"""


@click.command("film", epilog=_WORDS)
@click.argument("script", metavar="SCRIPT|PRODUCTION")
@click.option("--name", help="Name of the production; the file's name by default.")
@click.option("--voice", help="Voice of the narrator, where the script is new.")
@click.option("--engine", "film", help="What films the scenes: preview (default), heygen:avatar_iv,resolution=1080p.")
@click.option("--assembly", help="What puts them together: preview (default), creatomate:TEMPLATE, heygen:avatar_iv.")
@click.option("--photo", help="Photo of every scene that names none: a file, a name in photos/, a vendor's id.")
@click.option("--orientation", type=click.Choice(["portrait", "landscape"]), help="720×1280 (default) or 1280×720.")
@click.option("--captions", type=click.Choice(["burned", "track", "none"]), help="In the picture (default), beside it.")
@click.option("--background", metavar="#RRGGBB", help="Colour behind photos.")
@click.option("--crossfade", type=float, metavar="SECONDS", help="Between scenes; makes nothing longer or shorter.")
@click.option("--title-card", type=float, metavar="SECONDS", help="That a scene's title stands at its beginning.")
@click.option("--motion", help="How photos move, for engines that can be told.")
@click.option("--budget", metavar="DOLLARS", help="Buy no more for this production than so many US dollars in all.")
@click.option("--scene", "scenes", multiple=True, metavar="ID", help="Film only this scene, as scene_2; repeatable.")
@click.option("--again", is_flag=True, help="Put the film together anew.")
@click.option("--force-upload", is_flag=True, help="Give vendors anew what they were given before.")
@click.option("--dry-run", is_flag=True, help="Only say what would be bought.")
@as_job
@explained
def film_command(
    script: str,
    name: str | None,
    photo: str | None,
    dry_run: bool,
    later: bool,
    **options: Any,
) -> None:
    """Film SCRIPT, or a PRODUCTION that is there: a video a scene, and one film with the master's sound."""
    asked = {option: options.pop(option) for option in ("again", "force_upload")}
    asked["scenes"] = options.pop("scenes") or None
    changes = {option: value for option, value in options.items() if value is not None}
    with Studio() as studio, bars() as listener:
        if photo is not None:
            path = Path(photo).expanduser()
            changes["photo"] = studio.photos.add(path) if path.is_file() else photo
        production = _opened(studio, script, name, changes)
        if later and not dry_run:
            tell_job(studio, kinds.film_later(studio, production.name, speak=True, **asked))
            return
        asyncio.run(production.speak(listener))
        quote = production.film_quote()
        _tell_quote(quote)
        if dry_run:
            return
        made = asyncio.run(production.film(listener, **asked))
    _report(production, made)
    if made.status != "success":
        sys.exit(1)


def _opened(studio: Studio, script: str, name: str | None, changes: dict[str, Any]) -> Production:
    path = Path(script).expanduser()
    if path.is_file():
        return studio.production(name or files.name_from(path.stem), read_script(path), **changes)
    return studio.production(script, **changes)


def _tell_quote(quote: FilmQuote) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for each in quote.scenes:
        if each.changed and not each.here:
            console.print(f"changed   {each.scene_id} has changed since it was filmed, so it is filmed anew")
        if each.problem:
            console.print(f"[yellow]{each.scene_id}[/]   {escape(each.problem)}")
    to_buy = [each for each in quote.scenes if not each.here and each.cost != 0]
    whole = () if quote.assembly == 0 else ("the film",)
    if to_buy or whole:
        what = " and ".join([*([counted(len(to_buy), "scene")] if to_buy else []), *whole])
        price = "at a price that is not known" if quote.unknown else f"about ${quote.cost:.2f}"
        console.print(f"buying    {what} by {escape(quote.engine)}, {price}")


def _report(production: Production, made: Film) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"[bold]{escape(production.name)}[/]: {made.status}")
    if made.film:
        length = clock(round(made.seconds * 1000), 1000)
        console.print(f"  film      {escape(str(production.folder / made.film))}, {length}")
    for each in made.results:
        words = escape(": ".join(filter(None, (each.status, each.message))))
        console.print(f"  {each.scene_id:9} {escape(each.video) or '–'}  {words}")
    for error in made.errors:
        console.print(f"  [red]error[/]     {escape(error)}")
    if made.missing_assets:
        console.print(
            f"  missing   a photo of {', '.join(made.missing_assets)}: put a picture into photos/ and name it in the "
            "script (Talking photo: NAME), or give one with --photo"
        )
