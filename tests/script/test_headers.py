import pytest

from luma_studio.script import canonical_scene_id, parse

SEED = """शुरुआत
धीरे-धीरे अपनी आँखें बंद करें और एक गहरी सांस लें... (5 sec)
अब अपनी सांस छोड़ें और अपने कंधों को ढीला छोड़ दें।

जगह और पोज़शन
आप खुद को एक शांत जंगल में कल्पना करें। (10 sec)
हर ओर हरी-भरी प्रकृति और हल्की हवा चल रही है।

मुख्य यात्रा
अपने हृदय पर ध्यान केंद्रित करें। (15 sec)
"""


def titles(text):
    return [scene.title for scene in parse(text).scenes]


def test_the_seed_reads_as_its_author_meant_it():
    script = parse(SEED)
    assert [(scene.id, scene.title, scene.line) for scene in script.scenes] == [
        ("scene_1", "शुरुआत", 1),
        ("scene_2", "जगह और पोज़शन", 5),
        ("scene_3", "मुख्य यात्रा", 9),
    ]
    assert [clause.pause.seconds for clause in script.clauses] == [5, 1.5, 10, 1.5, 15]
    assert {clause.language for clause in script.clauses} == {"hi"}
    assert script.diagnostics == ()


ALWAYS = {
    "# The forest": "The forest",
    "## **The forest** ##": "The forest",
    "#forest": "forest",
    "[Scene 2 – The forest]": "The forest",
    "Scene 2: The forest. It ends.": "The forest. It ends.",
    "Scene 2 - The forest": "The forest",
    "SCENE 2": "SCENE 2",
    "**Scene 2**": "Scene 2",
    "दृश्य 2": "दृश्य 2",
    "दृश्य २: जंगल": "जंगल",
    "भाग १": "भाग १",
    "Part II": "Part II",
    "Chapter One": "Chapter One",
    "Teil 2 – Der Wald": "Der Wald",
    "Escena 2": "Escena 2",
    "Scène 2": "Scène 2",
    "காட்சி 2": "காட்சி 2",
    "దృశ్యం 2": "దృశ్యం 2",
    "দৃশ্য ২": "দৃশ্য ২",
    "દ્રશ્ય 2": "દ્રશ્ય 2",
    "ਦ੍ਰਿਸ਼ 2": "ਦ੍ਰਿਸ਼ 2",
    "مشهد ٢": "مشهد ٢",
    "第2幕": "第2幕",
    "シーン2": "シーン2",
    "场景2：森林": "森林",
}


@pytest.mark.parametrize(("line", "title"), ALWAYS.items())
def test_some_lines_are_always_headers(line, title):
    assert titles(f"Hello there.\n{line}\nGood night.") == ["", title]


@pytest.mark.parametrize(
    "line", ["Part 2 of the journey begins now.", "Scene 2 was long", "Part two of us", "Note: drink."]
)
def test_a_sentence_about_a_scene_is_narration(line):
    assert titles(f"Hello there.\n{line}\nGood night.") == [""]


@pytest.mark.parametrize("between", ["\n", "\n\n", "\n(5 sec)\n", "\n\n(5 sec)\n\n"])
def test_a_short_line_before_narration_is_a_header(between):
    assert titles(f"Hello there.\n\nBeginning{between}Close your eyes now.") == ["", "Beginning"]


@pytest.mark.parametrize("following", ["Close your eyes.", "close your eyes."])
def test_a_closing_colon_marks_a_header(following):
    assert titles(f"Beginning:\n{following}") == ["Beginning"]


@pytest.mark.parametrize(
    "line", ["1. Arriving", "II. Arriving", "Step 1. Arriving", "Day 2: Arriving", "Dr. Rao arrives", "ARRIVING"]
)
def test_numbers_names_and_capitals_do_not_keep_a_line_from_being_a_header(line):
    assert titles(f"{line}\nclose your eyes." if line.isupper() else f"{line}\nClose your eyes.") == [line]


def test_a_language_line_does_not_part_a_header_from_its_narration():
    assert titles("Beginning\nLanguage: hi\nAankhen band karein.") == ["Beginning"]


