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
    path = store._measured(take.fingerprint)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 44100)
        assert file.readframes(file.getnframes()) == store.samples(take).tobytes()


def test_a_piece_of_a_take_is_that_piece(store):
    take = put(store)
    assert (store.samples(take, 5000, 5100) == store.samples(take)[5000:5100]).all()


def test_a_take_is_converted_for_each_rate_from_its_original_whatever_came_before(workspace):
    noise = np.random.default_rng(1).normal(0, 3000, 44100).astype(np.int16)
    ways = []
    for name, rates in (("one", [48000]), ("other", [32000, 44100, 48000])):
        recipe = replace(RECIPE, text=name)
        for rate in rates:
            store = TakeStore(workspace / name, rate)
            take = store.get(recipe.fingerprint) or store.put(recipe, noise, 44100, words(name), paid=False)
        ways.append(store.samples(take))
        assert (take.rate, take.length, take.words) == (48000, 48000, words(name))
    assert (ways[0] == ways[1]).all()


def test_an_unknown_fingerprint_is_no_take(store):
    assert store.get("0" * 64) is None


@pytest.mark.parametrize("keep", [0, 11, 60, -1])
def test_a_damaged_original_is_told_with_the_remedy_and_what_is_derived_is_made_again(store, keep):
    take = put(store)
    whole = store.samples(take)
    derived, original = store._measured(take.fingerprint), store._original(take.fingerprint)
    derived.write_bytes(derived.read_bytes()[:keep])
    again = TakeStore(store.folder, 44100)
    assert (again.samples(again.get(take.fingerprint)) == whole).all()
    derived.unlink()
    assert (again.samples(take) == whole).all()
    derived.unlink()
    original.write_bytes(original.read_bytes()[:keep])
    with pytest.raises(StoreError, match=r"damaged\. Remove that file and speak again"):
        TakeStore(store.folder, 44100).get(take.fingerprint)


def test_silence_is_a_take_in_which_nothing_is_heard(store):
    take = store.put(RECIPE, np.zeros(22050, np.int16), 22050, (), paid=False)
    assert take.speech_start == take.speech_end
    assert TakeStore(store.folder, 44100).get(take.fingerprint).true_peak == -np.inf
