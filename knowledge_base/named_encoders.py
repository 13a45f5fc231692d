"""The encoder and the reranker that settings name; those from Hugging Face need the extra ``transformers``.

``hf:`` is followed by a local directory or by a name on the Hugging Face hub, which is downloaded once. Folders in the
layout of sentence-transformers bring their own pooling and prompts; of any other model the token vectors are averaged.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from knowledge_base.encoder import E5Encoder, Encoder, Vectors
from knowledge_base.errors import EncoderUnavailable
from knowledge_base.wording import fold

_LONGEST = 512  #: tokens, unless the model's folder says fewer
_TOGETHER = 32  #: texts in one pass
_POOLINGS = ("cls_token", "mean_tokens", "max_tokens", "lasttoken")


class MissingEncoder:
    """Stands for an encoder that cannot be loaded any more: every text is as far from everything."""

    def __init__(self, name: str, dimensions: int) -> None:
        self.name = name
        self.dimensions = dimensions

    def questions(self, texts: Sequence[str]) -> Vectors:
        """Rows of zeros, which searches know to leave out."""
        return np.zeros((len(texts), self.dimensions), dtype=np.float32)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Rows of zeros, which searches know to leave out."""
        return self.questions(texts)


class HuggingFaceEncoder:
    """A sentence encoder that ``transformers`` reads; raises ``EncoderUnavailable`` saying what to do if it cannot."""

    def __init__(self, model: str) -> None:
        self._tokenizer, self._model = _load(model, "AutoModel")
        files = _Files(model)
        self._pooling = files.pooling()
        self._longest = files.longest(_LONGEST)
        self._prefixes = files.prefixes()
        self.name = f"hf:{Path(model).name}-{files.fingerprint()}"
        self.dimensions = int(self._model.config.hidden_size)
        self._lock = threading.Lock()

    def questions(self, texts: Sequence[str]) -> Vectors:
        """Rows on the asking side."""
        return self._rows([self._prefixes[0] + fold(text) for text in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Rows on the answering side."""
        return self._rows([self._prefixes[1] + fold(text) for text in texts])

    def _rows(self, texts: list[str]) -> Vectors:
        rows = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for first in range(0, len(texts), _TOGETHER):
            rows[first : first + _TOGETHER] = self._encode(texts[first : first + _TOGETHER])
        return rows

    def _encode(self, texts: list[str]) -> Vectors:
        import torch

        with self._lock, torch.inference_mode():
            batch = self._tokenizer(texts, padding=True, truncation=True, max_length=self._longest, return_tensors="pt")
            states = self._model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            if self._pooling == "cls_token":
                pooled = states[:, 0]
            elif self._pooling == "max_tokens":
                pooled = states.masked_fill(mask == 0, float("-inf")).max(1).values
            elif self._pooling == "lasttoken":
                last = (mask.squeeze(-1).cumsum(1) * mask.squeeze(-1)).argmax(1)
                pooled = states[torch.arange(len(texts)), last]
            else:
                weights = mask.to(states.dtype)
                pooled = (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
            # Cosines are what the index compares, so rows have length one whether the folder asks for it or not.
            rows = torch.nn.functional.normalize(pooled.float(), dim=1)
        return np.asarray(rows.numpy(), dtype=np.float32)


class Reranker:
    """A cross-encoder: reads question and passage together and says how well they fit."""

    def __init__(self, model: str) -> None:
        self._tokenizer, self._model = _load(model, "AutoModelForSequenceClassification")
        files = _Files(model)
        self._longest = files.longest(_LONGEST)
        self.name = f"hf:{Path(model).name}-{files.fingerprint()}"
        self._lock = threading.Lock()

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """One score per passage; higher fits better, and only their order means something."""
        import torch

        if not passages:
            return []
        with self._lock, torch.inference_mode():
            batch = self._tokenizer(
                [question] * len(passages),
                list(passages),
                padding=True,
                truncation="longest_first",
                max_length=self._longest,
                return_tensors="pt",
            )
            logits = self._model(**batch).logits.float()
        # One output is the score itself; of several, the last is the class "fits".
        scores: list[float] = (logits[:, -1] if logits.shape[1] == 1 else logits.log_softmax(1)[:, -1]).tolist()
        return scores


class _Files:
    """The small files beside a model's weights, local or on the hub."""

    def __init__(self, model: str) -> None:
        self._model = model

    def pooling(self) -> str:
        """How token vectors become one; raises ``EncoderUnavailable`` for a way that is not built here."""
        modules = self._read("modules.json")
        paths = {
            str(module.get("type", "")).rpartition(".")[2]: str(module.get("path", "")) for module in modules or ()
        }
        unknown = sorted(paths.keys() - {"Transformer", "Pooling", "Normalize"})
        if unknown:
            raise EncoderUnavailable(
                f"the model {self._model!r} has a layer {unknown[0]!r} that is not supported; choose a model that ends "
                "with pooling"
            )
        config = self._read(f"{paths['Pooling']}/config.json") if "Pooling" in paths else None
        if not config:
            return "mean_tokens"
        chosen = [name.removeprefix("pooling_mode_") for name, on in config.items() if "pooling_mode_" in name and on]
        if config.get("pooling_mode"):
            chosen = [
                {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens"}.get(str(config["pooling_mode"]), "?")
            ]
        if len(chosen) != 1 or chosen[0] not in _POOLINGS:
            raise EncoderUnavailable(
                f"the model {self._model!r} pools by {', '.join(chosen) or 'nothing'}; supported are {', '.join(_POOLINGS)}"
            )
        pooling: str = chosen[0]
        return pooling

    def longest(self, most: int) -> int:
        """How many tokens the model was made for."""
        settings = self._read("sentence_bert_config.json") or {}
        config = self._read("config.json") or {}
        limits = [settings.get("max_seq_length"), config.get("max_position_embeddings"), most]
        return min(int(limit) for limit in limits if limit)

    def prefixes(self) -> tuple[str, str]:
        """What is put before questions and before passages."""
        prompts = (self._read("config_sentence_transformers.json") or {}).get("prompts") or {}
        question = prompts.get("query") or ""
        passage = prompts.get("passage") or prompts.get("document") or ""
        if not (question or passage) and "e5" in Path(self._model).name.lower():
            return "query: ", "passage: "  # this family was trained with them and does not say so in a file
        return str(question), str(passage)

    def fingerprint(self) -> str:
        """Changes when another model is put under the same name."""
        known = [self._read(name) for name in ("config.json", "modules.json", "config_sentence_transformers.json")]
        folder = Path(self._model)
        weights = sorted(folder.glob("*.safetensors")) + sorted(folder.glob("*.bin")) if folder.is_dir() else []
        sizes = [(path.name, path.stat().st_size) for path in weights]
        return f"{zlib.crc32(json.dumps([known, sizes], sort_keys=True).encode()):08x}"

    def _read(self, name: str) -> Any:
        from transformers.utils import cached_file

        try:
            path = cached_file(
                self._model,
                name,
                _raise_exceptions_for_missing_entries=False,
                _raise_exceptions_for_connection_errors=False,
            )
            return json.loads(Path(path).read_text(encoding="utf-8")) if path else None
        except (OSError, ValueError):
            return None


def _load(model: str, kind: str) -> tuple[Any, Any]:
    if find_spec("transformers") is None or find_spec("torch") is None:
        raise EncoderUnavailable(
            f"hf:{model} needs transformers and torch; install the extra with `uv pip install '.[transformers]'`"
        )
    import transformers

    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(model)
        loaded = getattr(transformers, kind).from_pretrained(model).eval()
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise EncoderUnavailable(
            f"no model can be loaded from hf:{model} ({reason}); give the path of a model's folder, or a name on the "
            "Hugging Face hub and a connection to it"
        ) from None
    return tokenizer, loaded


def passage_encoder(name: str) -> Encoder:
    """The encoder a setting names: ``e5`` (the default) or ``hf:`` with the path or the name of a model."""
    if name in ("", "e5"):
        return E5Encoder()
    if name.startswith("hf:") and len(name) > 3:
        return HuggingFaceEncoder(name[3:])
    raise EncoderUnavailable(f"the encoder {name!r} is not known; use 'e5' or 'hf:' with a path or name of a model")


def reranker_named(name: str) -> Reranker:
    """The reranker a setting names: ``hf:`` with the path or the name of a cross-encoder."""
    if name.startswith("hf:") and len(name) > 3:
        return Reranker(name[3:])
    raise EncoderUnavailable(f"the reranker {name!r} is not known; use 'hf:' with a path or name of a cross-encoder")
