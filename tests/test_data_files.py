"""Where data files are found, and how they are fetched and checked.

Nothing here reaches the network: files are served from this machine, or from a port that is
closed.
"""

from __future__ import annotations

import hashlib
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks.data_files import DATA_VARIABLE, cache_folder, data_folders, locate, obtain
from tasks.definition import LanguageFile, TaskDefinition, load_definition
from tasks.errors import DataFileError, UsageError
from tasks.task import load_task


def sha256(content):
    return hashlib.sha256(content).hexdigest()


CONTENT = {"de.json": b"Die Katze", "el.json": "Η γάτα".encode(), "en.json": b"The cat"}


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    # Addresses of this machine go through no proxy.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def task(url=None, *, checked=True, home=None):
    return TaskDefinition(
        schema_version=1,
        name="cats",
        title="Cats",
        summary="",
        source="squad-r",
        protocol="full",
        settings="parallel",
        measures=("AP",),
        primary_measure="AP",
        licence="CC0",
        homepage="https://example.org",
        citation="",
        folder="cats-r",
        url=url,
        files={
            name[:2]: LanguageFile(name=name, sha256=sha256(content) if checked else None)
            for name, content in CONTENT.items()
        },
        home=home,
    )


def fill(folder, content=CONTENT):
    (folder / "cats-r").mkdir(parents=True, exist_ok=True)
    for name, text in content.items():
        (folder / "cats-r" / name).write_bytes(text)
    return folder


@pytest.fixture
def closed_port():
    """A port of this machine at which nobody listens: bound, so that nobody else gets it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and counts what was asked for."""

    def log_message(self, format, *args):  # noqa: A002  # its base class names it so
        """Says nothing."""

    def do_GET(self):
        self.server.paths.append(self.path)
        super().do_GET()


