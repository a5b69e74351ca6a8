"""Each distinct text is encoded once, in batches of similar length, and serves all settings."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.embeddings.encoding import MOST_TEXTS_PER_BATCH, Source, encode_sources
from harness.models.description import ModelDescription
from harness.progress import Silent
from harness.retrieval.dense_retriever import DenseRetriever, prepare_dense
from harness.score import Plan, score
from tasks.errors import ModelError, UsageError
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.models.description import Role
    from harness.progress import Reporter
    from harness.retrieval.retrievers import Prepared
    from tasks.collection import Collection
    from tasks.task import Task

    Result = tuple[NDArray[np.float32], list[list[str]]]


@dataclass
class FakeEncoder:
    """Makes a vector from the hash of a text, and keeps the batches that it was given.

    A little of each vector comes from the batch as a whole, as it does in a real model, where
    padding and the shape of a batch change the last bits.
    """

    prompts: dict[Role, str] = field(default_factory=lambda: {"query": "", "document": ""})
    tokens_per_batch: int = 400
    batches: list[list[str]] = field(default_factory=list)
    stop_after: int | None = None
    similarity: str = "cosine"
    device: str = "cpu"

    def fingerprint(self, role: Role) -> str:
        return hashlib.sha256(self.prompts[role].encode()).hexdigest()

    def token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        return np.array([len(text.split()) + 2 for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        if self.stop_after is not None and len(self.batches) >= self.stop_after:
            raise KeyboardInterrupt
        self.batches.append(list(texts))
        prompt = self.prompts[role]
        seeds = [
            hashlib.blake2b((prompt + text).encode(), digest_size=16).digest() for text in texts
        ]
        numbers = np.array([np.frombuffer(seed, dtype=np.uint16) for seed in seeds])
        shared = hashlib.blake2b("\0".join(texts).encode(), digest_size=2).digest()
        vectors: NDArray[np.float32] = (numbers / 2**15 - 1).astype(np.float32)
        return vectors + np.float32(int.from_bytes(shared) / 2**40)

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,
        progress: Reporter,
    ) -> Prepared:
        return prepare_dense(self, collection, languages, cache, progress)

    def describe(self) -> ModelDescription:
        return self.description

    @property
    def description(self) -> ModelDescription:
        return ModelDescription("dense", "fake", settings={"similarity": self.similarity})

    @property
    def times(self) -> Counter[str]:
        """How often each text was encoded."""
        return Counter(text for batch in self.batches for text in batch)


def all_scores(prepared: Prepared, languages: tuple[Sequence[str], ...]) -> NDArray[np.float64]:
    """Every query against every document."""
    assert isinstance(prepared.scorer, DenseRetriever)
    pool = prepared.scorer.pool(tuple(languages[1]))
    return pool.block(0, pool.documents).scores(0, pool.queries)


class Recorder(Silent):
    """Keeps what is said and how much is done."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.done = 0
        self.totals: list[int] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    @contextmanager
    def track(self, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        assert what
        assert unit
        self.totals.append(total)

        def advance(more: int) -> None:
            self.done += more

        yield advance


def source(role: Role, texts: Sequence[str]) -> Source:
    return Source(role, [f"{role} {number}" for number in range(len(texts))], texts)


def texts_of(task: Task) -> list[str]:
    collection = task.collection
    queries = [text for part in collection.queries.values() for text in part.texts]
    return queries + [text for part in collection.corpora.values() for text in part.texts]


def first_documents(task: Task, n: int) -> Task:
    """A slice of a task: the first n documents of each language, the questions they answer."""
    corpora = {
        code: replace(corpus, ids=corpus.ids[:n], texts=corpus.texts[:n])
        for code, corpus in task.collection.corpora.items()
    }
    judgments = {}
    for code, judged in task.collection.judgments.items():
        kept = judged.document < n
        judgments[code] = replace(
            judged,
            question=judged.question[kept],
            document=judged.document[kept],
            relevance=judged.relevance[kept],
        )
    return replace(task, collection=replace(task.collection, corpora=corpora, judgments=judgments))


def test_every_distinct_text_is_encoded_once_for_all_settings() -> None:
    task = load_task("pocket")
    encoder = FakeEncoder()
    scored = score(encoder, task, task.settings, Plan(), Silent())
    assert len(scored.table.pool_sizes) == 133
    assert encoder.times == Counter(set(texts_of(task)))
    assert scored.cost.texts == len(texts_of(task)) == 11 * (75 + 198)
    assert scored.cost.encoded_texts == scored.cost.distinct_texts == len(set(texts_of(task)))


def test_a_slice_is_encoded_once_too() -> None:
    task = first_documents(load_task("pocket"), 20)
    encoder = FakeEncoder()
    scored = score(encoder, task, task.settings, Plan(), Silent())
    assert encoder.times == Counter(set(texts_of(task)))
    assert scored.cost.encoded_texts == len(set(texts_of(task)))


def test_only_the_languages_asked_are_encoded() -> None:
    task = load_task("pocket")
    encoder = FakeEncoder()
    wanted = [setting for setting in task.settings if setting.id == "clir/de-ru"]
    score(encoder, task, wanted, Plan(), Silent())
    collection = task.collection
    asked = {*collection.queries["de"].texts, *collection.corpora["ru"].texts}
    assert encoder.times == Counter(asked)


def test_xquad_r_takes_26_021_encodings(data: Path) -> None:
    task = load_task("xquad-r", data)
    codes = task.definition.languages
    encoder = FakeEncoder(tokens_per_batch=2**14)
    encoded = encoder.prepare(task.collection, (codes, codes), None, Silent())
    assert (encoded.texts, encoded.distinct_texts, encoded.encoded_texts) == (
        26_104,
        26_021,
        26_021,
    )
    assert encoder.times == Counter(set(texts_of(task)))


def test_a_text_in_both_roles_is_encoded_once_if_the_prompts_agree() -> None:
    sources = {
        ("query", "en"): source("query", ["both", "asked"]),
        ("document", "en"): source("document", ["both", "found"]),
        ("document", "de"): source("document", ["both"]),
    }
    same = FakeEncoder()
    encoded = encode_sources(same, sources, None, Silent())
    assert same.times == Counter(["both", "asked", "found"])
    assert (encoded.texts, encoded.distinct, encoded.encoded) == (5, 3, 3)
    query, document = encoded.vectors["query", "en"], encoded.vectors["document", "en"]
    np.testing.assert_array_equal(query[0], document[0])

    different = FakeEncoder(prompts={"query": "query: ", "document": "passage: "})
    encoded = encode_sources(different, sources, None, Silent())
    assert different.times == Counter(["both", "both", "asked", "found"])
    assert (encoded.texts, encoded.distinct, encoded.encoded) == (5, 4, 4)
    query, document = encoded.vectors["query", "en"], encoded.vectors["document", "en"]
    assert np.abs(query[0] - document[0]).max() > 0.1


def test_prompts_have_caches_of_their_own(tmp_path: Path) -> None:
    sources = {("query", "en"): source("query", ["a", "b"])}
    for prompt in ("", "query: ", ""):
        encoder = FakeEncoder(prompts={"query": prompt, "document": ""})
        encoded = encode_sources(encoder, sources, tmp_path, Silent())
        bare = encode_sources(encoder, sources, None, Silent())
        np.testing.assert_array_equal(encoded.vectors["query", "en"], bare.vectors["query", "en"])
    assert len(list(tmp_path.iterdir())) == 2


def test_vectors_are_in_the_order_of_the_texts() -> None:
    texts = ["one two three", "one", "one two", "one", "one two three four"]
    encoder = FakeEncoder(tokens_per_batch=1)
    encoded = encode_sources(
        encoder, {("document", "en"): source("document", texts)}, None, Silent()
    )
    vectors = encoded.vectors["document", "en"]
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_array_equal(vector, encoder.encode([text], "document")[0])


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=60),
    st.integers(1, 200),
)
def test_batches_keep_to_the_budget_longest_first(words: list[int], budget: int) -> None:
    texts = [" ".join([str(number), *["w"] * length]) for number, length in enumerate(words)]
    encoder = FakeEncoder(tokens_per_batch=budget)
    encoded = encode_sources(
        encoder, {("document", "en"): source("document", texts)}, None, Silent()
    )
    assert encoder.times == Counter(texts)
    widths = [encoder.token_counts(batch) for batch in encoder.batches]
    for width in widths:
        assert len(width) == 1 or len(width) * width.max() <= budget
    in_order = np.concatenate(widths)
    assert (np.diff(in_order) <= 0).all()
    padded = sum(len(width) * int(width.max()) for width in widths)
    assert encoded.padding == pytest.approx(1 - in_order.sum() / padded)


