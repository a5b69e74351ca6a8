"""What is fuzzed: every reader of a file that comes from others, as a function of the file's bytes.

A reader may take a file or refuse it with an error of :mod:`tasks.errors`; whatever else it does
is a fault. What it takes is used once more, as the commands do, so that nothing passes that breaks
the next step.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.bias.language_shares import read_shares
from harness.paired_scores import read_csv
from harness.ranks import read_ranks
from harness.run_table import read_runs
from harness.runs import judged_ranks_of_run, read_qrels, read_run
from harness.task_summary import summarise
from submissions.about import read_about
from submissions.archives import open_archive
from submissions.baselines.lexicon_files import read_pairs
from submissions.baselines.recipe import DataPart
from submissions.baselines.recipe_file import load_recipe
from submissions.baselines.search_file import load_search
from submissions.baselines.training_pairs import read_pairs as read_training_pairs
from submissions.baselines.training_texts import TextForm, read_texts
from submissions.history import history_path, read_history
from submissions.manifest import read_manifest, write_manifest
from submissions.queue.job import read_job
from submissions.reported import read_reported
from submissions.status import read_flags
from submissions.structured_text import read_json
from submissions.verification_record import read_verification
from tasks.definition import load_definition
from tasks.errors import BabelboardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Reader = Callable[[bytes, Path], None]

CORPUS = Path(__file__).with_name("corpus")
"""Inputs to begin from, a folder for each reader."""
LINE_LEXICONS = ("muse", "pairs", "wikidata-names", "wiktionary")
_BLOCK = 512


def is_taken(reader: Reader, content: bytes, folder: Path) -> bool:
    """Whether a reader takes a file; False where it refuses it as it should.

    Args:
        reader: One of :data:`READERS`.
        content: The file.
        folder: An empty folder; it is empty again afterwards.
    """
    try:
        reader(content, folder)
    except BabelboardError as error:
        if not str(error).strip():
            raise AssertionError("an error without a word") from error
        return False
    finally:
        _empty(folder)
    return True


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def _run(content: bytes, folder: Path) -> None:
    run = read_run(_put(folder, "run.txt", content))
    query, documents = next(iter(run.items()))
    judged_ranks_of_run(run, {query: dict.fromkeys(documents, 1)})


def _qrels(content: bytes, folder: Path) -> None:
    qrels = read_qrels(_put(folder, "qrels.txt", content))
    judged_ranks_of_run({}, qrels)


def _manifest(content: bytes, folder: Path) -> None:
    manifest = read_manifest(_put(folder, "submission.toml", content))
    write_manifest(folder / "again.toml", manifest)
    if read_manifest(folder / "again.toml") != manifest:
        raise AssertionError("a manifest is another one once it is written")


def _about(content: bytes, folder: Path) -> None:
    _put(folder, "bm25/about.toml", content)
    read_about(folder / "bm25")


def _flags(content: bytes, folder: Path) -> None:
    _put(folder, "status.toml", content)
    read_flags(folder)


def _verification(content: bytes, folder: Path) -> None:
    _put(folder, "verification.toml", content)
    read_verification(folder)


def _reported(content: bytes, folder: Path) -> None:
    _put(folder, "paper/reported.toml", content)
    for found in read_reported(folder):
        for task in found.tasks:
            for measure in found.measures(task):
                found.printed(task, measure)


def _history(content: bytes, folder: Path) -> None:
    path = history_path(folder, "pocket")
    path.parent.mkdir()
    path.write_bytes(content)
    read_history(folder, dict.fromkeys(["pocket"]))  # type: ignore[arg-type]  # keys are looked at


def _shares(content: bytes, folder: Path) -> None:
    read_shares(_put(folder, "shares.json", content)).as_bytes()


def _json_record(content: bytes, folder: Path) -> None:
    _can_be_written(read_json(_put(folder, "training.json", content)))


def _can_be_written(content: object) -> None:
    """Raises at half a character and at a number without end, which JSON's readers can give."""
    json.dumps(content, ensure_ascii=False, allow_nan=False).encode()


def _ranks(content: bytes, folder: Path) -> None:
    summarise(read_ranks(_put(folder, "ranks.parquet", content)))


def _runs(content: bytes, folder: Path) -> None:
    read_runs(_put(folder, "runs.parquet", content))


def _one_taken(*readings: Callable[[], object]) -> None:
    """Reads a file in several forms, of which one has to take it."""
    refused = []
    for reading in readings:
        try:
            reading()
        except BabelboardError as error:
            refused.append(error)
    if len(refused) == len(readings):
        raise refused[-1]