def test_a_title_before_the_first_header_is_spoken_and_reported():
    script = parse("Evening Calm\n\n# Arriving\nClose your eyes.")
    assert [clause.text for clause in script.clauses] == ["Evening Calm", "Close your eyes."]
    (found,) = script.diagnostics
    assert (found.line, found.column, found.level) == (1, 1, "note")
    assert "title" in found.message


def test_a_scene_has_the_number_its_header_gives_it_in_every_form():
    script = parse("Scene 3: Woods\nHello.\nदृश्य 1\nनमस्ते।\n[Scene 2 – Sea]\nBye.")
    assert [scene.id for scene in script.scenes] == ["scene_3", "scene_1", "scene_2"]


NARRATION = [
    "Roses are red\nViolets are blue",
    "Roses are red\nViolets are blue,\nSugar is sweet\nAnd so are you.",
    "Twinkle twinkle little star\nHow I wonder what you are.\nUp above the world so high,\nLike a diamond in the sky.",
    "The river runs\n\nThe mountain waits\n\nThe sky is wide",
    "The river runs\nto the sea.",
    "Sit down,\nClose your eyes.",
    "and then we rest\nNow we sleep.",
    "Relax (5 sec)\nLet go of it all.",
    "Relax\n(5 sec)\n\nLet go of all.",
    "Anna: Hello there\n\nBen: How are you?",
    "“Come here”\nShe said it twice.",
    "Breathe in. (gently)\nBreathe out.",
    "Breathe in. Hold it\nBreathe out.",
    "1. Sit down\n\n2. Close your eyes\n\n3. Breathe in slowly.",
    "Dear Anna,\n\nI hope you are well.\n\nWith love\nPeter",
    "> Beginning\nClose your eyes.",
    "- Beginning\nClose your eyes.",
    "Hello there.\nBeginning\nClose your eyes.",
    "Beginning",
]


@pytest.mark.parametrize("text", NARRATION)
def test_verse_letters_lists_and_dialogue_are_narration(text):
    assert titles(text) == [""]


def test_a_guess_that_may_be_wrong_is_said():
    script = parse("Hello there.\n\nA line on its own\n\nThen a sentence follows.")
    (found,) = script.diagnostics
    assert (found.line, found.column, found.level) == (3, 1, "note")
    assert "> " in found.message
    assert "# " in found.message


def test_a_header_with_a_note_has_silence_before_its_first_words():
    (scene,) = parse("# Forest (5 sec)\nHello there.").scenes
    assert (scene.title, scene.lead_in_seconds) == ("Forest", 5)


def test_narration_before_the_first_header_is_a_scene():
    assert [(scene.id, scene.title) for scene in parse("Hello.\n\n# One\nBye.").scenes] == [
        ("scene_1", ""),
        ("scene_2", "One"),
    ]


def test_a_scene_with_nothing_to_say_is_reported():
    script = parse("# One\nHello.\n# Two\n# Three\nBye.")
    assert [scene.title for scene in script.scenes] == ["One", "Three"]
    assert [(found.line, found.level) for found in script.diagnostics] == [(3, "warning")]


@pytest.mark.parametrize(
    "reference", ["Scene 2", "scene-2", "scene_2", "SCENE  2", "दृश्य २", "[Scene 2 – X]", "Scène 2", "scene2"]
)
def test_references_to_a_scene_mean_the_same(reference):
    assert canonical_scene_id(reference) == "scene_2"


@pytest.mark.parametrize("reference", ["", "2", "Part of it", "scenery 2", "Scene", "../scene_2", "Scene 2 was long"])
def test_what_is_no_reference_is_none(reference):
    assert canonical_scene_id(reference) is None


def test_a_title_before_a_header_without_marks_is_reported_too():
    (found,) = parse("शांति की साँस\n\nस्वागत\nआराम से बैठ जाइए।").diagnostics
    assert (found.line, found.level) == (1, "note")
    assert "title" in found.message


def test_a_scene_without_a_title_is_called_by_its_first_words():
    script = parse("Close your eyes, and let the whole long day behind you go.\n\n# Woods\nListen.")
    assert [scene.name for scene in script.scenes] == ["Close your eyes, and let the whole long", "Woods"]


def test_a_marked_header_before_the_first_scene_is_the_scripts_title_and_no_matter():
    script = parse("# Evening Calm\n\n# Arriving\nClose your eyes.")
    assert ([scene.title for scene in script.scenes], script.diagnostics) == (["Arriving"], ())