def test_a_batch_takes_as_many_texts_as_fit() -> None:
    texts = [f"word {number}" for number in range(10)]  # four tokens each
    encoder = FakeEncoder(tokens_per_batch=16)
    encode_sources(encoder, {("document", "en"): source("document", texts)}, None, Silent())
    assert [len(batch) for batch in encoder.batches] == [4, 4, 2]


def test_a_batch_has_an_upper_bound() -> None:
    texts = [str(number) for number in range(MOST_TEXTS_PER_BATCH + 1)]
    encoder = FakeEncoder(tokens_per_batch=2**30)
    encode_sources(encoder, {("document", "en"): source("document", texts)}, None, Silent())
    assert [len(batch) for batch in encoder.batches] == [MOST_TEXTS_PER_BATCH, 1]


def test_batches_do_not_depend_on_the_order_of_the_texts() -> None:
    texts = texts_of(load_task("pocket"))[:300]
    forth, back = FakeEncoder(), FakeEncoder()
    encode_sources(forth, {("document", "en"): source("document", texts)}, None, Silent())
    encode_sources(back, {("document", "en"): source("document", texts[::-1])}, None, Silent())
    assert forth.batches == back.batches


@pytest.mark.parametrize("batches", [0, 1, 7, 15])
def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, batches: int) -> None:
    collection = load_task("pocket").collection
    languages = (("de", "en"), ("de", "en", "ru"))
    whole = FakeEncoder().prepare(collection, languages, None, Silent())

    stopped = FakeEncoder(stop_after=batches)
    with pytest.raises(KeyboardInterrupt):
        stopped.prepare(collection, languages, tmp_path, Silent())
    assert len(stopped.batches) == batches

    again, progress = FakeEncoder(), Recorder()
    resumed = again.prepare(collection, languages, tmp_path, progress)
    assert not set(again.times) & set(stopped.times)
    assert resumed.encoded_texts == whole.encoded_texts - len(stopped.times)
    assert resumed.distinct_texts == whole.distinct_texts
    assert progress.totals == [resumed.encoded_texts]
    assert progress.done == resumed.encoded_texts
    np.testing.assert_array_equal(all_scores(resumed, languages), all_scores(whole, languages))

    third = FakeEncoder()
    assert third.prepare(collection, languages, tmp_path, Silent()).encoded_texts == 0
    assert third.batches == []


