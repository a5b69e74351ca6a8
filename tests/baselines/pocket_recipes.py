"""The project's own recipes on the text of ``pocket``: all is real but the data and the words."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import tasks
from submissions.cli.baselines import RECIPES
from tasks.languages import NAMES

POCKET = Path(tasks.__file__).parent / "pocket"
# The files that the recipes name, and the languages of pocket that stand in for them.
NATIVE = {
    "arcd/arcd-train.json": "ar",
    "arcd/arcd-test.json": "ar",
    "cmrc2018/cmrc2018_dev.json": "zh",
    "drcd/DRCD_dev.json": "zh",
    "drcd/DRCD_test.json": "zh",
}
LANGUAGES = ("ar", "de", "es", "hi", "ru", "th", "tr", "zh")


def write_data(folder: Path) -> Path:
    """A data folder as the recipes expect it; the words of its lexicons are made up."""
    pairs = []
    for article in json.loads((POCKET / "en.json").read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                start = asked["answers"][0]["answer_start"]
                spans = zip(paragraph["sentences"], paragraph["sentence_breaks"], strict=True)
                answer = next(text for text, (begin, end) in spans if begin <= start < end)
                pairs.append({"id": asked["id"], "query": asked["question"], "positive": answer})
    lines = "".join(json.dumps(pair) + "\n" for pair in pairs)
    _write(folder / "train" / "squad.en.jsonl", lines)
    for number, (name, language) in enumerate(NATIVE.items()):
        content = json.loads((POCKET / f"{language}.json").read_text("utf-8"))
        for asked in (q for a in content["data"] for p in a["paragraphs"] for q in p["qas"]):
            asked["id"] += f"-{number}"
        _write(folder / "native-qa" / name, json.dumps(content))
    words = sorted({word.lower() for word in re.findall(r"[A-Za-z]+", lines)})
    for code in LANGUAGES:
        entries = "".join(f"{word}\t{code}{word}\n" for word in words)
        _write(folder / "lexicons" / "muse" / f"en-{code}.txt", entries)
        _write(folder / "lexicons" / "wiktionary" / f"{NAMES[code].lower()}.txt", entries)
        names = "".join(f"{word.title()}\t{code}{word}\n" for word in words[::5])
        _write(folder / "lexicons" / "wikidata-names" / f"en-{code}.tsv", names)
    return folder


def write_recipes(folder: Path) -> Path:
    """The recipes without what they say of the content of their files."""
    shutil.copytree(RECIPES, folder)
    for path in folder.glob("*.toml"):
        content = path.read_text("utf-8")
        content = re.sub(r"^leave_out = \[[^]]*\]\n|^sha256 = .*\n", "", content, flags=re.M)
        path.write_text(content, "utf-8")
    return folder


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
