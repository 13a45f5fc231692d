"""A trainer makes an intent, trains, looks on and stops it; a training that cannot succeed says what to correct."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable

import pytest
import yaml
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import Agent

pytestmark = [pytest.mark.browser]
SLOW = 120_000  #: milliseconds: a training begins at the lowest priority


def open_page(desk: Desk, new_context: Callable[..., BrowserContext], name: str, **context: object) -> Page:
    trainer = Agent(new_context(**context).new_page())
    trainer.sign_in(desk.url, "trainer@kite.example", desk.password)
    trainer.page.get_by_test_id(f"page-{name}").click()
    return trainer.page


def add_version(desk: Desk) -> None:
    """A version as a training leaves it, so that the list has something to show."""
    figures = {
        "test": 592,
        "accuracy": 0.9537,
        "macro_f1": 0.9532,
        "in_scope_accuracy_at_gate": 0.92,
        "oos_recall": 0.7,
        "parse_p50": 4.1,
    }
    made = {
        "profile": "fast",
        "examples": {"en": 15118, "zh": 16066},
        "intents": 30,
        "seconds": 318,
        "pipeline_hash": "p" * 64,
    }
    with sqlite3.connect(desk.data_dir / "frontdesk.db", timeout=30) as database:
        database.execute(
            "INSERT OR IGNORE INTO model_versions (name, model_id, sha256, bytes, state, made_at, by_id, by_name, note, data_hash, made,"
            " metrics) VALUES (?, ?, ?, ?, 'ready', '2026-03-01 08:00:00.000000', 'x', 'Mei Lin', ?, ?, ?, ?)",
            (
                "frontdesk-20260301-080003", "m" * 32, "a" * 64, 13_076_379, "gift cards, more refund questions", "d" * 64,
                json.dumps(made), json.dumps({"zh": figures, "en": figures | {"accuracy": 0.9653, "macro_f1": 0.9639}}),
            ),
        )  # fmt: skip


@pytest.mark.parametrize(("locale", "shown", "scheme"), [("zh-CN", "zh", "light"), ("en-GB", "en", "dark")])
def test_a_training_is_followed_stopped_and_a_bad_one_says_what_to_correct(
    desk: Desk, new_context: Callable[..., BrowserContext], locale: str, shown: str, scheme: str
) -> None:
    add_version(desk)
    wide = {"width": 1600 if shown == "zh" else 1280, "height": 860}
    page = open_page(desk, new_context, "models", locale=locale, color_scheme=scheme, viewport=wide)
    expect(page.get_by_test_id("version").filter(has_text="frontdesk-20260301-080003")).to_contain_text("95.4")
    page.get_by_test_id("train-note").fill("礼品卡" if shown == "zh" else "gift cards")
    page.get_by_test_id("train").click()
    page.get_by_test_id("train").click()
    # Failures of an earlier training stay in sight until one goes well.
    work = page.locator("[data-testid=model-job]:is([data-state=queued], [data-state=running])")
    expect(work).to_have_count(2)
    running = page.locator("[data-testid=model-job][data-state=running]")
    expect(running.get_by_test_id("job-progress")).to_be_visible(timeout=SLOW)
    shot(page, f"14-training-{shown}")
    for left in (1, 0):
        work.last.get_by_test_id("job-cancel").click()
        page.locator(".el-popconfirm:visible .el-button--primary").click()
        expect(work).to_have_count(left, timeout=SLOW)

    greet = desk.data_dir / "nlu_data" / "en" / "greet.yml"
    before = greet.read_text(encoding="utf-8")
    wrong = before.replace("intent: greet", "intent: salute")
    greet.write_text(wrong, encoding="utf-8")
    try:
        page.get_by_test_id("train").click()
        problem = page.get_by_test_id("job-problem").first
        expect(problem).to_be_visible(timeout=SLOW)
        page.locator("details summary").first.click()
        expect(page.locator("details").first).to_contain_text("salute")
        shot(page, f"14-training-failed-{shown}")
    finally:
        greet.write_text(before, encoding="utf-8")


def test_a_new_intent_is_made_changed_and_deleted(desk: Desk, new_context: Callable[..., BrowserContext]) -> None:
    page = open_page(desk, new_context, "examples", locale="zh-CN")
    name = f"gift_wrapping_{int(time.time())}"
    page.get_by_test_id("intent-new").click()
    dialog = page.get_by_test_id("intent-dialog")
    dialog.get_by_test_id("intent-name").fill(name)
    dialog.get_by_test_id("intent-title-zh").fill("礼品包装")
    dialog.get_by_test_id("intent-title-en").fill("Gift wrapping")
    dialog.get_by_test_id("intent-does-reply").click()
    dialog.get_by_test_id("intent-reply-zh").fill("可以免费包装成礼物。")
    dialog.get_by_test_id("intent-reply-en").fill("We wrap gifts for free.")
    dialog.get_by_test_id("intent-lines-zh").fill("可以帮我包成礼物吗\n有礼盒包装吗")
    shot(page, "15-new-intent-zh")
    dialog.get_by_test_id("intent-save").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("made-intent")).to_contain_text("礼品包装")
    expect(page.get_by_test_id("example-row")).to_have_count(2)
    path = desk.data_dir / "nlu_data" / "intents.yml"
    made = {one["name"]: one for one in yaml.safe_load(path.read_text(encoding="utf-8"))}
    assert made[name]["reply"] == {"zh": "可以免费包装成礼物。", "en": "We wrap gifts for free."}
    page.get_by_test_id("intent-edit").click()
    dialog.get_by_test_id("intent-title-zh").fill("礼物包装")
    dialog.get_by_test_id("intent-save").click()
    expect(page.get_by_test_id("made-intent")).to_contain_text("礼物包装")
    shot(page, "15-made-intent-zh")

    page.get_by_test_id("intent-drop").click()
    page.locator(".el-popconfirm:visible .el-button--primary").click()
    expect(page.get_by_text(re.compile("还有 2 句语料"))).to_be_visible()
    expect(page.locator(".el-popconfirm:visible")).to_have_count(0)
    page.get_by_test_id("example-select-all").click()
    page.get_by_test_id("example-bulk-delete").click()
    page.locator(".el-popconfirm:visible .el-button--primary").click()
    expect(page.get_by_test_id("example-row")).to_have_count(0)
    expect(page.locator(".el-popconfirm:visible")).to_have_count(0)
    page.get_by_test_id("intent-drop").click()
    page.locator(".el-popconfirm:visible .el-button--primary").click()
    expect(page.get_by_test_id(f"intent-{name}")).to_have_count(0)
    assert name not in path.read_text(encoding="utf-8")
