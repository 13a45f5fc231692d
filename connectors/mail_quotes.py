"""Cuts what a mail repeats: quoted history, signatures, and the lines that mail programs add, in Chinese and English."""

from __future__ import annotations

import re

_LINES = 4_000  # of one mail that are looked at
_LONGEST = 1_000  # characters of a line that may be one of ours to cut

#: A line after which everything is history.
_HISTORY = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"-{2,}\s*(original message|forwarded message|original appointment|原始邮件|原始郵件|原邮件|转发邮件|轉寄郵件|转发的邮件|邮件原件)\s*-{2,}",
        r"-{2,}\s*回复的原邮件\s*-{2,}",
        r"\|?\s*-+\s*replied message\s*-+\s*\|?",
        r"on\b.{4,300}\bwrote\s*:",
        r"at \d{4}-\d\d-\d\d.{4,300}\bwrote\s*:",
        r"在\s*\d.{2,300}写道\s*[:：]",
        r"(于|在)?\s*\d{4}\s*年.{2,300}(写道|寫道|写信道|来信)\s*[:：]",
        r".{1,100}<[^<>@\s]+@[^<>@\s]+>\s*(于|在|於).{4,100}(写道|寫道)\s*[:：]",
    )
)
#: Two or more of these lines in a row are the head of an old mail.
_OLD_HEAD = re.compile(
    r"[*|\s]*(from|sent|date|to|cc|subject|发件人|寄件者|寄件人|发送时间|發送時間|傳送時間|发送日期|日期|时间|收件人|收件者|抄送|主题|主題|主旨)[*\s]*[:：].*",
    re.IGNORECASE,
)
_FIRST_OF_HEAD = re.compile(r"[*|\s]*(from|发件人|寄件者|寄件人)[*\s]*[:：]", re.IGNORECASE)
_ADDED = re.compile(
    r"(sent from my \S.{0,60}|get outlook for \w+.{0,200}|发自我的\s?\S.{0,40}|发自\s?\S.{0,20}(手机|客户端|邮箱)|"
    r"來自我的\s?\S.{0,40}|从我的\s?\S.{0,40}发送|来自我的\s?\S.{0,40}|获取\s*outlook.{0,200})",
    re.IGNORECASE,
)


def new_part(text: str) -> tuple[str, bool]:
    """What is new in a mail, and whether anything was cut away.

    Answers written between quoted lines are kept. Where nothing would be left, such as in a forwarded mail, the whole
    text is new.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end = _end_of_new(lines[:_LINES])
    if end is None:
        end = len(lines)
    kept = [line for line in lines[:end] if not line.lstrip().startswith(">")]
    while kept and (not kept[-1].strip(" _-") or _ADDED.fullmatch(kept[-1].strip()[:_LONGEST])):
        kept.pop()
    new = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    whole = text.strip()
    if not new:
        return whole, False
    return new, "".join(new.split()) != "".join(whole.split())


def _end_of_new(lines: list[str]) -> int | None:
    """The line where history or the signature begins."""
    for place, line in enumerate(lines):
        said = line.strip()[:_LONGEST]
        if line.rstrip("\r") in ("-- ", "--") or said == "-- ":
            return place
        if not said or said.startswith(">"):
            continue
        if _is_history(said):
            return place
        # Mail programs break the line that announces the quotation.
        if place + 1 < len(lines) and _opens_announcement(said):
            joined = " ".join(one.strip()[:_LONGEST] for one in lines[place : place + 3])
            if any(_is_history(joined[: found.end()]) for found in re.finditer(r"[:：]", joined)):
                return place
        if _FIRST_OF_HEAD.match(said) and any(
            _OLD_HEAD.fullmatch(one.strip()[:_LONGEST]) for one in _next_lines(lines, place)
        ):
            return place
    return None


def _next_lines(lines: list[str], place: int) -> list[str]:
    return [line for line in lines[place + 1 : place + 5] if line.strip()][:2]


def _is_history(said: str) -> bool:
    return any(pattern.fullmatch(said) for pattern in _HISTORY)


def _opens_announcement(said: str) -> bool:
    return re.match(r"(on|at)\s.*\d|在\s*\d|\d{4}\s*年|于\s*\d{4}", said, re.IGNORECASE) is not None