@pytest.fixture
def server(tmp_path):
    """A server of the folder ``served``, with the paths that were asked for."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as made:
        made.paths = []
        made.folder = folder
        made.url = f"http://127.0.0.1:{made.server_port}/{{file}}"
        thread = threading.Thread(target=partial(made.serve_forever, poll_interval=0.01))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_order_of_the_folders(tmp_path, monkeypatch):
    named, variable = fill(tmp_path / "named"), fill(tmp_path / "variable")
    cached = fill(cache_folder() / "data")
    monkeypatch.setenv(DATA_VARIABLE, str(variable))
    assert data_folders(named) == (named, variable, cached)
    assert data_folders(None) == (variable, cached)
    definition = task()

    def found():
        return {path and path.parents[1] for path in locate(definition, named).values()}

    assert found() == {named}
    for name in CONTENT:
        (named / "cats-r" / name).unlink()
    assert found() == {variable}
    for name in CONTENT:
        (variable / "cats-r" / name).unlink()
    assert found() == {cached}
    for name in CONTENT:
        (cached / "cats-r" / name).unlink()
    assert found() == {None}


def test_each_file_is_looked_for_on_its_own(tmp_path, monkeypatch):
    named = fill(tmp_path / "named", {"de.json": CONTENT["de.json"]})
    variable = fill(tmp_path / "variable")
    monkeypatch.setenv(DATA_VARIABLE, str(variable))
    files = obtain(task(), named)
    assert files["de"].path == named / "cats-r" / "de.json"
    assert files["el"].path == variable / "cats-r" / "el.json"
    assert {code: file.sha256 for code, file in files.items()} == {
        name[:2]: sha256(content) for name, content in CONTENT.items()
    }


def test_files_of_a_task_with_a_home_are_looked_for_there_only(tmp_path, monkeypatch):
    home, variable = fill(tmp_path / "home"), fill(tmp_path / "variable")
    monkeypatch.setenv(DATA_VARIABLE, str(variable))
    (home / "cats-r" / "el.json").unlink()
    found = locate(task(home=home))
    assert found["de"] == home / "cats-r" / "de.json"
    assert found["el"] is None


def test_an_altered_file_is_refused_though_a_good_one_is_in_the_next_folder(tmp_path, monkeypatch):
    named = fill(tmp_path / "named", CONTENT | {"el.json": b"changed"})
    monkeypatch.setenv(DATA_VARIABLE, str(fill(tmp_path / "variable")))
    with pytest.raises(DataFileError) as caught:
        obtain(task(), named)
    message = str(caught.value)
    assert str(named / "cats-r" / "el.json") in message
    assert "'cats'" in message
    assert f"expected sha256 {sha256(CONTENT['el.json'])}" in message
    assert f"found sha256    {sha256(b'changed')}" in message
    assert "Remove it" in message


def test_a_file_without_a_checksum_is_taken_as_it_is(tmp_path):
    named = fill(tmp_path / "named", CONTENT | {"el.json": b"changed"})
    assert obtain(task(checked=False), named)["el"].sha256 == sha256(b"changed")


def test_one_changed_byte_of_a_real_file(tmp_path, data):
    folder = tmp_path / "xquad-r"
    folder.mkdir()
    for path in (data / "xquad-r").glob("*.json"):
        (folder / path.name).symlink_to(path)
    content = bytearray((folder / "th.json").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "th.json").unlink()
    (folder / "th.json").write_bytes(content)
    with pytest.raises(DataFileError, match=r"th\.json is not the file that task 'xquad-r'"):
        load_task("xquad-r", tmp_path)


def test_a_missing_file_offline(tmp_path, closed_port):
    named = fill(tmp_path / "named", {"de.json": CONTENT["de.json"]})
    with pytest.raises(DataFileError) as caught:
        obtain(task(f"http://127.0.0.1:{closed_port}/{{file}}"), named)
    message = str(caught.value)
    assert "'cats' lacks el.json, en.json" in message
    assert "de.json" not in message
    assert f"http://127.0.0.1:{closed_port}/el.json failed" in message
    assert "refused" in message
    # Where the files belong: the cache, or a folder of the user's choice.
    assert f"Put the files in {cache_folder() / 'data' / 'cats-r'}" in message
    assert "cats-r/" in message
    assert "--data" in message
    assert f"${DATA_VARIABLE}" in message
    assert len(message) < 1000


def test_what_the_message_says_helps(closed_port):
    definition = task(f"http://127.0.0.1:{closed_port}/{{file}}")
    with pytest.raises(DataFileError, match="lacks"):
        obtain(definition)
    fill(cache_folder() / "data")
    assert set(obtain(definition)) == {"de", "el", "en"}


def test_a_missing_file_that_has_no_address(tmp_path):
    home = fill(tmp_path / "home", {"de.json": CONTENT["de.json"]})
    with pytest.raises(DataFileError) as caught:
        obtain(task(home=home))
    assert f"lacks el.json, en.json in {home / 'cats-r'}" in str(caught.value)


@pytest.mark.parametrize("task_name", ["xquad-r", "mlqa-r"])
def test_message_for_each_task_that_has_to_be_fetched(task_name, closed_port):
    definition, _ = load_definition(task_name)
    offline = definition.model_copy(update={"url": f"http://127.0.0.1:{closed_port}/{{file}}"})
    with pytest.raises(DataFileError) as caught:
        obtain(offline)
    message = str(caught.value)
    for file in definition.files.values():
        assert file.name in message
    assert str(cache_folder() / "data" / task_name) in message


def test_a_fetched_file_goes_into_the_cache(server):
    for name, content in CONTENT.items():
        (server.folder / name).write_bytes(content)
    files = obtain(task(server.url))
    assert sorted(server.paths) == ["/de.json", "/el.json", "/en.json"]
    for name, content in CONTENT.items():
        path = cache_folder() / "data" / "cats-r" / name
        assert files[name[:2]].path == path
        assert path.read_bytes() == content
    # It is fetched once.
    assert obtain(task(server.url)) == files
    assert len(server.paths) == 3


def test_only_what_is_missing_is_fetched(server, tmp_path):
    named = fill(tmp_path / "named", {"de.json": CONTENT["de.json"], "en.json": b"The cat"})
    (server.folder / "el.json").write_bytes(CONTENT["el.json"])
    files = obtain(task(server.url), named)
    assert server.paths == ["/el.json"]
    assert files["de"].path.parents[1] == named
    assert files["el"].path.parents[1] == cache_folder() / "data"


def test_a_fetched_file_that_is_another_is_refused_and_not_kept(server):
    for name, content in CONTENT.items():
        (server.folder / name).write_bytes(content)
    (server.folder / "el.json").write_bytes(b"changed")
    with pytest.raises(DataFileError) as caught:
        obtain(task(server.url))
    message = str(caught.value)
    assert "lacks el.json, en.json, and fetching" in message
    assert sha256(CONTENT["el.json"]) in message
    assert sha256(b"changed") in message
    kept = sorted(path.name for path in (cache_folder() / "data" / "cats-r").iterdir())
    assert kept == ["de.json"]
    # Once the right file is there, it goes on from where it was.
    (server.folder / "el.json").write_bytes(CONTENT["el.json"])
    server.paths.clear()
    assert set(obtain(task(server.url))) == {"de", "el", "en"}
    assert server.paths == ["/el.json", "/en.json"]


def test_a_file_that_the_server_does_not_have(server):
    with pytest.raises(DataFileError, match="404"):
        obtain(task(server.url))
    folder = cache_folder() / "data" / "cats-r"
    assert not folder.exists() or not list(folder.iterdir())


def test_a_data_folder_that_does_not_exist(tmp_path, monkeypatch):
    missing = tmp_path / "nothing"
    with pytest.raises(UsageError, match=r"^--data names '.*nothing', which is not a folder"):
        locate(task(), missing)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match="--data names"):
        locate(task(), file)
    monkeypatch.setenv(DATA_VARIABLE, str(missing))
    with pytest.raises(UsageError, match=r"^\$BABELBOARD_DATA names '.*nothing', which is not"):
        locate(task())


def test_an_empty_variable_names_nothing(monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, "")
    assert data_folders(None) == (cache_folder() / "data",)


def test_a_folder_in_place_of_a_file_is_not_taken(tmp_path):
    (tmp_path / "cats-r" / "de.json").mkdir(parents=True)
    assert locate(task(), tmp_path)["de"] is None
