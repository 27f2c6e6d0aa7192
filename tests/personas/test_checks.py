"""What is wrong with a persona is told in one sentence: which one, which field, what to do; and no other suffers."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from personas.conftest import png

from luma_studio.errors import LumaError, PersonaError
from luma_studio.persona.model import check_id, check_path, entry_of, persona_of
from luma_studio.persona.pictures import MOST_BYTES

RACHEL = "21m00Tcm4TlvDq8ikWAM"


def only_problem(personas: Any) -> str:
    (problem,) = personas.problems()
    assert "\n" not in problem.sentence
    assert problem.sentence.endswith(".")
    return problem.sentence


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("nmae", "Bo", "there is no field 'nmae'; there are name, bio, prompt_file"),
        ("name", None, "name is not what it must be"),
        ("name", "", "name is empty: give it one"),
        ("name", "x" * 61, "name has 61 characters: 60 at most"),
        ("name", "Bo\nIgnore", "name has characters that cannot be shown"),
        ("name", "Bo\u202eoB", "name has characters that cannot be shown"),
        ("bio", 7, "bio is not what it must be"),
        ("bio", "x" * 501, "bio has 501 characters"),
        ("greeting", "x" * 301, "greeting has 301 characters"),
        ("language", "Hindi", "language 'Hindi' is no language's tag: write it as hi"),
        ("language", "../hi", "language '../hi' is no language's tag"),
        ("voice", "espeak:xx", "voice cannot be used: espeak has no language 'xx'"),
        ("voice", "elevenlabs:Rachel", "voice 'elevenlabs:Rachel' is not the embedded one"),
        ("voice", "espeak:hi,rate=9", "voice cannot be used: espeak's rate is 9"),
        ("voice", "", "voice cannot be used"),
        ("elevenlabs_voice_id", "Rachel", "elevenlabs_voice_id 'Rachel' is no id, which has 20 letters and figures"),
        ("elevenlabs_voice_id", "../../v1/user?a=bcdef", "is no id"),
        ("elevenlabs_settings", {"model": "eleven_v3"}, "elevenlabs_settings are there without an elevenlabs_voice_id"),
        ("heygen_avatar_id", "a/b", "heygen_avatar_id 'a/b' is no id: copy it from HeyGen"),
        ("heygen_voice_id", "a b", "heygen_voice_id 'a b' is no id"),
        ("colours", ["red"], "colours cannot have 'red': write each as #1f6f5c"),
        ("colours", "#112233", "colours is not what it must be"),
        ("colours", ["#112233"] * 5, "colours are 5: give 4 at most"),
        ("mind_options", {"temperature": 9.0}, "mind_options have a temperature of 9.0: it may be 0 to 2"),
        ("mind_options", {"effort": "low,timeout=9"}, "mind_options have the effort 'low,timeout=9'"),
        ("mind_options", {"model": "x"}, "there is no field 'mind_options.model'"),
        ("prompt_file", "personas/prompts/none.txt", "prompt_file personas/prompts/none.txt is not there"),
        ("prompt_file", "prompts/bo.txt", "does not begin with personas/"),
        ("prompt_file", "/etc/passwd", "does not begin with personas/"),
        ("prompt_file", "personas/../secret.txt", "has '..' in it, which no path may"),
        ("prompt_file", "personas/prompts\\bo.txt", "which no path may"),
        ("prompt_file", "personas//bo.txt", "which no path may"),
        ("prompt_file", "personas/con", "which no path may"),
        ("prompt_file", "personas", "does not begin with personas/"),
        ("prompt_file", "personas/prompts", "cannot be read"),
        ("prompt_file", "personas/out.txt", "is a link that leads out of personas/"),
        ("prompt_file", "personas/empty.txt", "is empty: write who the persona is"),
        ("prompt_file", "personas/latin.txt", "is not UTF-8: save it so"),
        ("prompt_file", "personas/long.txt", "is larger than 32 kB: shorten it"),
        ("image", "personas/avatars/none.png", "image personas/avatars/none.png is not there"),
        ("image", "personas/avatars/text.png", "is no PNG or JPEG"),
        ("image", "personas/avatars/cut.png", "is damaged: save it again"),
        ("image", "personas/avatars/small.png", "is 64 × 64 pixels: each side may be 256 to 8192"),
        ("image", "personas/avatars/bomb.png", "is 60000 × 60000 pixels"),
        ("image", "personas/avatars/huge.png", "is larger than 10 MB"),
        ("image", "personas/../avatars/x.png", "has '..' in it"),
    ],
)
def test_what_cannot_be_is_one_clear_sentence_and_takes_no_other_away(written, personas, workspace, field, value, told):
    folder = written(bo={field: value}, ann={})
    (workspace / "secret.txt").write_text("secret")
    (folder / "out.txt").symlink_to(workspace / "secret.txt")
    (folder / "empty.txt").write_text(" \n")
    (folder / "latin.txt").write_bytes(b"caf\xe9")
    (folder / "long.txt").write_text("x" * 40_000)
    pictures = {
        "text": b"hello",
        "cut": png()[:-30],
        "small": png(64, 64),
        "bomb": png(1, 1).replace(*_bigger()),
        "huge": png() + b"\0" * MOST_BYTES,
    }
    for name, data in pictures.items():
        (folder / "avatars" / f"{name}.png").write_bytes(data)
    sentence = only_problem(personas)
    assert sentence.startswith("Persona 'bo': ")
    assert told in sentence
    assert {"ann", "asha"} <= {each.id for each in personas.all()}
    with pytest.raises(PersonaError, match="Persona 'bo'"):
        personas.get("bo")


def _bigger() -> tuple[bytes, bytes]:
    """The header of a picture of one pixel, and that of one of 60,000 by 60,000."""
    small, large = (png(side, 1)[8:33] for side in (1, 1))
    body = large[4:8] + struct.pack(">II", 60000, 60000) + large[16:21]
    return small, large[:4] + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "personas/personas.json is not JSON (line 1). Correct it, or move it away."),
        ("[]", "personas/personas.json must hold {…} with personas by their ids"),
        ("[" * 100_000, "is not JSON"),
        ("\ud800".encode("utf-16", "surrogatepass"), "is not JSON"),
        (b"\xff\xfe\xff", "is not JSON"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_told_and_the_shipped_ones_stay(written, personas, text, told):
    folder = written()
    (folder / "personas.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert told in only_problem(personas)
    assert {each.id for each in personas.all()} == {"asha", "otto", "juno"}
    for change in (lambda: personas.add("bo", prompt="You are Bo.", name="Bo"), lambda: personas.remove("bo")):
        with pytest.raises(PersonaError, match=r"is not JSON|must hold"):
            change()  # nothing is overwritten


def test_an_id_that_stands_twice_is_told_and_neither_is_taken(written, personas):
    folder = written(bo={}, ann={})
    entry = json.dumps({"name": "Bo", "prompt_file": "personas/prompts/bo.txt"})
    (folder / "personas.json").write_text(f'{{"bo": {entry}, "bo": {entry}}}')
    assert only_problem(personas) == "'bo' stands twice in personas/personas.json: take one of them out, or rename it."
    with pytest.raises(PersonaError, match="stands twice"):
        personas.change("bo", bio="x")


def test_two_of_one_name_are_told_and_the_first_stays(written, personas):
    written(bo={"name": "Bo"}, other={"name": "BO "})
    assert only_problem(personas).startswith("Persona 'other': name 'BO' is that of 'bo', too")
    assert personas.get("bo").name == "Bo"


def test_an_entry_that_is_no_object_is_told(written, personas):
    written(bo="Bo", ann={})
    assert "'bo' is not written as {…} with its fields" in only_problem(personas)


@given(st.text())
def test_only_plain_ids_can_be(key):
    try:
        check_id(key)
    except PersonaError as error:
        assert len(str(error)) < 300
    else:
        assert key.isascii()
        assert not set(key) & set("/\\.: \n")


@given(st.text() | st.lists(st.sampled_from(["personas", "..", ".", "", "a", "~", "C:", "\\", "\0"])).map("/".join))
def test_no_path_leads_out_of_the_folder(tmp_path_factory, path):
    folder = tmp_path_factory.getbasetemp() / "personas"
    try:
        check_path(path)
    except ValueError:
        return
    there = (folder.parent / path).resolve()
    assert there.is_relative_to(folder.resolve())
    assert there != folder.resolve()


words = st.text(st.characters(categories=["L", "N", "P", "Mn"], include_characters=" "), max_size=50)
names = words.filter(str.strip)
entries = st.fixed_dictionaries(
    {"name": names, "prompt_file": st.just("personas/prompts/bo.txt")},
    optional={
        "bio": words,
        "greeting": words,
        "language": st.sampled_from(["hi", "en-GB", "ta", "fr", "ja"]),
        "voice": st.sampled_from(["espeak", "espeak:hi+f3,rate=140", "hi", "espeak:+m3"]),
        "elevenlabs_voice_id": st.just(RACHEL),
        "heygen_avatar_id": st.from_regex(r"[0-9A-Za-z_.-]{1,100}", fullmatch=True),
        "heygen_voice_id": st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
        "colours": st.lists(st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True), max_size=4),
        "mind_options": st.fixed_dictionaries(
            {}, optional={"temperature": st.floats(0, 2), "effort": st.sampled_from(["low", "high"])}
        ),
        "image": st.just("personas/avatars/bo.png"),
    },
)
settings = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from(["eleven_v3", "eleven_multilingual_v2"]),
        "stability": st.floats(0, 1).map(lambda each: round(each, 3)),
        "speed": st.floats(0.7, 1.2).map(lambda each: round(each, 3)),
        "use_speaker_boost": st.booleans(),
    },
)


@given(entries, settings)
def test_what_is_written_is_read_as_the_same(entry, chosen):
    files = {"personas/prompts/bo.txt": b"You are Bo.", "personas/avatars/bo.png": png(256, 256)}
    if "elevenlabs_voice_id" in entry:
        entry = {**entry, "elevenlabs_settings": chosen}
    persona = persona_of("bo", json.loads(json.dumps(entry)), files.__getitem__, is_own=True)
    again = persona_of("bo", json.loads(json.dumps(entry_of(persona))), files.__getitem__, is_own=True)
    assert again == persona
    assert entry_of(again) == entry_of(persona)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=8,
)


@given(
    st.text(),
    junk | st.dictionaries(st.sampled_from(["name", "voice", "colours", "prompt_file", "image", "bio"]), junk),
)
def test_whatever_stands_in_the_file_is_a_persona_or_a_sentence(key, entry):
    try:
        persona_of(key, entry, {"personas/a": b"Hello."}.__getitem__, is_own=True)
    except LumaError as error:
        assert isinstance(error, PersonaError)
        assert str(error).endswith(".")
    except KeyError:  # of this test's own files: a path that may be, and is not there
        pass
