"""Examples are carried out and in as files; what an import would do is said for every line before anything is done."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.changes import Example, ExampleRefused
from learning.example_folder import Shelf
from learning.example_sheets import MAX_BYTES, additions, as_csv, as_yaml, read_sheet
from tests.learning.example_shelf import make_folder


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return make_folder(tmp_path).look()


def states(
    content: str | bytes, shelf: Shelf, name: str = "in.csv", language: str | None = None
) -> list[tuple[int, str]]:
    raw = content.encode() if isinstance(content, str) else content
    return [(line.number, line.state) for line in read_sheet(raw, name, language, shelf)]


def test_every_line_of_a_sheet_is_judged_by_itself(shelf: Shelf) -> None:
    content = (
        "Language,Intent,Text\n"
        "en,greet,hey\n"
        "en,greet,Hello!\n"
        "en,order_status,hello\n"
        "en,greet,HEY\n"
        "en,order_status,hey\n"
        "en,greet,good evening\n"
        "en,dance,shall we\n"
        "fr,greet,salut\n"
        "zh,greet,\n"
        ",,\n"
        "zh,out_of_scope,写首诗\n"
        "en,greet,写首诗\n"
        "zh,greet,hey\n"
        'en,greet,"see [this](x)"\n'
    )
    assert states(content, shelf) == [
        (2, "new"),
        (3, "there"),
        (4, "exists"),
        (5, "twice"),
        (6, "exists"),
        (7, "held_out"),
        (8, "unknown_intent"),
        (9, "bad_language"),
        (10, "empty"),
        (12, "new"),
        (13, "exists"),
        (14, "new"),
        (15, "bad_annotation"),
    ]
    lines = read_sheet(content.encode(), "in.csv", None, shelf)
    assert [(one.language, one.text) for one in additions(lines)] == [("en", "hey"), ("zh", "写首诗"), ("zh", "hey")]


def test_rasas_yaml_needs_a_language_and_tells_lines(shelf: Shelf) -> None:
    content = "nlu:\n- intent: greet\n  examples: |\n    - hey\n\n    - hello\n"
    with pytest.raises(ExampleRefused, match="language"):
        states(content, shelf, "in.yml")
    assert states(content, shelf, "in.yaml", "en") == [(4, "new"), (6, "there")]
    with pytest.raises(ExampleRefused, match=r"line \d"):
        states("nlu:\n- [", shelf, "in.yml", "en")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"text\nhello\n", "header"),
        (b"", "header"),
        (b"language,intent,text\n", "empty"),
        (b'language,intent,text\nen,greet,"unfinished\n', "bad_file"),
        (b"x" * (MAX_BYTES + 1), "too_long"),
        (b"language,intent,text\n" + b"en,greet,hey\n" * 20_001, "too_many"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused(shelf: Shelf, content: bytes, code: str) -> None:
    with pytest.raises(ExampleRefused) as refused:
        read_sheet(content, "in.csv", None, shelf)
    assert refused.value.code == code


def test_a_sheet_saved_by_a_chinese_spreadsheet_is_read(shelf: Shelf) -> None:
    lines = read_sheet("language,intent,text\nzh,greet,您好呀\n".encode("gb18030"), "in.csv", None, shelf)
    assert [line.example.text for line in lines] == ["您好呀"]


def test_a_spreadsheet_runs_nothing_of_an_export() -> None:
    content = as_csv([Example("en", "greet", text) for text in ("=1+1", "+1", "-1", "@a", "'=x", "plain")])
    rows = content.decode("utf-8-sig").splitlines()[1:]
    assert rows == ["en,greet,'=1+1", "en,greet,'+1", "en,greet,'-1", "en,greet,'@a", "en,greet,''=x", "en,greet,plain"]


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cf", "Cn", "Co"]), min_size=1, max_size=30
).filter(lambda text: text.strip() == text and "[" not in text)


@given(st.lists(TEXT, min_size=1, max_size=8))
def test_what_is_carried_out_is_carried_in_again(texts: list[str]) -> None:
    examples = [Example("en", "greet", text) for text in texts]
    empty = Shelf((), (), ("greet", "out_of_scope"), {}, {}, frozenset(), {})
    for content, name, language in ((as_csv(examples), "a.csv", None), (as_yaml(examples), "a.yml", "en")):
        assert [line.example for line in read_sheet(content, name, language, empty)] == examples
