"""Scoring on a Ray cluster: the same bits as one machine, whatever dies on the way."""

from __future__ import annotations

import http.server
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("sentence_transformers", reason="needs the extra 'score'")
pytest.importorskip("ray", reason="needs the extra 'ray'")

import ray
from command_line import SCRIPT
from tiny_models import write_cross_encoder, write_dense

from harness.cluster.door import opened_on_cluster, opener_of
from harness.cluster.options import ClusterOptions
from harness.cluster.shard_storage import ShardStorage
from harness.embeddings.corpus_embeddings import ROWS, encode_corpus
from harness.embeddings.encoding import Source, encode_sources
from harness.models.door import open_model
from harness.models.encoder_options import EncoderOptions
from harness.progress import Silent
from tasks.collection import Collection, Corpus
from tasks.errors import ClusterError
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import RunsCommand

    from harness.embeddings.encoding import Encoded

# Ray leaves sockets to be closed by the end of the process.
pytestmark = pytest.mark.filterwarnings("default")
# Workers cannot import this file.
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
LANGUAGES = ("ar", "en", "zh")


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dense(tmp_path_factory.mktemp("models") / "dense")


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cross_encoder(tmp_path_factory.mktemp("models") / "cross-encoder")


def local(storage: Path, workers: int = 2) -> ClusterOptions:
    return ClusterOptions("local", workers, 1, 0, str(storage))


def sources() -> dict[Any, Source]:
    corpora = load_task("pocket").collection.corpora
    return {
        ("document", code): Source(
            "document", [f"document {one}" for one in corpora[code].ids], corpora[code].texts
        )
        for code in LANGUAGES
    }


def here(model: Path) -> Encoded:
    return encode_sources(open_model(str(model), EncoderOptions()), sources(), None, Silent())


def assert_same_bits(found: Encoded, wanted: Encoded) -> None:
    for key, vectors in wanted.vectors.items():
        assert found.vectors[key].tobytes() == vectors.tobytes()
    assert (found.encoded, found.tokens, found.padded) == (
        wanted.encoded,
        wanted.tokens,
        wanted.padded,
    )


def mortal(model: Path, poison: str, notes: Path, deaths: int) -> Callable[[], Any]:
    """Opens an encoder whose process dies so many times when it is to encode a text."""

    class Inputs:
        def __init__(self, read: Any, texts: Sequence[str]) -> None:
            self.read, self.texts, self.lengths = read, texts, read.lengths

        def encode(self, rows: Sequence[int]) -> Any:
            if poison in self.texts and len(list(notes.iterdir())) < deaths:
                (notes / str(os.getpid())).touch()
                os._exit(1)
            return self.read.encode(rows)

    def opener() -> Any:
        encoder = open_model(str(model), EncoderOptions())
        read = encoder.read
        encoder.read = lambda texts, role: Inputs(read(texts, role), texts)
        return encoder

    return opener


