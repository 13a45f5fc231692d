"""A small stand-in for the service's action server: it speaks the rasa-sdk wire format and behaves as the contract says.

It keeps no secrets and no database: every order exists, every customer's last four digits are 2468, every code is 135790.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FORMS = {
    "order_status": ["order_number", "identity_proof"],
    "change_address": ["order_number", "identity_proof", "new_address", "confirmed"],
    "cancel_order": ["order_number", "identity_proof", "confirmed"],
    "return_refund": ["order_number", "identity_proof", "order_item", "return_reason", "confirmed"],
    "request_invoice": ["order_number", "identity_proof", "invoice_kind", "invoice_title", "confirmed"],
    "open_ticket": ["problem", "contact_point"],
    "ticket_status": ["ticket_number", "identity_proof"],
    "update_contact": ["contact_point", "identity_proof", "contact_field", "contact_value", "confirmed"],
}
WRITES = {task for task, slots in FORMS.items() if "confirmed" in slots}
CUSTOMER = "c0ffee"
PROOFS = {"2468", "135790"}


class Call:
    """One action call: what it reads from the tracker and what it answers."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.name: str = body["next_action"]
        self.tracker: dict[str, Any] = body["tracker"]
        self.slots: dict[str, Any] = dict(self.tracker["slots"])
        self.message: dict[str, Any] = self.tracker["latest_message"]
        self.domain: dict[str, Any] = body["domain"]
        self.events: list[dict[str, Any]] = []
        self.is_dry = bool((self.message.get("metadata") or {}).get("dry_run"))
        self.responses: list[dict[str, Any]] = []

    def say(self, zh: str, en: str, buttons: list[dict[str, str]] | None = None, **custom: Any) -> None:
        text = zh if self.slots.get("language") == "zh" else en
        self.responses.append({"text": text, "buttons": buttons or [], "custom": custom})

    def set(self, **slots: Any) -> None:
        self.slots.update(slots)
        self.events += [
            {"event": "slot", "timestamp": None, "name": name, "value": value} for name, value in slots.items()
        ]

    def candidates(self) -> dict[str, Any]:
        """The slots set since the latest event that is not about a slot, as rasa-sdk reads them."""
        found: dict[str, Any] = {}
        for event in reversed(self.tracker["events"]):
            if event["event"] != "slot":
                break
            found.setdefault(event["name"], event["value"])
        return found


class FakeActions(ThreadingHTTPServer):
    """Answers action calls on a free port of the loopback and remembers which were made."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.called: list[str] = []
        self.asked: list[str] = []  #: what the knowledge base was asked
        self.known_answers: dict[str, str] = {}
        self.broken = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/internal/actions?token=test"

    def act(self, call: Call) -> None:
        self.called.append(call.name)
        if call.name.startswith("validate_"):
            self._validate(call, call.name[len("validate_") : -len("_form")])
        elif call.name.startswith("action_ask_"):
            slot = call.name[len("action_ask_") :].rpartition("_form_")[2]
            buttons = (
                [{"title": "OK", "payload": "/affirm"}, {"title": "No", "payload": "/deny"}]
                if slot == "confirmed"
                else []
            )
            call.say(f"请提供 {slot}", f"Please give {slot}", buttons)
        elif call.name == "action_answer_question":
            self._answer(call)
        elif call.name == "action_clarify":
            if call.slots.get("clarified"):
                call.say("我转给同事。", "I will get a colleague.", handoff="two_misses", route="handoff")
            else:
                call.say("您是想问？", "Did you mean?", [{"title": "1", "payload": "/order_status"}], route="clarify")
                call.set(clarified=True)
        elif call.name == "action_request_human":
            call.say("马上为您转人工。", "A person takes over.", handoff="asked_for_person", route="handoff")
        else:
            self._submit(call, call.name[len("action_") :])

    def _validate(self, call: Call, task: str) -> None:
        assert call.domain["forms"], "a validator needs its form"
        for slot, value in call.candidates().items():
            if slot not in FORMS[task]:
                continue
            if slot == "identity_proof" and call.is_dry:
                call.say("", "", would="verify_last4")
                return
            if slot == "identity_proof" and value not in PROOFS:
                call.say("信息不匹配。", "That does not match.")
                call.set(identity_proof=None)
            elif slot == "identity_proof":
                call.set(identity_proof="verified", customer_id=CUSTOMER, identified=True)
            elif slot == "order_number" and not str(value).startswith("KT"):
                call.say("订单号不对。", "That is not an order number.")
                call.set(order_number=None)
            else:
                call.set(**{slot: value})
        if any(call.slots.get(slot) is not None for slot in call.candidates() if slot in FORMS[task]):
            call.set(misses=0.0, clarified=False)  # otherwise Rasa takes the message for an answer that fits nowhere
        skipped = {"identity_proof", "contact_point"} if call.slots.get("customer_id") else set()
        missing = [slot for slot in FORMS[task] if slot not in skipped and call.slots.get(slot) is None]
        call.set(requested_slot=missing[0] if missing else None)

    def _answer(self, call: Call) -> None:
        asked = (one["value"] for one in call.message["entities"] if one["entity"] == "question")
        text = next(asked, call.message["text"])
        self.asked.append(text)
        word, known = next((one for one in self.known_answers.items() if one[0] in text.lower()), (None, None))
        if known:
            citation = {"passage_id": "p1", "article_id": "a1", "title": word, "quote": known, "url": "/kb/en/a1#p1"}
            hit = {"passage_id": "p1", "version": "v1", "score": 0.9}
            call.say(known, known, citations=[citation], retrieval=[hit], route="knowledge")
            call.set(misses=0.0, clarified=False)
        elif (call.slots.get("misses") or 0) >= 1:
            call.say("我转给同事。", "I will get a colleague.", handoff="two_misses", route="handoff")
        else:
            call.say(
                "我没太明白。", "I am not sure about that.", [{"title": "?", "payload": "/handoff"}], route="clarify"
            )
            call.set(misses=1.0)

    def _submit(self, call: Call, task: str) -> None:
        if task in WRITES and call.slots.get("confirmed") is not True:
            call.say("好的，没有改动。", "Nothing was changed.")
        elif call.is_dry and (task in WRITES or task == "open_ticket"):
            call.say("", "", would=task)
            return
        else:
            values = {slot: call.slots.get(slot) for slot in FORMS[task]}
            call.say(f"{task} 已办好：{values}", f"{task} is done: {values}", customer_id=call.slots.get("customer_id"))
        kept = {"order_number"}
        call.set(**{slot: None for slot in FORMS[task] if slot not in kept}, misses=0.0, clarified=False)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: FakeActions

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.broken:
            self._send(500, {"error": "broken"})
            return
        call = Call(json.loads(body))
        self.server.act(call)
        self._send(200, {"events": call.events, "responses": call.responses})

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Quiet."""
