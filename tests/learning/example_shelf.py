"""A small folder of examples with everything that the real one has, and a database of either kind beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import yaml

from conversations.model import Agent
from conversations.store import Database
from learning.example_book import ExampleBook
from learning.example_folder import ExampleFolder
from learning.tables import metadata
from tests.postgres import empty, engine_in

MEI, OTTO = Agent("a" * 32, "Mei"), Agent("b" * 32, "Otto")
FILES = {
    "en/greet.yml": 'version: "3.1"\nnlu:\n  - intent: greet\n    examples: |\n      - hello\n      - good morning\n      - hi there\n',
    "zh/greet.yml": 'version: "3.1"\nnlu:\n  - intent: greet\n    examples: |\n      - 你好\n      - 早上好\n',
    "en/order_status.yml": 'version: "3.1"\nnlu:\n  - intent: order_status\n    examples: |\n      - where is my order\n      - track my parcel\n      - has it shipped\n',
    "zh/order_status.yml": 'version: "3.1"\nnlu:\n  - intent: order_status\n    examples: |\n      - 我的订单到哪了\n      - 快递到哪里了\n',
    "gate/en.yml": 'version: "3.1"\n# Teaches the gate only.\nnlu:\n  - intent: out_of_scope\n    examples: |\n      - how long do I boil an egg\n',
    "gate/near_zh.yml": 'version: "3.1"\nnlu:\n  - intent: out_of_scope\n    examples: |\n      - 两个订单合成一个包裹\n',
    "test/en.yml": 'version: "3.1"\nnlu:\n  - intent: greet\n    examples: |\n      - Good evening!\n',
    "near/en.yml": '- {split: dev, near: order_status, text: "could the courier jump-start my van"}\n',
    "families/typos.en.yml": 'dev:\n  - {text: "helo", intent: greet}\n',
    "entities/goods.yml": "family: goods\ntypes:\n  - name: product\n    title: {zh: 本店商品, en: Product of the shop}\n  - name: brand\n    title: {zh: 品牌, en: Brand}\n",
    "lookups/products.yml": 'version: "3.1"\nnlu:\n  - synonym: Aria 5\n    examples: |\n      - Aria\n',
}
DOMAIN = "intents:\n  - greet\n  - order_status: {use_entities: []}\n  - thanks\n  - clarify\n  - out_of_scope\n"


def make_folder(place: Path) -> ExampleFolder:
    """The folder with its files, and a domain beside it."""
    root = place / "nlu_data"
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    (place / "domain.yml").write_text(DOMAIN)
    return ExampleFolder(root, place / "domain.yml")


def contents(folder: ExampleFolder) -> dict[str, bytes]:
    """Every file of the folder that counts, byte for byte."""
    paths = (path for path in folder.root.rglob("*") if path.is_file() and path.name != ".editing.lock")
    return {path.relative_to(folder.root).as_posix(): path.read_bytes() for path in paths}


def as_training_reads(path: Path) -> list[tuple[str, str]]:
    """Intent and text of every example as the bot's training reads them."""
    found = []
    for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
        for line in str(block.get("examples") or "").splitlines():
            words = line.strip().removeprefix("-").strip()
            if words:
                found.append((str(block["intent"]), words))
    return found


@asynccontextmanager
async def open_database(place: Path, schema: str | None = None) -> AsyncIterator[Database]:
    """An empty database: in a schema of PostgreSQL, or in a file of SQLite below the place."""
    database = Database(engine_in(schema)) if schema else Database.open(f"sqlite+aiosqlite:///{place / 'desk.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    if schema:
        await empty(database.engine)
    yield database
    await database.close()


@asynccontextmanager
async def open_book(place: Path, schema: str | None = None) -> AsyncIterator[ExampleBook]:
    """A book over the small folder."""
    async with open_database(place, schema) as database:
        book = ExampleBook(database, make_folder(place))
        await book.start()
        yield book
