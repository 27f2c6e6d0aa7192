from __future__ import annotations

import asyncio
import os
import signal

import numpy as np
import pytest

from luma_studio.errors import SettingError, VoiceError
from luma_studio.voices import Utterance, VoiceChoice, espeak, make_voice, voice_for
from luma_studio.voices.espeak import EspeakVoice
from luma_studio.wire import Wires

HINDI = Utterance("अपनी आँखें बंद करें और एक गहरी सांस लें।", "hi")
ENGLISH = Utterance("Close your eyes and breathe in slowly.", "en")


@pytest.fixture
def voice():
    voice = EspeakVoice(VoiceChoice.parse("espeak"))
    yield voice
    voice.close()


def speak(voice, *utterances):
    async def together():
        return await asyncio.gather(*map(voice.speak, utterances))

    return asyncio.run(together())


def test_the_same_clause_gives_the_same_bytes_whatever_was_spoken_before_and_beside_it(voice):
    (first,) = speak(voice, HINDI)
    crowd = speak(voice, *[ENGLISH, HINDI] * 20)
    other = EspeakVoice(VoiceChoice.parse("espeak"))
    (elsewhere,) = speak(other, HINDI)
    other.close()
    for speech in (*crowd[1::2], elsewhere):
        assert (speech.samples == first.samples).all()


def test_words_are_timed_in_order_and_name_their_characters(voice):
    (speech,) = speak(voice, ENGLISH)
    assert [ENGLISH.text[word.first : word.last] for word in speech.words] == [
        "Close", "your", "eyes", "and", "breathe", "in", "slowly",
    ]  # fmt: skip
    starts = [word.start for word in speech.words]
    assert starts == sorted(starts)
    assert speech.words[-1].end <= len(speech.samples) / speech.rate


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("hi", "नमस्ते"),
        ("ta", "வணக்கம்"),
        ("te", "నమస్కారం"),
        ("bn", "নমস্কার"),
        ("mr", "नमस्कार"),
        ("gu", "નમસ્તે"),
        ("pa", "ਸਤ ਸ੍ਰੀ ਅਕਾਲ"),
        ("es", "hola"),
        ("fr", "bonjour"),
        ("de", "guten Tag"),
        ("pt", "olá"),
        ("it", "ciao"),
        ("ar", "مرحبا"),
        ("ja", "こんにちは"),
        ("zh", "你好"),
        ("en-GB", "hello"),
        ("pt-BR", "olá"),
    ],
)
def test_every_language_of_the_reader_is_heard(voice, language, text):
    (speech,) = speak(voice, Utterance(text, language))
    assert np.abs(speech.samples).max() > 3000


def test_another_seed_is_another_reading_of_the_same_length_or_so(voice):
    first, second, again = speak(voice, ENGLISH, *[Utterance(ENGLISH.text, "en", seed=2)] * 2)
    assert len(second.samples) == pytest.approx(len(first.samples), rel=0.15)
    assert len(second.samples) != len(first.samples) or (second.samples != first.samples).any()
    assert (second.samples == again.samples).all()


def test_variant_rate_and_pitch_are_heard():
    lengths = []
    for choice in ("espeak:en,rate=100", "espeak:en,rate=200", "espeak:en+f3,pitch=70,rate=100"):
        voice = EspeakVoice(VoiceChoice.parse(choice))
        lengths.append(len(speak(voice, ENGLISH)[0].samples))
        voice.close()
    assert lengths[0] > 1.5 * lengths[1]
    assert lengths[2] != lengths[0]


def test_markup_is_spoken_as_text_and_not_obeyed(voice):
    plain, marked = speak(voice, Utterance("One two.", "en"), Utterance('One <break time="9s"/> two. [[h@]]', "en"))
    assert len(marked.samples) < len(plain.samples) + 9 * 22050


def test_a_worker_that_was_killed_is_replaced_and_the_clause_is_spoken(voice):
    (before,) = speak(voice, ENGLISH)
    for worker in espeak._workers.processes():
        os.kill(worker.pid, signal.SIGKILL)
    (after,) = speak(voice, ENGLISH)
    assert (before.samples == after.samples).all()


def test_no_worker_outlives_the_last_voice(voice):
    other = EspeakVoice(VoiceChoice.parse("espeak:hi"))
    speak(voice, ENGLISH)
    other.close()
    speak(voice, ENGLISH)
    workers = espeak._workers.processes()
    voice.close()
    assert workers
    assert all(worker.poll() is not None for worker in workers)


def test_a_language_espeak_does_not_speak_is_told_with_the_remedy(voice):
    with pytest.raises(VoiceError, match="Choose a voice"):
        speak(voice, Utterance("x", "xx"))


@pytest.mark.parametrize(
    "choice",
    [
        "nobody",
        "espeak:xx",
        "espeak:en+nobody",
        "espeak,speed=3",
        "espeak,rate=1",
        "espeak,rate=fast",
        "espeak,rate",
        "",
        "espeak:en+../../x",
        "espeak:../hi",
        ":hi",
    ],
)
def test_a_voice_that_does_not_exist_is_refused(choice):
    with pytest.raises(SettingError):
        make_voice(VoiceChoice.parse(choice), Wires(), lambda engine, model: None)


@pytest.mark.parametrize(
    "text", ["espeak", "espeak:hi", "espeak:hi+f3,pitch=60,rate=140", "eleven:Rachel,stability=0.5"]
)
def test_a_choice_reads_back_as_it_is_written(text):
    assert str(VoiceChoice.parse(text)) == text


def test_speakers_are_told_apart_and_the_narrator_has_the_default():
    default = VoiceChoice.parse("espeak,rate=140")
    assert voice_for(None, default) == voice_for("VO", default) == default
    assert voice_for("Woman", default).voice.startswith("+f")
    assert voice_for("Man", default).voice.startswith("+m")
    assert voice_for("Woman", default) == voice_for("woman", default)
    assert voice_for("Woman", VoiceChoice.parse("espeak:hi+m1")).voice == "hi+m1"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hi", "espeak:hi"),
        ("+f3", "espeak:+f3"),
        ("hi+f3,rate=140", "espeak:hi+f3,rate=140"),
        ("EN", "espeak:EN"),
    ],
)
def test_a_voice_without_an_engine_that_espeak_knows_is_that_one(studio, written, meant):
    assert str(VoiceChoice.parse(written)) == meant
    assert studio.production("calm", "Breathe in.", voice=written).choices.voice == meant


@pytest.mark.parametrize("written", ["nobody", "hi+nobody", "+", "hi+"])
def test_what_is_neither_an_engine_nor_a_voice_of_espeak_is_told_with_both(studio, written):
    with pytest.raises(SettingError, match=r"no voice engine .*espeak has no such voice.*espeak, elevenlabs, openai"):
        studio.production("calm", "Breathe in.", voice=written).quote()
