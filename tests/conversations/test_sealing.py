"""A sealed value opens in its place, with its contact's key, and nowhere else; rotation leaves every value readable."""

from __future__ import annotations

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.sealing import (
    FORM,
    OWNER_AT,
    OWNER_LENGTH,
    Keyring,
    Place,
    SealBroken,
    is_sealed,
    key_of,
    name_of,
    named_in,
    seal,
)

ring = Keyring(b"k" * 32)
ANN, BO = "a" * 32, "bo"
WRAPPED = {owner: ring.with_new_key(owner, "") for owner in (ANN, BO)}
texts = st.text(max_size=300)
owners = st.sampled_from([ANN, BO])
places = st.builds(
    Place,
    st.sampled_from(["contacts", "messages"]),
    st.sampled_from(["name", "text"]),
    st.text("0123456789abcdef", min_size=1),
)


@given(owners, places, texts)
def test_a_token_opens_to_what_was_sealed_and_says_whose_it_is(owner: str, place: Place, value: str) -> None:
    token = seal(ring.newest(owner, WRAPPED[owner]), place, value)
    assert is_sealed(token)
    assert key_of(token) == (owner, 1)
    assert (
        token[OWNER_AT - 1 : OWNER_AT - 1 + OWNER_LENGTH].rstrip() == owner
    )  # where SQL looks for it, counting from 1
    assert ring.open(token, place, WRAPPED[owner]) == value


@given(owners, places, places, texts)
def test_a_token_opens_at_no_other_place(owner: str, place: Place, other: Place, value: str) -> None:
    """F39: a sealed value is moved to another row, column or table."""
    token = seal(ring.newest(owner, WRAPPED[owner]), place, value)
    if place != other:
        with pytest.raises(SealBroken):
            ring.open(token, other, WRAPPED[owner])


@given(places, texts, st.data())
def test_a_token_with_one_changed_character_opens_nowhere(place: Place, value: str, data: st.DataObject) -> None:
    token = seal(ring.newest(ANN, WRAPPED[ANN]), place, value)
    at = data.draw(st.integers(0, len(token) - 1))
    new = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda one: one != token[at]))
    forged = token[:at] + new + token[at + 1 :]
    if _decoded(forged) != _decoded(token):  # the last letters of Base64 have bits that say nothing
        with pytest.raises(SealBroken):
            ring.open(forged, place, WRAPPED[ANN])


def _decoded(token: str) -> tuple[str, bytes] | None:
    head, _, body = token.rpartition(".")
    try:
        return head, base64.b64decode(body, validate=True)
    except ValueError:
        return None


def test_the_keys_of_another_contact_open_nothing() -> None:
    """F39: a token claims to be another contact's, or the keys of two contacts are exchanged."""
    place = Place("contacts", "name", ANN)
    token = seal(ring.newest(ANN, WRAPPED[ANN]), place, "Ann")
    with pytest.raises(SealBroken, match="not sealed for"):
        ring.open(token, place, WRAPPED[BO])
    claimed = f"{FORM}.{BO:<{OWNER_LENGTH}}" + token[token.index(".", OWNER_AT) :]
    with pytest.raises(SealBroken, match="not sealed for that place"):
        ring.open(claimed, place, WRAPPED[BO])


def test_a_destroyed_key_leaves_nothing_to_read() -> None:
    place = Place("contacts", "name", ANN)
    assert ring.open(seal(ring.newest(ANN, WRAPPED[ANN]), place, "Ann"), place, "") is None


def test_every_version_of_a_key_opens_what_it_sealed() -> None:
    place = Place("contacts", "name", ANN)
    wrapped = WRAPPED[ANN]
    tokens = []
    for version in (1, 2, 3):
        tokens.append(seal(ring.newest(ANN, wrapped), place, f"name {version}"))
        assert key_of(tokens[-1]) == (ANN, version)
        wrapped = ring.with_new_key(ANN, wrapped)
    assert [ring.open(token, place, wrapped) for token in tokens] == ["name 1", "name 2", "name 3"]
    with pytest.raises(SealBroken):  # with a version that this key never had
        ring.open(tokens[2], place, WRAPPED[ANN])


def test_keys_that_are_wrapped_anew_need_the_older_wrapping_key_no_more() -> None:
    place = Place("contacts", "name", ANN)
    token = seal(ring.newest(ANN, WRAPPED[ANN]), place, "Ann")
    both = Keyring(b"n" * 32, [b"k" * 32])
    anew = both.rewrapped(ANN, WRAPPED[ANN])
    assert (named_in(WRAPPED[ANN]), named_in(anew)) == (ring.current, both.current)
    assert Keyring(b"n" * 32).open(token, place, anew) == "Ann"
    with pytest.raises(SealBroken, match="SECRET_KEY"):
        ring.open(token, place, anew)


def test_keys_from_before_wrapping_keys_had_names_are_tried_with_each() -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    old = "1::" + base64.b64encode(nonce + AESGCM(b"k" * 32).encrypt(nonce, b"d" * 32, ANN.encode())).decode()
    both = Keyring(b"n" * 32, [b"k" * 32])
    assert both.newest(ANN, old).version == 1
    assert named_in(both.rewrapped(ANN, old)) == name_of(b"n" * 32)


def test_a_key_is_not_for_writing_any_more_once_it_was_forgotten() -> None:
    mine = Keyring(b"k" * 32)
    mine.remember(mine.newest(ANN, WRAPPED[ANN]))
    assert mine.writing_key(ANN) is not None
    mine.forget(ANN)
    assert mine.writing_key(ANN) is None


def test_no_key_has_another_length() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring(b"k" * 16)
