"""The pictures of a task's page, from a built site."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

from site_entries import TASK

if TYPE_CHECKING:
    from pathlib import Path


def test_a_task_with_enough_systems_shows_all_within_and_across(site: Path) -> None:
    page = (site / "tasks" / f"{TASK}.html").read_text("utf-8")
    picture = page[page.index('id="pictures"') : page.index('id="settings"')]
    board = json.loads((site / "data" / "boards" / f"{TASK}.json").read_text("utf-8"))["rows"]
    assert len(board) > 3
    for row in board:
        assert f'href="../entries/{row["system"]}.html"' in picture
    shown = [html.unescape(cell) for cell in re.findall(r"<td[^>]*>([^<]*)</td>", picture)]
    for row in board:
        for score in (row["moir"], row["clir"]):
            assert f"{score:.3f}".removeprefix("0") in shown
    assert "MoIR = CLIR" in picture


def test_sizes_that_are_not_known_make_no_picture(site: Path) -> None:
    assert "size-score" not in (site / "tasks" / f"{TASK}.html").read_text("utf-8")
