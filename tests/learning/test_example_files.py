"""Files of examples are changed line by line: what is not concerned stays as somebody wrote it."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from learning.changes import ExampleRefused
from learning.example_files import BadFile, ExampleFile, check_text, new_file

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = sorted(path for part in ("en", "zh", "gate") for path in (ROOT / "nlu_data" / part).glob("*.yml"))
PLAIN = 'version: "3.1"\nnlu:\n  - intent: greet\n    examples: |\n      - hello\n      - hi\n'


def training_reads(content: bytes) -> list[tuple[str, str]]:
    """As ``bot/nlu_data.py`` reads a file."""
    found = []
    for block in yaml.safe_load(content.decode())["nlu"]:
        if isinstance(block, dict) and "intent" in block:
            for line in str(block.get("examples") or "").splitlines():
                text = re.sub(r"^\s*-\s?", "", line).strip()
                if text:
                    found.append((str(block["intent"]), text))
    return found


def changed_lines(before: bytes, after: bytes) -> list[str]:
    lines = [content.decode().splitlines(keepends=True) for content in (before, after)]
    return [line for line in difflib.ndiff(*lines) if line[:2] in ("+ ", "- ")]


@pytest.mark.parametrize("path", OURS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_file_of_the_project_is_read_as_training_reads_it_and_may_be_edited(path: Path) -> None:
    content = path.read_bytes()
    file = ExampleFile(path.name, content)
    assert file.content() == content
    examples = list(file.examples())
    assert examples == training_reads(content)
    intent = examples[0][0]
    file.add(intent, "a line that nobody wrote yet")
    assert changed_lines(content, file.verify()) == ["+       - a line that nobody wrote yet\n"]


def test_an_added_line_is_one_added_line() -> None:
    file = ExampleFile("greet.yml", PLAIN.encode())
    file.add("greet", "hey # not a comment: \"quoted\" 'twice'")
    assert changed_lines(PLAIN.encode(), file.verify()) == ["+       - hey # not a comment: \"quoted\" 'twice'\n"]


def test_a_list_in_alphabetical_order_stays_in_order() -> None:
    content = PLAIN.replace("      - hello\n      - hi\n", "".join(f"      - {one}\n" for one in "acegi"))
    file = ExampleFile("greet.yml", content.encode())
    for text in ("d", "0", "z"):
        file.add("greet", text)
    assert [text for _, text in file.examples()] == ["0", "a", "c", "d", "e", "g", "i", "z"]
    file.verify()


def test_a_line_that_is_put_back_stands_where_it_stood_in_the_form_it_had() -> None:
    content = PLAIN.replace("      - hi\n", "      -   hi  \n      - hey\n").encode()
    file = ExampleFile("greet.yml", content)
    place = file.remove("greet", "hi")
    assert file.verify() != content
    file.add("greet", "hi", place)
    assert file.verify() == content


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "cut"])
def test_line_breaks_stay_those_of_the_file(ending: str, last: bool) -> None:
    content = (PLAIN if last else PLAIN.removesuffix("\n")).replace("\n", ending).encode()
    file = ExampleFile("greet.yml", content)
    file.add("greet", "hey")
    assert file.verify() == content + f"{'' if last else ending}      - hey{ending if last else ''}".encode()


def test_several_intents_comments_and_blank_lines_in_one_file_stay() -> None:
    content = (
        b"# ours\nnlu:\n\n# greetings\n- intent: greet\n  examples: |\n    - hello\n    - hi\n\n"
        b"# goodbyes\n- intent: goodbye\n  examples: |\n    - bye\n- synonym: a\n  examples: |\n    - b\n"
    )
    file = ExampleFile("mixed.yml", content)
    assert list(file.examples()) == [("greet", "hello"), ("greet", "hi"), ("goodbye", "bye")]
    file.add("greet", "hey")
    file.add("goodbye", "see you")
    file.remove("greet", "hello")
    assert file.verify() == content.replace(b"    - hello\n    - hi\n", b"    - hi\n    - hey\n").replace(
        b"    - bye\n", b"    - bye\n    - see you\n"
    )


@pytest.mark.parametrize(
    ("examples", "reason"),
    [
        ("    examples:\n      - text: hello\n      - hi\n", "YAML list"),
        ('    examples: "- hello\\n- hi"\n', "do not stand as lines"),
        ("    examples: >\n      - hello\n\n      - hi\n", "do not stand as lines"),
    ],
)
def test_another_form_is_read_and_refused_with_file_and_line_when_it_is_to_be_changed(
    examples: str, reason: str
) -> None:
    file = ExampleFile("en/greet.yml", f"nlu:\n  - intent: greet\n{examples}".encode())
    assert list(file.examples()) == [("greet", "hello"), ("greet", "hi")]
    for change in (lambda: file.add("greet", "hey"), lambda: file.remove("greet", "hi")):
        with pytest.raises(ExampleRefused, match=rf"en/greet.yml, line [34]: .*{reason}") as refused:
            change()
        assert refused.value.code == "not_editable"


def test_lines_that_share_an_alias_are_not_changed_for_two_intents_at_once() -> None:
    content = b"nlu:\n- intent: a\n  examples: &same |\n    - one\n- intent: b\n  examples: *same\n"
    file = ExampleFile("shared.yml", content)
    assert list(file.examples()) == [("a", "one"), ("b", "one")]
    file.add("a", "two")
    with pytest.raises(ExampleRefused, match=r"shared.yml"):
        file.verify()


def test_a_change_that_would_break_the_indentation_is_refused() -> None:
    file = ExampleFile("odd.yml", b"nlu:\n- intent: a\n  examples: |\n    - one\n      - two\n    - three\n")
    file.remove("a", "one")
    with pytest.raises(ExampleRefused, match=r"odd.yml, line \d+"):
        file.verify()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"nlu:\n  - intent: greet\n    examples: |\n\t- hello\n", 4),
        (b"nlu:\n  - intent: [greet\n", 3),
        (b"nlu: nothing\n", 1),
        (b"", 1),
        (b"nlu:\n  - intent: \xff\n", 2),
        (b"- [" * 5000, 1),
    ],
)
def test_what_is_not_a_file_of_examples_is_told_with_its_line(content: bytes, line: int) -> None:
    with pytest.raises(BadFile, match=r"^en/a.yml, line \d+: ") as found:
        ExampleFile("en/a.yml", content)
    assert line == 1 or found.value.line in (line, line - 1)


@pytest.mark.parametrize("text", ["a\nb", "a\u2028b", "a\x0bb", "a\x85b", "\ufeffa", " a", "a\x00", "\ud800"])
def test_a_text_that_is_not_one_line_is_refused(text: str) -> None:
    with pytest.raises(ExampleRefused) as refused:
        check_text(text)
    assert refused.value.code == "bad_text"


WORDS = st.text(
    st.one_of(
        st.sampled_from("ab- #:'\"[]{}|>&*!%@`,?\t你好🙂é\u3000\xa0"), st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


def fits(text: str) -> bool:
    try:
        check_text(text)
    except ExampleRefused:
        return False
    return bool(text)


TEXTS = WORDS.filter(fits)
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("ab"), TEXTS),
        st.tuples(st.just("remove"), st.sampled_from("ab"), st.integers(0, 30)),
        st.tuples(st.just("reword"), st.sampled_from("ab"), st.integers(0, 30), TEXTS),
        st.tuples(st.just("back"), st.integers(0, 30)),
    ),
    max_size=25,
)


@given(
    start=st.lists(TEXTS, max_size=7),
    edits=EDITS,
    ending=st.sampled_from(["\n", "\r\n"]),
    indent=st.sampled_from(["    ", "      ", "   "]),
    cut=st.booleans(),
)
def test_any_edits_leave_what_a_plain_list_would_hold_and_what_training_reads(
    start: list[str], edits: list[tuple[object, ...]], ending: str, indent: str, cut: bool
) -> None:
    """The model: two lists of texts. The file: the same, with every comment and other line byte for byte as before."""
    head = ["# a comment", "nlu:", "- intent: a", "  examples: |"]
    lines = [*head, *(f"{indent}- {text}" for text in start), "# another", "- intent: b", "  examples: |"]
    content = (ending.join([*lines, f"{indent}- last"]) + ("" if cut else ending)).encode()
    file = ExampleFile("en/a.yml", content)
    model = {"a": list(start), "b": ["last"]}
    places = []
    for edit in edits:
        if edit[0] == "add":
            _, intent, text = edit
            file.add(str(intent), str(text))
            model[str(intent)].append(str(text))
        elif edit[0] == "back":
            if places:
                intent, text, place = places.pop(int(edit[1]) % len(places))  # type: ignore[call-overload]
                file.add(intent, text, place)
                model[intent].append(text)
        else:
            listed = model[str(edit[1])]
            if not listed:
                continue
            text = listed[int(edit[2]) % len(listed)]  # type: ignore[call-overload]
            if edit[0] == "remove":
                places.append((str(edit[1]), text, file.remove(str(edit[1]), text)))
                listed.remove(text)
            else:
                file.reword(str(edit[1]), text, str(edit[3]))
                listed[listed.index(text)] = str(edit[3])
        after = file.verify()
        read = training_reads(after)
        assert read == list(file.examples())
        for name, texts in model.items():
            assert sorted(text for intent, text in read if intent == name) == sorted(texts)
        kept = [line for line in after.decode().split(ending) if line and not line.startswith("   ")]
        assert kept == [line for line in lines if not line.startswith(indent)]
        assert ("\r" in after.decode().replace("\r\n", "")) is False


def test_a_new_file_has_the_form_of_the_others() -> None:
    file = ExampleFile("en/thanks.yml", new_file("thanks"))
    file.add("thanks", "thank you")
    assert file.verify() == b'version: "3.1"\nnlu:\n  - intent: thanks\n    examples: |\n      - thank you\n'
