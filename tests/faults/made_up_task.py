"""A task of three questions in two languages, whose answers can be other ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TASK = """\
schema_version = 1
name = "own"
title = "My own"
summary = "A few questions in two languages."
source = "squad-r"
protocol = "full"
settings = "parallel"
measures = ["AP", "RR@10"]
primary_measure = "AP"
licence = "CC0 1.0"
homepage = "https://example.org/own"
citation = ""
folder = "texts"

[files.de]
name = "de.json"

[files.en]
name = "en.json"
"""
TEXTS = {
    "de": ("Gras wirkt grün.", "Schnee wirkt weiß.", "Kohle wirkt schwarz.", "Blut wirkt rot."),
    "en": ("Grass looks green.", "Snow looks white.", "Coal looks black.", "Blood looks red."),
}


def write_task(folder: Path, *, turn: int) -> Path:
    """Writes the task; another ``turn`` gives each question another sentence as its answer."""
    (folder / "texts").mkdir(parents=True, exist_ok=True)
    for language, sentences in TEXTS.items():
        context = " ".join(sentences)
        starts = [context.index(sentence) for sentence in sentences]
        breaks = [[start, start + len(one)] for start, one in zip(starts, sentences, strict=True)]
        questions = []
        for number in range(len(sentences)):
            right = (number + turn) % len(sentences)
            answer = {"text": sentences[right][:-1], "answer_start": starts[right]}
            asked = sentences[number].replace(".", "?")
            questions.append({"id": f"q{number}", "question": asked, "answers": [answer]})
        paragraph = {
            "context": context,
            "qas": questions,
            "sentences": sentences,
            "sentence_breaks": breaks,
        }
        content = {"version": "1", "data": [{"title": "Colours", "paragraphs": [paragraph]}]}
        (folder / "texts" / f"{language}.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "own.toml").write_text(TASK, encoding="utf-8")
    return folder / "own.toml"
