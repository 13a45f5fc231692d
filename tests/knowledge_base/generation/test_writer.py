"""A phrased answer is given only when everything about it is right; otherwise the trace says why not."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from knowledge_base.articles import Passage
from knowledge_base.generation.endpoint import ChatEndpoint
from knowledge_base.generation.faithfulness import Cited, FaithfulnessChecker
from knowledge_base.generation.prompt_store import Author, PromptStore
from knowledge_base.generation.prompts import Said, check_prompt
from knowledge_base.generation.writer import AnswerWriter, Request, Written, read_sentences, usable_passages
from knowledge_base.knowledge_base import Hit
from tests.knowledge_base.generation.conftest import KEY
from tests.knowledge_base.generation.model_double import ModelDouble, Reply, completion, failure, sentences

RETURNS = Passage(
    "returns",
    "en",
    "intro-1",
    "Returns",
    (),
    "Unopened products can be returned within 7 days of delivery. Opened earbuds cannot be returned.",
    "v7",
    0,
)
DELIVERY = Passage("delivery", "en", "intro-1", "Delivery", (), "Delivery in the UK takes 6 to 10 days.", "v1", 0)
TRUE = "You can return unopened products within 7 days of delivery."
FALSE = "You can return unopened products within 30 days of delivery."


def request(
    *hits: tuple[Passage, float], question: str = "Can I return it?", seconds: float = 5.0, **more: str
) -> Request:
    found = [Hit(passage, score) for passage, score in hits or ((RETURNS, 0.9), (DELIVERY, 0.5))]
    return Request(question, "en", found, seconds, **more)


async def test_a_supported_answer_is_given_with_the_passages_that_say_it(
    model: ModelDouble, writer: AnswerWriter
) -> None:
    model.will(
        completion(
            json.dumps(
                {
                    "sentences": [
                        {"text": TRUE, "passages": ["p1"]},
                        {"text": "Delivery in the UK takes 6 to 10 days.", "passages": ["p2"]},
                    ]
                }
            )
        )
    )
    written = await writer.write(request())
    assert written.text == f"{TRUE} Delivery in the UK takes 6 to 10 days."
    assert [one.passage_id for one in written.citations] == [RETURNS.id, DELIVERY.id]
    assert written.citations[0].quote == "Unopened products can be returned within 7 days of delivery."
    trace = written.trace
    assert (trace["used"], trace["reason"], trace["model"]) == ("generated", None, "double-1")
    assert trace["prompt"] == {"name": "answer_en", "version": 1}
    assert [one["passage_id"] for one in trace["passages"]] == [RETURNS.id, DELIVERY.id]
    assert trace["passages"][0]["version"] == "v7"
    assert [one["supported"] for one in trace["sentences"]] == [True, True]
    assert set(trace["timings_ms"]) == {"model", "check", "total"}
    assert "Can I return it?" in trace["messages"][1]["content"]


async def test_one_unsupported_sentence_spoils_the_answer_and_the_trace_says_which(
    model: ModelDouble, writer: AnswerWriter
) -> None:
    model.will(sentences(TRUE, FALSE))
    written = await writer.write(request())
    assert written.text is None
    assert written.citations == ()
    assert written.trace["reason"] == "unsupported_number"
    assert [(one["supported"], one["detail"]) for one in written.trace["sentences"]] == [(True, ""), (False, "30 days")]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (completion("Sure! You can return it."), "not_json"),
        (completion('{"sentences": [{"text": "You can'), "not_json"),
        (completion('["text"]'), "not_as_asked"),
        (completion('{"sentences": "text"}'), "not_as_asked"),
        (completion('{"sentences": [{"text": "x"}]}'), "not_as_asked"),
        (completion('{"sentences": [{"text": "x", "passages": [1]}]}'), "not_as_asked"),
        (completion('{"sentences": [{"text": " ", "passages": ["p1"]}]}'), "not_as_asked"),
        (completion('{"sentences": []}'), "model_has_no_answer"),
        (completion(json.dumps({"sentences": [{"text": TRUE, "passages": ["p1"]}] * 9})), "too_long"),
        (completion("[" * 100_000), "not_json"),
        (sentences(TRUE, passages=[]), "unsupported_no_passage"),
        (sentences(TRUE, passages=["p7"]), "unsupported_unknown_passage"),
        (failure(401), "status_401"),
        (failure(429, retry_after="30"), "status_429"),
        (failure(503), "status_503"),
        (completion("half", finish="length"), "cut_off"),
        (Reply(body=b"nonsense"), "not_as_documented"),
    ],
)
async def test_whatever_goes_wrong_has_a_reason_and_no_answer(
    model: ModelDouble, writer: AnswerWriter, reply: Reply, reason: str
) -> None:
    model.will(reply)
    written = await writer.write(request())
    assert (written.text, written.trace["used"], written.trace["reason"]) == (None, "extractive", reason)
    assert KEY not in json.dumps(written.trace)


async def test_a_json_answer_in_a_code_fence_is_read(model: ModelDouble, writer: AnswerWriter) -> None:
    model.will(completion("```json\n" + json.dumps({"sentences": [{"text": TRUE, "passages": ["p1"]}]}) + "\n```"))
    assert (await writer.write(request())).text == TRUE


async def test_a_slow_model_leaves_time_to_quote(model: ModelDouble, writer: AnswerWriter) -> None:
    late = sentences(TRUE)
    late.seconds = 1.2
    model.will(late)
    assert (await writer.write(request(seconds=1.0))).trace["reason"] == "timeout"
    assert (await writer.write(request(seconds=0.2))).trace["reason"] == "no_time"


async def test_without_an_endpoint_the_prompt_is_filled_in_all_the_same(
    prompts: PromptStore, checker: FaithfulnessChecker
) -> None:
    written = await AnswerWriter(None, prompts, checker).write(request())
    assert written.trace["reason"] == "no_endpoint"
    assert RETURNS.text in written.trace["messages"][1]["content"]


async def test_the_version_in_use_is_the_one_that_is_sent(
    model: ModelDouble, writer: AnswerWriter, prompts: PromptStore
) -> None:
    model.will(sentences(TRUE))
    await prompts.save(check_prompt("answer_en", "Version two. {{question}} {{passages}}", {}), Author("1", "Lin"))
    await writer.write(request())
    assert "Version two." not in model.prompts[-1]
    await prompts.activate("answer_en", 2, Author("1", "Lin"))
    written = await writer.write(request())
    assert "Version two." in model.prompts[-1]
    assert written.trace["prompt"]["version"] == 2
    draft = check_prompt("answer_en", "A draft. {{question}} {{passages}}", {})
    assert (await writer.write(request(), draft)).trace["prompt"]["version"] == 0
    assert "A draft." in model.prompts[-1]


async def test_passages_that_fit_far_worse_are_not_sent() -> None:
    kept = usable_passages([Hit(RETURNS, 0.8), Hit(DELIVERY, 0.1)])
    assert [passage.article_id for passage, _ in kept] == ["returns"]
    assert usable_passages([]) == []


async def test_numbers_and_addresses_of_the_customer_stay_here(
    model: ModelDouble, endpoint: ChatEndpoint, prompts: PromptStore, checker: FaithfulnessChecker
) -> None:
    async def history(conversation_id: str, message_id: str) -> Sequence[Said]:
        assert (conversation_id, message_id) == ("c1", "t1")
        return [Said("contact", "my phone is +44 7700 900123"), Said("bot", "Thank you.")]

    model.will(sentences(TRUE))
    writer = AnswerWriter(endpoint, prompts, checker, history=history)
    question = "Order KT20260001, card 6222 0212 3456 7890, lin@kite.example: can I return it within 7 days for £50?"
    await writer.write(request(question=question, conversation_id="c1", turn_id="t1"))
    sent = model.prompts[-1]
    for private in ("20260001", "7890", "lin@kite", "900123"):
        assert private not in sent
    assert "within 7 days for £50" in sent
    assert "bot: Thank you." in sent


async def test_a_history_that_cannot_be_read_is_left_out(
    model: ModelDouble, endpoint: ChatEndpoint, prompts: PromptStore, checker: FaithfulnessChecker
) -> None:
    async def history(conversation_id: str, message_id: str) -> Sequence[Said]:
        raise ConnectionError("the database is gone")

    model.will(sentences(TRUE))
    writer = AnswerWriter(endpoint, prompts, checker, history=history)
    assert (await writer.write(request(conversation_id="c1"))).text == TRUE


async def test_steps_stand_on_lines_of_their_own(model: ModelDouble, writer: AnswerWriter) -> None:
    steps = Passage("pair", "en", "i", "Pairing", (), "1. Open the case.\n2. Hold the button for 3 seconds.", "1", 0)
    model.will(sentences("1. Open the case.", "2. Hold the button for 3 seconds."))
    written: Written = await writer.write(request((steps, 0.9)))
    assert written.text == "1. Open the case.\n2. Hold the button for 3 seconds."


def test_sentences_are_read_with_their_passages() -> None:
    output = json.dumps({"sentences": [{"text": " A. ", "passages": ["p1", "p2"], "more": 1}], "note": "x"})
    assert read_sentences(output) == [Cited("A.", ("p1", "p2"))]
