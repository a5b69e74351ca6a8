"""Fusions by hand, against the formulas written out plainly, and where ranx alone goes wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.fusion import METHODS, NORMS, Fusion, Method, check_fusion, fuse, in_order
from tasks.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

pytest.importorskip("ranx", reason="needs the extra 'score'")

Scores = dict[str, float]
Run = dict[str, Scores]

IDS = st.text(alphabet="abé中\U0001f600", min_size=1, max_size=2)
SCORES = st.sampled_from([-2.0, 0.0, 0.25, 1.0, 1.0, 3.0, 40.0])
RUNS = st.dictionaries(st.sampled_from(["q", "r", "ü"]), st.dictionaries(IDS, SCORES, max_size=30))
WEIGHTS = st.sampled_from([0.0, 0.5, 1.0, 2.0])
FUSIONS = st.one_of(
    st.builds(Fusion, st.just("rrf"), k=st.sampled_from([0, 1, 60, 1000])),
    st.builds(
        Fusion,
        st.just("wsum"),
        weights=st.tuples(WEIGHTS, WEIGHTS).filter(any) | st.just(()),
        norm=st.sampled_from(NORMS),
    ),
    st.builds(
        Fusion,
        st.just("interpolation"),
        alpha=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
        norm=st.sampled_from(NORMS),
    ),
)


def approx(scores: Scores) -> Mapping[str, object]:
    return {name: pytest.approx(value, rel=1e-6) for name, value in scores.items()}


# By hand.


FIRST = {"a": 9.0, "b": 5.0, "c": 1.0}
SECOND = {"c": 0.8, "d": 0.6, "a": 0.4}


def test_rrf_by_hand() -> None:
    fused = fuse([{"q": FIRST}, {"q": SECOND}], Fusion("rrf"))["q"]
    expected = {"c": 1 / 63 + 1 / 61, "a": 1 / 61 + 1 / 63, "d": 1 / 62, "b": 1 / 62}
    assert fused == approx(expected)
    # Both pairs tie: by descending id.
    assert list(fused) == ["c", "a", "d", "b"]


def test_k_of_rrf_by_hand() -> None:
    fused = fuse([{"q": FIRST}, {"q": SECOND}], Fusion("rrf", k=0))["q"]
    assert fused == approx({"c": 1 / 3 + 1, "a": 1 + 1 / 3, "d": 0.5, "b": 0.5})


def test_ties_share_no_rank_in_rrf() -> None:
    # Ranks by descending id: c 1, b 2, a 3, as trec_eval has them.
    fused = fuse([{"q": {"a": 1.0, "b": 1.0, "c": 1.0}}, {"q": {"b": 1.0}}], Fusion("rrf"))["q"]
    assert fused == approx({"b": 1 / 62 + 1 / 61, "c": 1 / 61, "a": 1 / 63})


def test_weighted_sum_by_hand() -> None:
    fused = fuse([{"q": FIRST}, {"q": SECOND}], Fusion("wsum", weights=(2.0, 1.0)))["q"]
    # Scaled: a 1, b 0.5, c 0 and c 1, d 0.5, a 0; what a system lacks counts 0.
    assert fused == approx({"a": 2.0, "b": 1.0, "c": 1.0, "d": 0.5})
    assert list(fused) == ["a", "c", "b", "d"]


def test_weights_are_1_where_none_are_given() -> None:
    runs = [{"q": FIRST}, {"q": SECOND}, {"q": {"d": 1.0, "b": 0.0}}]
    assert fuse(runs, Fusion("wsum"))["q"] == approx({"d": 1.5, "c": 1.0, "a": 1.0, "b": 0.5})
    assert fuse(runs, Fusion("wsum")) == fuse(runs, Fusion("wsum", weights=(1.0, 1.0, 1.0)))


def test_weighted_sum_of_scores_as_they_are_by_hand() -> None:
    fusion = Fusion("wsum", weights=(2.0, 1.0), norm="none")
    fused = fuse([{"q": FIRST}, {"q": {**SECOND, "e": -1.0}}], fusion)["q"]
    assert fused == approx({"a": 18.4, "b": 10.0, "c": 2.8, "d": 0.6, "e": -1.0})


def test_interpolation_by_hand() -> None:
    fused = fuse([{"q": FIRST}, {"q": SECOND}], Fusion("interpolation", alpha=0.7))["q"]
    assert fused == approx({"a": 0.7, "b": 0.35, "c": 0.3, "d": 0.15})


@pytest.mark.parametrize(("alpha", "expected"), [(1.0, "abdc"), (0.0, "cdba")])
def test_interpolation_at_its_ends_is_one_system(alpha: float, expected: str) -> None:
    fused = fuse([{"q": FIRST}, {"q": SECOND}], Fusion("interpolation", alpha=alpha))["q"]
    # The documents that this system lacks tie with its last one, at 0.
    assert "".join(fused) == expected
    assert list(fused.values())[2:] == [0.0, 0.0]


def test_a_query_that_a_run_lacks_is_fused_from_the_others() -> None:
    runs = [{"q": FIRST}, {"q": SECOND, "only": {"x": 3.0, "y": 2.0, "z": 1.0}}, {"only": {}}]
    assert fuse(runs, Fusion("rrf"))["only"] == approx({"x": 1 / 61, "y": 1 / 62, "z": 1 / 63})
    fused = fuse(runs, Fusion("wsum", weights=(1.0, 3.0, 1.0)))["only"]
    assert fused == approx({"x": 3.0, "y": 1.5, "z": 0.0})


def test_a_query_without_documents_stays_empty() -> None:
    for method in METHODS:
        assert fuse([{"q": {}}, {"q": {}}], Fusion(method)) == {"q": {}}
        assert fuse([{}, {}], Fusion(method)) == {}
        assert fuse([{"q": {}, "r": {"a": 1.0}}, {}], Fusion(method))["q"] == {}


@pytest.mark.parametrize("value", [0.0, 17.0, -3.0])
def test_equal_scores_are_the_best_not_the_worst(value: float) -> None:
    alone, several = {"x": value}, {"x": value, "y": value}
    fusion = Fusion("interpolation", alpha=0.25)
    assert fuse([{"q": alone}, {"q": FIRST}], fusion)["q"]["x"] == 0.25
    fused = fuse([{"q": several}, {"q": FIRST}], fusion)["q"]
    assert fused == approx({"a": 0.75, "b": 0.375, "x": 0.25, "y": 0.25, "c": 0.0})


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1.0, 1e30])
def test_the_unit_of_scores_does_not_matter(scale: float) -> None:
    # ranx itself divides by 1e-9 at least, and so leaves little of scores that are all small.
    small = {name: score * scale for name, score in FIRST.items()}
    assert fuse([{"q": small}, {"q": SECOND}], Fusion("wsum"))["q"] == approx(
        fuse([{"q": FIRST}, {"q": SECOND}], Fusion("wsum"))["q"]
    )


def test_sums_that_differ_in_the_order_of_their_terms_tie() -> None:
    # In float64 1/61 + 1/62 + 1/63 is another number than 1/63 + 1/61 + 1/62.
    ranks = [("abc", "bca", "cab"), ("bca", "cab", "abc"), ("cba", "acb", "bac")]
    for orders in ranks:
        runs = [{"q": {name: -float(n) for n, name in enumerate(order)}} for order in orders]
        fused = fuse(runs, Fusion("rrf"))["q"]
        assert len(set(fused.values())) == 1
        assert list(fused) == ["c", "b", "a"]


# Against the formulas.


def plainly(runs: Sequence[Run], fusion: Fusion) -> dict[str, Scores]:
    weights = fusion.weights or (1.0,) * len(runs)
    if fusion.method == "interpolation":
        weights = (fusion.alpha, 1 - fusion.alpha)
    fused: dict[str, Scores] = {}
    for query in {query for run in runs for query in run}:
        fused[query] = {}
        for run, weight in zip(runs, weights, strict=True):
            scores = run.get(query, {})
            ranked = sorted(scores, key=lambda d: (scores[d], d.encode()), reverse=True)
            for document, score in scores.items():
                if fusion.method == "rrf":
                    value = 1 / (fusion.k + ranked.index(document) + 1)
                elif fusion.norm == "none":
                    value = weight * score
                else:
                    least, greatest = min(scores.values()), max(scores.values())
                    scaled = (score - least) / (greatest - least) if greatest > least else 1.0
                    value = weight * scaled
                fused[query][document] = fused[query].get(document, 0.0) + value
    return fused


@given(st.tuples(RUNS, RUNS), FUSIONS)
@settings(max_examples=200, deadline=None)
def test_fusions_are_their_formulas(runs: tuple[Run, Run], fusion: Fusion) -> None:
    found, expected = fuse(runs, fusion), plainly(runs, fusion)
    assert list(found) == sorted(expected)
    for query, scores in expected.items():
        assert found[query].keys() == scores.keys()
        for name, value in scores.items():
            assert math.isclose(found[query][name], value, rel_tol=1e-6, abs_tol=1e-12)
            assert found[query][name] == float(np.float32(found[query][name]))
        ranked = list(found[query].items())
        assert ranked == sorted(ranked, key=lambda one: (one[1], one[0].encode()), reverse=True)


@given(st.lists(RUNS, min_size=2, max_size=2), FUSIONS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_documents_and_queries_come_does_not_matter(
    runs: list[Run], fusion: Fusion, random: st.random.Random
) -> None:
    def shuffled(values: Mapping[str, object]) -> dict[str, object]:
        return dict(random.sample(list(values.items()), len(values)))

    moved = [shuffled({query: shuffled(scores) for query, scores in run.items()}) for run in runs]
    found, again = fuse(runs, fusion), fuse(moved, fusion)  # type: ignore[arg-type]
    assert [(q, list(s.items())) for q, s in found.items()] == [
        (q, list(s.items())) for q, s in again.items()
    ]


@given(st.tuples(RUNS, RUNS))
@settings(max_examples=30, deadline=None)
def test_which_system_comes_first_does_not_matter_to_rrf(runs: tuple[Run, Run]) -> None:
    assert fuse(runs, Fusion("rrf")) == fuse(runs[::-1], Fusion("rrf"))


def test_long_rankings_full_of_ties_keep_our_order() -> None:
    # ranx's own sort is stable for short rankings only.
    run = {"q": {f"d{number:03}": 1.0 for number in range(200)}}
    fused = fuse([run, run], Fusion("rrf"))["q"]
    assert list(fused) == sorted(run["q"], reverse=True)
    assert fused["d000"] == pytest.approx(2 / 260, rel=1e-6)


def test_ids_of_any_length_stay_whole() -> None:
    # ranx itself cuts them to the length of the longest id in the first run.
    runs = [{"q": {"a": 1.0}}, {"q": {"a": 1.0, "aa": 2.0, "aaa": 3.0}}]
    assert fuse(runs, Fusion("wsum", norm="none"))["q"] == {"aaa": 3.0, "aa": 2.0, "a": 2.0}
    assert set(fuse(runs[::-1], Fusion("rrf"))["q"]) == {"a", "aa", "aaa"}


def test_a_ranking_in_order() -> None:
    ordered = in_order({"b": 1.0, "é": 1.0, "a": 2.0, "\U0001f600": 1.0, "～": 1.0, "B": 1.0})
    assert list(ordered) == ["a", "\U0001f600", "～", "é", "b", "B"]


# Refusals.


@pytest.mark.parametrize(
    ("fusion", "systems", "message"),
    [
        (Fusion("rrf"), 1, "needs two systems or more, found 1"),
        (Fusion("wsum"), 0, "needs two systems or more, found 0"),
        (Fusion("rrf", k=-1), 2, "k must be 0 or more, found -1"),
        (Fusion("wsum", weights=(1.0,)), 2, "2 systems need as many weights, found 1: 1"),
        (Fusion("wsum", weights=(1.0, 0.5, 2.0)), 2, "found 3: 1, 0.5, 2"),
        (Fusion("wsum", weights=(1.0, -0.5)), 2, "0 or more, .* found 1, -0.5"),
        (Fusion("wsum", weights=(0.0, 0.0)), 2, "one of them above 0; found 0, 0"),
        (Fusion("wsum", weights=(1.0, math.nan)), 2, "found 1, nan"),
        (Fusion("wsum", weights=(1.0, math.inf)), 2, "found 1, inf"),
        (Fusion("interpolation", alpha=1.01), 2, "alpha must be in 0..1, found 1.01"),
        (Fusion("interpolation", alpha=-0.01), 2, "alpha must be in 0..1"),
        (Fusion("interpolation", alpha=math.nan), 2, "alpha must be in 0..1, found nan"),
        (Fusion("interpolation"), 3, "between two systems, found 3. The method wsum takes any"),
    ],
)
def test_what_is_not_defined_is_refused(fusion: Fusion, systems: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_fusion(fusion, systems)
    with pytest.raises(UsageError, match=message):
        fuse([{"q": FIRST}] * systems, fusion)


def test_unknown_names_are_refused_with_suggestions() -> None:
    with pytest.raises(UnknownNameError, match=r"method of fusion: 'rff'\. Did you mean rrf\?"):
        fuse([{"q": FIRST}] * 2, Fusion("rff"))  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match=r"norm of scores: 'minmax'.*min-max"):
        fuse([{"q": FIRST}] * 2, Fusion("wsum", norm="minmax"))  # type: ignore[arg-type]


@pytest.mark.parametrize("method", get_args(Method))
def test_scores_that_cannot_be_fused_are_named(method: Method) -> None:
    with pytest.raises(UsageError, match="document 'a' for query 'q' is nan"):
        fuse([{"q": {"a": math.nan}}, {"q": FIRST}], Fusion(method))
    infinite = {"q": {"a": math.inf, "b": 1.0}}
    if method == "rrf":
        assert (
            fuse([infinite, {"q": {"b": 1.0}}], Fusion(method))["q"]["a"]
            == approx({"": 1 / 61})[""]
        )
    else:
        with pytest.raises(UsageError, match=r"'a' .* is inf, .* use the method rrf"):
            fuse([infinite, {"q": FIRST}], Fusion(method))


def test_a_sum_beyond_float32_is_refused() -> None:
    runs = [{"q": {"a": 3e38}}, {"q": {"a": 3e38}}]
    with pytest.raises(UsageError, match="beyond float32"):
        fuse(runs, Fusion("wsum", norm="none"))
