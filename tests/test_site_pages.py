"""Pages on claims, methods, submission, changes: right numbers, nothing that runs, no dead end."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from claim_entries import Trained, write_system
from rendered_pages import HOSTILE, Read, rendered, signed
from test_changes_page import write_record
from typer.main import get_command

from harness.cli.app import build
from harness.reports.wording import p_value
from leaderboard import claim_evidence
from leaderboard.change_record import read_changes
from leaderboard.contamination import Verdict
from leaderboard.many_systems import CLASS_RESAMPLES, MANY, SETTING_RESAMPLES
from leaderboard.pages import changes, claims, code_switching, methods, submit
from submissions.claims.claim import read_claims
from submissions.claims.ledger import VERDICTS
from submissions.trust import Level
from tasks.definition import load_definition, task_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RunsCommand

ENTRIES = Path(__file__).parents[1] / "submissions" / "entries"
SORTS = (claims, code_switching, methods, submit, changes)
SETTINGS = (
    *(f"moir/{code}-{code}" for code in ("de", "en", "es")),
    *(f"clir/{a}-{b}" for a in ("de", "en", "es") for b in ("de", "en", "es") if a != b),
    *(f"mlir/{code}-xx" for code in ("de", "en", "es")),
)
SIZES = dict.fromkeys(SETTINGS, 200)
CHILDREN = {
    **dict.fromkeys(("mfrac", "msub", "msup", "munder", "mover"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
"""How many children such an element of MathML must have to be drawn."""
EVERY_PAIR = "code-switching-helps-every-pair"


def ranks(moir: int, clir: int, mlir: int, turn: int = 0) -> Callable[[str, int, int], int]:
    """Ranks that start at a number for each class; ``turn`` changes which questions are hard."""

    def rank(setting: str, question: int, seed: int) -> int:
        start = {"moir": moir, "clir": clir, "mlir": mlir}[setting.partition("/")[0]]
        return start + (7 * question + turn * question**2 + seed * sum(setting.encode())) % 5

    return rank


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trainings of which some claims hold, some do not, and most are not tested."""
    folder = tmp_path_factory.mktemp("entries")
    for recipe, ranked in (
        ("zero-shot", ranks(1, 9, 9)),
        ("ml-cs-p050", ranks(1, 3, 5)),
        ("wiki-cs", ranks(2, 10, 9, turn=3)),
        ("hybrid", ranks(1, 2, 2)),
        ("x-x-mono", ranks(1, 1, 2)),
    ):
        write_system(folder, Trained(recipe, ranked, sizes=SIZES), seeds=(1, 2))
    return folder


