"""Every page is valid HTML, as it is built and as its scripts leave it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from site_entries import TASK

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import OpenPage

    FindFaults = Callable[[Path], list[str]]

pytestmark = pytest.mark.site

VALIDATOR = Path(__file__).parent / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"
RULES: dict[str, Any] = {
    # A list may have a name, and is read with it.
    "aria-label-misuse": ["error", {"allowAnyNamable": True}],
    # Advice for search engines; the title of a claim's page is the claim, a sentence.
    "long-title": "off",
    # A box that scrolls is a region, so that it can be focused and has a name, but no section.
    "prefer-native-element": ["error", {"exclude": ["region"]}],
    # Files of the site itself: files.json has their checksums, and there are none from elsewhere.
    "require-sri": ["error", {"target": "crossorigin"}],
    # A browser writes hidden="" for hidden when it writes a page; both are valid.
    "attribute-boolean-style": "off",
    "attribute-empty-style": "off",
}
"""What is other than in the presets, and why."""
PRESETS = ["html-validate:recommended", "html-validate:document"]
FAULTS = {
    "close-order": "<p><b>x</p></b>",
    "no-dup-id": '<p id="a">x</p><p id="a">x</p>',
    "no-inline-style": '<p style="color: red">x</p>',
    "element-permitted-content": "<table><tr><td>x</td></tr><p>x</p></table>",
    "no-missing-references": '<label for="none">x</label>',
    "no-raw-characters": "<p>x < y</p>",
    "no-implicit-button-type": "<button>x</button>",
    "wcag/h37": '<img src="x.png">',
}
"""A fault, by the rule that finds it."""


@pytest.fixture(scope="session")
def validate(tmp_path_factory: pytest.TempPathFactory) -> FindFaults:
    """Finds what is wrong with the pages of a folder, all in one process."""
    node = shutil.which("node")
    if node is None or not VALIDATOR.is_file():
        pytest.skip("needs node and html-validate: npm ci --prefix tests/site")
    folder = tmp_path_factory.mktemp("html-validate")
    config, report = folder / "rules.json", folder / "report.json"
    rules = {"root": True, "extends": PRESETS, "rules": RULES}
    config.write_text(json.dumps(rules), "utf-8")

    def check(root: Path) -> list[str]:
        report.unlink(missing_ok=True)
        command = [node, VALIDATOR, "--config", config, "--formatter", f"json={report}"]
        command.append(f"{root}/**/*.html")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        return [
            f"{Path(page['filePath']).relative_to(root)}:{fault['line']}: "
            f"{fault['ruleId']}: {fault['message']}"
            for page in json.loads(report.read_text("utf-8"))
            for fault in page["messages"]
        ]

    return check


def test_every_page_is_valid_html(site: Path, validate: FindFaults) -> None:
    assert validate(site) == []


def test_pages_stay_valid_when_their_scripts_have_run(
    open_page: OpenPage, validate: FindFaults, tmp_path: Path
) -> None:
    task, compare = open_page(f"tasks/{TASK}.html"), open_page(f"compare/{TASK}.html")
    assert task.locator(".facets").count() == 1
    compare.wait_for_selector("#findings", timeout=120_000)
    for name, page in (("task", task), ("compare", compare)):
        (tmp_path / f"{name}.html").write_text(page.content(), "utf-8")
    assert validate(tmp_path) == []


def test_faults_are_found(site: Path, validate: FindFaults, tmp_path: Path) -> None:
    page = (site / "methods.html").read_text("utf-8")
    for number, fault in enumerate(FAULTS.values()):
        broken = page.replace("</main>", f"{fault}</main>")
        assert broken != page
        (tmp_path / f"{number}.html").write_text(broken, "utf-8")
    found = validate(tmp_path)
    for number, rule in enumerate(FAULTS):
        assert any(one.startswith(f"{number}.html:") and f": {rule}: " in one for one in found)
