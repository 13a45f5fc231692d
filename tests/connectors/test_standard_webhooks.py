"""Signatures as the Standard Webhooks specification has them; the official library is the judge."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connectors.base import BadSignature
from connectors.standard_webhooks import Signatures, key_of
from conversations.model import utc_now

#: The example of the specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EXAMPLE = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
EXAMPLE_BODY = b'{"test": 2432232314}'


def test_the_example_of_the_specification_is_made_and_accepted() -> None:
    signatures = Signatures([key_of(SECRET)])
    assert signatures.headers(EXAMPLE["webhook-id"], EXAMPLE_BODY, 1614265330.9) == EXAMPLE
    signatures.check(EXAMPLE, EXAMPLE_BODY, 1614265330)


@given(key=st.binary(min_size=24, max_size=64), body=st.text(max_size=50), webhook_id=st.uuids().map(str))
def test_the_official_library_accepts_what_we_sign_and_we_what_it_signs(key: bytes, body: str, webhook_id: str) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    now = utc_now()
    raw = body.encode("utf-8")
    ours = Signatures([key_of(secret)])
    Webhook(secret).verify(raw, ours.headers(webhook_id, raw, now.timestamp()), json_parse=False)
    theirs = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, body),
    }
    ours.check(theirs, raw, now.timestamp())


def test_while_secrets_are_exchanged_either_is_accepted_and_both_sign() -> None:
    old, new, other = (bytes([number]) * 32 for number in (1, 2, 3))
    both = Signatures([new, old])
    for key in (old, new):
        both.check(Signatures([key]).headers("m1", b"{}", 1000), b"{}", 1000)
    with pytest.raises(BadSignature):
        both.check(Signatures([other]).headers("m1", b"{}", 1000), b"{}", 1000)
    made = both.headers("m1", b"{}", 1000)
    assert len(made["webhook-signature"].split(" ")) == 2
    for key in (old, new):
        Signatures([key]).check(made, b"{}", 1000)
    # A receiver may know other schemes: what we do not know is passed over.
    mixed = {"webhook-signature": f"v1a,QUJD {made['webhook-signature']} v2,QUJD"}
    Signatures([old]).check(made | mixed, b"{}", 1000)


@pytest.mark.parametrize(("off", "accepted"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_five_minutes_are_tolerated_in_both_directions(off: int, accepted: bool) -> None:
    signatures = Signatures([key_of(SECRET)])
    made = signatures.headers("m1", b"{}", 100_000 + off)
    if accepted:
        signatures.check(made, b"{}", 100_000)
    else:
        with pytest.raises(BadSignature, match="five minutes"):
            signatures.check(made, b"{}", 100_000)


@given(
    st.dictionaries(st.sampled_from(sorted(EXAMPLE)), st.text(max_size=60) | st.sampled_from(list(EXAMPLE.values()))),
    st.binary(max_size=60),
)
def test_anything_else_is_a_bad_signature_and_the_official_library_agrees(headers: dict[str, str], body: bytes) -> None:
    if headers == EXAMPLE and body == EXAMPLE_BODY:
        return
    with pytest.raises(BadSignature):
        Signatures([key_of(SECRET)]).check(headers, body, 1614265330)
    with pytest.raises((WebhookVerificationError, ValueError)):
        Webhook(SECRET).verify(body, headers, json_parse=False)
