"""A matrix for each distinct text: encoded once, cached, resumed, and named when it is bad."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from harness.embeddings import ragged_encoding
from harness.embeddings.ragged_encoding import encode_ragged
from harness.progress import Silent
from tasks.collection import Collection, Corpus, Queries
from tasks.errors import ModelError

LANGUAGES = (("de", "en"), ("de", "en"))


class LyingOnDisk(list):
    """Strings that are no tuple, as those of a large corpus are not."""


def collection(*, on_disk=False):
    texts = {"de": ("Fluss", "Berg", "Fluss"), "en": ("river", "hill", "Berg")}
    kept = LyingOnDisk if on_disk else tuple
    return Collection(
        questions=("q0", "q1"),
        queries={
            "de": Queries("de", np.array([0, 1]), ("Wo?", "Was?")),
            "en": Queries("en", np.array([1]), ("What?",)),
        },
        corpora={
            code: Corpus(code, kept(f"{code}_{n}" for n in range(3)), kept(found))
            for code, found in texts.items()
        },
        judgments={},
    )


class Letters:
    """A row for each letter: its code, and 1 for a query or 2 for a document."""

    tokens_per_batch = 12

    def __init__(self, stop_after=None, bad=None):
        self.encoded = []
        self.left = stop_after
        self.bad = bad

    def fingerprint(self, role):
        return f"{role:_<40}"

    def token_counts(self, texts, role):
        assert role in ("query", "document")
        return np.array([len(text) for text in texts])

    def encode(self, texts, role):
        assert max(map(len, texts)) * len(texts) <= self.tokens_per_batch
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
        self.encoded += texts
        which = 1 if role == "query" else 2
        found = [np.array([[ord(c), which] for c in text], dtype=np.float32) for text in texts]
        for matrix, text in zip(found, texts, strict=True):
            if text == self.bad:
                matrix[-1, 0] = np.nan
        return found


def check(encoded):
    assert "".join(chr(int(code)) for code in encoded.queries.between(0, 3).values[:, 0]) == (
        "Wo?Was?What?"
    )
    assert set(encoded.queries.between(0, 3).values[:, 1]) == {1}
    for code, expected in (("de", "FlussBergFluss"), ("en", "riverhillBerg")):
        values = encoded.documents[code].between(0, 3).values
        assert "".join(chr(int(letter)) for letter in values[:, 0]) == expected
        assert set(values[:, 1]) == {2}
    assert_array_equal(encoded.documents["de"].between(0, 3).offsets, [0, 5, 9, 14])
    assert encoded.texts == 9


def test_each_distinct_text_is_encoded_once():
    encoder = Letters()
    encoded = encode_ragged(encoder, collection(), LANGUAGES, None, Silent())
    check(encoded)
    assert (encoded.distinct, encoded.encoded) == (7, 7)
    assert sorted(encoder.encoded) == sorted({"Wo?", "Was?", "What?", "Fluss", "Berg", *RIVER})


RIVER = ("river", "hill")


def test_padding_is_what_batches_waste():
    encoded = encode_ragged(Letters(), collection(), LANGUAGES, None, Silent())
    # Batches of 12 tokens: What? Was? | Wo?; Fluss river | Berg hill.
    assert encoded.padding == pytest.approx(1 - (9 + 3 + 10 + 8) / (10 + 3 + 10 + 8))


def test_what_is_in_the_cache_is_not_encoded_again(tmp_path):
    encode_ragged(Letters(), collection(), LANGUAGES, tmp_path, Silent())
    encoder = Letters()
    again = encode_ragged(encoder, collection(), LANGUAGES, tmp_path, Silent())
    check(again)
    assert encoder.encoded == []
    assert (again.distinct, again.encoded, again.padding) == (7, 0, 0.0)


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    stopped = Letters(stop_after=3)
    with pytest.raises(KeyboardInterrupt):
        encode_ragged(stopped, collection(), LANGUAGES, tmp_path, Silent())
    encoder = Letters()
    check(encode_ragged(encoder, collection(), LANGUAGES, tmp_path, Silent()))
    assert len(stopped.encoded) == 5
    assert len(encoder.encoded) == 2
    assert not set(stopped.encoded) & set(encoder.encoded)


def test_damage_is_said_and_made_good(tmp_path):
    encode_ragged(Letters(), collection(), LANGUAGES, tmp_path, Silent())
    shard = next(tmp_path.rglob("*.npz"))
    shard.write_bytes(b"?")
    said = []

    class Listening(Silent):
        def say(self, line):
            said.append(line)

    check(encode_ragged(Letters(), collection(), LANGUAGES, tmp_path, Listening()))
    assert len(said) == 1
    assert str(shard) in said[0]


@pytest.mark.parametrize(
    ("bad", "name"), [("Was?", "query q1 (de)"), ("Berg", "document de_1"), ("hill", "en_1")]
)
@pytest.mark.parametrize("on_disk", [False, True])
def test_a_number_that_is_not_finite_is_refused_by_name(bad, name, on_disk):
    with pytest.raises(ModelError, match="NaN") as caught:
        encode_ragged(Letters(bad=bad), collection(on_disk=on_disk), LANGUAGES, None, Silent())
    assert name in str(caught.value)
    assert repr(bad) in str(caught.value)


def test_a_corpus_on_disk_is_encoded_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(ragged_encoding, "PIECE", 2)
    for folder in (None, tmp_path):
        encoder = Letters()
        encoded = encode_ragged(encoder, collection(on_disk=True), LANGUAGES, folder, Silent())
        check(encoded)
        # Fluss is in two pieces, and Berg in two corpora.
        assert (encoded.distinct, encoded.encoded, len(encoder.encoded)) == (9, 9, 9)
    encoder = Letters()
    again = encode_ragged(encoder, collection(on_disk=True), LANGUAGES, tmp_path, Silent())
    check(again)
    assert (again.distinct, again.encoded, encoder.encoded) == (9, 0, [])
    assert list(again.documents) == ["de", "en"]


@pytest.mark.parametrize(
    ("what", "damage"),
    [
        *((what, lambda path: path.unlink()) for what in ("values", "offsets")),
        *((what, lambda path: path.write_bytes(b"")) for what in ("values", "offsets")),
        ("values", lambda path: path.write_bytes(path.read_bytes()[:-8])),
        ("values", lambda path: np.save(path, np.zeros(3, np.float32))),
        ("values", lambda path: np.save(path, np.load(path)[:-1])),
        ("values", lambda path: np.save(path, np.load(path).astype(float))),
        ("offsets", lambda path: np.save(path, np.load(path)[:-1])),
        ("offsets", lambda path: np.save(path, np.load(path) + 1)),
        ("offsets", lambda path: np.save(path, np.append([0, 10**6], np.load(path)[2:]))),
    ],
)
def test_a_damaged_piece_is_encoded_again(tmp_path, monkeypatch, what, damage):
    monkeypatch.setattr(ragged_encoding, "PIECE", 2)
    # Pieces of two texts first: only they can have offsets between the first and the last.
    encode_ragged(Letters(), collection(on_disk=True), LANGUAGES, tmp_path, Silent())
    pieces = sorted(tmp_path.rglob(f"*.{what}.npy"), key=lambda path: -path.stat().st_size)
    damage(pieces[0])
    encoder = Letters()
    check(encode_ragged(encoder, collection(on_disk=True), LANGUAGES, tmp_path, Silent()))
    assert len(encoder.encoded) == 2


def test_corpora_of_both_kinds_go_together(tmp_path):
    mixed = collection()
    mixed.corpora["de"] = collection(on_disk=True).corpora["de"]
    encoded = encode_ragged(Letters(), mixed, LANGUAGES, tmp_path, Silent())
    check(encoded)
    # Fluss and Berg are in a piece, and Berg is among the English texts again.
    assert encoded.distinct == 3 + 2 + 3
