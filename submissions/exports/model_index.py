"""An entry's results as the ``model-index`` of a Hugging Face model card.

The form is that of https://github.com/huggingface/hub-docs/blob/main/modelcard.md: one result a
data set and configuration, here a setting or the average of a class of settings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.question_scores import class_averages, question_scores, setting_means
from tasks.definition import load_definition
from tasks.errors import BabelboardError
from tasks.mteb_names import SCORES, SPLIT, dataset_revision, mteb_score
from tasks.settings import KIND_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.ranks import RankTable
    from submissions.manifest import Manifest


def model_index(manifest: Manifest, tables: Sequence[RankTable], *, averages: bool) -> str:
    """The block of YAML that goes to the head of a model card.

    Args:
        manifest: What the entry says of itself.
        tables: The ranks of its tasks.
        averages: Whether to give the macro averages of the classes, or each setting.
    """
    lines = ["model-index:", f"- name: {_quoted(manifest.name)}", "  results:"]
    for table in tables:
        values = _averages(table) if averages else _means(table)
        revision = dataset_revision(manifest.runs[table.task].data)
        for (config, name), measures in values.items():
            lines += [
                "  - task:",
                "      type: text-retrieval",
                "      name: Retrieval",
                "    dataset:",
                f"      type: {_quoted(table.task)}",
                f"      name: {_quoted(f'{_title(table.task)}, {name}')}",
                f"      config: {_quoted(config)}",
                f"      split: {SPLIT}",
                f"      revision: {_quoted(revision)}",
                "    metrics:",
            ]
            for measure, value in measures.items():
                lines += [
                    f"    - type: {_quoted(metric_type(measure))}",
                    f"      value: {value!r}",
                    f"      name: {_quoted(measure)}",
                ]
    return "\n".join(lines) + "\n"


def metric_type(measure: str) -> str:
    """What model cards call a measure: as mteb does where it has it, ``map`` without a cut-off."""
    if measure in SCORES:
        return SCORES[measure]
    return mteb_score(measure) or measure


def _averages(table: RankTable) -> Mapping[tuple[str, str], Mapping[str, float]]:
    found: dict[tuple[str, str], dict[str, float]] = {}
    for measure in table.measures:
        for kind, average in class_averages(question_scores(table, measure)).items():
            name = f"mean of {average.settings} {KIND_NAMES[kind]} settings"
            found.setdefault((kind, name), {})[measure] = round(average.macro, 10)
    return found


def _means(table: RankTable) -> Mapping[tuple[str, str], Mapping[str, float]]:
    found: dict[tuple[str, str], dict[str, float]] = {}
    for measure in table.measures:
        for setting, mean in setting_means(question_scores(table, measure)).items():
            found.setdefault((setting, setting), {})[measure] = round(mean.mean, 10)
    return found


def _title(task: str) -> str:
    try:
        return load_definition(task)[0].title
    except BabelboardError:  # a task of the user's own
        return task


def _quoted(text: str) -> str:
    """A string as JSON writes it, which YAML reads alike."""
    return json.dumps(text, ensure_ascii=False)
