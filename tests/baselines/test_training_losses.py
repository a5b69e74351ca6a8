from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'score'")

from sentence_transformers import CrossEncoder, SentenceTransformer  # noqa: E402
from sentence_transformers.sentence_transformer.losses import (  # noqa: E402
    MultipleNegativesRankingLoss,
)
from tiny_models import write_cross_encoder  # noqa: E402

from submissions.baselines.batch_languages import Drawn  # noqa: E402
from submissions.baselines.bi_encoder_training import (  # noqa: E402
    BiEncoderLoss,
    equal_pairs,
    info_nce,
)
from submissions.baselines.cross_encoder_training import CrossEncoderLoss  # noqa: E402
from submissions.baselines.hard_negatives import Negatives  # noqa: E402
from submissions.baselines.recipe import NegativesPart, Recipe  # noqa: E402
from submissions.baselines.step_texts import StepTexts, SwitchedTexts, recipe_lexicons  # noqa: E402
from submissions.baselines.training_pairs import Pair, TrainingPairs  # noqa: E402
from tasks.errors import DataFileError  # noqa: E402
from tests.baselines.small_training import content, pairs, write_data  # noqa: E402

SWITCHING = {"lexicon": "muse", "query": ["de", "es"], "document": ["de"], "probability": 1.0}


def training_pairs(number=12):
    rows = pairs(number=number)
    return tuple(Pair(row["id"], "en", row["query"], row["positive"]) for row in rows)


def step_texts(number=6):
    found = training_pairs(number)
    queries, positives = [pair.query for pair in found], [pair.positive for pair in found]
    return StepTexts(queries, positives, queries, positives)


@pytest.fixture(scope="module")
def encoder(tiny_encoder):
    return SentenceTransformer(str(tiny_encoder), device="cpu").eval()


def loss_of(encoder, texts, **changed):
    numbers = {**content()["training"], "temperature": 0.1}
    recipe = Recipe.model_validate(content(training=numbers, **changed))
    return BiEncoderLoss(encoder, recipe)(texts).item()


def cosines(encoder, left, right):
    a, b = (encoder.encode(list(texts), normalize_embeddings=True) for texts in (left, right))
    return a.astype(np.float64) @ b.astype(np.float64).T


def cross_entropy(scores):
    return np.mean(np.log(np.exp(scores).sum(axis=1)) - np.diag(scores))


def test_info_nce_by_hand():
    queries = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    documents = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    # cosines 1 .6 / 0 .8, over a temperature of .5: 2 1.2 / 0 1.6
    expected = (np.log1p(np.exp(1.2 - 2)) + np.log1p(np.exp(0 - 1.6))) / 2
    none = torch.zeros(2, 2, dtype=torch.bool)
    assert info_nce(queries, documents, none, 0.5).item() == pytest.approx(expected)
    # Without its only negative, the first query has nothing left to lose.
    first = torch.tensor([[True, True], [False, False]])
    expected = np.log1p(np.exp(0 - 1.6)) / 2
    assert info_nce(queries, documents, first, 0.5).item() == pytest.approx(expected)


def test_the_loss_is_that_of_sentence_transformers(encoder):
    texts = step_texts()
    theirs = MultipleNegativesRankingLoss(encoder, scale=10.0)
    sides = [encoder.preprocess(list(side)) for side in (texts.queries, texts.positives)]
    expected = theirs(sides, torch.empty(0)).item()
    assert loss_of(encoder, texts) == pytest.approx(expected, rel=1e-5)


def test_equal_queries_and_passages_are_no_negatives(encoder):
    asked = ["a?", "b?", "a?", "c?"]
    found = ["A", "B", "C", "B"]
    switched = [text.upper() for text in asked]
    texts = StepTexts(switched, found, asked, found)
    same = np.eye(4, dtype=bool)
    same[0, 2] = same[2, 0] = same[1, 3] = same[3, 1] = True
    assert np.array_equal(equal_pairs(texts).numpy(), same)
    scores = np.where(
        same & ~np.eye(4, dtype=bool), -np.inf, cosines(encoder, switched, found) * 10
    )
    assert loss_of(encoder, texts) == pytest.approx(cross_entropy(scores), rel=1e-5)


@pytest.mark.parametrize("retrieval", ["source", "switched"])
def test_the_second_task_finds_the_twins_of_both_sides_both_ways(encoder, retrieval):
    texts = step_texts()
    twins = [f"x{text}" for text in texts.queries]
    texts = replace(texts, queries=twins, positives=[f"y{text}" for text in texts.positives])
    chosen = (
        (texts.source_queries, texts.source_positives)
        if retrieval == "source"
        else (texts.queries, texts.positives)
    )
    first = cross_entropy(cosines(encoder, *chosen) * 10)
    second = [
        cross_entropy(scores)
        for one, other in (
            (texts.source_queries, texts.queries),
            (texts.source_positives, texts.positives),
        )
        for scores in (cosines(encoder, one, other) * 10, cosines(encoder, other, one) * 10)
    ]
    loss = loss_of(
        encoder,
        texts,
        switching=SWITCHING,
        multitask={"weight": 0.25, "retrieval": retrieval},
    )
    assert loss == pytest.approx(first + 0.25 * np.mean(second), rel=1e-5)


