"""An entry's results as mteb writes them: a TaskResult in JSON, one a task.

The settings are mteb's subsets. Every score that mteb gives a retrieval task and that follows
from the ranks is there, at mteb's cut-offs and the task's own: nDCG, AP, RR, recall, precision
and hit rate. The ``nAUC`` scores are not: they need the scores of all documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.question_scores import question_scores, setting_means
from submissions.exports.setting_languages import settings_of
from tasks.mteb_names import (
    SCORES,
    SPLIT,
    dataset_revision,
    main_score,
    mteb_cutoffs,
    mteb_languages,
    mteb_name,
)

if TYPE_CHECKING:
    from harness.ranks import RankTable
    from submissions.manifest import RunPart


def file_name(task: str) -> str:
    """What mteb names the file of a task's results."""
    return f"{mteb_name(task)}.json"


def task_result(table: RankTable, run: RunPart) -> dict[str, Any]:
    """The content of a TaskResult.

    Args:
        table: The ranks of a task, of the settings that are wanted.
        run: What the entry says of them.
    """
    by_setting: dict[str, dict[str, Any]] = {name: {} for name in table.setting.names}
    for kind, name in SCORES.items():
        for cutoff in mteb_cutoffs(table.measures):
            means = setting_means(question_scores(table, f"{kind}@{cutoff}"))
            for setting, mean in means.items():
                by_setting[setting][f"{name}_at_{cutoff}"] = round(mean.mean, 10)
    version = run.versions.get("mteb")
    main = main_score(table.primary_measure)
    return {
        "dataset_revision": dataset_revision(run.data),
        "task_name": mteb_name(table.task),
        "mteb_version": version,
        "scores": {
            SPLIT: [
                {
                    **by_setting[setting.id],
                    "main_score": by_setting[setting.id][main],
                    "hf_subset": setting.id,
                    "languages": mteb_languages(setting),
                    "mteb_version": version,
                }
                for setting in settings_of(table)
            ]
        },
        "evaluation_time": None,
        "kg_co2_emissions": None,
        "date": None,
    }