def test_a_stop_by_an_error_of_the_model_keeps_what_is_done(tmp_path: Path) -> None:
    class Breaking(FakeEncoder):
        def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
            vectors = super().encode(texts, role)
            if len(self.batches) == 3:
                vectors[0, 0] = np.nan
            return vectors

    sources = {("document", "en"): source("document", [f"{n}" for n in range(9)])}
    with pytest.raises(ModelError):
        encode_sources(Breaking(tokens_per_batch=6), sources, tmp_path, Silent())
    whole = FakeEncoder(tokens_per_batch=6)
    assert encode_sources(whole, sources, tmp_path, Silent()).encoded == 9 - 2 * 2


def test_damaged_embeddings_are_reported_and_made_anew(tmp_path: Path) -> None:
    sources = {("document", "en"): source("document", ["a", "b c"])}
    whole = encode_sources(FakeEncoder(), sources, tmp_path, Silent())
    (shard,) = tmp_path.rglob("*.npz")
    shard.write_bytes(b"not a zip archive")
    progress = Recorder()
    again = encode_sources(FakeEncoder(), sources, tmp_path, progress)
    assert again.encoded == 2
    assert len(progress.lines) == 1
    assert str(shard) in progress.lines[0]
    assert "damaged" in progress.lines[0]
    np.testing.assert_array_equal(again.vectors["document", "en"], whole.vectors["document", "en"])


