"""Rerankers from folders: what their scores are, what decides them, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("sentence_transformers", reason="needs the extra 'score'")

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder
from tiny_models import write_causal_reranker, write_cross_encoder
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from harness.models import pair_batches
from harness.models.cross_encoder import CrossEncoderModel
from harness.models.encoder_options import EncoderOptions
from harness.models.lexical import BM25
from harness.progress import Silent
from harness.retrieval.retrievers import PairModel
from harness.score import FirstStage, Plan, score
from tasks.errors import ModelError
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.run_table import RunTable

QUERIES = ["Which river crosses the city?", "नदी कहाँ है?", "a"]
DOCUMENTS = [
    "Der Fluss fließt durch die Stadt, und die Stadt liegt am Fluss.",
    "长江是最长的河流。",
    "a",
    "The city has no river at all.",
]
PAIRS = [(query, document) for query in QUERIES for document in DOCUMENTS]


def load(folder: Path, **options: Any) -> CrossEncoderModel:
    return CrossEncoderModel.load(str(folder), EncoderOptions(device="cpu", **options))


def scores(model: CrossEncoderModel, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    return model.scores_of(pairs, lambda _: None)


def rewrite(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(content | changes), "utf-8")


def logits(
    folder: Path, pairs: Sequence[tuple[str, str]], tokens: int = 128
) -> NDArray[np.float64]:
    """What transformers alone makes of pairs, one by one, shape (pairs, labels)."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    found = []
    for query, document in pairs:
        inputs = tokenizer(
            query, document, truncation="longest_first", max_length=tokens, return_tensors="pt"
        )
        with torch.inference_mode():
            found.append(model(**inputs).logits[0].double().numpy())
    return np.array(found)


