"""Rank distance, preference, shares, gap and spread: by hand, and against plain loops."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_tables import rank_table

from harness.bias.bias_profile import BiasOptions, bias_profile
from harness.bias.language_bias import (
    FirstCopies,
    Preference,
    preference,
    rank_distance,
    share_excess,
)
from harness.bias.language_gaps import gaps, spreads
from harness.bias.language_shares import LanguageShares
from harness.bias.pool_rankings import pool_rankings
from harness.question_scores import question_scores, setting_means
from harness.ranks import read_ranks
from tasks.errors import EntryError, UnknownNameError, UsageError

ENTRIES = Path(__file__).parents[1] / "submissions" / "entries"
POOL = {"mlir/de-xx": 100, "mlir/en-xx": 100, "mlir/xx-xx": 100}


def copies(setting: str, language: str, question: str, **ranks: int) -> list:
    """Rows of a query with one relevant document a language: its rank in each."""
    return [
        (setting, language, question, f"{code}_{question}", 1, rank) for code, rank in ranks.items()
    ]


def asked_in(language: str, *questions: dict[str, int]):
    """The rankings of one MLIR setting: for each question, the rank of each copy."""
    setting = f"mlir/{language}-xx"
    rows = [
        row
        for number, ranks in enumerate(questions)
        for row in copies(setting, language, f"q{number}", **ranks)
    ]
    (found,) = pool_rankings(rank_table(rows, {setting: 100}))
    return found


def test_rankings_of_pools_are_told_apart_by_setting_and_query_language() -> None:
    rows = [
        ("moir/de-de", "de", "q1", "de_1", 1, 1),
        ("mlir/xx-en", "de", "q1", "en_1", 1, 1),
        *copies("mlir/en-xx", "en", "q1", de=7, en=2),
        *copies("mlir/en-xx", "en", "q2", de=9, en=4),
        *copies("mlir/xx-xx", "de", "q1", de=1, en=3),
        *copies("mlir/xx-xx", "en", "q2", de=8, en=5),
    ]
    sizes = {"moir/de-de": 50, "mlir/xx-en": 50, "mlir/en-xx": 100, "mlir/xx-xx": 100}
    found = pool_rankings(rank_table(rows, sizes))
    assert [(one.setting, one.query_language, one.judged.queries) for one in found] == [
        ("mlir/en-xx", "en", 2),
        ("mlir/xx-xx", "de", 1),
        ("mlir/xx-xx", "en", 1),
    ]
    assert found[0].languages == ("de", "en")
    assert found[0].judged.rank.tolist() == [7, 2, 9, 4]
    assert found[0].language.tolist() == [0, 1, 0, 1]
    # With two settings of single languages xx-xx asks their queries once more.
    rows += copies("mlir/de-xx", "de", "q1", de=1, en=3)
    sizes = {"mlir/de-xx": 100, **sizes}
    found = pool_rankings(rank_table(rows, sizes))
    assert [one.setting for one in found] == ["mlir/de-xx", "mlir/en-xx"]


def test_rank_distance_raw_and_by_pool() -> None:
    found = rank_distance(asked_in("de", {"de": 3, "en": 13, "fr": 8}, {"de": 0, "en": 60}))
    assert found is not None
    assert found.mean == pytest.approx((10 + 40) / 2)
    assert found.share == pytest.approx((0.1 + 0.4) / 2)
    assert (found.queries, found.left_out) == (2, 0)


def test_rank_distance_is_not_zero_but_undefined_within_one_language() -> None:
    alone = {"de": 5}
    found = rank_distance(asked_in("de", alone, {"de": 1, "en": 11}))
    assert found is not None
    assert (found.mean, found.queries, found.left_out) == (10.0, 1, 1)
    assert rank_distance(asked_in("de", alone)) is None
    rows = [("mlir/de-xx", "de", "q", "de_1", 1, 2), ("mlir/de-xx", "de", "q", "de_2", 1, 9)]
    (twice,) = pool_rankings(rank_table(rows, {"mlir/de-xx": 100}))
    assert rank_distance(twice) is None


def test_preference_for_the_language_of_the_query_by_hand() -> None:
    found = preference(
        asked_in(
            "de",
            {"de": 1, "en": 5, "fr": 9},  # own first; of the others en
            {"de": 7, "en": 5, "fr": 2},  # fr first
            {"de": 3, "fr": 4},  # own first; one other: nothing to be first among
            {"de": 0, "en": 0, "fr": 50},  # own not retrieved
            {"de": 2, "en": 0, "fr": 0},  # own first; none of the others retrieved
            {"de": 0, "en": 0, "fr": 0},
            {"en": 4, "fr": 6},  # no copy in the query's language
        )
    )
    assert found.own == FirstCopies(
        rate=pytest.approx(3 / 5), chance=pytest.approx((1 / 3 * 4 + 1 / 2) / 5), queries=5
    )
    assert found.others == {
        "en": FirstCopies(rate=pytest.approx(2 / 4), chance=0.5, queries=4),
        "fr": FirstCopies(rate=pytest.approx(2 / 4), chance=0.5, queries=4),
    }
    assert (found.not_parallel, found.not_retrieved) == (0, 1)


def test_only_parallel_copies_are_compared() -> None:
    rows = [
        *copies("mlir/de-xx", "de", "q1", de=3),  # nothing to compare with
        *copies("mlir/de-xx", "de", "q2", de=3, en=4),
        ("mlir/de-xx", "de", "q2", "en_more", 1, 9),  # two in one language
        *copies("mlir/de-xx", "de", "q3", de=3, en=5),
        ("mlir/de-xx", "de", "q3", "en_a", 0, 1),  # judged, but not relevant
        ("mlir/de-xx", "de", "q3", "en_z", 0, 2),
    ]
    (rankings,) = pool_rankings(rank_table(rows, {"mlir/de-xx": 100}))
    found = preference(rankings)
    assert found.own == FirstCopies(rate=1.0, chance=0.5, queries=1)
    assert (found.others, found.not_parallel, found.not_retrieved) == ({}, 2, 0)


def test_without_a_copy_in_the_query_language_there_is_no_rate() -> None:
    assert preference(asked_in("de", {"en": 1, "fr": 2})) == Preference(
        own=None,
        others={
            "en": FirstCopies(rate=1.0, chance=0.5, queries=1),
            "fr": FirstCopies(rate=0.0, chance=0.5, queries=1),
        },
        not_parallel=0,
        not_retrieved=0,
    )


def shares_of(counts: list[list[int]], languages: tuple[str, ...], k: int = 10):
    table = LanguageShares.from_counts(
        "own", languages, {("mlir/de-xx", "de", k): np.array(counts)}
    )
    return table.rows[0], languages


def test_languages_of_the_top_against_those_of_the_relevant() -> None:
    rankings = asked_in("de", {"de": 1, "en": 2}, {"de": 1, "en": 2, "fr": 3}, {"de": 1, "en": 2})
    found = share_excess(
        rankings, *shares_of([[8, 2, 0, 0], [6, 0, 0, 4], [0, 0, 0, 0]], ("de", "en", "fr", "zh"))
    )
    assert found is not None
    assert found.top == {"de": 0.7, "en": 0.1, "fr": 0.0, "zh": 0.2}
    relevant = {"de": 4 / 9, "en": 4 / 9, "fr": 1 / 9, "zh": 0.0}
    assert found.relevant == pytest.approx(relevant)
    assert found.excess == pytest.approx({c: found.top[c] - relevant[c] for c in relevant})
    assert found.own == pytest.approx(0.7 - 4 / 9)
    # What is too much is as much as what is missing.
    assert found.total_variation == pytest.approx(0.7 - 4 / 9 + 0.2)
    assert (found.k, found.queries, found.empty) == (10, 2, 1)


def test_shares_as_those_of_the_relevant_are_no_bias() -> None:
    rankings = asked_in("de", {"de": 1, "en": 2}, {"de": 5, "en": 9})
    found = share_excess(rankings, *shares_of([[5, 5], [1, 1]], ("de", "en")))
    assert found is not None
    assert (found.own, found.total_variation) == (0.0, 0.0)


def test_shares_where_nothing_was_retrieved_or_is_relevant() -> None:
    rankings = asked_in("de", {"de": 0, "en": 0})
    assert share_excess(rankings, *shares_of([[0, 0]], ("de", "en"))) is None
    rows = [("mlir/de-xx", "de", "q", "de_1", 0, 2)]
    (nothing,) = pool_rankings(rank_table(rows, {"mlir/de-xx": 100}))
    assert share_excess(nothing, *shares_of([[4, 6]], ("de", "en"))) is None


def test_shares_of_other_queries_or_languages_are_refused() -> None:
    rankings = asked_in("de", {"de": 1, "en": 2})
    with pytest.raises(EntryError, match=r"mlir/de-xx are not those of its ranks: .* 2 de queries"):
        share_excess(rankings, *shares_of([[5, 5], [5, 5]], ("de", "en")))
    with pytest.raises(EntryError, match="over de, fr, the ranks of 1 over de, en"):
        share_excess(rankings, *shares_of([[5, 5]], ("de", "fr")))


# RR is 1/rank. German asks q1 and q2, answered in English and French; fr answers q1 only.
SIZES = {
    "moir/de-de": 10,
    "moir/en-en": 10,
    "clir/de-en": 10,
    "clir/de-fr": 10,
    "clir/en-de": 10,
    "mlir/de-xx": 30,
    "mlir/en-xx": 30,
    "mlir/xx-xx": 30,
}
SCORED = [
    ("moir/de-de", "de", "q1", "de_1", 1, 1),
    ("moir/de-de", "de", "q2", "de_2", 1, 2),
    ("moir/en-en", "en", "q1", "en_1", 1, 1),
    ("clir/de-en", "de", "q1", "en_1", 1, 4),
    ("clir/de-en", "de", "q2", "en_2", 1, 5),
    ("clir/de-fr", "de", "q1", "fr_1", 1, 10),
    ("clir/en-de", "en", "q2", "de_2", 1, 1),
    *copies("mlir/de-xx", "de", "q1", de=2, en=4),
    *copies("mlir/en-xx", "en", "q1", de=1, en=4),
    *copies("mlir/xx-xx", "de", "q1", de=2, en=4),
    *copies("mlir/xx-xx", "en", "q1", de=1, en=4),
]
SCORES = question_scores(rank_table(SCORED, SIZES), "RR")


def test_the_gap_is_over_the_questions_that_both_ask() -> None:
    found = gaps(SCORES)
    # To English: 0.75 - 0.225. To French: q1 alone, 1 - 0.1, whatever MoIR is on q2.
    assert set(found) == {"de"}  # of en, MoIR and CLIR ask different questions
    assert found["de"].moir == pytest.approx((0.75 + 1) / 2)
    assert found["de"].clir == pytest.approx((0.225 + 0.1) / 2)
    assert found["de"].gap == pytest.approx((0.525 + 0.9) / 2)
    assert (found["de"].settings, found["de"].questions) == (2, 2)


def test_spread_over_languages_by_hand() -> None:
    found = spreads(SCORES)
    assert list(found) == ["moir", "clir_from", "clir_into", "mlir"]
    assert found["moir"].by_language == {"de": 0.75, "en": 1.0}
    assert found["clir_from"].by_language == pytest.approx({"de": (0.225 + 0.1) / 2, "en": 1.0})
    assert found["clir_into"].by_language == pytest.approx({"de": 1.0, "en": 0.225, "fr": 0.1})
    assert found["mlir"].by_language == {"de": 0.5, "en": 1.0}
    into = found["clir_into"]
    assert (into.best, into.worst) == ("de", "fr")
    assert into.range == pytest.approx(0.9)
    assert into.mean == pytest.approx(1.325 / 3)
    mean = 1.325 / 3
    squares = [(value - mean) ** 2 for value in (1.0, 0.225, 0.1)]
    assert into.deviation == pytest.approx((sum(squares) / 3) ** 0.5)


def test_no_spread_over_one_language_and_no_gap_without_clir() -> None:
    rows = [("moir/de-de", "de", "q1", "de_1", 1, 1)]
    scores = question_scores(rank_table(rows, {"moir/de-de": 10}), "RR")
    assert (gaps(scores), spreads(scores)) == ({}, {})


def test_a_profile_of_settings_that_say_nothing_is_refused() -> None:
    rows = [("moir/de-de", "de", "q1", "de_1", 1, 1)]
    table = rank_table(rows, {"moir/de-de": 10})
    with pytest.raises(EntryError, match="say nothing of language bias: they are moir/de-de"):
        bias_profile(table, None, BiasOptions())


def test_a_profile_without_pools_has_gap_and_spread() -> None:
    rows = [row for row in SCORED if not row[0].startswith("mlir")]
    profile = bias_profile(rank_table(rows, SIZES), None, BiasOptions())
    assert profile.pools == ()
    assert (set(profile.gaps), set(profile.spreads)) == ({"de"}, {"moir", "clir_from", "clir_into"})


@pytest.mark.parametrize("name", ["RankDistance", "RankDistanceShare", "Unjudged@10", "NumRel"])
def test_gap_and_spread_need_a_measure_of_how_good_a_ranking_is(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is no measure of how good"):
        bias_profile(rank_table(SCORED, SIZES), None, BiasOptions(measure=name))


def test_an_unknown_measure_and_the_shares_of_another_task() -> None:
    table = rank_table(SCORED, SIZES)
    with pytest.raises(UnknownNameError, match="nDGC@10"):
        bias_profile(table, None, BiasOptions(measure="nDGC@10"))
    shares = LanguageShares.from_counts("other", ("de", "en"), {})
    with pytest.raises(EntryError, match="shares are of task 'other', the ranks of 'own'"):
        bias_profile(table, shares, BiasOptions())


RANKS = st.dictionaries(st.sampled_from(["de", "en", "fr", "ru"]), st.integers(0, 1), min_size=1)


@given(st.lists(RANKS, min_size=1, max_size=6), st.randoms())
@settings(deadline=None)
def test_preference_equals_a_plain_loop(drawn: list[dict[str, int]], random) -> None:
    questions = []
    for languages in drawn:
        places = random.sample(range(1, 100), len(languages))
        pairs = zip(languages.items(), places, strict=True)
        questions.append({code: there * place for (code, there), place in pairs})
    found = preference(asked_in("de", *questions))
    outcomes = defaultdict(list)
    for ranks in questions:
        for code in ranks:
            others = {c: r for c, r in ranks.items() if code == "de" or c != "de"}
            retrieved = {c: r for c, r in others.items() if r}
            if len(others) > 1 and retrieved:
                is_first = min(retrieved, key=retrieved.__getitem__) == code
                outcomes[code].append((is_first, 1 / len(others)))
    given_rates = dict(found.others) | ({"de": found.own} if found.own else {})
    assert set(given_rates) == set(outcomes)
    for code, one in given_rates.items():
        wins, chances = zip(*outcomes[code], strict=True)
        assert one == FirstCopies(
            pytest.approx(np.mean(wins)), pytest.approx(np.mean(chances)), len(wins)
        )


@pytest.mark.parametrize(("entry", "task"), [("all-minilm-l6-v2", "mlqa-r"), ("bm25", "pocket")])
def test_a_real_entry_equals_plain_loops(entry: str, task: str) -> None:
    table = read_ranks(ENTRIES / entry / "ranks" / f"{task}.parquet")
    profile = bias_profile(table, None, BiasOptions())
    places = defaultdict(dict)
    for s, q, d, rank in zip(
        table.setting.codes, table.question.codes, table.document.codes, table.rank, strict=True
    ):
        language = table.document.names[d][:2]
        places[table.setting.names[s], int(q)][language] = int(rank)
    means = setting_means(question_scores(table, "RankDistance"))
    for pool in profile.pools:
        queries = [found for (setting, _), found in places.items() if setting == pool.setting]
        first = [
            min((rank, code) for code, rank in found.items() if rank)[1]
            for found in queries
            if any(found.values())
        ]
        assert pool.preference.own is not None
        assert pool.preference.own.rate == pytest.approx(
            np.mean([code == pool.query_language for code in first])
        )
        assert pool.preference.not_retrieved == len(queries) - len(first)
        assert pool.rank_distance is not None
        assert pool.rank_distance.mean == pytest.approx(means[pool.setting].mean)
        assert pool.rank_distance.share == pytest.approx(
            means[pool.setting].mean / table.pool_sizes[pool.setting]
        )
        assert pool.peer.one_document_each == pool.queries
    ap = {name: found.mean for name, found in setting_means(question_scores(table, "AP")).items()}
    languages = sorted(profile.gaps)
    assert profile.spreads["moir"].by_language == pytest.approx(
        {code: ap[f"moir/{code}-{code}"] for code in languages}
    )
    for side, name in (("clir_from", "clir/{0}-{1}"), ("clir_into", "clir/{1}-{0}")):
        assert profile.spreads[side].by_language == pytest.approx(
            {
                code: np.mean([ap[name.format(code, c)] for c in languages if c != code])
                for code in languages
            }
        )
    if task == "pocket":  # every setting asks every question
        for code, gap in profile.gaps.items():
            assert gap.gap == pytest.approx(
                ap[f"moir/{code}-{code}"] - profile.spreads["clir_from"].by_language[code]
            )
