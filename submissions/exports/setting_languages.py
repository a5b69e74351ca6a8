"""The languages of the settings that an entry was scored in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tasks.collection import document_language
from tasks.definition import load_definition
from tasks.errors import BabelboardError
from tasks.settings import Setting, kind_of

if TYPE_CHECKING:
    from harness.ranks import RankTable


def settings_of(table: RankTable) -> tuple[Setting, ...]:
    """The settings of a rank table, in its order.

    Those of a task of the catalogue are in its definition; of a task of the user's own, whose
    definition is not at hand, the languages are those of the queries and the judged documents.
    """
    try:
        known = {setting.id: setting for setting in load_definition(table.task)[0].all_settings()}
    except BabelboardError:
        known = {}
    if not set(table.setting.names) <= set(known):
        return _settings_seen(table)
    return tuple(known[name] for name in table.pool_sizes if name in set(table.setting.names))


def _settings_seen(table: RankTable) -> tuple[Setting, ...]:
    language = np.array([document_language(name) for name in table.document.names])
    found = {}
    for number, name in enumerate(table.setting.names):
        rows = np.flatnonzero(table.setting.codes == number)
        queries = {
            table.query_language.names[code]
            for code in np.unique(table.query_language.codes[rows]).tolist()
        }
        documents = set(language[np.unique(table.document.codes[rows])].tolist())
        found[name] = Setting(kind_of(name), tuple(sorted(queries)), tuple(sorted(documents)))
    return tuple(found[name] for name in table.pool_sizes if name in found)
