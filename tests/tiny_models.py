"""Tiny checkpoints of each architecture: BERT over bytes, random weights from a seed.

Bytes cover every script without [UNK], so that a text has one token a byte, and the special ones.
Each function writes a folder as sentence-transformers saves it, weights as safetensors, and
returns it. The same arguments give the same weights. A backbone as transformers saves it is left
beside the folder, as ``<folder>-backbone``. It needs the extra ``score``.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from sentence_transformers import (
    CrossEncoder,
    MultiVectorEncoder,
    SentenceTransformer,
    SparseEncoder,
)
from sentence_transformers.base.modules import Dense, Normalize, Router, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from sentence_transformers.sentence_transformer.modules import Pooling
from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEED = 20260101
DIMENSION = 32
POSITIONS = 512
SPECIAL = {f"{role}_token": f"[{role.upper()}]" for role in ("pad", "unk", "cls", "sep", "mask")}
# What a causal reranker answers with, and how ColBERT marks queries and documents.
WORDS = ("yes", "no", "[Q]", "[D]")


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer with one token a byte, and ``WORDS``; BERT's special tokens around a text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*SPECIAL.values(), *alphabet, *WORDS]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=POSITIONS,
        additional_special_tokens=["[Q]", "[D]"],
        **SPECIAL,
    )


def write_dense(folder: Path, *, tokens: int = 64, **settings: Any) -> Path:
    """An encoder: mean pooling, unit length, cosine.

    Args:
        folder: Where to write.
        tokens: Texts are cut after so many.
        settings: For SentenceTransformer, such as ``prompts``.
    """
    settings.setdefault("similarity_fn_name", "cosine")
    modules = [
        Transformer(str(_bert(folder, BertModel)), max_seq_length=tokens),
        Pooling(DIMENSION, pooling_mode="mean"),
        Normalize(),
    ]
    return _saved(SentenceTransformer(modules=modules, device="cpu", **settings), folder)


def write_cross_encoder(
    folder: Path, *, labels: int = 1, tokens: int = 128, **settings: Any
) -> Path:
    """BertForSequenceClassification, which reads query and document as a pair.

    Args:
        folder: Where to write.
        labels: Number of logits.
        tokens: Pairs are cut after so many.
        settings: For CrossEncoder, such as ``prompts`` or ``activation_fn``.
    """
    backbone = _bert(folder, BertForSequenceClassification, num_labels=labels)
    model = CrossEncoder(str(backbone), device="cpu", max_length=tokens, **settings)
    return _saved(model, folder)


def write_causal_reranker(folder: Path, **settings: Any) -> Path:
    """A causal language model whose score is the log-odds of "yes" against "no"."""
    tokenizer = byte_tokenizer()
    with _seeded():
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=DIMENSION,
                num_hidden_layers=1,
                num_attention_heads=2,
                num_key_value_heads=2,
                intermediate_size=2 * DIMENSION,
                max_position_embeddings=POSITIONS,
                initializer_range=0.2,
                pad_token_id=tokenizer.pad_token_id,
                bos_token_id=tokenizer.cls_token_id,
                eos_token_id=tokenizer.sep_token_id,
            )
        )
    backbone = folder.with_name(f"{folder.name}-backbone")
    model.save_pretrained(backbone)
    tokenizer.save_pretrained(backbone)
    return _saved(CrossEncoder(str(backbone), device="cpu", **settings), folder)


def write_late_interaction(
    folder: Path, *, dimension: int = 16, expand_to: int | None = 24, **settings: Any
) -> Path:
    """A ColBERT: a linear layer over the tokens, markers, a skip-list, queries expanded by [MASK].

    Args:
        folder: Where to write.
        dimension: Length of a token's vector.
        expand_to: Tokens that a query is padded to; None for no expansion, and a limit of 24.
        settings: For MultiVectorEncoder, such as ``prompts`` or ``similarity_fn_name``.
    """
    settings.setdefault("prompts", {"query": "[Q] ", "document": "[D] "})
    expansion = {"strategy": "fixed", "length": expand_to, "attend": False}
    transformer = Transformer(
        str(_bert(folder, BertModel)),
        query_length=24,
        document_length=64,
        query_expansion=expansion if expand_to else None,  # type: ignore[arg-type]
    )
    with _seeded():
        linear = Dense(
            DIMENSION,
            dimension,
            bias=False,
            activation_function=torch.nn.Identity(),
            module_input_name="token_embeddings",
        )
    modules = [
        transformer,
        linear,
        MultiVectorMask(skiplist_words=list(".,!?")),
        Normalize(module_input_name="token_embeddings"),
    ]
    return _saved(MultiVectorEncoder(modules=modules, device="cpu", **settings), folder)


def write_sparse(folder: Path, *, tokens: int = 64, **settings: Any) -> Path:
    """SPLADE: a masked language model, max pooling over log(1 + relu(logits)).

    About a tenth of the vocabulary is active in a text.
    """
    transformer = _masked_language_model(folder, tokens)
    modules = [transformer, SpladePooling(pooling_strategy="max")]
    return _saved(SparseEncoder(modules=modules, device="cpu", **settings), folder)


def write_inference_free_sparse(folder: Path, *, tokens: int = 64, **settings: Any) -> Path:
    """SPLADE for documents; a query is the weights of its tokens, looked up."""
    transformer = _masked_language_model(folder, tokens)
    tokenizer = transformer.tokenizer
    weights = torch.linspace(0.5, 2.0, len(tokenizer))
    weights[tokenizer.all_special_ids] = 0.0  # they are in every query
    router = Router.for_query_document(
        query_modules=[SparseStaticEmbedding(tokenizer, weight=weights, frozen=True)],
        document_modules=[transformer, SpladePooling(pooling_strategy="max")],
    )
    return _saved(SparseEncoder(modules=[router], device="cpu", **settings), folder)


@contextmanager
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        yield


def _bert(folder: Path, architecture: type, **config: Any) -> Path:
    """Writes a BERT with its tokenizer beside the folder, as transformers saves it."""
    tokenizer = byte_tokenizer()
    with _seeded():
        model = architecture(
            BertConfig(
                vocab_size=len(tokenizer),
                hidden_size=DIMENSION,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=2 * DIMENSION,
                max_position_embeddings=POSITIONS,
                initializer_range=0.2,  # wide enough for texts to get different outputs
                **config,
            )
        )
    if architecture is BertForMaskedLM:
        torch.nn.init.constant_(model.cls.predictions.bias, -3.0)  # keeps most terms at zero
    backbone = folder.with_name(f"{folder.name}-backbone")
    model.save_pretrained(backbone)
    tokenizer.save_pretrained(backbone)
    return backbone


def _masked_language_model(folder: Path, tokens: int) -> Transformer:
    return Transformer(
        str(_bert(folder, BertForMaskedLM)), transformer_task="fill-mask", max_seq_length=tokens
    )


def _saved(model: Any, folder: Path) -> Path:
    model.save_pretrained(str(folder), create_model_card=False)
    return folder