def test_prompts_are_put_before_the_texts(tiny_encoder):
    model = SentenceTransformer(
        str(tiny_encoder), device="cpu", prompts={"query": "q: ", "document": "d: "}
    ).eval()
    texts = step_texts()
    scores = cosines(
        model, [f"q: {t}" for t in texts.queries], [f"d: {t}" for t in texts.positives]
    )
    assert loss_of(model, texts) == pytest.approx(cross_entropy(scores * 10), rel=1e-5)


def test_a_cross_encoder_learns_to_tell_positives_from_negatives(tmp_path):
    model = CrossEncoder(str(write_cross_encoder(tmp_path / "cross")), device="cpu").eval()
    texts = replace(step_texts(2), negatives=[["n1", "n2"], ["n3", "n4"]])
    read = [
        (query, passage)
        for query, positive, others in zip(
            texts.queries, texts.positives, texts.negatives, strict=True
        )
        for passage in (positive, *others)
    ]
    logits = model.predict(read, activation_fn=torch.nn.Identity()).astype(np.float64)
    signs = np.array([1, -1, -1] * 2)
    expected = np.mean(np.log1p(np.exp(-signs * logits)))
    assert CrossEncoderLoss(model)(texts).item() == pytest.approx(expected, rel=1e-5)


def negatives(found, **settings):
    return Negatives(NegativesPart(**settings), TrainingPairs(found, {}), seed=1)


def test_bm25_finds_negatives_that_share_words_with_the_query():
    found = training_pairs(36)
    drawn = negatives(found, depth=3, per_positive=3).of([Drawn(n) for n in range(36)], step=0)
    for index, others in enumerate(drawn):
        assert len(set(others)) == 3
        assert index not in others
        wanted = set(found[index].query.rstrip("?").split()[1:]) - {"lies", "in", "the"}
        for other in others:
            assert wanted & set(found[other].positive.rstrip(".").split())


def test_negatives_never_have_the_text_of_the_positive():
    same = [Pair(f"same-{n}", "en", f"Which river {n}?", "The same river.") for n in range(30)]
    other = [Pair(f"other-{n}", "en", "Where?", f"River {n}.") for n in range(3)]
    for source in ("bm25", "random"):
        source = negatives((*same, *other), source=source, per_positive=3)  # noqa: PLW2901
        for step in range(5):
            for others in source.of([Drawn(n) for n in range(30)], step):
                assert sorted(others) == [30, 31, 32]


def test_random_negatives_come_from_all_passages_and_change_with_the_step():
    source = negatives(training_pairs(12), source="random", per_positive=2)
    batch = [Drawn(0)]
    drawn = Counter(other for step in range(300) for other in source.of(batch, step)[0])
    assert set(drawn) == set(range(1, 12))
    assert source.of(batch, 5) == source.of(batch, 5)


def test_too_few_passages_for_the_negatives_are_refused():
    with pytest.raises(DataFileError, match="'en' have 4 passages; 4 negatives"):
        negatives(training_pairs(4))


def switched_texts(tmp_path, **changed):
    recipe = Recipe.model_validate(content(switching={**SWITCHING, **changed}))
    lexicons = recipe_lexicons(recipe, write_data(tmp_path, "de", "es"))
    return SwitchedTexts(training_pairs(), recipe, 1, lexicons)


def test_sides_are_switched_as_drawn_and_counted(tmp_path):
    texts = switched_texts(tmp_path)
    step = texts.of([Drawn(0, (), ("de",)), Drawn(1, ("es",), ())], [[2], [3]])
    assert step.queries[0] == step.source_queries[0] == "Which river lies in the north 0?"
    assert step.positives[0] == "Dethe deriver denumber 0 delies in dethe denorth."
    assert step.queries[1].startswith("Eswhich esmountain")
    assert step.negatives == [
        [texts.of([Drawn(2, (), ("de",))]).positives[0]],
        ["The bridge number 3 lies in the north."],
    ]
    assert texts.languages == {"en-de": 2, "es-en": 1}
    counts = texts.counts()
    assert counts["sides"]["query"]["switched"] == 5
    assert counts["sides"]["document"]["languages"] == {
        "de": counts["sides"]["document"]["switched"]
    }
    again = switched_texts(tmp_path)
    again.restore(counts)
    assert again.counts() == counts


def test_only_the_lexicons_that_are_needed_are_read(tmp_path):
    folder = write_data(tmp_path, "de", "es")
    recipe = Recipe.model_validate(content(switching={**SWITCHING, "query": []}))
    assert list(recipe_lexicons(recipe, folder)) == ["de"]
    mixed = {"strategy": "x-x", "languages": ["en", "es"]}
    plain = {"lexicon": "muse", "probability": 1.0}
    recipe = Recipe.model_validate(content(switching=plain, batches=mixed))
    assert list(recipe_lexicons(recipe, folder)) == ["es"]
    assert recipe_lexicons(Recipe.model_validate(content()), folder) == {}
