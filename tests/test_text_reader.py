"""What is made of tokens that were read once is what sentence-transformers makes of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("sentence_transformers", reason="needs the extra 'score'")

import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding
from tiny_models import write_causal_reranker, write_cross_encoder, write_dense
from tokenizers import processors
from transformers import AutoTokenizer

from harness.embeddings.encoding import Source, encode_sources
from harness.models.dense import DenseEncoder
from harness.models.encoder_options import EncoderOptions
from harness.models.pair_reader import PairReader, cut_longest_first
from harness.models.text_reader import TextReader
from harness.models.tokens import Tokens, same_features
from harness.progress import Silent
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TEXT = st.text(max_size=90)


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts are cut after 64 tokens."""
    return write_dense(tmp_path_factory.mktemp("models") / "dense")


@pytest.fixture(scope="module")
def rerankers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CrossEncoder]:
    """Pairs are cut after 48 tokens, an even number of them in the one and an odd in the other."""
    folder = tmp_path_factory.mktemp("models")
    found = {}
    for name, write in (("pairs", write_cross_encoder), ("causal", write_causal_reranker)):
        found[name] = CrossEncoder(str(write(folder / name)), device="cpu")
        found[name].max_seq_length = 48
    return found


def opened(folder: Path) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu")


def texts_of_pocket() -> list[str]:
    collection = load_task("pocket").collection
    queries = [text for part in collection.queries.values() for text in part.texts[:2]]
    return queries + [text for part in collection.corpora.values() for text in part.texts[:4]]


# Single texts.


@pytest.mark.parametrize("prompt", ["", "query: ", "Find it:\n"])
def test_batches_are_those_of_preprocess(dense: Path, prompt: str) -> None:
    model = opened(dense)
    reader = TextReader.of(model, prompt, "query")
    assert reader is not None
    texts = texts_of_pocket()
    tokens = reader.read(texts)
    for rows in ([0], [3, 1, 2], range(len(texts))):
        theirs = model.preprocess([texts[row] for row in rows], prompt=prompt, task="query")
        assert same_features(reader.batch(tokens, rows), theirs)
        assert ("prompt_length" in theirs) is bool(prompt)
    assert tokens.lengths.max() == 64


@given(st.lists(TEXT, min_size=1, max_size=6))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.differing_executors])
def test_any_texts(dense_model: tuple[SentenceTransformer, TextReader], texts: list[str]) -> None:
    model, reader = dense_model
    ours = reader.batch(reader.read(texts), range(len(texts)))
    assert same_features(ours, model.preprocess(texts, prompt="ask: "))


@pytest.fixture(scope="module")
def dense_model(dense: Path) -> tuple[SentenceTransformer, TextReader]:
    model = opened(dense)
    reader = TextReader.of(model, "ask: ", "query")
    assert reader is not None
    return model, reader


def test_padding_goes_to_the_side_that_the_tokenizer_declares(dense: Path) -> None:
    model = opened(dense)
    model.tokenizer.padding_side = "left"
    reader = TextReader.of(model, "", "document")
    assert reader is not None
    batch = reader.batch(reader.read(["abc", "a"]), [0, 1])
    assert batch["attention_mask"].tolist() == [[1] * 5, [0, 0, 1, 1, 1]]


def test_a_prompt_that_pooling_leaves_out_is_left_out(dense: Path, tmp_path: Path) -> None:
    model = opened(dense)
    model.set_pooling_include_prompt(False)
    model.save_pretrained(str(tmp_path / "left-out"), create_model_card=False)
    options = EncoderOptions(device="cpu", query_prompt="Instruct: find it. ")
    texts = texts_of_pocket()
    vectors = {
        folder.name: DenseEncoder.load(str(folder), options).encode(texts, "query")
        for folder in (dense, tmp_path / "left-out")
    }
    expected = opened(tmp_path / "left-out").encode(texts, prompt="Instruct: find it. ")
    np.testing.assert_allclose(vectors["left-out"], expected, atol=1e-5)
    assert np.abs(vectors["left-out"] - vectors["dense"]).max() > 1e-2


@pytest.mark.parametrize("pooling", Pooling.POOLING_MODES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_pooling_gives_the_vectors_of_encode(dense: Path, pooling: Any, dtype: Any) -> None:
    options = EncoderOptions(device="cpu", pooling=pooling, dtype=dtype, document_prompt="say: ")
    encoder = DenseEncoder.load(str(dense), options)
    assert encoder.reads_ahead
    model = SentenceTransformer(
        str(dense), device="cpu", model_kwargs={"dtype": getattr(torch, dtype)}
    )
    model[1].pooling_mode = pooling
    texts = ["a", "Zwei Wörter", "नदी कहाँ है?", ""]
    # The same batch has the same last bits.
    expected = model.encode(
        texts, prompt="say: ", convert_to_tensor=True, batch_size=4, normalize_embeddings=True
    )
    by_length = sorted(texts, key=len, reverse=True)
    found = encoder.encode(by_length, "document")
    order = [texts.index(text) for text in by_length]
    np.testing.assert_array_equal(found, expected[order].float().numpy())


def test_encoding_all_gives_the_vectors_of_encode(dense: Path) -> None:
    encoder = DenseEncoder.load(str(dense), EncoderOptions(device="cpu"))
    texts = texts_of_pocket()
    source = Source("document", texts, texts)
    found = encode_sources(encoder, {("document", "all"): source}, None, Silent())
    vectors, expected = found.vectors["document", "all"], opened(dense).encode(texts)
    assert (np.einsum("ij,ij->i", vectors, expected) > 0.99999).all()
    assert 0 < found.padding < 0.2


# Models that keep their own way.


def test_a_static_embedding_is_none(dense: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(dense).backend_tokenizer
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)])
    assert TextReader.of(model, "", "query") is None