@pytest.fixture(scope="module")
def ledger(root: Path, babelboard: RunsCommand) -> dict[str, Any]:
    """What the command says of the same entries."""
    done = babelboard("claims", "--json", "--entries", root)
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[str, str]:
    return rendered(root, claims)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One system that no claim is about."""
    folder = tmp_path_factory.mktemp("untrained")
    shutil.copytree(ENTRIES / "bm25", folder / "bm25")
    return folder


def test_every_claim_has_its_verdict(pages: dict[str, str], ledger: dict[str, Any]) -> None:
    shown = Read(pages["claims.html"])
    counts = {claim["verdict"] for claim in ledger["claims"]}
    assert counts == set(VERDICTS), "the made-up entries must show all four"
    for word, count in ledger["verdicts"].items():
        assert f"{count} {word}" in shown.text
    for claim in ledger["claims"]:
        assert f"claims/{claim['id']}.html" in shown.links
        own = Read(pages[f"claims/{claim['id']}.html"])
        assert f"{claim['statement']} {claim['verdict']}" in own.text
        assert claim["reading"] in own.text
        if claim["source"]:
            assert claim["source"]["url"] in own.links
            assert claim["source"]["paper"] in own.text
        for part in claim["parts"]:
            assert part["statement"] in own.text
            if part["why_not"]:
                assert part["why_not"].rstrip(".")[1:] in own.text
    tally = {word: f"{count} {word}" for word, count in ledger["verdicts"].items()}
    assert re.search(" ".join(tally.values()), shown.text)


def test_evidence_has_the_numbers_of_the_ledger(
    pages: dict[str, str], ledger: dict[str, Any]
) -> None:
    compared = corrected = 0
    for claim in ledger["claims"]:
        tables = Read(pages[f"claims/{claim['id']}.html"]).tables
        for part in claim["parts"]:
            rows = tables.get(f"Comparisons: {part['statement']}", [[]])[1:]
            for row, one in zip(rows, part["evidence"], strict=True):
                _, difference, interval, p, adjusted, n, counts, shows = row
                # All rank distances of the made-up entries are 0.
                decimals = 0 if one["measure"] == "RankDistance" else 3
                assert difference == signed(one["difference"], decimals)
                assert interval == " to ".join(signed(end, decimals) for end in one["ci"])
                assert [p, adjusted] == [
                    "1.000" if p_value(x) == "1" else p_value(x)
                    for x in (one["p"], one["p_adjusted"])
                ]
                assert n == f"{one['n']:,}"
                assert counts == f"{one['wins']} / {one['ties']} / {one['losses']}"
                assert shows.startswith(f"{one['outcome']}: {one['why']}")
                compared += 1
                corrected += p != adjusted
    assert compared > 12
    assert corrected, "a correction must be seen, or p could stand for it"


def test_evidence_links_to_the_systems(pages: dict[str, str]) -> None:
    links = Read(pages["claims/code-switching-beats-zero-shot.html"]).links
    # The seeds of a system have one page.
    assert "../entries/tiny-ml-cs-p050.html" in links
    assert "../entries/tiny-zero-shot.html" in links


def test_verdicts_differ_in_shape(pages: dict[str, str]) -> None:
    legend = pages["claims.html"].partition("What the verdicts mean")[2]
    drawn = re.findall(r'<span class="verdict[^>]*>(<svg.*?</svg>) ([a-z ]+)</span>', legend, re.S)
    assert [word for _, word in drawn] == list(VERDICTS)
    assert len({shape for shape, _ in drawn}) == len(VERDICTS)


def test_long_evidence_goes_on_over_pages(
    root: Path, ledger: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_evidence, "MOST_ROWS", 4)
    found = rendered(root, claims)
    first, second = f"claims/{EVERY_PAIR}.html", f"claims/{EVERY_PAIR}.2.html"
    assert f"claims/{EVERY_PAIR}.3.html" not in found
    label = "Comparisons: ML-CS in each CLIR setting"
    tables = [Read(found[name]).tables[label] for name in (first, second)]
    assert [len(table) - 1 for table in tables] == [4, 2]
    (claim,) = (one for one in ledger["claims"] if one["id"] == EVERY_PAIR)
    differences = [row[1] for table in tables for row in table[1:]]
    assert differences == [signed(one["difference"]) for one in claim["parts"][0]["evidence"]]
    assert 'rel="next"' in found[first]
    assert 'rel="prev"' in found[second]


def test_nothing_to_test_is_said(untrained: Path) -> None:
    found = rendered(untrained, claims)
    number = len(read_claims())
    shown = Read(found["claims.html"])
    assert f"None of {number} statements can be tested on the entries here yet." in shown.text
    assert f"0 supported 0 contradicted 0 not separated {number} not tested here" in shown.text
    assert "No entry of: " in shown.text
    for name, content in found.items():
        if name.startswith("claims/"):
            own = Read(content)
            assert "not tested here No comparison on the entries here can tell." in own.text
            assert not own.tables


def test_pages_without_entries(tmp_path: Path) -> None:
    found = {name: content for sort in SORTS for name, content in rendered(tmp_path, sort).items()}
    assert {"claims.html", "methods.html", "submit.html", "changes.html"} <= set(found)
    assert "feed.xml" not in found
    assert "There are no entries yet." in Read(found["changes.html"]).text
    assert "Entries looked at: none." in Read(found["claims.html"]).text


def test_links_lead_somewhere(root: Path) -> None:
    shutil.copy(ENTRIES / "changes.toml", root / "changes.toml")
    try:
        found = {name: text for sort in SORTS for name, text in rendered(root, sort).items()}
    finally:
        (root / "changes.toml").unlink()
    elsewhere = {"files.json", "data/claims.json"}
    # The frame of every page is not these pages' own.
    mains = {
        name: text.partition("<main")[2].partition("</main>")[0] for name, text in found.items()
    }
    read = {name: Read(text) for name, text in mains.items() if name.endswith(".html")}
    for name, page in read.items():
        assert len(page.ids) == len(set(page.ids)), name
        for link in page.links:
            if link.startswith("https://"):
                continue
            target, _, anchor = link.partition("#")
            here = (Path("/site") / name).parent
            path = str((here / target).resolve().relative_to("/site")) if target else name
            known = path in found or path in elsewhere or path.startswith("entries/tiny-")
            assert known, f"{name} links to {link}"
            if anchor and path in read:
                assert anchor in read[path].ids, f"{name} links to {link}"


def test_commands_exist(root: Path) -> None:
    found = set()
    for sort in SORTS:
        for text in rendered(root, sort).values():
            for block in re.findall(r"<code>(babelboard [^<]*)</code>", text):
                found |= {line for line in block.replace("&#34;", '"').splitlines() if line}
    assert len(found) > 20
    for line in sorted(found):
        _, name, *arguments = shlex.split(line)
        command = get_command(build(name)).commands[name]  # type: ignore[attr-defined]
        options = {option for one in command.params for option in one.opts}
        used = {argument for argument in arguments if argument.startswith("--")}
        assert used <= options, line


def test_the_record_of_a_change_on_the_page_is_one(tmp_path: Path) -> None:
    (content,) = rendered(tmp_path, submit).values()
    block = re.search(r"<code>(\[\[changes\]\].*?)</code>", content, re.S)
    assert block is not None
    text = "schema_version = 1\n" + block[1].replace("&#34;", '"')
    (tmp_path / "changes.toml").write_text(text, "utf-8")
    (change,) = read_changes(tmp_path)
    assert change.entries == ("my-model",)


def test_methods_have_every_task_and_measure(untrained: Path) -> None:
    (content,) = rendered(untrained, methods).values()
    shown = Read(content)
    rows = {row[0].split()[-1]: row for row in shown.tables["Tasks and their licences"][1:]}
    assert set(rows) == set(task_names())
    for name in task_names():
        definition, _ = load_definition(name)
        assert rows[name][1:] == [
            definition.summary,
            definition.primary_measure,
            definition.licence,
        ]
        for measure in definition.measures:
            stem = measure.partition("@")[0].replace("RankDistance", "Rank distance")
            assert re.search(rf"\b{stem}\b", shown.text), measure


def test_methods_say_how_very_many_systems_are_tested(untrained: Path) -> None:
    (content,) = rendered(untrained, methods).values()
    shown = Read(content)
    # Boards of very many systems link to it.
    assert "range" in shown.ids
    section = Read(content.partition('aria-labelledby="range"')[2].partition("</section>")[0]).text
    assert f"more than {MANY} systems" in section
    assert f"B = {CLASS_RESAMPLES:,} for the averages of classes" in section
    assert f"{SETTING_RESAMPLES:,} for each setting" in section
    assert shown.elements <= 3_000


def test_formulas_are_elements_of_mathml(untrained: Path) -> None:
    (content,) = rendered(untrained, methods).values()
    formulas = re.findall(r"<math.*?</math>", content)
    assert len(formulas) > 10
    for formula in formulas:
        tree = ET.fromstring(formula)  # noqa: S314  # our own text
        for element in tree.iter():
            assert len(element) == CHILDREN.get(element.tag, len(element)), formula


def test_methods_have_every_level_and_verdict(untrained: Path) -> None:
    (content,) = rendered(untrained, methods).values()
    for name in ("T0", *get_args(Level)):
        assert f'<dt><span class="level">{name}</span>' in content
    for verdict in get_args(Verdict):
        assert f"<dt>{verdict}</dt>" in content


def test_nothing_runs_and_names_are_text(tmp_path: Path) -> None:
    for recipe, title in (("zero-shot", HOSTILE), ("ml-cs-p050", HOSTILE[::-1])):
        trained = Trained(recipe, ranks(1, 3, 5), sizes=SIZES, replaced={"title": title})
        write_system(tmp_path, trained, seeds=(1, 2))
    write_record(tmp_path, what=HOSTILE)
    for sort in SORTS:
        for name, content in rendered(tmp_path, sort).items():
            if name.endswith(".html"):
                page = Read(content)
                assert "script" not in page.tags
                assert not page.handlers
                assert not [link for link in page.links if link.lower().startswith("javascript")]
            assert "<script" not in content
    page = Read(rendered(tmp_path, claims)["claims/code-switching-beats-zero-shot.html"])
    assert " ".join(HOSTILE.split()) in page.text
