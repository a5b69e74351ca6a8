"""How well an encoder finds translations, and the pairs that are held out for it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra 'score'")
pytest.importorskip("optuna", reason="needs the extra 'search'")

from submissions.baselines.alignment import (
    Pairs,
    alignment,
    mean_reciprocal_rank,
    read_held_out,
)
from submissions.baselines.search_file import HeldOutPart
from tasks.errors import DataFileError, ModelError, UsageError
from tests.baselines.small_search import LINES, PART, run, write_lines, write_place


@pytest.fixture
def place(tmp_path, tiny_encoder):
    return write_place(tmp_path, tiny_encoder)


# --- the objective ------------------------------------------------------------------------------


def test_reciprocal_ranks_by_hand():
    scores = np.array([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.5, 0.4, 0.3]], np.float32)
    assert mean_reciprocal_rank(scores) == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_equal_scores_count_against_the_encoder():
    assert mean_reciprocal_rank(np.zeros((4, 4), np.float32)) == 1 / 4
    assert mean_reciprocal_rank(np.zeros((11, 11), np.float32)) == 0.0


def test_ranks_beyond_ten_count_nothing():
    scores = np.tile(np.arange(12, dtype=np.float32), (12, 1))
    assert mean_reciprocal_rank(scores) == pytest.approx(sum(1 / n for n in range(1, 11)) / 12)


class OneHot:
    """An encoder that knows numbers, and puts those from 3 on into one place."""

    def __init__(self):
        self.prompts = {}

    def encode_query(self, texts, **_):
        return np.eye(4, dtype=np.float32)[[min(int(text[1:]), 3) for text in texts]]

    encode_document = encode_query


def test_the_mean_is_over_languages_and_directions():
    pairs = {
        "de": Pairs(("e0", "e1"), ("d0", "d1")),
        "es": Pairs(("e3", "e4"), ("s3", "s4")),
        "ru": Pairs(("e0", "e1"), ("r1", "r0")),
    }
    found = alignment(OneHot(), pairs)
    assert found.to_target == {"de": 1.0, "es": 0.5, "ru": 0.5}
    assert found.to_source == found.to_target
    assert found.mean == pytest.approx(4 / 6)


def test_vectors_that_are_not_finite_are_refused():
    class Broken(OneHot):
        def encode_query(self, texts, **_):
            return np.full((len(texts), 2), np.nan, np.float32)

    pairs = {"de": Pairs(("a", "b"), ("c", "d"))}
    with pytest.raises(ModelError, match="not finite"):
        alignment(Broken(), pairs)


# --- what is held out ---------------------------------------------------------------------------


def test_halves_are_apart_and_a_sentence_is_in_the_same_in_every_language(place):
    write_lines(place / "data" / "held" / "es.txt", [f"es {line}" for line in LINES])
    other = HeldOutPart(language="es", source="held/en.txt", target="held/es.txt")
    found = read_held_out([PART, other], 30, place / "data")
    halves = [half["de"].sources for half in (found.searched, found.reported)]
    assert sorted(halves[0] + halves[1]) == sorted(LINES[:30])
    assert min(map(len, halves)) > 5
    assert found.searched["es"].sources == halves[0]
    assert set(found.checksums) == {"held/en.txt", "held/de.txt", "held/es.txt"}


def test_texts_that_are_there_twice_are_left_out(place):
    sources, targets = [*LINES, LINES[0], "new"], [*LINES, "other", LINES[0]]
    write_lines(place / "data" / "held" / "en.txt", sources)
    write_lines(place / "data" / "held" / "de.txt", targets)
    found = read_held_out([PART], 1000, place / "data")
    kept = [*found.searched["de"].sources, *found.reported["de"].sources]
    assert sorted(kept) == sorted(LINES)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (None, "'held/de.txt' is not there"),
        (LINES[:-1], "36 lines and held/de.txt 35"),
        ([*LINES[:-1], " "], "de.txt:36: an empty line"),
        (b"\xff\n" * 36, "is not UTF-8"),
        (["same"] * 36, "of two halves, of 1 distinct ones"),
    ],
    ids=["missing", "shorter", "empty line", "not UTF-8", "all the same"],
)
def test_held_out_files_that_cannot_be_used(place, target, said):
    path = place / "data" / "held" / "de.txt"
    if target is None:
        path.unlink()
    elif isinstance(target, bytes):
        path.write_bytes(target)
    else:
        write_lines(path, target)
    with pytest.raises(DataFileError, match=said):
        read_held_out([PART], 100, place / "data")


def test_questions_of_a_task_are_refused(place):
    question = "In welchem Gebirge liegt die Quelle des Amazonas?"
    write_lines(place / "data" / "held" / "de.txt", [question, *LINES[1:]])
    with pytest.raises(UsageError, match=r"hold 1 test questions: .* of pocket, de: 'In welchem"):
        run(place, "out")
