"""The run file of an entry: what was kept comes back, the same bytes, or a plain refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hand_made_tasks import KnownVectors, sorted_pools, tasks_with_vectors, two_languages
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.progress import Silent
from harness.retrieval.candidate_ranking import rank_among
from harness.retrieval.given_runs import KeptRuns
from harness.retrieval.layout import Layout
from harness.retrieval.pool_ranking import rank_pools
from harness.run_table import METADATA_KEY, SCHEMA, RunTable, read_runs, run_table, runs_as_bytes
from tasks.errors import DataFileError, EntryError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tasks.settings import Setting
    from tasks.task import Task

Line = tuple[str, str, str, str, float]


def kept(task: Task, chosen: Sequence[Setting], retriever: KnownVectors, depth: int) -> RunTable:
    layout = Layout(task, chosen)
    keep = {setting.id: depth for setting in chosen}
    ranked = rank_pools(layout, retriever.asked(chosen), keep, Silent())
    return run_table(layout, {name: one.top for name, one in ranked.items() if one.top}, depth)


def lines(table: RunTable) -> list[Line]:
    columns = (table.setting, table.query_language, table.question, table.document)
    names = [[column.names[code] for code in column.codes] for column in columns]
    return list(zip(*names, table.score.tolist(), strict=True))


def through_a_file(table: RunTable) -> RunTable:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "runs.parquet"
        path.write_bytes(runs_as_bytes(table))
        return read_runs(path)


@given(tasks_with_vectors(), st.integers(1, 7), st.data())
@settings(max_examples=60, deadline=None)
def test_kept_runs_are_the_first_of_the_sorted_pools_and_come_back(
    case: tuple[Task, KnownVectors], depth: int, data: st.DataObject
) -> None:
    task, retriever = case
    some = data.draw(st.sets(st.sampled_from(task.settings), min_size=1))
    chosen = [setting for setting in task.settings if setting in some]
    table = kept(task, chosen, retriever, depth)
    pools = sorted_pools(task, chosen, retriever.asked(chosen))
    place = {setting.id: number for number, setting in enumerate(chosen)}
    expected = [
        (*key, *document)
        for key in sorted(pools, key=lambda key: (place[key[0]], key[1], key[2]))
        for document in pools[key][:depth]
    ]
    assert lines(table) == expected
    again = through_a_file(table)
    assert lines(again) == expected
    assert (again.task, again.depth) == ("hand-made", depth)
    # Also those in which nothing was retrieved.
    assert again.setting.names == tuple(setting.id for setting in chosen)
    assert runs_as_bytes(again) == runs_as_bytes(through_a_file(again))


@given(tasks_with_vectors(), st.data())
@settings(max_examples=40, deadline=None)
def test_an_entrys_runs_give_the_ranks_that_they_were_kept_of(
    case: tuple[Task, KnownVectors], data: st.DataObject
) -> None:
    task, retriever = case
    depth = data.draw(st.integers(1, 6))
    table = through_a_file(kept(task, task.settings, retriever, depth))
    layout = Layout(task, task.settings)
    whole = rank_pools(layout, retriever.asked(task.settings), {}, Silent())
    given_again = KeptRuns(table).candidates(layout)
    for setting in task.settings:
        ranked = rank_among(layout, setting, given_again[setting.id], 0)
        full = whole[setting.id].rank
        assert ranked.rank.tolist() == np.where(full <= depth, full, 0).tolist()


def small() -> RunTable:
    task, retriever = two_languages()
    return kept(task, task.settings, retriever, 3)


def test_the_same_runs_are_the_same_bytes() -> None:
    assert runs_as_bytes(small()) == runs_as_bytes(small())


def test_a_setting_that_was_not_kept_is_named() -> None:
    task, retriever = two_languages()
    table = kept(task, task.settings[:1], retriever, 3)
    with pytest.raises(UnknownNameError, match=r"setting in the kept runs: 'moir/en-en'.*de-de"):
        KeptRuns(table).candidates(Layout(task, task.settings))


def rename(column: str, old: str, new: str) -> RunTable:
    table = small()
    names = getattr(table, column)
    changed = tuple(new if name == old else name for name in names.names)
    assert changed != names.names
    return replace(table, **{column: replace(names, names=changed)})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (rename("document", "en_b", "en_z"), r"runs/hand-made.parquet names the document 'en_z'"),
        (rename("question", "q", "r"), r"name the query 'de_r', which moir/de-de does not have"),
    ],
)
def test_what_the_task_does_not_have_is_named(table: RunTable, message: str) -> None:
    task, _ = two_languages()
    with pytest.raises(DataFileError, match=message):
        KeptRuns(table).candidates(Layout(task, task.settings))


# Files that are no run files.


def altered(
    change: Callable[[pa.Table], pa.Table] = lambda content: content, **metadata: Any
) -> Callable[[Path], None]:
    """Writes a run file of which something is altered."""

    def write(path: Path) -> None:
        path.write_bytes(runs_as_bytes(small()))
        said = json.loads(pq.read_metadata(path).metadata[METADATA_KEY.encode()])
        content = change(pq.read_table(path))
        text = json.dumps({**said, **metadata})
        pq.write_table(content.replace_schema_metadata({METADATA_KEY: text}), path)

    return write


def with_column(name: str, values: Callable[[pa.Table], pa.Array]) -> Callable[[Path], None]:
    def change(content: pa.Table) -> pa.Table:
        position = content.column_names.index(name)
        return content.set_column(position, name, values(content))

    return altered(change)


def scores(first: float | None) -> Callable[[pa.Table], pa.Array]:
    return lambda content: pa.array([first, *content["score"].to_pylist()[1:]], type=pa.float64())


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda _: None, r"There is no run file .*--keep-runs 100"),
        (lambda path: path.write_bytes(b"PAR1 no"), "cannot be read as Parquet"),
        (lambda path: path.write_bytes(runs_as_bytes(small())[:-40]), "cannot be read as Parquet"),
        (
            lambda path: pq.write_table(pa.table({"a": [1]}), path),
            "is not a run file of babelboard",
        ),
        (altered(lambda content: content.drop_columns(["score"])), "is not a run file"),
        (altered(schema_version=2), "schema_version"),
        (altered(depth=0), "depth"),
        (altered(settings=["moir/de-de"]), r"do not list the setting 'clir/de-en'"),
        (with_column("score", scores(float("nan"))), "not finite"),
        (with_column("score", scores(float("inf"))), "not finite"),
        (with_column("score", scores(None)), "'score' with null values"),
        (
            with_column(
                "document_id",
                lambda content: pa.array([None, *content["document_id"].to_pylist()[1:]]),
            ),
            "'document_id' with null values",
        ),
        (
            with_column("question_id", lambda content: pa.array(range(len(content)))),
            "cannot be read as Parquet",
        ),
    ],
)
def test_another_or_a_damaged_file_is_refused(
    tmp_path: Path, write: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "runs.parquet"
    write(path)
    with pytest.raises(EntryError, match=message) as caught:
        read_runs(path)
    assert str(path) in str(caught.value)


def test_a_run_file_is_read_whatever_wrote_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    altered(lambda content: content.cast(pa.schema([
        *(pa.field(field.name, pa.string()) for field in list(SCHEMA)[:4]), SCHEMA.field("score"),
    ])))(path)  # fmt: skip
    assert lines(read_runs(path)) == lines(small())


def test_columns_of_several_row_groups_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    path.write_bytes(runs_as_bytes(small()))
    content = pq.read_table(path)
    metadata = pq.read_metadata(path).metadata[METADATA_KEY.encode()]
    pq.write_table(
        content.replace_schema_metadata({METADATA_KEY: metadata}), path, row_group_size=2
    )
    assert lines(read_runs(path)) == lines(small())
