from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from scipy.stats import binom

from submissions.baselines.batch_languages import Batches, Drawn, keyed_generator
from submissions.baselines.recipe import Recipe
from tests.baselines.small_training import content

LANGUAGES = ("ar", "de", "en", "es")
MUSE = {"lexicon": "muse", "probability": 1.0}
ENGLISH = {"en": tuple(range(100))}
MIXED = [("x-x", None), ("x-x-mono", None), ("x-y", None), ("hybrid", 0.5)]


def drawn(count, strategy="monolingual", pairs=ENGLISH, *, seed=1, size=8, **parts):
    batches = {"strategy": strategy, **parts.pop("batches", {})}
    if strategy != "monolingual":
        batches.setdefault("languages", list(LANGUAGES))
        parts.setdefault("switching", MUSE)
    numbers = {**content()["training"], "batch_size": size}
    data = [{"file": f"{code}.jsonl", "language": code} for code in pairs]
    recipe = Recipe.model_validate(content(batches=batches, training=numbers, data=data, **parts))
    return list(islice(Batches(recipe, pairs, seed), count))


def languages(one, own="en"):
    return tuple(side[0] if side else own for side in (one.query, one.document))


def within(successes, trials, p):
    """Whether a count is one that a fair draw gives but once in a million times."""
    return binom.cdf(successes, trials, p) > 5e-7 and binom.sf(successes - 1, trials, p) > 5e-7


def test_each_pair_comes_once_before_any_comes_again():
    seen = [one.pair for batch in drawn(25) for one in batch]
    assert sorted(seen[:100]) == sorted(seen[100:]) == list(range(100))
    assert seen[:100] != seen[100:]


def test_recipes_on_the_same_files_see_the_same_pairs_in_the_same_steps():
    plain = [[one.pair for one in batch] for batch in drawn(30)]
    switched = drawn(30, switching={**MUSE, "query": ["de"], "mirrored": True})
    assert plain == [[one.pair for one in batch] for batch in switched]
    for strategy, alpha in MIXED:
        batches = drawn(30, strategy, batches={"alpha": alpha})
        assert plain == [[one.pair for one in batch] for batch in batches]


def test_batches_are_those_of_their_seed():
    for strategy, alpha in MIXED:
        first, again, other = (
            drawn(5, strategy, seed=seed, batches={"alpha": alpha}) for seed in (1, 1, 2)
        )
        assert first == again != other


def test_x_x_mono_puts_a_batch_into_one_language():
    batches = [{languages(one) for one in batch} for batch in drawn(400, "x-x-mono")]
    assert all(len(found) == 1 for found in batches)
    counts = Counter(found.pop() for found in batches)
    assert set(counts) == {(code, code) for code in LANGUAGES}
    assert all(within(count, 400, 1 / 4) for count in counts.values())


def test_x_x_puts_each_pair_into_a_language():
    pairs = [languages(one) for batch in drawn(100, "x-x") for one in batch]
    assert set(pairs) == {(code, code) for code in LANGUAGES}
    assert all(within(count, 800, 1 / 4) for count in Counter(pairs).values())


def test_x_y_puts_the_sides_into_two_languages():
    pairs = Counter(languages(one) for batch in drawn(300, "x-y") for one in batch)
    expected = {(a, b) for a in LANGUAGES for b in LANGUAGES if a != b}
    assert set(pairs) == expected
    assert all(within(count, 2400, 1 / 12) for count in pairs.values())


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_hybrid_has_the_share_of_batches_in_one_language(alpha):
    batches = drawn(400, "hybrid", batches={"alpha": alpha})
    mono = 0
    for batch in batches:
        found = {languages(one) for one in batch}
        mono += len(found) == 1
        assert len(found) == 1 or all(query != document for query, document in found)
    assert within(mono, 400, alpha) if 0 < alpha < 1 else mono == 400 * alpha


def test_languages_with_pairs_of_their_own_use_them():
    pairs = {"de": (100, 101, 102), "en": tuple(range(100))}
    for batch in drawn(60, "x-x-mono", pairs):
        for one in batch:
            if one.pair >= 100:
                assert (one.query, one.document) == ((), ())
            else:
                assert languages(one) in {("ar", "ar"), ("en", "en"), ("es", "es")}
    across = [one for batch in drawn(60, "x-y", pairs) for one in batch]
    assert {one.pair for one in across} <= set(range(100))
    assert ("de",) in {one.query for one in across}


def test_monolingual_batches_are_of_one_language_of_the_data():
    pairs = {"ar": tuple(range(10)), "zh": tuple(range(10, 100))}
    even = drawn(400, pairs=pairs)
    arabic = [all(one.pair < 10 for one in batch) for batch in even]
    assert all(found or all(o.pair >= 10 for o in b) for found, b in zip(arabic, even, strict=True))
    assert within(sum(arabic), 400, 0.5)
    by_size = drawn(400, pairs=pairs, batches={"language_draw": "by size"})
    assert within(sum(batch[0].pair < 10 for batch in by_size), 400, 0.1)


def test_switching_goes_to_the_languages_of_the_sides():
    (batch,) = drawn(1, switching={**MUSE, "document": ["de"]})
    assert {(one.query, one.document) for one in batch} == {((), ("de",))}
    (batch,) = drawn(1, switching={**MUSE, "query": ["de", "es"], "document": ["es"]})
    assert {(one.query, one.document) for one in batch} == {(("de", "es"), ("es",))}


def test_mirrored_switching_exchanges_the_sides_of_every_second_pair():
    switching = {**MUSE, "document": ["de"], "mirrored": True}
    counts = Counter(languages(one) for batch in drawn(100, switching=switching) for one in batch)
    assert set(counts) == {("en", "de"), ("de", "en")}
    assert within(counts["en", "de"], 800, 0.5)


def test_a_language_drawn_for_a_text_may_be_its_own():
    switching = {**MUSE, "query": ["en", "de"], "document": ["de", "en", "es"], "draw": "text"}
    counts = Counter(languages(one) for batch in drawn(150, switching=switching) for one in batch)
    assert set(counts) == {(a, b) for a in ("en", "de") for b in ("de", "en", "es")}
    assert all(within(count, 1200, 1 / 6) for count in counts.values())


def test_pairs_in_other_languages_than_the_source_are_not_switched():
    pairs = {"en": (0, 1), "zh": (2, 3)}
    for batch in drawn(40, pairs=pairs, switching={**MUSE, "query": ["de"]}):
        for one in batch:
            assert one == Drawn(one.pair, ("de",) if one.pair < 2 else ())


def test_a_key_gives_one_stream():
    streams = [keyed_generator(key).random(3) for key in ("a", "a", "b")]
    assert np.array_equal(streams[0], streams[1])
    assert not np.array_equal(streams[0], streams[2])
