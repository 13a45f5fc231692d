"""A bad setting stops the start and names itself."""

from __future__ import annotations

import pytest

from desk import hours_of
from setting_rules import role_claim
from settings import BadSetting, Settings, load

NEEDED = {"BOT_SECRET": "b" * 16, "ACTION_SECRET": "a" * 16, "SECRET_KEY": "s" * 32}
MODEL = {"LLM_URL": "https://models.example/v1", "LLM_MODEL": "small-1"}


def settings(**changes: str) -> Settings:
    return load({**NEEDED, **changes})


def test_there_is_no_model_unless_one_is_set_up() -> None:
    assert (settings().llm_url, settings().llm_model, settings().llm_key) == (None, None, None)
    assert settings(LLM_URL="", LLM_MODEL="", LLM_KEY="").llm_url is None


@pytest.mark.parametrize("url", ["https://models.example/v1", "http://127.0.0.1:8080", "http://llm:11434/v1/"])
def test_an_endpoint_is_set_up_with_address_and_model(url: str) -> None:
    found = settings(LLM_URL=url, LLM_MODEL="small-1", LLM_KEY="sk-1", LLM_TIMEOUT_SECONDS="2.5")
    assert (found.llm_url, found.llm_model, found.llm_timeout_seconds) == (url, "small-1", 2.5)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"LLM_URL": "models.example/v1"}, "LLM_URL"),
        ({"LLM_URL": "ftp://models.example"}, "LLM_URL"),
        ({"LLM_URL": "https://"}, "LLM_URL"),
        ({"LLM_URL": "https://host:99999/v1"}, "LLM_URL"),
        ({"LLM_URL": "https://user:secret@models.example/v1"}, "LLM_URL"),
        ({"LLM_URL": "https://models.example/v1?key=1"}, "LLM_URL"),
        ({"LLM_MODEL": ""}, "LLM_MODEL"),
        ({"LLM_KEY": "two words"}, "LLM_KEY"),
        ({"LLM_KEY": "schlüssel"}, "LLM_KEY"),
        ({"LLM_TIMEOUT_SECONDS": "0"}, "LLM_TIMEOUT_SECONDS"),
        ({"LLM_TIMEOUT_SECONDS": "60"}, "LLM_TIMEOUT_SECONDS"),
        ({"LLM_TIMEOUT_SECONDS": "soon"}, "LLM_TIMEOUT_SECONDS"),
    ],
)
def test_a_setting_that_cannot_work_names_itself_and_not_its_value(changes: dict[str, str], named: str) -> None:
    with pytest.raises(BadSetting) as stopped:
        settings(**{**MODEL, **changes})
    assert named in str(stopped.value)
    assert "secret@" not in str(stopped.value)


def test_keys_of_the_site_are_long_and_the_words_that_prove_are_known() -> None:
    found = settings(SITE_IDENTITY_KEY=f"{'q' * 32}, {'b' * 40}", VOUCHED_PROOF="site_id, channel_phone")
    assert found.site_identity_key == ("q" * 32, "b" * 40)
    assert found.vouched_proof == ("site_id", "channel_phone")
    assert "qqqq" not in repr(found)
    assert settings(VOUCHED_PROOF="none").vouched_proof == ("none",)
    assert settings().site_identity_key == ()
    with pytest.raises(BadSetting, match="SITE_IDENTITY_KEY needs keys of at least 32"):
        settings(SITE_IDENTITY_KEY=f"{'a' * 32},short")
    for words in ("site_mail", "none,site_id"):
        with pytest.raises(BadSetting, match="VOUCHED_PROOF has"):
            settings(VOUCHED_PROOF=words)


def test_roles_that_need_a_second_factor_are_roles_there_are() -> None:
    assert settings(TOTP_REQUIRED="supervisor, admin").totp_required == ("supervisor", "admin")
    assert settings().totp_required == ()
    with pytest.raises(BadSetting, match=r"TOTP_REQUIRED .*'agent', 'trainer', 'supervisor', 'admin' or 'auditor'"):
        settings(TOTP_REQUIRED="supervisor,boss")


@pytest.mark.parametrize("name", ["LLM_MODEL", "LLM_KEY"])
def test_half_an_endpoint_is_a_mistake(name: str) -> None:
    with pytest.raises(BadSetting, match=f"{name} is set, but LLM_URL is missing"):
        settings(**{name: "x"})


def test_the_key_is_not_shown_when_settings_are_printed() -> None:
    assert "sk-hidden" not in repr(settings(**MODEL, LLM_KEY="sk-hidden"))


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


def test_an_endpoint_that_hears_is_set_up_and_checked_like_the_model() -> None:
    assert settings().speech == (None, None, None, 12)
    voice = {"STT_URL": "http://127.0.0.1:9000/v1", "STT_MODEL": "whisper-1", "STT_KEY": "sk-hidden"}
    found = settings(**voice, STT_TIMEOUT_SECONDS="3")
    assert found.speech == ("http://127.0.0.1:9000/v1", "whisper-1", "sk-hidden", 3)
    assert "sk-hidden" not in repr(found)
    for changed, named in (
        ({"STT_URL": "https://user:secret@host/v1"}, "STT_URL must not hold"),
        ({"STT_URL": "host"}, "STT_URL must be the base"),
        ({"STT_URL": ""}, "STT_KEY is set, but STT_URL is missing"),
        ({"STT_MODEL": ""}, "STT_MODEL is missing"),
        ({"STT_KEY": "two words"}, "STT_KEY must be"),
        ({"STT_TIMEOUT_SECONDS": "99"}, "STT_TIMEOUT_SECONDS"),
    ):
        with pytest.raises(BadSetting, match=named):
            settings(**{**voice, **changed})


