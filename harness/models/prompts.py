"""What is put before a text, by its role: what the user says, else what the model declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.models.description import Role
    from harness.models.encoder_options import EncoderOptions

DOCUMENT_PROMPTS = ("document", "passage", "corpus")
"""What models call the prompt of a document; the first that is declared is taken."""


def chosen_prompts(declared: Mapping[str, str | None], options: EncoderOptions) -> dict[Role, str]:
    """The prompt of each role; empty for none.

    Args:
        declared: The model's own, as sentence-transformers names them.
        options: What replaces them.
    """
    document = next((prompt for p in DOCUMENT_PROMPTS if (prompt := declared.get(p))), "")
    return {
        "query": options.query_prompt
        if options.query_prompt is not None
        else declared.get("query") or "",
        "document": options.document_prompt if options.document_prompt is not None else document,
    }
