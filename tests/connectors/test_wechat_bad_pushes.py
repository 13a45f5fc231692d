"""Pushes of WeChat that are signed and yet bad: hostile XML and encryption that does not open."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, cast

from connectors.wechat_crypto import Envelope, signature
from tests.connectors.wechat_desk import ANN, account, rows
from tests.doubles.wechat import AES_KEY, APP_ID, TOKEN
from tests.doubles.wechat_vendor import xml_of


async def test_signed_xml_that_is_no_message_is_a_400(tmp_path: Path) -> None:
    """F31: billion laughs, an external entity, a wrong root, no MsgType, a MsgId that is no number → 400."""
    right: dict[str, str | int] = {
        "MsgType": "text",
        "FromUserName": ANN,
        "CreateTime": 1,
        "MsgId": 1,
        "Content": "x",
    }
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bad = [
        f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><xml><Content>&l9;</Content></xml>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Content>&a;</Content></xml>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><xml/>',
        "<other/>",
        "<xml>",
        xml_of({key: one for key, one in right.items() if key != "MsgType"}),
        xml_of({**right, "MsgId": "abc"}),
    ]
    for encrypted in (True, False):
        folder = tmp_path / str(encrypted)
        folder.mkdir()
        async with account(folder, encrypted=encrypted) as (double, server):
            for xml in bad:
                query, body = double.signed(xml)
                answer = await server.http.post("/webhooks/wechat/default", params=query, content=body)
                assert answer.status_code == 400, (xml[:60], answer.text)
                assert "root:" not in answer.text
            assert await rows(server, "select count(*) from inbox") == [0]


async def test_a_reply_stays_well_formed_whatever_it_says(tmp_path: Path) -> None:
    """F31: ``]]>`` in the text of a passive reply; the vendor reads it as it was said."""
    words = "a ]]> b ]]]]>> <Content>c</Content> &amp; ]]"
    async with account(tmp_path) as (double, _):
        pushed = await double.says(ANN, words)
        assert pushed.answer is not None
        assert pushed.answer["Content"] == f"you said {words}"


async def test_whatever_is_wrong_with_the_encryption_the_answer_is_the_same(tmp_path: Path) -> None:
    """F32: wrong length, padding 0, 33 and 255, a length beyond the body, a wrong app id, bad Base64 → one 403."""

    def padded(content: bytes, length: int | None = None, receiver: str = APP_ID) -> bytes:
        size = len(content) if length is None else length
        plain = bytes(16) + size.to_bytes(4, "big") + content + receiver.encode()
        pad = 32 - len(plain) % 32
        return plain + bytes([pad]) * pad

    envelope = cast(Any, Envelope(AES_KEY, APP_ID))

    def sealed(plain: bytes) -> str:
        encryptor = envelope._cipher().encryptor()
        return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()

    right = padded(b"<xml/>")
    wrong = [sealed(right[:-1] + bytes([pad])) for pad in (0, 33, 255)]
    wrong += [sealed(padded(b"<xml/>", length=one)) for one in (7, 2**31, 2**32 - 1)]
    wrong += [sealed(padded(b"<xml/>", receiver="wx-of-another")), base64.b64encode(b"x" * 31).decode()]
    wrong += ["not base64!", base64.b64encode(b"x" * 64).decode()[:-1], base64.b64encode(b"").decode() + "===="]
    async with account(tmp_path) as (double, server):

        async def answered(encrypted: str) -> tuple[int, str]:
            at, nonce = str(double.clock.seconds), "nonce"
            proof = signature(TOKEN, at, nonce, encrypted)
            query = {"timestamp": at, "nonce": nonce, "msg_signature": proof, "encrypt_type": "aes"}
            body = xml_of({"ToUserName": "us", "Encrypt": encrypted})
            answer = await server.http.post("/webhooks/wechat/default", params=query, content=body)
            return answer.status_code, answer.text

        assert (await answered(sealed(right)))[0] == 400  # it can be read, and is no message
        answers = {await answered(encrypted) for encrypted in wrong}
        assert {status for status, _ in answers} == {403}
        assert len(answers) == 1
        assert await rows(server, "select count(*) from inbox") == [0]