OIDC = {"OIDC_ISSUER": "https://id.example/realms/main", "OIDC_CLIENT_ID": "desk"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"OIDC_CLIENT_ID": "desk"}, "OIDC_ISSUER"),
        ({"OIDC_CLIENT_SECRET": "s"}, "OIDC_ISSUER"),
        ({"OIDC_PROVISION": "true"}, "OIDC_ISSUER"),
        ({"PASSWORD_SIGN_IN": "false"}, "PASSWORD_SIGN_IN"),
        ({"OIDC_ISSUER": "https://id.example"}, "OIDC_CLIENT_ID"),
        (OIDC | {"OIDC_ISSUER": "http://id.example"}, "OIDC_ISSUER"),
        (OIDC | {"OIDC_ISSUER": "https://id.example?x=1"}, "OIDC_ISSUER"),
        (OIDC | {"OIDC_ISSUER": "https://u:p@id.example"}, "OIDC_ISSUER"),
        (OIDC | {"OIDC_ISSUER": "https://id.example:99999"}, "OIDC_ISSUER"),
        (OIDC | {"OIDC_SCOPES": "email"}, "OIDC_SCOPES"),
        (OIDC | {"OIDC_ROLES": "groups desk=agent"}, "OIDC_ROLES"),
        (OIDC | {"OIDC_ROLES": "groups: desk=boss"}, "OIDC_ROLES"),
        (OIDC | {"OIDC_PROVISION": "true"}, "OIDC_PROVISION"),
    ],
)
def test_a_provider_that_cannot_be_used_stops_the_start_and_names_its_setting(
    changes: dict[str, str], named: str
) -> None:
    with pytest.raises(BadSetting, match=named):
        settings(**changes)


def test_a_provider_is_set_up_with_roles_and_its_secret_is_kept_out_of_everything() -> None:
    found = settings(
        **OIDC, OIDC_CLIENT_SECRET="a-secret", OIDC_ROLES="groups: admins=admin, a b=agent", PASSWORD_SIGN_IN="false"
    )
    assert role_claim(found.oidc_roles) == ("groups", (("admins", "admin"), ("a b", "agent")))
    assert "a-secret" in found.secrets
    assert "a-secret" not in repr(found)
    assert settings(**OIDC | {"OIDC_ISSUER": "http://127.0.0.1:8080/realms/x"}).oidc_issuer
    assert role_claim("urn:x:roles: y=agent")[0] == "urn:x:roles"
    assert role_claim("") == (None, ())


@pytest.mark.parametrize("value", ["zh_core_web_sm", "fr=fr_core_news_sm", "zh=no_such_model_of_names"])
def test_name_models_that_cannot_be_used_stop_the_start_and_name_the_setting(value: str) -> None:
    with pytest.raises(BadSetting, match="NAME_MODELS"):
        load({**NEEDED, "NAME_MODELS": value})


def test_the_keys_of_contacts_data_are_checked_and_the_one_from_the_secret_key_always_opens() -> None:
    derived = settings().key_for("audit")
    assert settings().wrapping_keys == (derived,)
    new, old = "ab" * 32, "CD" * 32
    found = settings(FIELD_KEYS=f"{new}, {old}")
    assert found.wrapping_keys == (bytes.fromhex(new), bytes.fromhex(old), derived)
    assert new not in repr(found)
    assert {new, old} <= set(found.secrets)
    for bad in ("short", "g" * 64, f"{new},"[:60]):
        with pytest.raises(BadSetting, match="FIELD_KEYS needs keys of 64 hexadecimal digits") as stopped:
            settings(FIELD_KEYS=bad)
        assert bad not in str(stopped.value).replace("hexadecimal digits", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"BOT_URLS": "bot:5005"},
        {"BOT_URLS": ","},
        {"QDRANT_URL": "qdrant:6333"},
        {"REDIS_URL": "localhost:6379"},
        {"REDIS_URL": "http://localhost:6379"},
        {"SMTP_URL": "mail.example.com:587"},
        {"ALLOWED_ORIGINS": "*"},
        {"ALLOWED_ORIGINS": "https://shop.example, shop.example.com"},
        {"ALLOWED_ORIGINS": "https://shop.example/chat"},
    ],
)
def test_an_address_that_nothing_could_reach_stops_the_start(changes: dict[str, str]) -> None:
    [name] = changes
    with pytest.raises(BadSetting, match=name):
        settings(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"BOT_URLS": "http://127.0.0.1:5005,https://bot.example/"},
        {"QDRANT_URL": "http://qdrant:6333"},
        {"REDIS_URL": "rediss://user:p%40ss@redis:6379/0"},
        {"REDIS_URL": "unix:///run/redis.sock"},
        {"SMTP_URL": "smtp://user:secret@mail.example.com:587"},
        {"ALLOWED_ORIGINS": "https://shop.example,http://127.0.0.1:8080"},
        {"ALLOWED_ORIGINS": ""},
    ],
)
def test_addresses_that_can_be_reached_are_taken(changes: dict[str, str]) -> None:
    assert settings(**changes)


def test_hours_that_cannot_be_read_stop_the_start_by_their_name() -> None:
    assert hours_of("BUSINESS_HOURS", settings().business_hours)
    with pytest.raises(BadSetting, match="BUSINESS_HOURS"):
        hours_of("BUSINESS_HOURS", "9-18")
