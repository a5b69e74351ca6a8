"""Which settings of a task a claim is about."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.question_scores import classes
from submissions.claims.language_families import Relation, relation
from submissions.manifest import Line  # noqa: TC001  # pydantic reads it
from tasks.languages import POOL
from tasks.settings import KIND_NAMES, KINDS, kind_of, languages_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from submissions.claims.system import System


class SettingChoice(BaseModel):
    """Some settings of a task; those that all conditions choose.

    Attributes:
        of: ``moir``, ``clir`` or ``mlir`` for those that count in the average of the class; other
            settings as globs.
        without: Globs of settings that are left out.
        pairs: Pairs of near or of far languages; see
            :func:`submissions.claims.language_families.relation`.
        languages: ``seen`` if both systems together were trained on all languages of the setting,
            ``unseen`` if one of its languages is new to both. A pool counts as no language.
        own: Only the setting of the pair that one of the systems was trained for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: Annotated[tuple[Line, ...], Field(min_length=1)]
    without: tuple[Line, ...] = ()
    pairs: Relation | None = None
    languages: Literal["seen", "unseen"] | None = None
    own: bool = False

    @property
    def words(self) -> str:
        """What is chosen, for readers."""
        parts = [KIND_NAMES.get(item, item) for item in self.of]
        text = ", ".join(parts)
        if self.without:
            text += f" without {', '.join(self.without)}"
        if self.pairs:
            text += f", {self.pairs} pairs"
        if self.languages:
            text += f", {self.languages} languages"
        return text + (" of the pair that one was trained for" if self.own else "")

    def among(self, ids: Sequence[str]) -> tuple[str, ...]:
        """The settings of a task that are chosen whatever the systems, in the task's order."""
        averaged = classes(ids)
        named = {name for kind in KINDS if kind in self.of for name in averaged.get(kind, ())}
        return tuple(
            name
            for name in ids
            if (name in named or _matches(name, self.of))
            and not _matches(name, self.without)
            and (self.pairs is None or relation(*languages_of(name)) == self.pairs)
        )

    def of_systems(self, ids: Sequence[str], systems: Sequence[System]) -> tuple[str, ...]:
        """The settings of a task that are chosen for a comparison of systems."""
        chosen = self.among(ids)
        records = [system.record for system in systems]
        if self.languages:
            if any(record is None for record in records):
                return ()
            trained = {code for record in records if record for code in record.languages}
            chosen = tuple(n for n in chosen if _familiarity(n, trained) == self.languages)
        if self.own:
            own = {pair for record in records if record for pair in record.own_pairs}
            chosen = tuple(n for n in chosen if languages_of(n) in own)
        return chosen


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _familiarity(setting: str, trained: Collection[str]) -> str | None:
    codes = [code for code in languages_of(setting) if code != POOL]
    if not codes:
        return None
    return "seen" if all(code in trained for code in codes) else "unseen"


def averages_of(settings: Sequence[str]) -> str:
    """A short name of settings that are averaged: ``clir``, one setting's id, or their number."""
    if len(settings) == 1:
        return settings[0]
    kinds = sorted({kind_of(name) for name in settings}, key=KINDS.index)
    return f"{len(settings)} {' and '.join(KIND_NAMES[kind] for kind in kinds)} settings"
