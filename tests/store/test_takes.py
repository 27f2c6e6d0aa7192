from __future__ import annotations

import unicodedata
import wave
from dataclasses import replace

import numpy as np
import pytest
from helpers.fakes import tone, words

from luma_studio.errors import StoreError
from luma_studio.store.takes import Recipe, TakeStore

RECIPE = Recipe({"engine": "fake", "rate": 150}, "hi", "अपनी आँखें बंद करें।")


@pytest.fixture
def store(workspace):
    return TakeStore(workspace / "takes", 44100)


def put(store, recipe=RECIPE):
    samples, rate = tone(recipe.text)
    return store.put(recipe, samples, rate, words(recipe.text), paid=True)


def test_the_fingerprint_is_over_what_decides_the_sound_and_nothing_else():
    assert Recipe(RECIPE.voice, "hi", " अपनी  आँखें बंद करें।\n").fingerprint == RECIPE.fingerprint
    assert replace(RECIPE, text=unicodedata.normalize("NFD", RECIPE.text)).fingerprint == RECIPE.fingerprint
    others = [
        replace(RECIPE, text="अपनी आँखें खोलें।"),
        replace(RECIPE, language="mr"),
        replace(RECIPE, seed=1),
        replace(RECIPE, tags=("warm",)),
        replace(RECIPE, voice={"engine": "fake", "rate": 151}),
    ]
    assert len({RECIPE.fingerprint, *(each.fingerprint for each in others)}) == 6


def test_the_fingerprint_never_changes_unseen():
    assert RECIPE.fingerprint == "7efd95c3f212286db04e3b2f711d99620b8c7279b7a1437256ba7af79ae544c2"


def test_a_take_comes_back_as_it_was_put(store):
    take = put(store)
    again = TakeStore(store.folder, 44100).get(take.fingerprint)
    assert (again.energies == take.energies).all()
    for name in ("fingerprint", "rate", "length", "speech_start", "speech_end", "words", "true_peak"):
        assert getattr(again, name) == getattr(take, name)
    assert store.recipe(take.fingerprint)["text"] == RECIPE.text


def test_speech_bounds_are_found_to_a_few_milliseconds(store):
    take = put(store)
    assert take.speech_start == pytest.approx(0.1 * 44100, abs=441)
    assert take.speech_end == pytest.approx((0.1 + 0.06 * len(RECIPE.text)) * 44100, abs=441)


def test_a_takes_file_is_a_wav_that_anything_plays(store):
    take = put(store)
    (path,) = store.folder.rglob("*.wav")
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 44100)
        assert file.readframes(file.getnframes()) == store.samples(take).tobytes()


def test_a_piece_of_a_take_is_that_piece(store):
    take = put(store)
    assert (store.samples(take, 5000, 5100) == store.samples(take)[5000:5100]).all()


def test_a_take_is_converted_for_a_production_of_another_rate_and_kept(store):
    take = put(store)
    other = TakeStore(store.folder, 48000).get(take.fingerprint)
    assert other.rate == 48000
    assert other.length == pytest.approx(take.length * 48000 / 44100, abs=1)
    assert other.words == take.words
    assert len(list(store.folder.rglob("*.wav"))) == 2


def test_an_unknown_fingerprint_is_no_take(store):
    assert store.get("0" * 64) is None


@pytest.mark.parametrize("keep", [0, 11, 60, -1])
def test_a_damaged_take_is_told_with_the_remedy(store, keep):
    take = put(store)
    (path,) = store.folder.rglob("*.wav")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(StoreError, match=r"damaged\. Remove that file and speak again"):
        store.get(take.fingerprint)


def test_silence_is_a_take_in_which_nothing_is_heard(store):
    take = store.put(RECIPE, np.zeros(22050, np.int16), 22050, (), paid=False)
    assert take.speech_start == take.speech_end
    assert store.get(take.fingerprint).true_peak == -np.inf
