"""Settings: which query language is asked against which document language.

========  =======================================  ===================
kind      queries and documents                    written
========  =======================================  ===================
``moir``  one language on both sides               ``moir/de-de``
``clir``  two different languages                  ``clir/ar-ru``
``mlir``  documents in a pool of all languages     ``mlir/en-xx``
``mlir``  queries in all languages, the same pool  ``mlir/xx-xx``
``mlir``  queries in all languages, one corpus     ``mlir/xx-en``
========  =======================================  ===================

Where a task draws one language for each question and each passage, ``xx`` asks each question in
its language and holds each passage in its language.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from tasks.errors import UnknownNameError, UsageError
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


def monolingual_and_pool_settings(languages: Sequence[str]) -> tuple[Setting, ...]:
    """Settings of a collection whose questions are each in one language only.

    n languages give n MoIR settings and n MLIR, one query language against the pool of all.
    """
    ordered = tuple(sorted(languages))
    moir = tuple(Setting("moir", (a,), (a,)) for a in ordered)
    if len(ordered) == 1:
        return moir
    return (*moir, *(Setting("mlir", (a,), ordered) for a in ordered))


def pair_settings(languages: Sequence[str]) -> tuple[Setting, ...]:
    """Every query language against every document language: n MoIR and n(n-1) CLIR settings."""
    return tuple(setting for setting in parallel_settings(languages) if setting.kind != "mlir")


def listed_settings(ids: Iterable[str], languages: Sequence[str]) -> tuple[Setting, ...]:
    """The settings that are listed by their ids; ``xx`` stands for all ``languages``.

    Raises:
        UsageError: If an id has another form, its kind does not fit its sides, or it occurs
            twice.
        UnknownNameError: If a kind or a language is not known.
    """
    ordered = tuple(sorted(languages))
    settings: dict[str, Setting] = {}
    for name in ids:
        kind, sides = kind_of(name), languages_of(name)
        if name != f"{kind}/{sides[0]}-{sides[1]}":
            raise UsageError(f"A setting is written KIND/QUERIES-DOCUMENTS, found {name!r}.")
        for code in sides:
            if code not in (*ordered, POOL):
                raise UnknownNameError(f"language in {name!r}", code, (*ordered, POOL))
        same = "moir" if sides[0] == sides[1] else "clir"
        if kind != ("mlir" if POOL in sides else same):
            raise UsageError(
                f"{name!r}: moir has one language on both sides, clir two languages, "
                f"mlir {POOL} on one side or both."
            )
        if name in settings:
            raise UsageError(f"The setting {name!r} is listed twice.")
        queries, documents = (ordered if code == POOL else (code,) for code in sides)
        settings[name] = Setting(kind, queries, documents)
    return tuple(settings.values())


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


def counted_in_average(ids: Iterable[str]) -> tuple[str, ...]:
    """The settings of a list that count in the average of their kind.

    ``mlir/xx-xx`` is left out where two or more settings ``mlir/LANGUAGE-xx`` are in the list:
    it asks their queries once more, against the same pool.
    """
    listed = tuple(ids)
    single = [
        name
        for name in listed
        if name.startswith("mlir/")
        and languages_of(name)[0] != POOL
        and languages_of(name)[1] == POOL
    ]
    repeated = f"mlir/{POOL}-{POOL}" if len(single) > 1 else None
    return tuple(name for name in listed if name != repeated)


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
