from __future__ import annotations

import json
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from irds_homes import MIRACL_TASK, MMARCO_TASK

from harness.measures import parse_measure
from tasks.definition import CATALOGUE, load_definition, task_names
from tasks.errors import BabelboardError, DataFileError, UnknownNameError, UsageError
from tasks.languages import language_name

FILES = sorted(CATALOGUE.glob("*.toml"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def file(request):
    return request.param


@pytest.fixture
def content(file):
    """A catalogue file as plain TOML, to check without the code that reads it."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


def languages_of(content):
    return content.get("files") or content["sizes"]


def test_the_catalogue_has_the_tasks():
    assert set(task_names()) == {
        "miracl",
        "mlqa-r",
        "mmarco",
        "mmarco-rerank",
        "mmarco-rerank-unseen",
        "pocket",
        "xquad-r",
    }
    assert len(task_names()) == len(FILES)
    assert list(task_names()) == sorted(set(task_names()))


def test_a_catalogue_file_is_read_as_written(file, content):
    assert content["name"] == file.stem.replace("_", "-")
    definition, form = load_definition(content["name"])
    assert form == ("sentence" if content["source"] == "squad-r" else "passage")
    assert definition.languages == tuple(sorted(languages_of(content)))
    written = definition.model_dump(mode="json", exclude_none=True)
    assert written == {**written, **content}


def test_languages_are_known(content):
    for code in languages_of(content):
        assert language_name(code)


def test_files_have_checksums_and_sizes(content):
    for entry in languages_of(content).values():
        assert entry["queries"] > 0
        assert entry["documents"] > 0
    files = content.get("files", {}).values()
    for entry in files:
        assert re.fullmatch(r"[0-9a-f]{64}", entry["sha256"])
    for key in ("name", "sha256"):
        values = [entry[key] for entry in files]
        assert len(values) == len(set(values))


@pytest.mark.parametrize(
    ("name", "part"), [("miracl", "{}/dev"), ("mmarco", "v2/{}/dev/small"), ("mmarco", "en")]
)
def test_sizes_are_those_that_ir_datasets_counted(name, part):
    package = find_spec("ir_datasets")
    if package is None:
        pytest.skip("needs the extra 'score'")
    path = Path(package.submodule_search_locations[0]) / "etc" / "metadata.json"
    counted = json.loads(path.read_text(encoding="utf-8"))
    checked = 0
    for task in [n for n in task_names() if n.startswith(name)]:
        for code, sizes in load_definition(task)[0].sizes.items():
            if (code == "en" and name == "mmarco") != (part == "en"):
                continue
            where = f"{name}/{part.format('dt' if code == 'nl' else code)}"
            entry = counted["msmarco-passage/dev/small" if part == "en" else where]
            documents = counted[entry["docs"]["_ref"]]["docs"]["count"]
            counts = entry["queries"]["count"], documents, entry["qrels"]["count"]
            assert counts == (sizes.queries, sizes.documents, sizes.judgments)
            checked += 1
            if part == "en" and task != "mmarco":
                pairs = load_definition(task)[0].candidate_pairs
                assert pairs == entry["scoreddocs"]["count"]
    assert checked == {"{}/dev": 18, "v2/{}/dev/small": 13 + 5 + 13, "en": 3}[part]


def test_measures_can_be_computed(content):
    assert content["primary_measure"] in content["measures"]
    assert len(set(content["measures"])) == len(content["measures"])
    for name in content["measures"]:
        parse_measure(name)


def test_addresses_are_https_and_of_one_commit(content):
    assert content["homepage"].startswith("https://")
    if "url" in content:
        assert re.fullmatch(r"https://\S+/[0-9a-f]{40}/\S+/\{file\}", content["url"])


def test_licence_and_citation_are_given(content):
    assert re.fullmatch(r"CC .+|Apache 2\.0", content["licence"])
    assert content["citation"].strip().startswith("@")


def test_checksums_are_those_of_the_published_files(data):
    lines = (data / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    published = {name: sha256 for sha256, name in map(str.split, lines)}
    checked = 0
    for task in ("xquad-r", "mlqa-r"):
        definition, _ = load_definition(task)
        for entry in definition.files.values():
            assert entry.sha256 == published[f"{definition.folder}/{entry.name}"]
            checked += 1
    assert checked == 18


def test_context_form():
    definition, form = load_definition("xquad-r+context")
    assert form == "sentence+context"
    assert definition == load_definition("xquad-r")[0]


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("xquadr", "xquad-r"),
        ("mlqa", "mlqa-r"),
        ("poket", "pocket"),
        ("xquad-r+contxt", "xquad-r"),
    ],
)
def test_an_unknown_task_suggests_the_nearest(name, suggested):
    with pytest.raises(UnknownNameError) as caught:
        load_definition(name)
    assert str(caught.value).startswith(f"Unknown task: {name!r}. Did you mean {suggested}")


def test_an_unknown_task_like_no_other_lists_them():
    with pytest.raises(UnknownNameError, match=r"Known: .*mlqa-r, .*pocket, .*xquad-r"):
        load_definition("nothing like it")


# ---- a user's own task file --------------------------------------------------------------------


def without(key):
    return lambda text: re.sub(rf"(?m)^{key} = .*\n", "", text, count=1)


def setting(key, value):
    return lambda text: re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", text, count=1)


def adding(line, before="folder"):
    return lambda text: text.replace(f"{before} =", f"{line}\n{before} =", 1)


def naming_file(name):
    return lambda text: text.replace('"de.json"', name)


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (without("schema_version"), "schema_version: "),
        (without("licence"), "licence: Field required"),
        (without("name"), "name: Field required"),
        (setting("schema_version", 2), "schema_version: .*found '2'"),
        (setting("measures", '"AP"'), "measures: .*found 'AP'"),
        (setting("measures", "[1]"), r"measures\.0: .*found '1'"),
        (setting("title", "3"), "title: .*found '3'"),
        (setting("name", '"My Task"'), "name: .*found 'My Task'"),
        (setting("name", '"../own"'), r"name: .*found '\.\./own'"),
        (setting("source", '"beir"'), "source: .*'squad-r'.*found 'beir'"),
        (setting("protocol", '"pairs"'), "protocol: .*'full'.*found 'pairs'"),
        (adding('licens = "CC0"'), "licens: "),
        (adding('candidates = ["paragraph"]'), r"candidates\.0: "),
        (naming_file('"../x.json"'), r"files\.de\.name: .*found '\.\./x\.json'"),
        (naming_file('"/etc/passwd"'), r"files\.de\.name: "),
        (naming_file('"sub/de.json"'), r"files\.de\.name: "),
        (naming_file('".."'), r"files\.de\.name: "),
        (naming_file('""'), r"files\.de\.name: "),
        (naming_file(r'"de.json\n"'), r"files\.de\.name: "),
        (naming_file("7"), r"files\.de\.name: "),
        (naming_file('"de.json"\nsha256 = "abc"'), r"files\.de\.sha256: .*found 'abc'"),
        (naming_file('"de.json"\nqueries = 0'), r"files\.de\.queries: .*found '0'"),
        (naming_file('"de.json"\ndocuments = "many"'), r"files\.de\.documents: "),
        (lambda text: text.partition("[files.de]")[0], "the file: .*files: at least one language"),
        (without("folder"), "the file: .*folder: "),
        (setting("settings", '"some"'), "settings.*found 'some'"),
    ],
)
def test_a_malformed_task_file_is_refused_with_its_place(own_task, damage, place):
    text = own_task.read_text(encoding="utf-8")
    load_definition(str(own_task))
    damaged = damage(text)
    assert damaged != text
    own_task.write_text(damaged, encoding="utf-8")
    with pytest.raises(DataFileError, match=rf"(?m)^  {place}") as caught:
        load_definition(str(own_task))
    assert str(caught.value).startswith(f"{own_task} is not as expected:")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        # No language, no measure: nothing to ask.
        (lambda text: text.partition("[files.de]")[0] + "[files]\n", "files"),
        (setting("measures", "[]"), "measures"),
        (setting("primary_measure", '"nDCG@10"'), "primary_measure"),
        (setting("protocol", '"rerank"'), "protocol"),
        (adding('candidates = ["passage"]'), "candidates: squad-r has sentence"),
        (adding('md5 = "unchecked"'), "md5"),
        (adding("candidate_pairs = 3"), "candidate_pairs"),
        (lambda text: text + "[sizes]\nde = { queries = 1 }\n", "sizes"),
        (setting("settings", '["moir/de-de", "moir/de-de"]'), "'moir/de-de' is listed twice"),
        (setting("settings", '["moir/de-fr"]'), "Unknown language in 'moir/de-fr': 'fr'"),
        # {file} is all that an address can have filled in.
        (adding('url = "https://example.org/{language}.json"'), "url"),
        # What is fetched is checked, so its checksum must be known.
        (adding('url = "https://example.org/{file}"'), "sha256"),
    ],
    ids=[
        "no language",
        "no measure",
        "primary measure",
        "protocol",
        "form",
        "md5",
        "pairs",
        "sizes",
        "setting twice",
        "setting of no language",
        "address",
        "checksum",
    ],
)
def test_a_task_file_that_contradicts_itself_is_refused(own_task, damage, reason):
    own_task.write_text(damage(own_task.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(BabelboardError, match=reason):
        load_definition(str(own_task))


@pytest.mark.parametrize("code", ["gr", "xx", "EN"])
def test_a_task_file_with_an_unknown_language(own_task, code):
    text = own_task.read_text(encoding="utf-8").replace("[files.de]", f"[files.{code}]")
    own_task.write_text(text, encoding="utf-8")
    with pytest.raises(UnknownNameError) as caught:
        load_definition(str(own_task))
    assert str(caught.value).startswith(f"Unknown language in {own_task}: {code!r}.")


@pytest.mark.parametrize(
    "damaged", [b"name = ", b"{}", b'name = "a"\nname = "b"', 'title = "é"'.encode("latin-1")]
)
def test_a_task_file_that_is_not_toml_in_utf_8(own_task, damaged):
    own_task.write_bytes(damaged)
    with pytest.raises(DataFileError) as caught:
        load_definition(str(own_task))
    assert str(caught.value).startswith(f"{own_task} is not a TOML file: ")


def test_a_task_file_that_does_not_exist(tmp_path):
    with pytest.raises(DataFileError, match=r"There is no task file .*nothing\.toml"):
        load_definition(str(tmp_path / "nothing.toml"))


def test_files_of_an_own_task_are_beside_its_task_file(own_task, monkeypatch):
    monkeypatch.chdir(own_task.parent)
    assert load_definition("own.toml")[0].home == Path()
    assert load_definition(str(own_task))[0].home == own_task.parent


def test_an_own_task_has_the_forms_it_says(own_task):
    with pytest.raises(UsageError, match=r"'own' has no candidates .* It has: sentence\."):
        load_definition(f"{own_task}+context")


# ---- task files for the sources of ir_datasets -------------------------------------------------


@pytest.mark.parametrize(
    ("base", "damage", "reason"),
    [
        (MIRACL_TASK, lambda text: text.partition("[sizes]")[0], "sizes: at least one language"),
        (MIRACL_TASK, setting("protocol", '"rerank"'), "'miracl' has no lists of candidates"),
        (MIRACL_TASK, setting("settings", '"all pairs"'), "no answers across languages: clir/hi-s"),
        (MIRACL_TASK, setting("settings", '["mlir/xx-xx"]'), "no answers across languages: mlir/"),
        (MIRACL_TASK, adding('url = "https://example.org/{file}"'), "no files"),
        (MIRACL_TASK, adding('candidates = ["sentence"]'), "candidates: miracl has passage"),
        (MIRACL_TASK, setting("md5", '"abc"'), "md5"),
        (MMARCO_TASK, adding("candidate_pairs = 5"), "candidate_pairs: for the protocol"),
        (MMARCO_TASK, adding('candidates = ["passage+paper-draw"]'), "mmarco has passage$"),
        (MMARCO_TASK, lambda text: text.replace("queries = 3", "queries = 0"), "queries"),
    ],
)
def test_a_task_file_of_ir_datasets_that_contradicts_itself(tmp_path, base, damage, reason):
    path = tmp_path / "task.toml"
    path.write_text(base, encoding="utf-8")
    load_definition(str(path))
    assert damage(base) != base
    path.write_text(damage(base), encoding="utf-8")
    with pytest.raises(DataFileError, match=rf"(?m){reason}"):
        load_definition(str(path))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("mmarco-rerank+paper-draw", "passage+paper-draw"),
        ("mmarco-rerank-unseen+paper-draw", "passage+paper-draw"),
        ("mmarco-rerank", "passage"),
        ("mlqa-r+context", "sentence+context"),
    ],
)
def test_forms_by_suffix(name, form):
    assert load_definition(name)[1] == form


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mmarco+paper-draw", r"no candidates of the form 'passage\+paper-draw'.*: passage\.$"),
        ("miracl+context", r"no candidates of the form 'passage\+context'.*: passage\.$"),
        ("xquad-r+paper-draw", r"the form 'sentence\+paper-draw'.*: sentence, sentence\+context"),
    ],
)
def test_forms_that_a_task_does_not_have(name, message):
    with pytest.raises(UsageError, match=message):
        load_definition(name)
