"""WeCom's side of a self-built app: messages with a silent limit and a check for repeats, cards, and the pushes."""

from __future__ import annotations

import json
from typing import Any

from wechatpy.enterprise.crypto import WeChatCrypto  # type: ignore[import-untyped]

from tests.doubles.wechat import AES_KEY, SECRET, TOKEN
from tests.doubles.wechat_vendor import Clock, Pushed, Refused, VendorDouble, exactly, xml_of

CORP_ID = "wx5823bf96d3bd56c7"
AGENT_ID = 218
PER_MINUTE = 30


class WecomDouble(VendorDouble):
    """One app as the members of a company see it."""

    token_path = "/cgi-bin/gettoken"  # a path
    token_parameters = {"corpid": CORP_ID, "corpsecret": SECRET}
    kinds = frozenset({"image", "voice", "video", "file"})
    receiver = CORP_ID

    def __init__(self, clock: Clock, *, members: tuple[str, ...] = ("lin",)) -> None:
        super().__init__(WeChatCrypto(TOKEN, AES_KEY, CORP_ID), clock)
        self.members = members
        self.dropped: list[str] = []  #: what the member will never see, though the answer was "ok"
        self.cards: list[dict[str, Any]] = []
        self.press_codes: dict[str, str] = {}  #: by the code of a press: the task of its card
        self.chosen: dict[str, str] = {}  #: by the task of a card: what its buttons became
        self._sent_at: dict[str, list[float]] = {}
        self._contents: dict[str, float] = {}

    def outer(self, encrypted: str) -> str:
        return xml_of({"ToUserName": CORP_ID, "Encrypt": encrypted, "AgentID": AGENT_ID})

    async def says(self, member: str, text: str) -> Pushed:
        """A member writes."""
        return await self.push(member, "text", Content=text, AgentID=AGENT_ID)

    async def presses(self, member: str, place: int, card: int = -1) -> Pushed:
        """A member presses a button of a card, which then shows what the answer says."""
        shown = self.cards[card]
        code = f"press-{self.number()}"
        self.press_codes[code] = shown["task_id"]
        pushed = await self.push(
            member,
            "event",
            Event="template_card_event",
            EventKey=shown["button_list"][place]["key"],
            TaskId=shown["task_id"],
            CardType=shown["card_type"],
            ResponseCode=code,
            AgentID=AGENT_ID,
        )
        if pushed.answer is not None and pushed.answer["MsgType"] == "update_button":
            self.chosen[shown["task_id"]] = pushed.answer["Button"]["ReplaceName"]  # type: ignore[index]
        return pushed

    def presses_open(self) -> None:
        """A press of the newest card was made, with the code press-1."""
        self.press_codes["press-1"] = self.cards[-1]["task_id"]

    def answered(self, contact: str, text: str, pushed: Pushed) -> None:
        pushed.acknowledged = True
        if text:
            pushed.answer = self.opened(text)
            assert pushed.answer["ToUserName"] == contact
            assert pushed.answer["FromUserName"] == CORP_ID

    def called(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/cgi-bin/message/update_template_card":
            exactly(body, "userids", "agentid", "response_code", "button")
            if body["response_code"] not in self.press_codes:
                raise Refused(43012, "invalid response_code")  # it is good for one change
            self.chosen[self.press_codes.pop(body["response_code"])] = body["button"]["replace_name"]
            return {}
        if path != "/cgi-bin/message/send":
            raise Refused(40066, "invalid url")
        kind = body.get("msgtype", "")
        check = ("enable_duplicate_check", "duplicate_check_interval", "toparty", "totag", "safe", "enable_id_trans")
        exactly(body, "touser", "msgtype", "agentid", kind, optional=check)
        if body["agentid"] != AGENT_ID:
            raise Refused(40056, "invalid agentid")
        member = body["touser"]
        if member not in self.members:
            raise Refused(81013, "user & party & tag all invalid")
        what = self._shown(kind, body[kind])
        now = self.clock().timestamp()
        same = json.dumps([member, kind, body[kind]], sort_keys=True)
        answer = {"msgid": f"msg-{self.number()}", "invaliduser": "", "invalidparty": "", "invalidtag": ""}
        if body.get("enable_duplicate_check") and now - self._contents.get(same, 0.0) < body.get(
            "duplicate_check_interval", 1800
        ):
            self.dropped.append(what)
            return answer
        self._contents[same] = now
        recent = [at for at in self._sent_at.get(member, []) if now - at < 60]
        self._sent_at[member] = [*recent, now]
        if len(recent) >= PER_MINUTE:
            self.dropped.append(what)
            return answer
        if kind == "template_card":
            self.cards.append(body[kind])
        self.show(member, what)
        return answer

    def _shown(self, kind: str, content: dict[str, Any]) -> str:
        if kind == "text":
            exactly(content, "content")
            if not content["content"]:
                raise Refused(44004, "empty content")
            return str(content["content"]).encode()[:2048].decode("utf-8", "ignore")  # cut without a word
        if kind == "textcard":
            exactly(content, "title", "description", "url", optional=("btntxt",))
            if len(content["title"].encode()) > 128 or len(content["description"].encode()) > 512:
                raise Refused(40058, "invalid parameter")
            return f"[card] {content['title']} {content['url']}"
        if kind == "template_card":
            exactly(content, "card_type", "main_title", "task_id", "button_list", optional=("sub_title_text",))
            for button in content["button_list"]:
                exactly(button, "text", "style", "key")
            if not 0 < len(content["button_list"]) <= 6 or not 0 < len(content["task_id"]) <= 128:
                raise Refused(40058, "invalid parameter")
            if not content["main_title"].get("title") and not content.get("sub_title_text"):
                raise Refused(40058, "invalid parameter")
            titles = [button["text"] for button in content["button_list"]]
            return "\n".join([content.get("sub_title_text", content["main_title"]["title"]), *titles])
        if kind in ("image", "voice", "video", "file"):
            exactly(content, "media_id")
            if content["media_id"] not in self.files:
                raise Refused(40007, "invalid media_id")
            return f"[{kind}] {self.files[content['media_id']][0]}"
        raise Refused(40008, "invalid message type")
