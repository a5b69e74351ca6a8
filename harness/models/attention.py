"""Which implementation of attention a model may compute with."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch

from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.models.encoder_options import Attention, DType


def check_attention(
    attention: Attention | None, dtype: DType, devices: Sequence[str | None]
) -> None:
    """Refuses FlashAttention where it cannot run, and says what is missing.

    Args:
        attention: What was asked for; None for what transformers takes by itself.
        dtype: Number format of the model.
        devices: Where it runs; None for the best there is.

    Raises:
        ModelError: If it cannot run.
    """
    if attention != "flash_attention_2":
        return
    missing = []
    if find_spec("flash_attn") is None:
        missing.append("the package flash-attn")
    if not torch.cuda.is_available() or any(
        device is not None and not device.startswith("cuda") for device in devices
    ):
        missing.append("a CUDA device")
    if dtype == "float32":
        missing.append("--dtype bfloat16 or float16")
    if missing:
        raise ModelError(
            f"--attention flash_attention_2 needs {', '.join(missing)}. "
            "--attention sdpa runs everywhere."
        )
