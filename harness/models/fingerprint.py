"""The key of what a model made of a text: whatever decides it, besides the text."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.models.description import ModelDescription, Role


def fingerprint(
    description: ModelDescription, prompt: str, role: Role | None, without: Collection[str]
) -> str:
    """sha256, in hexadecimal digits.

    Args:
        description: The model.
        prompt: What is put before the text.
        role: The text's role; None if the model treats both alike.
        without: Settings that do not change what the model makes of a text with its prompt.
    """
    settings = {k: v for k, v in description.settings.items() if k not in without}
    content = {
        "kind": description.kind,
        # A digest says what the files hold, whatever the folder is called.
        "name": description.name if description.digest is None else None,
        "revision": description.revision,
        "digest": description.digest,
        "settings": settings,
        "prompt": prompt,
        "role": role,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