@pytest.fixture(scope="module")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One logit, pairs cut after 128 tokens, a sigmoid on top as sentence-transformers has it."""
    return write_cross_encoder(tmp_path_factory.mktemp("models") / "tiny-reranker")


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_causal_reranker(tmp_path_factory.mktemp("models") / "tiny-causal-reranker")


@pytest.fixture
def folder(reranker: Path, tmp_path: Path) -> Path:
    """A copy of the reranker that a test may change."""
    return Path(shutil.copytree(reranker, tmp_path / "reranker"))


def batches_of(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """The token ids of each batch that a model reads from here on, shape (pairs, tokens)."""
    read: list[torch.Tensor] = []
    forward = CrossEncoder.forward

    def watching(self: CrossEncoder, features: Any, **settings: Any) -> Any:
        read.append(features["input_ids"])
        return forward(self, features, **settings)

    monkeypatch.setattr(CrossEncoder, "forward", watching)
    return read


def two_labels(folder: Path, *labels: str) -> Path:
    write_cross_encoder(folder, labels=len(labels))
    rewrite(folder / "config.json", id2label=dict(enumerate(labels)))
    return folder


# What a score is.


def test_a_score_is_the_logit(reranker: Path) -> None:
    model = load(reranker)
    assert isinstance(model, PairModel)
    expected = logits(reranker, PAIRS)[:, 0]
    assert expected.std() > 0.01
    np.testing.assert_allclose(scores(model, PAIRS), expected, atol=1e-5)


def test_the_order_is_that_of_sentence_transformers_own_scores(reranker: Path) -> None:
    declared = CrossEncoder(str(reranker), device="cpu").predict(PAIRS)  # through a sigmoid
    found = scores(load(reranker), PAIRS)
    np.testing.assert_allclose(1 / (1 + np.exp(-found)), declared, atol=1e-6)


def test_a_sigmoid_does_not_make_high_scores_equal(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] = weights["classifier.bias"] + 30
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert len(set(CrossEncoder(str(folder), device="cpu").predict(PAIRS).tolist())) == 1
    assert len(set(scores(load(folder), PAIRS).tolist())) == len(PAIRS)


def test_a_language_model_gives_the_log_odds_of_yes(causal: Path) -> None:
    from transformers import AutoModelForCausalLM

    tokenizer, model = AutoTokenizer.from_pretrained(causal), None
    model = AutoModelForCausalLM.from_pretrained(causal).eval()
    yes, no = tokenizer.convert_tokens_to_ids(["yes", "no"])
    expected = []
    for query, document in PAIRS:
        with torch.inference_mode():
            last = model(**tokenizer(query, document, return_tensors="pt")).logits[0, -1]
        expected.append(float(last[yes] - last[no]))
    np.testing.assert_allclose(scores(load(causal), PAIRS), expected, atol=1e-4)


def test_of_two_labels_the_relevant_one_decides(tmp_path: Path) -> None:
    folder = two_labels(tmp_path / "reranker", "irrelevant", "Relevant")
    both = logits(folder, PAIRS)
    model = load(folder)
    np.testing.assert_allclose(scores(model, PAIRS), both[:, 1] - both[:, 0], atol=1e-5)
    assert model.description.settings["score"] == "log-odds of label 1"

    rewrite(folder / "config.json", id2label={0: "true", 1: "false"})
    np.testing.assert_allclose(scores(load(folder), PAIRS), both[:, 0] - both[:, 1], atol=1e-5)


# What a score does not depend on.


def test_scores_do_not_depend_on_the_batch(reranker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = load_task("pocket").collection
    queries = [text for code in ("en", "hi") for text in collection.queries[code].texts[:3]]
    documents = [text for code in ("de", "zh") for text in collection.corpora[code].texts[:5]]
    pairs = [(query, document) for query in queries for document in documents]
    model = load(reranker)
    together = scores(model, pairs)
    np.testing.assert_allclose(
        np.concatenate([scores(model, [pair]) for pair in pairs]), together, atol=1e-6
    )
    np.testing.assert_allclose(scores(model, pairs[::-3]), together[::-3], atol=1e-6)
    for most in (1, 7):
        monkeypatch.setattr(pair_batches, "MOST_PAIRS_PER_BATCH", most)
        np.testing.assert_allclose(scores(model, pairs), together, atol=1e-6)


def test_the_order_of_pairs_changes_nothing_at_all(reranker: Path) -> None:
    model = load(reranker)
    np.testing.assert_array_equal(scores(model, PAIRS[::-1]), scores(model, PAIRS)[::-1])


def test_equal_pairs_are_read_once(reranker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(reranker)
    read = batches_of(monkeypatch)
    done: list[int] = []
    repeated = [PAIRS[0], PAIRS[5], PAIRS[0], (PAIRS[0][1], PAIRS[0][0]), PAIRS[0]]
    found = model.scores_of(repeated, done.append)
    rows = [tuple(row.tolist()) for batch in read for row in batch]
    assert len(rows) == len(set(rows)) == len(set(repeated))
    assert sum(done) == len(repeated)
    assert found[0] == found[2] == found[4]
    assert len(set(found.tolist())) == 3


def test_batches_hold_pairs_of_similar_length_within_the_budget(
    reranker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(reranker)
    read = batches_of(monkeypatch)
    pairs = [("q", "d" * length) for length in range(1, 200)]
    scores(model, pairs)
    shapes = [tuple(batch.shape) for batch in read]
    assert [width for _, width in shapes] == sorted((w for _, w in shapes), reverse=True)
    assert max(rows * width for rows, width in shapes) <= 2**11
    # A pair has a token a byte and three more, and is cut after 128.
    tokens = sum(min(128, 1 + length + 3) for length in range(1, 200))
    padding = 1 - tokens / sum(rows * width for rows, width in shapes)
    # A batch is full, or one more pair would make more padding than a sixteenth of the budget.
    assert padding < 2 / 16
    assert model.padding == pytest.approx(padding)
    assert shapes[0] == (16, 128)


def test_no_pairs(reranker: Path) -> None:
    assert scores(load(reranker), []).shape == (0,)


def test_empty_texts_are_scored(reranker: Path) -> None:
    assert np.isfinite(scores(load(reranker), [("", ""), ("a", ""), ("", "a")])).all()


# What a model declares, and what replaces it.


def test_a_folder_is_described_as_it_declares(reranker: Path) -> None:
    described = load(reranker).describe()
    assert (described.kind, described.name) == ("cross-encoder", "tiny-reranker")
    assert described.revision is None
    assert described.digest is not None
    weights = load_file(reranker / "model.safetensors")
    assert described.parameters == sum(weight.numel() for weight in weights.values())
    assert described.settings == {
        "query_prompt": "",
        "document_prompt": "",
        "score": "logit",
        "max_tokens": 128,
        "dtype": "float32",
    }


def test_pairs_are_cut_after_max_tokens_the_longer_text_first(reranker: Path) -> None:
    pairs = [("q" * 10, "d" * 50), ("q" * 10, "d" * 60), ("q" * 60, "d" * 10)]
    model = load(reranker, max_tokens=32)
    assert model.description.settings["max_tokens"] == 32
    found = scores(model, pairs)
    np.testing.assert_allclose(found, logits(reranker, pairs, tokens=32)[:, 0], atol=1e-5)
    # 32 tokens less three special ones: 10 of the shorter text, 19 of the longer.
    assert found[0] == pytest.approx(found[1], abs=1e-6)
    cut = scores(load(reranker), [("q" * 10, "d" * 19), ("q" * 19, "d" * 10)])
    np.testing.assert_allclose(found[[0, 2]], cut, atol=1e-5)


def test_the_declared_default_prompt_is_put_before_queries(reranker: Path, folder: Path) -> None:
    declared = {"prompts": {"web": "Find a page: ", "other": "x"}, "default_prompt_name": "web"}
    rewrite(folder / "config_sentence_transformers.json", **declared)
    model = load(folder)
    assert model.description.settings["query_prompt"] == "Find a page: "
    bare = load(reranker)
    prompted = [(f"Find a page: {query}", document) for query, document in PAIRS]
    np.testing.assert_allclose(scores(model, PAIRS), scores(bare, prompted), atol=1e-6)
    by_itself = CrossEncoder(str(folder), device="cpu").predict(
        PAIRS, activation_fn=torch.nn.Identity()
    )
    np.testing.assert_allclose(scores(model, PAIRS), by_itself, atol=1e-5)
    emptied = load(folder, query_prompt="")
    np.testing.assert_allclose(scores(emptied, PAIRS), scores(bare, PAIRS), atol=1e-6)


def test_prompts_can_be_given(reranker: Path) -> None:
    model = load(reranker, query_prompt="ask: ", document_prompt="tell: ")
    assert model.description.settings["query_prompt"] == "ask: "
    assert model.description.settings["document_prompt"] == "tell: "
    expected = [(f"ask: {query}", f"tell: {document}") for query, document in PAIRS]
    np.testing.assert_allclose(scores(model, PAIRS), scores(load(reranker), expected), atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("kind", ["reranker", "causal"])
def test_dtype_can_be_chosen_and_leaves_scores_fine_grained(
    kind: str, dtype: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(kind)
    collection = load_task("pocket").collection
    pairs = [
        (query, document)
        for query in collection.queries["en"].texts[:5]
        for document in collection.corpora["de"].texts[:40]
    ]
    exact, model = scores(load(folder), pairs), load(folder, dtype=dtype)
    assert model.description.settings["dtype"] == dtype
    found = scores(model, pairs)
    assert 1e-6 < np.abs(found - exact).max() < 0.1
    # bfloat16 alone would know few numbers in this range.
    rounded = torch.tensor(exact).to(getattr(torch, dtype)).unique()
    assert len(set(found.tolist())) > 0.95 * len(set(exact.tolist()))
    assert dtype == "float16" or len(rounded) < 0.7 * len(pairs)


def test_prepare_reads_nothing_yet(reranker: Path) -> None:
    collection = load_task("pocket").collection
    model = load(reranker)
    prepared = model.prepare(collection, (["en"], ["de", "zh"]), None, Silent())
    assert prepared.scorer is model
    assert prepared.device == "cpu"
    documents = sum(len(collection.corpora[code].texts) for code in ("de", "zh"))
    assert prepared.texts == len(collection.queries["en"].texts) + documents


def test_pocket_is_reranked(reranker: Path) -> None:
    """The first five documents of BM25, in the order of transformers' logits."""
    task = load_task("pocket")
    settings = [one for one in task.settings if one.id in ("moir/en-en", "clir/de-en")]
    first = score(BM25(), task, settings, Plan(keep_runs=5), Silent()).runs
    assert first is not None
    plan = Plan(keep_runs=5, first_stage=FirstStage("bm25", BM25(), depth=5))
    said: list[str] = []

    class Listening(Silent):
        def say(self, line: str) -> None:
            said.append(line)

    scored = score(load(reranker), task, settings, plan, Listening())
    assert any(re.fullmatch(r"\d+\.\d% of the tokens .* were padding", line) for line in said)
    assert scored.runs is not None
    assert scored.cost.pairs == len(first) == len(scored.runs) > 100
    assert scored.model.settings["first_stage"] == "bm25"

    candidates, reranked = ranked(first), ranked(scored.runs)
    assert candidates.keys() == reranked.keys()
    assert candidates != reranked
    texts = dict(
        zip(task.collection.corpora["en"].ids, task.collection.corpora["en"].texts, strict=True)
    )
    for (setting, language, question), documents in list(reranked.items())[::15]:
        queries = task.collection.queries[language]
        asked = [task.collection.questions[row] for row in queries.question].index(question)
        pairs = [(queries.texts[asked], texts[document]) for document, _ in documents]
        expected = logits(reranker, pairs)[:, 0]
        np.testing.assert_allclose([value for _, value in documents], expected, atol=1e-5)
        assert (np.diff(expected) < 1e-5).all()
        found = {document for document, _ in candidates[setting, language, question]}
        assert {document for document, _ in documents} == found


