"""Names of versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from vitrine.index.version_rules import is_version_name, version_name

NOW = datetime(2026, 11, 23, 20, 45, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("model", "slug"),
    [
        ("openai/clip-vit-base-patch32", "clip-vit-base-patch32"),
        ("/models/My Model_v2/", "my-model-v2"),
        ("C:\\models\\clip", "clip"),
        ("日本", "model"),
        ("a" * 100, "a" * 40),
        ("../..", "model"),
    ],
)
def test_a_name_tells_time_and_model(model: str, slug: str):
    name = version_name(model, NOW, [])
    assert name == f"20261123T204500123Z-{slug}"
    assert is_version_name(name)


def test_names_sort_by_creation_even_when_the_clock_stands_or_goes_back():
    names: list[str] = []
    for back in (0, 0, 0, 3600, 0):
        names.append(version_name("m", NOW - timedelta(seconds=back), names))
    assert names == sorted(set(names))


def test_the_time_is_utc():
    local = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert version_name("m", local, []) == version_name("m", NOW, [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "20261123T204500123Z-",
        "20261123T204500123Z-a/b",
        "20261123T204500123Z-a\n",
        "live",
    ],
)
def test_what_is_no_name_is_told_apart(text: str):
    assert not is_version_name(text)
