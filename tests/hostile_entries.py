"""Entries whose every text would do harm if it were more than text, and their tame twins."""

from __future__ import annotations

import datetime
import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import tomli_w
from claim_entries import Trained, write_system
from rank_tables import rank_table

from harness.ranks import ranks_as_bytes
from submissions.entry import ranks_path
from submissions.manifest import Manifest, MethodPart, ModelPart, RunPart, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TASK = "own"
TRAINED = "trained-seed-1"
"""An entry with the record of its training."""
REPORTED = "reported"
POOL_SIZES = {"moir/de-de": 40, "moir/en-en": 40, "clir/de-en": 40, "mlir/de-xx": 80}
QUESTIONS = 40
LONGEST = 500
"""Characters that a manifest allows for a name."""
TEXTS: Mapping[str, str] = {
    "script": "<script>document.title='harmed'</script>",
    "image": "\"><img src=x onerror=alert(1)>'",
    "handler": "\" onmouseover=\"alert(1)\" ' onfocus='alert(1)' autofocus",
    "ends-all": "</bdi></a></td></title></style></textarea></script><!-- --!> ]]>",
    "address": "javascript:alert(1)",
    "data-address": "data:text/html,<script>alert(1)</script>",
    "entities": "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#60;b&#62;",
    "template": "{{ 7 * 7 }}{% raw %}{# #}${7*7}",
    "turned": "\u202eright to left\u202d \u2066open",
    "right-to-left": "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627, 1-2",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f600",
    "unseen": "\ufeffa\u200bb\u00adc\u2060d\u180e\ufff9e\ufffb\U000e0041",
    "stacked": "Z" + "\u0310\u0359\u0489" * 40,
    "unassigned": "\ufffe\uffff\U0010ffff\ue000",
    "long": "W" * LONGEST,
    "path": "../../../../harm",
    "drive": "C:\\..\\harm\\con",
    "formula": '=HYPERLINK("https://example.org";"x")',
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-1+1,2;3",
    "at": "@SUM(1,2)",
    "latex": "\\input{/etc/passwd}\\write18{x} 50% & $x^2$ #_{} ~^\\\\",
    "latex-row": "[1em] * & \\\\ \\end{tabular}",
    "json": '","id":"x\\u003c\\"}]);alert(1)//',
    "toml": "'''\"\"\" [runs.x] # = ",
}
"""Names, by the id of the entry that has it."""
REFUSED: Mapping[str, str] = {
    "controls": "\u0001\u001b[31mred\u0007\u007f\u0085",
    "line-ends": "one\u2028two\u2029three\u000bfour\u000cfive",
    "usual": "a\nb\rc\td",
}
"""Texts that a manifest must not have: each of their control characters and ends of lines."""


def tame(text: str) -> str:
    """The text that a tame twin has in place of a hostile one."""
    return f"Tame {sum(map(ord, text))}"


def write_entries(root: Path, say: Callable[[str], str] = str) -> Path:
    """An entry for each text, one with a record of its training, one reported, and changes.

    Args:
        root: Folder of entries.
        say: What is written in place of a hostile text.
    """
    for entry, text in TEXTS.items():
        write_scored(root / entry, say(text))
    script = say(TEXTS["script"])
    write_system(root, Trained("ml-cs-p050", _rank, tasks=(TASK,), sizes=POOL_SIZES))
    (root / "tiny-ml-cs-p050-seed-1").rename(root / TRAINED)
    _rewrite(root / TRAINED / "submission.toml", "tiny-ml-cs-p050-seed-1", TRAINED)
    record = root / TRAINED / "training.json"
    content = json.loads(record.read_text("utf-8"))
    content["base"]["name"] = script
    content["recipe"] |= {"summary": script, "title": say("<b>Trained</b>")}
    for lexicon in content["lexicons"].values():
        lexicon["name"] = say(TEXTS["image"])
    record.write_text(json.dumps(content), "utf-8")
    (root / REPORTED).mkdir()
    (root / REPORTED / "reported.toml").write_text(_reported(say), "utf-8")
    changes = [
        {
            "date": datetime.date(2026, 11, 1 + number),
            "kind": "added",
            "entries": [entry],
            "what": say(text),
        }
        for number, (entry, text) in enumerate(TEXTS.items())
    ]
    record = root / "changes.toml"
    record.write_text(tomli_w.dumps({"schema_version": 1, "changes": changes}), "utf-8")
    return root


def _rewrite(path: Path, before: str, after: str) -> None:
    path.write_text(path.read_text("utf-8").replace(before, after), "utf-8")


def _rank(setting: str, number: int, seed: int) -> int:
    return 1 + (5 * number + seed + len(setting)) % 7


def write_scored(folder: Path, text: str, task: str = TASK) -> None:
    """An entry with one run that has this text wherever a manifest takes one."""
    rng = np.random.default_rng(list(folder.name.encode()))
    rows = []
    for setting, size in POOL_SIZES.items():
        query, document = setting.partition("/")[2].split("-")
        for number in range(QUESTIONS):
            rank = min(int(rng.geometric(0.3)), size)
            rows.append((setting, query, f"q{number:03}", f"{document}_{number}", 1, rank))
    content = ranks_as_bytes(rank_table(rows, POOL_SIZES, task))
    path = ranks_path(folder, task)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    run = RunPart(
        command=text,
        complete=True,
        settings=len(POOL_SIZES),
        ranks=hashlib.sha256(content).hexdigest(),
        data={},
        versions={text: text},
        hardware={text: text},
    )
    manifest = Manifest(
        schema_version=1,
        id=folder.name,
        name=text,
        model=ModelPart(kind="dense", name=text, settings={text: text}),
        method=MethodPart(training_data=text),
        runs={task: run},
    )
    write_manifest(folder / "submission.toml", manifest)


def _reported(say: Callable[[str], str]) -> str:
    script, ends, formula, turned = (
        say(TEXTS[name]) for name in ("script", "ends-all", "formula", "turned")
    )
    content: dict[str, Any] = {
        "schema_version": 1,
        "id": REPORTED,
        "name": turned,
        "notes": [script, turned],
        "model": {"kind": "dense", "name": ends},
        "method": {"training_data": ends},
        "source": {
            "title": script,
            "authors": [f"{ends}, {script}", turned],
            "year": 2024,
            "venue": formula,
            "url": "https://example.org/a?b=%22&c=1",
            "bibtex": f"@misc{{{script},\n title = {{{ends}}}}}",
        },
        "results": [
            {
                "task": "xquad-r",
                "measure": "AP",
                "where": script,
                "provenance": f"seen: {ends}",
                "conditions": turned,
                "decimals": 2,
                "values": {"moir/*": 0.5, "clir/ar-de": 0.25},
            }
        ],
    }
    return tomli_w.dumps(content)
