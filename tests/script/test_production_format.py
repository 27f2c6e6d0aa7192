import pytest

from luma_studio.errors import ScriptError
from luma_studio.script import parse

SEED = """[Scene 1 – Introduction]
Visual: Professional setting
Dialogue (VO): "Welcome to our platform"
Talking photo: Monica_inSleeveless_20220819
Scene 1 heygen id: "optional_existing_asset_id"

[Scene 2 – Main Content]
Dialogue (VO): "Here's what we offer"
"""


def spoken(text):
    return [(clause.speaker, clause.text, clause.pause.seconds) for clause in parse(text).clauses]


def test_the_seed_reads_as_its_author_meant_it():
    script = parse(SEED)
    assert script.format == "production"
    one, two = script.scenes
    assert (one.id, one.title, two.id, two.title) == ("scene_1", "Introduction", "scene_2", "Main Content")
    assert [(direction.name, direction.text, direction.line) for direction in one.directions] == [
        ("visual", "Professional setting", 2),
        ("talking photo", "Monica_inSleeveless_20220819", 4),
        ("heygen id", "optional_existing_asset_id", 5),
    ]
    assert [(clause.speaker, clause.text) for clause in script.clauses] == [
        ("VO", "Welcome to our platform"),
        ("VO", "Here's what we offer"),
    ]
    assert script.diagnostics == ()


def test_the_seeds_request_reads_too():
    script = parse('[Scene 1]\nDialogue (VO): "Hello world"\n\n[Scene 2]\nDialogue (VO): "Welcome"')
    assert [(scene.id, scene.title) for scene in script.scenes] == [("scene_1", "Scene 1"), ("scene_2", "Scene 2")]


QUOTED = {
    'Dialogue (VO): "Hi there."': ("VO", "Hi there."),
    "Dialogue (VO): “Hi there.”": ("VO", "Hi there."),
    "Dialogue (VO): „Hi there.“": ("VO", "Hi there."),
    "Dialogue (VO): « Hi there. »": ("VO", "Hi there."),
    "Dialogue (VO): 「Hi there.」": ("VO", "Hi there."),
    "Dialogue (VO): 'It's fine.'": ("VO", "It's fine."),
    "Dialogue (VO): Hi there.": ("VO", "Hi there."),
    '**Dialogue (VO):** "Hi there."': ("VO", "Hi there."),
    '- Dialogue (VO): "Hi there."': ("VO", "Hi there."),
    'DIALOGUE (Woman) : "Hi there."': ("Woman", "Hi there."),
    'Dialogue: "Hi there."': (None, "Hi there."),
    'संवाद (महिला): "Hi there."': ("महिला", "Hi there."),
    'Dialogue (VO):\n"Hi there."': ("VO", "Hi there."),
    'Dialogue (VO): "Hi\nthere."': ("VO", "Hi there."),
    'Dialogue (VO): "He said "yes" to me."': ("VO", 'He said "yes" to me.'),
    'Dialogue VO: "Hi there."': ("VO", "Hi there."),
    'Dialogue – VO: "Hi there."': ("VO", "Hi there."),
    'Dialogue [VO]: "Hi there."': ("VO", "Hi there."),
    'Dialogue (VO): "Calm" is good.': ("VO", '"Calm" is good.'),
}


@pytest.mark.parametrize(("line", "expected"), QUOTED.items())
def test_dialogue_is_spoken_without_its_quotes(line, expected):
    script = parse(f"[Scene 1 – A]\n{line}\n")
    assert [(clause.speaker, clause.text) for clause in script.clauses] == [expected]
    assert script.diagnostics == ()


def test_dialogue_runs_over_paragraphs_to_its_closing_quote():
    assert spoken('Dialogue (VO): "One.\n\nTwo." (3 sec)\nVisual: x') == [("VO", "One.", 1.5), ("VO", "Two.", 3)]


def test_notes_in_and_after_a_quotation_and_on_their_own_line_add_up():
    assert spoken('Dialogue (VO): "One (1 sec)" (2 sec)\n(3 sec)\n') == [("VO", "One", 6)]


def test_a_missing_closing_quote_is_reported_and_read_to_the_next_gap():
    script = parse('Dialogue (VO): "One.\nTwo.\n\nThree.\nVisual: x\nDialogue (VO): "Four."')
    assert [clause.text for clause in script.clauses] == ["One.", "Two.", "Four."]
    assert [(found.line, found.column, found.level) for found in script.diagnostics] == [
        (1, 16, "warning"),
        (4, 1, "warning"),
    ]


def test_other_named_lines_are_kept_and_not_spoken():
    script = parse('Dialogue (VO): "One."\nSFX: birds\nProp list: a lamp\nOn-screen text: "Calm"\nNote: drink.')
    assert [(direction.name, direction.text) for direction in script.scenes[0].directions] == [
        ("sfx", "birds"),
        ("prop list", "a lamp"),
        ("on-screen text", "Calm"),
        ("note", "drink."),
    ]
    assert [clause.text for clause in script.clauses] == ["One."]


def test_a_named_line_with_quotes_that_is_not_spoken_is_reported():
    script = parse('Dialogue (VO): "One."\nWoman: "Two."')
    assert "Dialogue (Woman):" in script.diagnostics[0].message


def test_a_stray_line_goes_on_with_unquoted_dialogue_and_is_reported_after_quoted():
    script = parse('Dialogue (VO): One\ntwo.\nDialogue (VO): "Three."\nStray words.')
    assert [clause.text for clause in script.clauses][-1] == "Three."
    assert " ".join(clause.text for clause in script.clauses) == "One two. Three."
    assert [found.line for found in script.diagnostics] == [4]


