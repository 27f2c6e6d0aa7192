"""``luma-studio personas``: list, show, add, change, remove, validate and hear them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from luma_studio.audio import codec
from luma_studio.commands.explained import explained
from luma_studio.errors import InputError, counted
from luma_studio.persona import Persona, Personas, described
from luma_studio.persona.model import entry_of
from luma_studio.store import files
from luma_studio.studio import Studio, read_script

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FIELDS = (
    click.option("--name", help="What it is called."),
    click.option("--bio", help="Who it is, in a sentence or two."),
    click.option("--greeting", help="What it says when one wants to hear it."),
    click.option("--language", help="Language that it writes and speaks, as a tag: hi, en-GB."),
    click.option("--voice", help="Its voice that needs no key: espeak:hi+f3,rate=140."),
    click.option("--elevenlabs-voice", "elevenlabs_voice_id", metavar="ID", help="Its voice of ElevenLabs, by its id."),
    click.option(
        "--elevenlabs-setting", "settings", multiple=True, metavar="NAME=VALUE", help="As model=eleven_v3; repeatable."
    ),
    click.option("--heygen-avatar", "heygen_avatar_id", metavar="ID", help="Its avatar of HeyGen."),
    click.option("--heygen-voice", "heygen_voice_id", metavar="ID", help="Its voice of HeyGen."),
    click.option("--colour", "colours", multiple=True, metavar="#RRGGBB", help="Its colours, the main one first."),
    click.option("--temperature", type=float, help="How freely the mind writes that writes for it: 0 to 2."),
    click.option("--effort", help="How hard that mind thinks: low, medium, high."),
    click.option("--picture", type=_FILE, help="PNG or JPEG of its face; it is copied."),
)


@click.group("personas")
def personas_command() -> None:
    """Characters with a prompt, a voice and a face: the shipped ones and those of your workspace."""


@personas_command.command("list")
@explained
def list_command() -> None:
    """List them, and say what is wrong with those that cannot be used."""
    console = Console(soft_wrap=True, highlight=False)
    with Studio() as studio:
        for each in studio.personas.all():
            own = "" if each.is_own else " [dim](shipped)[/]"
            console.print(f"[bold]{each.id:12}[/] {escape(each.name)}, {each.language}{own}")
            if each.bio:
                console.print(f"{'':12} [dim]{escape(each.bio)}[/]")
        _tell_problems(studio.personas)


@personas_command.command("show")
@click.argument("key", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print its entry of personas.json, for programs.")
@explained
def show_command(key: str, as_json: bool) -> None:
    """Show all of one persona: who it is, its prompt, and what it can do with which key."""
    with Studio() as studio:
        persona = studio.personas.get(key)
        if as_json:
            click.echo(json.dumps({persona.id: entry_of(persona)}, ensure_ascii=False, indent=1))
            return
        _show(studio.personas, persona)


def _show(personas: Personas, persona: Persona) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"[bold]{escape(persona.name)}[/] ({persona.id}), {persona.language}")
    picture = (
        f"{personas.image_path(persona)}, {persona.picture.width} × {persona.picture.height}" if persona.picture else ""
    )
    rows = {
        "bio": persona.bio,
        "greeting": persona.greeting,
        "voices": ", ".join(persona.voices),
        "avatar": ", ".join(filter(None, (persona.heygen_avatar_id, persona.heygen_voice_id))),
        "picture": picture,
        "colours": " ".join(persona.colours),
        "prompt": persona.prompt_file,
    }
    for name, value in rows.items():
        if value:
            console.print(f"  {name:9} {escape(value)}")
    for each in described(personas, persona).abilities[1:]:  # what writes for it is a production's choice
        ready = f"by {each.by}" if each.is_ready else "not yet"
        console.print(f"  {'can ' + each.what:11} {escape(' '.join((ready + '.', each.better)))}")
    console.print(f"\n{escape(persona.prompt)}")


def _with_fields(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_FIELDS):
        command = option(command)
    return command


@personas_command.command("add")
@click.argument("key", metavar="ID")
@click.option("--prompt", type=_FILE, required=True, help="Text file: who it is and how it speaks; it is copied.")
@_with_fields
@explained
def add_command(key: str, prompt: Path, **options: Any) -> None:
    """Add a persona of your own: ID is what commands call it, as in --voice persona:ID."""
    with Studio() as studio:
        if options["name"] is None:
            raise InputError('A persona needs a name: --name "Asha Samaypal".')
        persona = studio.personas.add(key, prompt=read_script(prompt), **_given(options))
        _tell("Added", persona, studio.personas)


@personas_command.command("change")
@click.argument("key", metavar="ID")
@click.option("--prompt", type=_FILE, help="Text file: who it is and how it speaks; it is copied.")
@_with_fields
@explained
def change_command(key: str, prompt: Path | None, **options: Any) -> None:
    """Change some of a persona, '' takes a field away; of a shipped one, your own copy takes its place."""
    with Studio() as studio:
        text = None if prompt is None else read_script(prompt)
        persona = studio.personas.change(key, prompt=text, **_given(options))
        _tell("Changed", persona, studio.personas)


@personas_command.command("remove")
@click.argument("key", metavar="ID")
@explained
def remove_command(key: str) -> None:
    """Take a persona of your own away; its prompt and picture stay in personas/.trash."""
    with Studio() as studio:
        kept = studio.personas.remove(key)
    click.echo(f"Removed {key}. What it was is kept in {kept}.")


@personas_command.command("validate")
@explained
def validate_command() -> None:
    """Check your own personas: files, fields, ids, paths, pictures, names. Exit code 1 where something is wrong."""
    with Studio() as studio:
        found = studio.personas.all()
        if _tell_problems(studio.personas):
            sys.exit(1)
    click.echo(f"All is well with {counted(len(found), 'persona')}.")


@personas_command.command("hear")
@click.argument("key", metavar="ID")
@click.option("--text", help="What it is to say; its greeting by default.")
@click.option(
    "--to", "path", type=click.Path(dir_okay=False, path_type=Path), help="WAV file to write; ID.wav by default."
)
@explained
def hear_command(key: str, text: str | None, path: Path | None) -> None:
    """Have a persona say a few words, into a WAV file. With ElevenLabs' voice these are bought, once."""
    with Studio() as studio:
        persona = studio.personas.get(key)
        words = text or persona.greeting or persona.name
        clip = asyncio.run(studio.hear(words, persona.language, f"persona:{persona.id}"))
        voice = studio.names.written(f"persona:{persona.id}")
    path = path or Path(f"{persona.id}.wav")
    with files.replacing(path) as file:
        codec.encode([clip.samples], file, "wav", clip.rate)
    click.echo(f"{persona.name} says “{words}” in {path} ({len(clip.samples) / clip.rate:.1f} s, {voice}).")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Fields as ``Personas`` takes them, of options that were given: an empty one takes the field away."""
    given = {name: None if value == "" else value for name, value in options.items() if value not in (None, ())}
    settings, picture = given.pop("settings", ()), given.pop("picture", None)
    if settings:
        given["elevenlabs_settings"] = dict(map(_setting, settings))
    if "colours" in given:
        given["colours"] = list(options["colours"])
    mind = {name: given.pop(name) for name in ("temperature", "effort") if name in given}
    if mind:
        given["mind_options"] = {name: value for name, value in mind.items() if value is not None}
    if picture is not None:
        with files.explained(picture):
            given["picture"] = picture.read_bytes()
    return given


def _setting(pair: str) -> tuple[str, Any]:
    name, equals, value = pair.partition("=")
    if not equals:
        raise InputError(f"{pair!r} is not of the form NAME=VALUE, as in --elevenlabs-setting model=eleven_v3.")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value.strip()


def _tell(done: str, persona: Persona, personas: Personas) -> None:
    click.echo(f"{done} {persona.id} ({persona.name}) in {personas.folder / 'personas.json'}.")
    _tell_problems(personas)


def _tell_problems(personas: Personas) -> bool:
    """Print what is wrong; returns whether anything is."""
    found = personas.problems()
    for each in found:
        Console(stderr=True).print(f"[yellow]problem:[/] {escape(each.sentence)}", soft_wrap=True)
    return bool(found)