def _lexicon(content: bytes, folder: Path) -> None:
    path = _put(folder, "lexicon.tsv", content)
    kinds = (*LINE_LEXICONS, "titles")
    _one_taken(*(partial(_written, partial(read_pairs, kind, path, "en", "de")) for kind in kinds))


def _written(texts: Callable[[], Iterable[object]]) -> None:
    for text in texts():
        _can_be_written(text)


def _titles_xml(content: bytes, folder: Path) -> None:
    path = _put(folder, "titles.xml", content)
    _written(partial(read_pairs, "titles", path, "en", "de"))


def _titles_sql(content: bytes, folder: Path) -> None:
    """Links and pages are in one file here: each is passed over where the other is read."""
    path = _put(folder, "langlinks.sql", content)
    _put(folder, "page.sql", content)
    _written(partial(read_pairs, "titles", path, "en", "de"))


def _archive(content: bytes, folder: Path) -> None:
    """What is no gzip is taken as a tar: its checksums are put right, and it is packed."""
    if not content.startswith(b"\x1f\x8b"):
        content = gzip.compress(_with_checksums(content), compresslevel=1, mtime=0)
    path = _put(folder, "entry.tar.gz", content)
    (folder / "into").mkdir()
    try:
        open_archive(path, folder / "into")
    finally:
        outside = {one.name for one in folder.iterdir()} - {"into", "entry.tar.gz"}
        links = [one for one in (folder / "into").rglob("*") if one.is_symlink()]
        if outside or links:
            raise AssertionError(f"an archive made {sorted(outside)}, links {links}")


def _with_checksums(tar: bytes) -> bytes:
    """A tar whose headers have the checksum that they need to be read at all."""
    blocks = bytearray(tar)
    start = 0
    while start + _BLOCK <= len(blocks) and any(blocks[start : start + _BLOCK]):
        header = blocks[start : start + _BLOCK]
        header[148:156] = b" " * 8
        blocks[start + 148 : start + 156] = f"{sum(header):06o}\0 ".encode()
        size = 0
        with contextlib.suppress(ValueError):
            size = int(bytes(header[124:136]).strip(b"\0 "), 8)
        start += _BLOCK + max(0, -(-size // _BLOCK)) * _BLOCK
    return bytes(blocks)


def _scores(content: bytes, folder: Path) -> None:
    read_csv(_put(folder, "scores.csv", content)).incomplete()


def _recipe(content: bytes, folder: Path) -> None:
    """It may share values with a file beside it."""
    _put(folder, "grid.toml", b"[training]\nsteps = 3\n")
    load_recipe(_put(folder, "recipe.toml", content))


def _search(content: bytes, folder: Path) -> None:
    load_search(_put(folder, "search.toml", content)).digest()


def _job(content: bytes, folder: Path) -> None:
    read_job(_put(folder, "job.toml", content))


def _task(content: bytes, folder: Path) -> None:
    load_definition(str(_put(folder, "task.toml", content)))


def _training_pairs(content: bytes, folder: Path) -> None:
    _put(folder, "train.json", content)

    def texts(form: str) -> Iterable[object]:
        part = DataPart.model_validate({"file": "train.json", "language": "en", "form": form})
        return read_training_pairs([part], folder).texts()

    _one_taken(*(partial(_written, partial(texts, form)) for form in ("pairs", "squad")))


def _training_texts(content: bytes, folder: Path) -> None:
    path = _put(folder, "texts.jsonl", content)
    forms = (TextForm.tsv, TextForm.squad, TextForm.jsonl)
    _one_taken(
        *(partial(_written, partial(read_texts, path, form, (), lambda _: None)) for form in forms)
    )


READERS: Mapping[str, Reader] = {
    "about": _about,
    "archives": _archive,
    "flags": _flags,
    "histories": _history,
    "jobs": _job,
    "json-records": _json_record,
    "language-shares": _shares,
    "lexicons": _lexicon,
    "manifests": _manifest,
    "qrels": _qrels,
    "rank-files": _ranks,
    "recipes": _recipe,
    "reported": _reported,
    "run-files": _runs,
    "runs": _run,
    "score-csvs": _scores,
    "searches": _search,
    "tasks": _task,
    "titles-sql": _titles_sql,
    "titles-xml": _titles_xml,
    "training-pairs": _training_pairs,
    "training-texts": _training_texts,
    "verifications": _verification,
}
"""The readers by name."""
