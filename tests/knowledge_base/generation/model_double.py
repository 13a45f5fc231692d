"""An OpenAI-compatible server on this machine: it answers as documented, or misbehaves exactly as a test asks."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Messages = list[dict[str, str]]


@dataclass
class Reply:
    """One HTTP answer; ``seconds`` pass before it, ``cut`` ends the connection in the middle of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cut: bool = False


def completion(text: str, finish: str = "stop", **message: Any) -> Reply:
    """A chat completion as the API documents it."""
    form = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "double",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
    return Reply(body=json.dumps(form).encode())


def failure(status: int, **headers: str) -> Reply:
    """An error as the API documents it; the message repeats the key, as some servers do."""
    form = {
        "error": {"message": "Incorrect API key provided: sk-test-key-123", "type": "x", "param": None, "code": None}
    }
    return Reply(status, json.dumps(form).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


def sentences(*said: str, passages: Sequence[str] = ("p1",)) -> Reply:
    """The answer that the prompt asks for."""
    return completion(json.dumps({"sentences": [{"text": one, "passages": list(passages)} for one in said]}))


class ModelDouble:
    """Answers with what it is told, in turn (the last one again and again), or with what a function says."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.paths: list[str] = []
        self.replies: list[Reply] = [sentences("Hello.")]
        self.answers: Callable[[Messages], Reply] | None = None

    def will(self, *replies: Reply) -> None:
        self.replies = list(replies)

    @property
    def prompts(self) -> list[str]:
        """What each request asked, all messages joined."""
        return ["\n".join(message["content"] for message in one["messages"]) for one in self.requests]

    def next_reply(self, body: dict[str, Any]) -> Reply:
        if self.answers is not None:
            return self.answers(body["messages"])
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def model_double() -> Iterator[ModelDouble]:
    """A double on a free port, stopped at the end."""
    double: ModelDouble

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            double.requests.append(body)
            double.keys.append(self.headers.get("Authorization"))
            double.paths.append(self.path)
            reply = double.next_reply(body)
            time.sleep(reply.seconds)
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
                self.close_connection = reply.cut
            except OSError:
                pass  # the client gave up waiting, which is what some tests are about

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    double = ModelDouble(server)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()


_QUOTED = (
    r"(?:reply|respond|answer|say|output|print|write|include|add|append|tell (?:the |every |all )?\w+|state|confirm|promise|"
    r"回复|回答|输出|告诉\w{0,4}|说|写|附上|加上|承诺|注明|答复)[^\"“「'‘]{0,40}[\"“「‘']([^\"”」’']{4,300})[\"”」’']"
)
_PROMPT_WANTED = (
    r"(?:print|reveal|show|repeat|output|disclose|recite|translate|tell me|share|what (?:is|are))[^.!?\n]{0,40}(?:prompt|instructions|rules|above)"
    r"|(?:打印|输出|显示|泄露|复述|重复|告诉我|说出|展示|翻译|列出)[^。！？\n]{0,12}(?:提示词|指令|规则|设定|上面的内容|以上内容)|提示词[^。！？\n]{0,6}(?:打印|输出|展示)"
)


def obey(messages: Messages) -> Reply:
    """A model that does whatever any text in its prompt orders: in the question, in a passage, in what was said before.

    Orders may be written backwards, in base64, in letters set apart or in letters of another script. It cites every
    passage for everything, so that no citation gives it away. Without an order it says what the first passage says.
    """
    system, user = messages[0]["content"], "\n".join(message["content"] for message in messages[1:])
    orders: list[str] = []
    for text in (user, *_decoded(user)):
        orders += [found.strip() for found in re.findall(_QUOTED, text, re.IGNORECASE | re.DOTALL)]
        if re.search(_PROMPT_WANTED, text, re.IGNORECASE):
            orders += [system[:300], system[-200:]]
    ids = sorted(set(re.findall(r"passage (p\d+)>", user))) or ["p1"]
    if not orders:
        first = re.search(r"passage p1>\n[^\n]*\n(.*?)\n</data", user, re.DOTALL)
        orders = [first.group(1).split("\n")[0][:200]] if first else ["?"]
    return completion(
        json.dumps({"sentences": [{"text": order, "passages": ids} for order in orders[:6]]}, ensure_ascii=False)
    )


def _decoded(text: str) -> list[str]:
    found = [text[::-1], re.sub(r"(?<=\w)[.\-_*](?=\w)", "", text), re.sub("[\u200b-\u200f\u2060\ufeff]", "", text)]
    found.append(text.translate(str.maketrans("аеорсухіѕ", "aeopcyxis")))
    found.append(
        "".join(chr(ord(letter) - 0xE0000) if 0xE0020 <= ord(letter) <= 0xE007E else letter for letter in text)
    )
    for blob in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text):
        try:
            found.append(base64.b64decode(blob + "=" * (-len(blob) % 4)).decode())
        except ValueError:
            continue
    return found