def ranked(table: RunTable) -> dict[tuple[str, str, str], list[tuple[str, float]]]:
    """Documents with their scores, best first, by setting, query language and question."""
    found: dict[tuple[str, str, str], list[tuple[str, float]]] = {}
    columns = [table.setting, table.query_language, table.question, table.document]
    names = ([column.names[code] for code in column.codes] for column in columns)
    for setting, language, question, document, value in zip(*names, table.score, strict=True):
        found.setdefault((setting, language, question), []).append((document, float(value)))
    return found


# What is refused.


def test_a_head_that_is_missing(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        del weights[name]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 2 of its weights.*classifier"):
        load(folder)


def test_a_pooler_that_is_missing(folder: Path) -> None:
    # An encoder's embeddings can do without; here the head reads it.
    weights = load_file(folder / "model.safetensors")
    left = {name: value for name, value in weights.items() if "pooler" not in name}
    assert len(left) < len(weights)
    save_file(left, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="pooler"):
        load(folder)


@pytest.mark.parametrize(
    "labels", [("LABEL_0", "LABEL_1"), ("yes", "true"), ("a", "b", "relevant")]
)
def test_several_numbers_and_none_that_is_the_score(
    tmp_path: Path, labels: tuple[str, ...]
) -> None:
    folder = two_labels(tmp_path / "reranker", *labels)
    with pytest.raises(ModelError, match=rf"{len(labels)} numbers \({labels[0]}.*id2label"):
        load(folder)


def test_an_activation_that_turns_the_order_round(folder: Path) -> None:
    rewrite(
        folder / "config_sentence_transformers.json",
        activation_fn="torch.nn.modules.activation.GELU",
    )
    with pytest.raises(ModelError, match=r"activation GELU.*Sigmoid"):
        load(folder)


def test_scores_that_are_no_numbers_name_the_pair(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    token = AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids("z")
    weights["bert.embeddings.word_embeddings.weight"][token] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    model = load(folder)
    assert np.isfinite(scores(model, [("a", "b")])).all()
    with pytest.raises(ModelError, match=r"query 'ask' and the document 'zoo' is nan \(1 of 3"):
        scores(model, [("ask", "who"), ("ask", "zoo"), ("ask", "why")])


def test_more_tokens_than_the_model_has_positions_for(reranker: Path) -> None:
    with pytest.raises(ModelError, match=r"at most 128 tokens|at most 512 tokens"):
        load(reranker, max_tokens=600)


def test_an_encoder_is_no_reranker(tiny_encoder: Path) -> None:
    with pytest.raises(ModelError, match=r"cross-encoder does not fit.*SentenceTransformer"):
        load(tiny_encoder)
