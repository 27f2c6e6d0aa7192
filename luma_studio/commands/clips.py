"""``luma-studio animate`` and ``talk``: a still that moves, and a photo that talks, each by itself."""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, cast

import click
from rich.console import Console
from rich.markup import escape

from luma_studio.agents.avatar import Wish
from luma_studio.agents.motion import Described
from luma_studio.commands.bars import bars
from luma_studio.commands.explained import explained
from luma_studio.errors import InputError
from luma_studio.studio import Studio, read_script
from luma_studio.talking import Talk
from luma_studio.video.base import Look, Motion, Photo

_PHOTO = click.argument("photo", metavar="PHOTO")
_ORIENTATION = click.option("--orientation", type=click.Choice(["portrait", "landscape"]), help="Which way up.")


@click.command("animate")
@_PHOTO
@click.option("--prompt", help="How it moves; without one it is written, by a mind or the rules, and shown.")
@click.option("--about", default="", help="What is seen, for whoever writes the prompt.")
@click.option("--negative-prompt", help="What is not to be.")
@click.option("--seconds", type=click.Choice(["5", "10"]), help="How long it moves; 5 by default.")
@click.option("--guidance", type=click.FloatRange(0, 1), help="How closely the prompt is followed: 0 to 1.")
@click.option("--engine", default="preview", show_default=True, help="preview, or freepik,interval=5,timeout=600.")
@click.option("--static-mask", "mask", help="A picture that shows which part stays still, where the engine can.")
@click.option("--webhook", default="", help="An https address of yours that the vendor tells of each change.")
@_ORIENTATION
@click.option("--dry-run", is_flag=True, help="Only show the prompts, and say what would be bought.")
@explained
def animate_command(  # noqa: PLR0913, PLR0917 - each is an option
    photo: str,
    prompt: str | None,
    about: str,
    engine: str,
    mask: str | None,
    webhook: str,
    orientation: str | None,
    dry_run: bool,
    **given: Any,
) -> None:
    """Have PHOTO (a file, its name in photos/, or an https address) move for 5 or 10 seconds."""
    console = Console(soft_wrap=True, highlight=False)
    with Studio() as studio, bars() as listener:
        found = _photo(studio, photo)
        bundle: dict[str, Any] = {"prompt": prompt or "", "negative_prompt": "", "seconds": 5, "guidance": 0.5}
        if prompt is None:
            decision = asyncio.run(studio.write_motion(Described(title=found.name, description=about)))
            bundle = decision.value.model_dump()
        bundle |= {name: value for name, value in given.items() if value is not None}
        look = Look(1280, 720) if orientation == "landscape" else Look()
        seconds = cast(Literal[5, 10], int(bundle["seconds"]))
        motion = Motion(
            found,
            seconds,
            bundle["prompt"],
            bundle["negative_prompt"],
            float(bundle["guidance"]),
            static_mask=_photo(studio, mask).still if mask else None,
            webhook=webhook,
            look=look,
        )
        console.print(f"  prompt    {escape(motion.prompt)}")
        if motion.negative_prompt:
            console.print(f"  not       {escape(motion.negative_prompt)}")
        quote = studio.animation_quote(motion, engine)
        _tell_cost(engine, quote.here, quote.cost)
        if dry_run:
            return
        made = asyncio.run(studio.animate(motion, engine, listener))
        _report(console, made.status, made.message, studio.folder / "animated" / made.video if made.video else None)


@click.command("talk")
@_PHOTO
@click.argument("script", metavar="SCRIPT|TEXT")
@click.option(
    "--sound",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A recording of it.",
)
@click.option("--asset", default="", help="A sound that HeyGen has: its id, or the scene it was uploaded for.")
@click.option("--brief", default="", help="What the video is for.")
@click.option("--voice", default="", help="A voice of HeyGen: its id, or words that describe it.")
@click.option("--title", default="", help="Its title.")
@_ORIENTATION
@click.option("--fit", type=click.Choice(["cover", "contain"]), help="Fill the frame, or be all seen.")
@click.option("--motion", help="How the photo moves.")
@click.option("--enhance-motion/--no-enhance-motion", default=None, help="Whether a mind may write how it moves.")
@click.option("--engine", default="preview", show_default=True, help="preview, or heygen:avatar_iv,resolution=1080p.")
@click.option("--force-upload", is_flag=True, help="Give the vendor anew what it was given before.")
@click.option("--dry-run", is_flag=True, help="Only show how it would be filmed.")
@explained
def talk_command(
    photo: str,
    script: str,
    sound: Path | None,
    asset: str,
    engine: str,
    force_upload: bool,
    dry_run: bool,
    **wanted: Any,
) -> None:
    """Have PHOTO say SCRIPT (a file, or the words): with a recording, or with a voice of HeyGen's own."""
    path = Path(script).expanduser()
    words = read_script(path) if len(script) < 1000 and path.is_file() else script
    console = Console(soft_wrap=True, highlight=False)
    with Studio() as studio, bars() as listener:
        talk = Talk(_photo(studio, photo), Wish(words.strip(), **wanted), sound, asset)
        decision = asyncio.run(studio.talk_as(talk, engine))
        how = decision.value
        console.print(f"  title     {escape(how.title)}")
        console.print(f"  frame     {how.orientation}, {how.fit}, {escape(how.voice_id or 'its own sound')}")
        if how.motion:
            console.print(f"  motion    {escape(how.motion)}")
        if dry_run:
            return
        made = asyncio.run(studio.talk(talk, engine, decision, listener, force_upload=force_upload))
        _report(console, made.status, made.message, studio.folder / "talking" / made.video if made.video else None)


def _photo(studio: Studio, photo: str) -> Photo:
    if photo.lower().startswith("https://"):
        return Photo(photo, address=photo)
    path = Path(photo).expanduser()
    found = studio.photos.find(studio.photos.add(path) if path.is_file() else photo)
    if found is None:
        raise InputError(f"There is no photo {photo!r}. Give a file, or one of: {', '.join(studio.photos.names())}.")
    return found


def _tell_cost(engine: str, here: bool, cost: Decimal | None) -> None:
    if not here and cost != 0:
        price = "at a price that is not known" if cost is None else f"about ${cost:.2f}"
        Console(stderr=True).print(f"buying    a clip by {escape(engine)}, {price}", soft_wrap=True, highlight=False)


def _report(console: Console, status: str, message: str, video: Path | None) -> None:
    if video is not None:
        console.print(f"  video     {escape(str(video))}")
    if message:
        console.print(f"  {status:9} {escape(message)}")
    if status != "completed":
        sys.exit(1)
