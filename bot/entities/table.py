"""Writes the table of types into docs/entities.md:  python -m bot.entities.table"""

from __future__ import annotations

from pathlib import Path

from bot.entities.catalogue import Catalogue, EntityType, load

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "entities.md"
BEGIN, END = "<!-- table: python -m bot.entities.table -->", "<!-- end of table -->"


def how(kind: EntityType) -> str:
    """The ways a type is found, in a few words."""
    checks = sorted({pattern.checksum for pattern in kind.patterns if pattern.checksum})
    ways = []
    if kind.patterns:
        ways.append(f"patterns{f' (check: {chr(44).join(checks)})' if checks else ''}")
    if kind.units:
        ways.append("units")
    if kind.values or kind.values_from:
        extra = [name for name, on in (("typing errors", kind.fuzzy), ("pinyin", kind.pinyin)) if on]
        ways.append(f"list{f' with {chr(44).join(extra)}' if extra else ''}")
    if kind.grammar:
        ways.append("grammar")
    return ", ".join(ways)


def table(catalogue: Catalogue) -> str:
    """The Markdown table, one row for each type."""
    rows = ["| type | 中文 | English | found by | examples |", "|---|---|---|---|---|"]
    for kind in catalogue.types:
        examples = [kind.examples[language][0] for language in kind.languages if kind.examples[language]]
        shown = " · ".join(dict.fromkeys(f"`{example}`" for example in examples))
        name = f"`{kind.name}`" + (f" → `{kind.is_a}`" if kind.is_a else "")
        rows.append(f"| {name} | {kind.title['zh']} | {kind.title['en']} | {how(kind)} | {shown} |")
    return "\n".join(rows)


def with_table(page: str, catalogue: Catalogue) -> str:
    """The page with its table replaced."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table(catalogue)}\n{END}{rest.partition(END)[2]}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(
        with_table(PAGE.read_text(encoding="utf-8"), load(ROOT / "nlu_data" / "entities")), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