@pytest.fixture
def not_ray() -> Iterator[str]:
    """The address of a server that speaks another language."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--ray-workers", "2"), "go with --ray ADDRESS"),
        (("--ray-storage", "x"), "go with --ray ADDRESS"),
        (("--ray", "127.0.0.1:1"), "No Ray cluster answers at --ray 127.0.0.1:1"),
        (("--ray", "nowhere"), "is no address of a cluster"),
        (("--ray", "ray://127.0.0.1:10001"), "is no address of a cluster"),
        (("--ray", "127.0.0.1:1", "--ray-spill", "x"), "--ray-spill is for --ray local"),
        (("--ray", "127.0.0.1:1", "--device", "cuda:0,cuda:1"), "one device of each worker"),
        (("--ray", "127.0.0.1:1", "--ray-storage", "nothing://x"), "cannot be opened"),
    ],
    ids=" ".join,
)
def test_a_cluster_that_cannot_be_used_is_refused(
    babelboard: RunsCommand, dense: Path, options: tuple[str, ...], message: str
) -> None:
    done = babelboard("score", dense, "--task", "pocket", "--entries", "entries", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_no_ray_cluster_is_refused(
    babelboard: RunsCommand, dense: Path, not_ray: str
) -> None:
    done = babelboard("score", dense, "--task", "pocket", "--ray", not_ray)
    assert done.returncode == 2
    assert f"What answers at --ray {not_ray} is no Ray cluster" in done.stderr


@pytest.mark.parametrize("model", ["bm25", "char-ngram", "run:folder", "mteb:some/model"])
def test_models_that_need_no_cluster_are_refused(babelboard: RunsCommand, model: str) -> None:
    done = babelboard("score", model, "--task", "pocket", "--ray", "local")
    assert done.returncode == 2
    assert "--ray is for checkpoints of dense encoders and cross-encoders" in done.stderr


def test_without_ray_the_extra_is_named(
    babelboard: RunsCommand, dense: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = babelboard("score", dense, "--task", "pocket", "--ray", "local")
    assert done.returncode == 2
    assert "pip install 'babelboard[score,ray]'" in done.stderr


def test_two_workers_write_the_entry_that_one_machine_writes(
    babelboard_apart: RunsCommand, dense: Path, tmp_path: Path
) -> None:
    arguments = ("score", dense, "--task", "pocket", "--settings", "*/de-*", "--keep-runs", "5")
    for where in ((), ("--ray", "local", "--ray-workers", "2")):
        place = tmp_path / str(len(where))
        done = babelboard_apart(
            *arguments, "--entries", place / "entries", "--cache", place / "cache", *where
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("Encoding") == 1
    one, two = files_of(tmp_path / "0"), files_of(tmp_path / "4")
    assert one == two
    assert [name for name in one if name.endswith("npz")]


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.long
@pytest.mark.parametrize("deaths", [0, 1, 2])
def test_workers_that_die_change_nothing(
    dense: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], deaths: int
) -> None:
    wanted, notes = here(dense), tmp_path / "notes"
    notes.mkdir()
    poison = sources()["document", "zh"].texts[0]
    opener = mortal(dense, poison, notes, deaths)
    with opened_on_cluster(opener, local(tmp_path, workers=max(1, deaths))) as model:
        assert_same_bits(encode_sources(model, sources(), tmp_path / "cache", Silent()), wanted)
    assert len(list(notes.iterdir())) == deaths
    assert not capsys.readouterr().out


@pytest.mark.long
def test_a_text_that_kills_every_worker_is_named_and_the_others_are_kept(
    dense: Path, tmp_path: Path
) -> None:
    task, notes = load_task("pocket"), tmp_path / "notes"
    notes.mkdir()
    corpus = task.collection.corpora["zh"]
    poison = corpus.texts[7]
    languages = (("en",), ("ar", "zh"))
    opener = mortal(dense, poison, notes, 99)
    wanted = rf"3 workers died of the batch \S+ of \d+ texts: .*{re.escape(repr(poison[:80]))}"
    with (
        opened_on_cluster(opener, local(tmp_path)) as model,
        pytest.raises(ClusterError, match=wanted),
    ):
        model.prepare(task.collection, languages, tmp_path / "cache", Silent())
    assert len(list(notes.iterdir())) > 3  # three of the batch, and one for each halving
    kept = len(list((tmp_path / "cache").rglob("*.npz")))
    assert kept
    finished = len(list(tmp_path.rglob("batches/*.npy")))
    with opened_on_cluster(opener_of(str(dense), EncoderOptions()), local(tmp_path)) as model:
        prepared = model.prepare(task.collection, languages, tmp_path / "cache", Silent())
    assert 0 < prepared.encoded_texts < prepared.distinct_texts // 2
    assert finished
    assert not list(tmp_path.rglob("batches/*.npy"))  # the cache has them


class OnDisk(Sequence[str]):
    """Texts that are not held in memory, to whom it may concern."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: Any) -> Any:
        return self.texts[index]


