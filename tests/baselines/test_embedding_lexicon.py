"""Lexicons from word vectors: nearest neighbours by their definitions, whatever the lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from submissions.baselines import embedding_lexicon
from submissions.baselines.embedding_lexicon import nearest, read_vectors
from submissions.baselines.lexicon import load_lexicon
from tasks.errors import DataFileError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def write(path: Path, words: list[str], rows: object, *, header: bool = True) -> Path:
    table = np.asarray(rows, dtype=np.float64)
    lines = [
        f"{word} {' '.join(map(repr, row))}"
        for word, row in zip(words, table.tolist(), strict=True)
    ]
    first = [f"{len(words)} {table.shape[1]}"] if header else []
    path.write_text("\n".join([*first, *lines]) + "\n", "utf-8")
    return path


def csls_by_definition(
    source: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Conneau et al. 2018, equation 1 of section 2.3, the slow way."""
    cosine = source @ target.T
    r_target = np.array([np.sort(row)[::-1][:10].mean() for row in cosine])
    r_source = np.array([np.sort(row)[::-1][:10].mean() for row in cosine.T])
    scores = 2 * cosine - r_target[:, None] - r_source[None, :]
    return scores.argmax(axis=1)


@pytest.mark.parametrize("csls", [False, True])
@given(seed=st.integers(0, 10_000), n=st.integers(1, 40), m=st.integers(1, 40))
def test_blocks_give_what_the_definition_gives(seed: int, n: int, m: int, csls: bool) -> None:
    stream = np.random.default_rng(seed)
    source, target = (unit(stream.normal(size=(size, 5))) for size in (n, m))
    wide = source.astype(np.float64), target.astype(np.float64)
    expected = csls_by_definition(*wide) if csls else (wide[0] @ wide[1].T).argmax(axis=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedding_lexicon, "_ROWS", 7)
        patch.setattr(embedding_lexicon, "_COLUMNS", 12)
        assert nearest(source, target, csls=csls).tolist() == expected.tolist()


def test_csls_passes_over_a_hub() -> None:
    # The hub is everyone's nearest; what is near to one word alone is preferred to it.
    source = unit(np.array([[1.0, 0.0], [1.0, 0.3], [1.0, -0.3]]))
    target = unit(np.array([[1.0, 0.12], [1.0, 0.46], [0.2, 1.0]]))
    assert nearest(source, target, csls=False).tolist() == [0, 1, 0]
    hub = unit(np.array([[1.0, 0.14], [1.0, 0.5], [0.2, 1.0]]))
    assert nearest(source, hub, csls=False).tolist() == [0, 0, 0]
    assert nearest(source, hub, csls=True).tolist() == [0, 1, 0]


def test_lengths_in_the_file_do_not_matter(tmp_path: Path) -> None:
    rows = np.array([[3.0, 0.1], [0.0, 0.01]])
    write(tmp_path / "en.vec", ["red", "green"], rows)
    # By inner product the long vector would be the nearest of both.
    write(tmp_path / "de.vec", ["rot", "grün", "lang"], [[1.0, 0.0], [0.0, 0.5], [70.0, 70.0]])
    for spec in (
        f"vec:{tmp_path}/en.vec,{tmp_path}/de.vec",
        f"vec:{tmp_path}/{{source}}.vec,{tmp_path}/{{target}}.vec,csls",
    ):
        lexicon = load_lexicon(spec, "en", "de")
        assert lexicon.entries == {"green": (("grün", 1.0),), "red": (("rot", 1.0),)}
        assert lexicon.name == "vec/en-de"


@pytest.mark.parametrize("header", [True, False])
def test_reading(tmp_path: Path, header: bool) -> None:
    path = write(
        tmp_path / "a.vec",
        ["red", "zero", "red", "new york"],
        [[3, 4], [0, 0], [1, 1], [0, -2]],
        header=header,
    )
    if not header:
        path.write_text(path.read_text("utf-8").replace("new york", "york"), "utf-8")
    vectors = read_vectors(path, tmp_path / "rows")
    assert vectors.words == ("red", "new york" if header else "york")
    assert vectors.rows == pytest.approx(np.array([[0.6, 0.8], [0.0, -1.0]]))


@pytest.mark.parametrize(
    "line", ["blue 1.0", "blue 1.0 x", "blue 1.0 nan", "blue 1.0 inf", "blue", "", "1.0 2.0"]
)
def test_a_corrupt_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.vec").write_text(f"3 2\nred 1 0\n{line}\n", "utf-8")
    with pytest.raises(DataFileError, match=r"a\.vec:3: not a word and 2 finite numbers"):
        read_vectors(tmp_path / "a.vec", tmp_path / "rows")


def test_vectors_of_two_sizes(tmp_path: Path) -> None:
    write(tmp_path / "en.vec", ["red"], [[1, 0]])
    write(tmp_path / "de.vec", ["rot"], [[1, 0, 0]])
    with pytest.raises(DataFileError, match=r"2 numbers and .* of 3"):
        load_lexicon(f"vec:{tmp_path}/en.vec,{tmp_path}/de.vec", "en", "de")


def test_a_file_without_words(tmp_path: Path) -> None:
    (tmp_path / "en.vec").write_text("0 2\n", "utf-8")
    with pytest.raises(DataFileError, match="has no word vectors"):
        read_vectors(tmp_path / "en.vec", tmp_path / "rows")


@pytest.mark.parametrize("place", ["", "a.vec", "a.vec,b.vec,l2", "a.vec,b.vec,csls,more"])
def test_a_spec_of_another_form(place: str) -> None:
    with pytest.raises(UsageError, match=r"give vec:SOURCE\.vec,TARGET\.vec or"):
        load_lexicon(f"vec:{place}", "en", "de")
