"""The supervisor's hands without a browser: what the console would send, sent by a test."""

from __future__ import annotations

from typing import Any

import httpx

WITH_PEOPLE = ("queued", "assigned")
AT_ONCE = 100


class Staff:
    """A supervisor who is signed in; a refused request fails the test."""

    def __init__(self, url: str, password: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/staff/api/", timeout=30)
        signed_in = self._http.post("sign-in", json={"email": "supervisor@kite.example", "password": password})
        assert signed_in.status_code == 200, signed_in.text
        self._csrf = {"X-CSRF-Token": signed_in.json()["csrf"]}

    def does(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self._http.post(path, json=body, headers=self._csrf)
        assert answer.status_code in (200, 201), f"{path}: {answer.text}"
        return dict(answer.json())

    def with_people(self) -> set[str]:
        """Ids of the conversations that wait for an agent or have one."""
        found: set[str] = set()
        cursor: str | None = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            answer = self._http.get("conversations", params={"view": "all", "limit": str(AT_ONCE)} | more)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found |= {one["id"] for one in page["conversations"] if one["status"] in WITH_PEOPLE}
            cursor = page["cursor"]
            if cursor is None:
                return found

    def resolve(self, ids: set[str]) -> None:
        """Close what is still open of these."""
        ordered = sorted(ids)
        for start in range(0, len(ordered), AT_ONCE):
            self.does("conversations/bulk", ids=ordered[start : start + AT_ONCE], action="resolve")
