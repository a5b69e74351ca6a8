"""The statistics that the page computes are those of Python, to the last bit."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from significance_js_cases import cases, in_python

NODE = shutil.which("node")
DRIVER = Path(__file__).parent / "site" / "significance_in_node.js"
CASES = {case.name: case for case in cases()}


@pytest.fixture(scope="module")
def in_node(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What the page's script finds, by case."""
    if NODE is None:
        pytest.skip("needs node: the same cases run in the browser tests")
    given = tmp_path_factory.mktemp("cases") / "cases.json"
    given.write_text(json.dumps([case.as_json() for case in CASES.values()]), encoding="utf-8")
    done = subprocess.run(
        [NODE, DRIVER, given], capture_output=True, check=True, encoding="utf-8", timeout=300
    )
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_page_equals_python(name: str, in_node: dict[str, list[dict[str, Any]]]) -> None:
    assert in_node[name] == in_python(CASES[name])