def test_a_full_disk_is_seen_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A vector of 8 numbers of 4 bytes and its key of 16: 48 bytes a text.
    sources = {("document", "en"): source("document", [f"{n}" for n in range(5)])}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=239))
    with pytest.raises(UsageError, match=r"take 240 bytes in .* 239 bytes are free.*--cache"):
        encode_sources(FakeEncoder(), sources, tmp_path, Silent())
    assert not list(tmp_path.rglob("*"))
    assert encode_sources(FakeEncoder(), sources, None, Silent()).encoded == 5
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=240))
    encode_sources(FakeEncoder(), sources, tmp_path, Silent())
    # What is there needs no more.
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=48))
    more = {("document", "en"): source("document", [f"{n}" for n in range(6)])}
    assert encode_sources(FakeEncoder(), more, tmp_path, Silent()).encoded == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_embedding_that_is_not_finite_names_its_text(tmp_path: Path, bad: float) -> None:
    class Overflowing(FakeEncoder):
        def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
            vectors = super().encode(texts, role)
            vectors[[text.startswith("Die Sonne") for text in texts], 5] = bad
            return vectors

    text = "Die Sonne geht im Osten auf. " * 10
    sources = {
        ("document", "de"): Source("document", ["document de_0_0", "document de_0_1"], ["x", text])
    }
    with pytest.raises(ModelError) as raised:
        encode_sources(Overflowing(), sources, tmp_path, Silent())
    message = str(raised.value)
    assert "document de_0_1" in message
    assert "'Die Sonne geht im Osten auf." in message
    assert text not in message  # an excerpt
    assert "--dtype float32" in message
    # The bad vector is not kept.
    assert encode_sources(FakeEncoder(), sources, tmp_path, Silent()).encoded == 2


def test_a_query_is_named_by_its_question_and_language() -> None:
    class Overflowing(FakeEncoder):
        def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
            return super().encode(texts, role) * np.float32(np.nan)

    collection = load_task("pocket").collection
    empty = {code: replace(corpus, ids=(), texts=()) for code, corpus in collection.corpora.items()}
    with pytest.raises(ModelError, match=r"query p\d\d-\d \(el\)"):
        Overflowing().prepare(replace(collection, corpora=empty), (("el",), ()), None, Silent())


def test_a_vector_of_length_0_has_no_cosine() -> None:
    class Empty(FakeEncoder):
        def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
            vectors = super().encode(texts, role)
            vectors[0] = 0
            return vectors

    task = load_task("pocket")
    wanted = task.settings[:1]
    with pytest.raises(ModelError, match="--similarity dot"):
        score(Empty(), task, wanted, Plan(), Silent())
    assert score(Empty(similarity="dot"), task, wanted, Plan(), Silent()).table.rank.all()


def test_a_dense_model_retrieves_every_document() -> None:
    task = load_task("pocket")
    wanted = [s for s in task.settings if s.id in ("clir/de-en", "mlir/de-xx")]
    table = score(FakeEncoder(), task, wanted, Plan(), Silent()).table
    assert table.rank.min() >= 1
