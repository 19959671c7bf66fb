"""Settings: each is documented, read from the environment, and refused with its name when wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from vitrine.errors import InvalidSettings
from vitrine.settings import Settings, load_settings, settings_table

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_documents_every_setting_with_its_default():
    text = README.read_text("utf-8")
    missing = [row for row in settings_table().splitlines() if row not in text]
    assert not missing, (
        "put the table that `vitrine settings` prints into the README; missing:\n"
        + "\n".join(missing)
    )


def test_every_setting_says_what_it_is_for():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_settings_come_from_the_environment_and_flags_win(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VITRINE_PORT", "9000")
    monkeypatch.setenv("VITRINE_THREADS", "")
    assert (load_settings().port, load_settings().threads) == (9000, Settings().threads)
    assert load_settings(port=9001).port == 9001


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VITRINE_PORT", "high"),
        ("VITRINE_PORT", "70000"),
        ("VITRINE_BACKEND", "chroma"),
        ("VITRINE_QUEUE_URL", "amqp://x"),
        ("VITRINE_WORKERS", "0"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    assert [e.field for e in caught.value.errors] == [name]


def test_secrets_are_not_printed():
    assert "hush" not in repr(Settings(admin_token="hush", qdrant_api_key="hush"))  # type: ignore[arg-type]  # pydantic wraps it
