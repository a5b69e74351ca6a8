"""Models that installed Python packages carry."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def packaged_models(package: str) -> list[Path] | None:
    """Folders of the models in a package, sorted; none of its code runs.

    Returns:
        None if there is no such package.
    """
    found = importlib.util.find_spec(package) if package.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        return None
    root = Path(next(iter(found.submodule_search_locations)))
    return sorted(path.parent for path in root.rglob("modules.json"))