def test_texts_that_are_cut_by_role_are_read_by_role(dense: Path) -> None:
    model = opened(dense)
    model[0].query_length = 16
    assert TextReader.of(model, "", "query") is None
    assert TextReader.of(model, "", "document") is not None


def test_a_transformer_with_a_way_of_its_own_is_none(
    dense: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(dense)
    preprocess = type(model[0]).preprocess

    def lowering(self: Any, inputs: Sequence[str], **settings: Any) -> Any:
        return preprocess(self, [text.lower() for text in inputs], **settings)

    monkeypatch.setattr(type(model[0]), "preprocess", lowering)
    assert TextReader.of(model, "", "query") is None


def test_a_tokenizer_that_cannot_pad_is_left_alone(
    dense: Path, rerankers: dict[str, CrossEncoder]
) -> None:
    model = opened(dense)
    model.tokenizer.pad_token = None
    assert TextReader.of(model, "", "query") is None
    tokenizer = rerankers["pairs"].tokenizer
    tokenizer.pad_token, before = None, tokenizer.pad_token
    try:
        assert PairReader.of(rerankers["pairs"], ("", "")) is None
    finally:
        tokenizer.pad_token = before


def test_such_a_model_is_encoded_by_its_own_way(dense: Path) -> None:
    texts = texts_of_pocket()
    model = opened(dense)
    model[0].query_length = 16
    settings_ = DenseEncoder.load(str(dense), EncoderOptions(device="cpu")).description
    encoder = DenseEncoder(model, settings_)
    assert not encoder.reads_ahead
    source = Source("query", texts, texts)
    found = encode_sources(encoder, {("query", "all"): source}, None, Silent())
    np.testing.assert_allclose(found.vectors["query", "all"], model.encode_query(texts), atol=1e-5)


# Pairs.


@pytest.mark.parametrize("kind", ["pairs", "causal"])
@pytest.mark.parametrize("prompts", [("", ""), ("Find: ", "Page: ")])
def test_pairs_are_those_of_preprocess(
    rerankers: dict[str, CrossEncoder], kind: str, prompts: tuple[str, str]
) -> None:
    model = rerankers[kind]
    reader = PairReader.of(model, prompts)
    assert reader is not None
    texts = texts_of_pocket()[::5]
    rows = np.arange(len(texts))
    pairs = reader.read(texts, texts, np.repeat(rows, len(rows)), np.tile(rows, len(rows)))
    given_: Any = [(one, prompts[1] + two) for one in texts for two in texts]
    theirs = model.preprocess(given_, prompt=prompts[0])
    assert same_features(reader.batch(pairs, range(len(given_))), theirs)
    np.testing.assert_array_equal(pairs.lengths, theirs["attention_mask"].sum(1))
    assert pairs.lengths.max() == 48


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6), st.integers(7, 60))
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.differing_executors])
def test_any_pairs_at_any_length(
    rerankers: dict[str, CrossEncoder], pairs: list[tuple[str, str]], limit: int
) -> None:
    model = rerankers["pairs"]
    model.max_seq_length, before = limit, model.max_seq_length
    try:
        reader = PairReader.of(model, ("", ""))
        assert reader is not None
        rows = np.arange(len(pairs))
        queries, documents = [one for one, _ in pairs], [two for _, two in pairs]
        ours = reader.batch(reader.read(queries, documents, rows, rows), rows.tolist())
        given_: Any = pairs
        assert same_features(ours, model.preprocess(given_))
    finally:
        model.max_seq_length = before


def test_how_pairs_are_cut() -> None:
    lengths = np.array([[3, 4], [3, 20], [20, 3], [9, 9], [20, 30], [30, 20], [5, 5], [0, 20]])
    assert cut_longest_first(lengths, 10).tolist() == [
        [3, 4],
        [3, 7],
        [7, 3],
        [5, 5],
        [5, 5],
        [5, 5],
        [5, 5],
        [0, 10],
    ]
    # An odd token goes to the longer side, and to the second of two that are equal.
    assert cut_longest_first(lengths, 9).tolist()[3:7] == [[4, 5], [4, 5], [5, 4], [4, 5]]


def test_a_tokenizer_that_cuts_at_the_front_is_left_alone(
    rerankers: dict[str, CrossEncoder],
) -> None:
    tokenizer = rerankers["pairs"].tokenizer
    tokenizer.truncation_side = "left"
    try:
        assert PairReader.of(rerankers["pairs"], ("", "")) is None
    finally:
        tokenizer.truncation_side = "right"


def test_a_frame_that_depends_on_the_pair_is_seen(tmp_path: Path) -> None:
    # Sides in the other order.
    model = CrossEncoder(str(write_cross_encoder(tmp_path / "other")), device="cpu")
    backend = model.tokenizer.backend_tokenizer
    vocabulary = backend.get_vocab()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $B [SEP] $A:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    assert PairReader.of(model, ("", "")) is None


# Tokens.


@given(st.lists(st.lists(st.integers(0, 10**6), max_size=5), max_size=8))
def test_tokens_are_kept_by_text(texts: list[list[int]]) -> None:
    tokens = Tokens.of(texts)
    assert [tokens[row].tolist() for row in range(len(texts))] == texts
    assert tokens.lengths.tolist() == [len(text) for text in texts]