def test_scene_numbers_are_kept_and_doubles_get_a_free_one():
    text = "".join(f'[Scene{number} – X]\nDialogue (VO): "Hi."\n' for number in (" 7", " 2", " 7", ""))
    script = parse(text)
    assert [scene.id for scene in script.scenes] == ["scene_7", "scene_2", "scene_1", "scene_3"]
    assert [found.line for found in script.diagnostics] == [5, 7]


@pytest.mark.parametrize("name", ["Scene 2 heygen id", "scene-2 heygen-id", "Scene_2_heygen_id"])
def test_an_asset_goes_to_the_scene_it_names(name):
    script = parse(f'[Scene 1]\nDialogue (VO): "A."\n{name}: "x"\n[Scene 2]\nDialogue (VO): "B."')
    assert [direction.name for direction in script.scenes[1].directions] == ["heygen id"]
    assert [(found.line, found.level) for found in script.diagnostics] == [(3, "warning")]


def test_a_scene_with_only_directions_does_not_vanish():
    script = parse('[Scene 1]\nVisual: x\n[Scene 2]\nDialogue (VO): "B."')
    assert [(scene.id, len(scene.directions)) for scene in script.scenes] == [("scene_1", 1), ("scene_2", 0)]
    assert [(found.line, found.level) for found in script.diagnostics] == [(1, "warning")]


def test_a_manner_behind_the_speaker_is_a_tag():
    (clause,) = parse('Dialogue (Woman, warm): [softly] "Hi."').clauses
    assert (clause.speaker, clause.tags) == ("Woman", ("warm", "softly"))


@pytest.mark.parametrize("label", ["Dialogue (Woman, warm)", "Dialogue (Woman) (warm)", "Dialogue (Woman – warm)"])
def test_a_manner_is_a_tag_however_it_is_written(label):
    (clause,) = parse(f'[Scene 1]\nDialogue (VO): ""\n{label}: "Hi."').clauses
    assert (clause.speaker, clause.tags) == ("Woman", ("warm",))


def test_a_note_beside_the_speaker_is_silence_before_the_words():
    assert spoken('Dialogue (VO): "One."\nDialogue (VO, 2 sec): "Two."') == [("VO", "One.", 2), ("VO", "Two.", 1.5)]


def test_a_note_in_place_of_the_speaker_names_nobody():
    (scene,) = parse('Dialogue (2 sec): "One."').scenes
    assert (scene.lead_in_seconds, scene.clauses[0].speaker) == (2, None)


def test_a_note_behind_a_scene_header_does_not_hide_the_header():
    script = parse("[Scene 1 – A] (5 sec)\nVisual: x\nHello there.")
    assert (script.format, script.scenes[0].lead_in_seconds) == ("production", 5)


def test_a_time_in_a_direction_is_no_pause():
    assert spoken('Dialogue (VO): "One."\nVisual: fade (2 sec)\nSFX: hum [5 sec]') == [("VO", "One.", 1.5)]


def test_dialogue_without_words_is_reported():
    script = parse('Dialogue (VO): "One."\nDialogue (VO): ""\nDialogue (VO):')
    assert [(found.line, found.level) for found in script.diagnostics] == [(2, "warning"), (3, "warning")]


def test_a_known_speakers_name_before_unquoted_words_is_reported():
    script = parse('Dialogue (Woman): "One."\nWoman: Two.\nProps: a lamp')
    assert [(found.line, found.level) for found in script.diagnostics] == [(2, "warning")]


def test_scenes_without_brackets_over_named_lines_are_a_production():
    script = parse("Scene 1: Intro\nVisual: an office\nVO: Hello there.")
    assert (script.format, [clause.text for clause in script.clauses]) == ("production", ["Hello there."])


def test_narration_may_say_note():
    script = parse("[Scene 1 – Intro]\nHello there. (5 sec)\nNote: drink water.")
    assert script.format == "narration"
    assert [clause.text for clause in script.clauses] == ["Hello there.", "Note: drink water."]


def test_a_language_line_in_a_scene_applies_from_there():
    script = parse('[Scene 1]\nDialogue (VO): "Namaste."\n[Scene 2]\nLanguage: Hindi\nDialogue (VO): "Namaste."')
    assert [clause.language for clause in script.clauses] == ["en", "hi"]


def test_without_dialogue_lines_plain_lines_are_spoken():
    script = parse("[Scene 1 – A]\nVisual: x\n\n[Scene 2 – B]\nHello there.")
    assert [clause.text for clause in script.clauses] == ["Hello there."]


def test_without_dialogue_lines_a_direction_does_not_silence_what_follows():
    script = parse("[Scene 1 – A]\nMusic: a flute\nBreathe in. (5 sec)")
    assert [(clause.text, clause.pause.seconds) for clause in script.clauses] == [("Breathe in.", 5)]


def test_a_scene_without_brackets_over_a_direction_alone_is_narration():
    script = parse("Scene 1: A\nMusic: soft hands play.\nBreathe in.")
    assert [clause.text for clause in script.clauses] == ["Music: soft hands play.", "Breathe in."]


def test_bracketed_headers_over_plain_text_are_narration():
    script = parse("[Scene 1 – A]\nHello there. (5 sec)\n[Scene 2 – B]\nBye.")
    assert script.format == "narration"
    assert [scene.title for scene in script.scenes] == ["A", "B"]


def test_only_directions_is_nothing_to_speak():
    with pytest.raises(ScriptError, match="Dialogue"):
        parse("[Scene 1 – A]\nVisual: x\n")