@pytest.mark.long
def test_pieces_of_a_large_corpus_are_those_of_one_machine(dense: Path, tmp_path: Path) -> None:
    pocket = load_task("pocket").collection
    few = pocket.corpora["de"].texts[:60]
    texts = [few[row % 59 + (row >= ROWS)] for row in range(ROWS + 1000)]
    corpus = Corpus("de", [f"de_{row}" for row in range(len(texts))], OnDisk(texts))
    encoder = open_model(str(dense), EncoderOptions())
    folder = tmp_path / "here" / encoder.fingerprint("document")[:32] / "corpora"
    made = encode_corpus(encoder, corpus, folder, Silent())
    assert made.encoded == 118
    collection = Collection(
        pocket.questions, pocket.queries, {**pocket.corpora, "de": corpus}, pocket.judgments
    )
    languages = (("en",), ("de",))
    # Once into the cache, and once by way of another place.
    for storage in ("there", "elsewhere"):
        with opened_on_cluster(
            opener_of(str(dense), EncoderOptions()), local(tmp_path / storage)
        ) as model:
            prepared = model.prepare(collection, languages, tmp_path / "there", Silent())
            queries = len(pocket.queries["en"].texts)
            assert prepared.encoded_texts == 118 + queries
        wanted = {path.name: path.read_bytes() for path in folder.glob("*.npy")}
        there = tmp_path / "there" / folder.parent.name / "corpora"
        assert {path.name: path.read_bytes() for path in there.glob("*.npy")} == wanted
        assert len(wanted) == 2
        shutil.rmtree(tmp_path / "there")


@pytest.mark.long
@pytest.mark.parametrize("workers", ["1", "2"])
def test_reranking_on_workers_is_that_of_one_machine(
    babelboard_apart: RunsCommand, cross_encoder: Path, tmp_path: Path, workers: str
) -> None:
    arguments = ("score", cross_encoder, "--task", "pocket", "--settings", "clir/de-*")
    stage = ("--first-stage", "bm25", "--depth", "10", "--keep-runs", "10")
    for where in ((), ("--ray", "local", "--ray-workers", workers)):
        place = tmp_path / str(len(where))
        done = babelboard_apart(
            *arguments, *stage, "--entries", place / "entries", "--cache", tmp_path / "c", *where
        )
        assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "0") == files_of(tmp_path / "4")
    assert list((tmp_path / "c").rglob("pairs/*.npy"))


def shards_of(cache: Path) -> list[Path]:
    return sorted(cache.rglob("batches/*.npy"))


@pytest.mark.long
def test_a_driver_that_is_killed_goes_on_where_it_was(
    babelboard_apart: RunsCommand, dense: Path, tmp_path: Path
) -> None:
    task = ("score", dense, "--task", "pocket", "--settings", "*/de-*")
    arguments = (*task, "--ray", "local", "--ray-workers", "2", "--entries")
    cache = tmp_path / "cache"
    words = [SCRIPT, *map(str, arguments), str(tmp_path / "e"), "--cache", str(cache)]
    driver = subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    ends = time.monotonic() + 300
    while len(shards_of(cache)) < 3 and driver.poll() is None and time.monotonic() < ends:
        time.sleep(0.01)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    finished = shards_of(cache)
    assert len(finished) >= 3
    assert not list((tmp_path / "e").glob("*/submission.toml"))

    done = babelboard_apart(*task, "--entries", tmp_path / "here", "--cache", tmp_path / "other")
    assert done.returncode == 0, done.stderr
    shutil.copytree(cache, tmp_path / "marked")
    done = babelboard_apart(*arguments, tmp_path / "e", "--cache", cache)
    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "e") == files_of(tmp_path / "here")
    assert not shards_of(cache)

    # What was finished is taken as it is: other vectors there are other vectors in the end.
    storage = ShardStorage(str(tmp_path / "marked"))
    name = str(shards_of(tmp_path / "marked")[0].relative_to(storage.url))
    vectors = storage.read(name)
    assert vectors is not None
    mark = np.full_like(vectors, 0.5)
    storage.write(name, mark)
    done = babelboard_apart(*arguments, tmp_path / "m", "--cache", tmp_path / "marked")
    assert done.returncode == 0, done.stderr
    kept = [np.load(path)["vectors"] for path in (tmp_path / "marked").rglob("*.npz")]
    assert sum(int((one == 0.5).all(axis=1).sum()) for one in kept) == len(vectors)
