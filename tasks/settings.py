"""Settings: which query language is asked against which document language.

========  =======================================  ===================
kind      queries and documents                    written
========  =======================================  ===================
``moir``  one language on both sides               ``moir/de-de``
``clir``  two different languages                  ``clir/ar-ru``
``mlir``  documents in a pool of all languages     ``mlir/en-xx``
``mlir``  queries in all languages, the same pool  ``mlir/xx-xx``
========  =======================================  ===================
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from tasks.errors import UnknownNameError
from tasks.languages import POOL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Kind = Literal["moir", "clir", "mlir"]
KINDS: tuple[Kind, ...] = ("moir", "clir", "mlir")
KIND_NAMES = {"moir": "MoIR", "clir": "CLIR", "mlir": "MLIR"}
"""How people write the kinds."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One query side against one document side.

    Attributes:
        kind: ``moir``, ``clir`` or ``mlir``.
        query_languages: Languages whose queries are asked.
        document_languages: Languages whose corpora form the pool that is ranked.
    """

    kind: Kind
    query_languages: tuple[str, ...]
    document_languages: tuple[str, ...]

    @property
    def id(self) -> str:
        """For example ``clir/ar-ru``; a pool of languages is written ``xx``."""
        sides = (self.query_languages, self.document_languages)
        queries, documents = (side[0] if len(side) == 1 else POOL for side in sides)
        return f"{self.kind}/{queries}-{documents}"


def parallel_settings(languages: Sequence[str]) -> tuple[Setting, ...]:
    """The settings of a collection that is parallel in ``languages``.

    n languages give n MoIR, n(n-1) CLIR, n MLIR (one query language against the pool of all)
    and one MLIR setting with all queries against that pool. One language gives one MoIR setting:
    there is no pool of it.
    """
    ordered = tuple(sorted(languages))
    moir = [Setting("moir", (a,), (a,)) for a in ordered]
    if len(ordered) == 1:
        return tuple(moir)
    clir = [Setting("clir", (a,), (b,)) for a in ordered for b in ordered if a != b]
    mlir = [Setting("mlir", (a,), ordered) for a in ordered]
    return (*moir, *clir, *mlir, Setting("mlir", ordered, ordered))


def kind_of(setting_id: str) -> Kind:
    """The kind that a setting's id begins with."""
    name = setting_id.split("/", 1)[0]
    for kind in KINDS:
        if kind == name:
            return kind
    raise UnknownNameError("kind of setting", name, KINDS)


def languages_of(setting_id: str) -> tuple[str, str]:
    """Query and document language of a setting's id; ``xx`` for a pool."""
    queries, _, documents = setting_id.partition("/")[2].partition("-")
    return queries, documents


def in_class_average(setting_id: str) -> bool:
    """Whether a setting counts in the average of its kind.

    ``mlir/xx-xx`` asks the questions of all ``mlir/*-xx`` settings once more, against the same
    pool: it is reported on its own and left out of the MLIR average.
    """
    return languages_of(setting_id)[0] != POOL


def select(ids: Iterable[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """The ids that match at least one of the globs, in the order of ``ids``.

    Args:
        ids: Ids of settings.
        patterns: Globs such as ``clir/*-de``; none selects all.

    Raises:
        UnknownNameError: If a glob matches no setting.
    """
    known = tuple(ids)
    if not patterns:
        return known
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UnknownNameError("setting", pattern, known)
    return tuple(n for n in known if any(fnmatchcase(n, pattern) for pattern in patterns))
