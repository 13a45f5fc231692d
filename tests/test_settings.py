"""A bad setting stops the start and names itself."""

from __future__ import annotations

import pytest

from settings import BadSetting, Settings, load

NEEDED = {"BOT_SECRET": "b" * 16, "ACTION_SECRET": "a" * 16, "SECRET_KEY": "k" * 32}


def loaded(**changed: str) -> Settings:
    return load(NEEDED | changed)


def test_the_encoder_that_comes_with_the_packages_is_the_default_and_there_is_no_reranker() -> None:
    assert (loaded().encoder, loaded().reranker) == ("e5", "")
    assert (loaded(ENCODER="", RERANKER="").encoder, loaded(ENCODER="", RERANKER="").reranker) == ("e5", "")


@pytest.mark.parametrize("name", ["hf:intfloat/multilingual-e5-base", "hf:/models/bge-m3"])
def test_models_of_hugging_face_are_named_by_path_or_by_hub_name(name: str) -> None:
    assert loaded(ENCODER=name, RERANKER=name).encoder == loaded(ENCODER=name, RERANKER=name).reranker == name


@pytest.mark.parametrize(("setting", "value"), [("ENCODER", "glove"), ("ENCODER", "hf:"), ("RERANKER", "e5")])
def test_an_encoder_or_reranker_of_no_known_kind_stops_the_start(setting: str, value: str) -> None:
    with pytest.raises(BadSetting, match=setting):
        loaded(**{setting: value})
