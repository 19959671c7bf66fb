"""All settings together: read from the environment, refused by name where they are wrong."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr, ValidationError

from vitrine.errors import FieldError, InvalidSettings
from vitrine.settings.groups import (
    GROUPS,
    PREFIX,
    AddressSettings,
    EdgeSettings,
    FetchSettings,
    IndexSettings,
    IngestSettings,
    LimitSettings,
    ModelSettings,
    ServiceSettings,
)
from vitrine.validation import plain_words

__all__ = ["Settings", "load_settings", "refuse_unknown_variables", "settings_tables"]

_TESTS = f"{PREFIX}TEST_"
"""Variables of the test suite, which are not settings."""

_RENAMED = {
    "CODES_FROM": "QUANTIZE_FROM",
    "HNSW_LINKS": "HNSW_M",
    "HNSW_BUILD_BEAM": "HNSW_EF_CONSTRUCT",
    "HNSW_BREADTH": "HNSW_EF",
}
"""Settings of earlier releases."""


class Settings(
    ModelSettings,
    IndexSettings,
    FetchSettings,
    ServiceSettings,
    AddressSettings,
    EdgeSettings,
    LimitSettings,
    IngestSettings,
):
    """Every setting, its type, default, bounds and meaning."""


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, `overrides` (a flag's value) winning.

    `InvalidSettings` names every variable that is wrong or unknown.
    """
    faults = _unknown_variables(os.environ)
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks each value
    except ValidationError as error:
        faults += [
            FieldError(_variable(str(e["loc"][0])), plain_words(e["msg"])) for e in error.errors()
        ]
    if faults:
        raise InvalidSettings(faults)
    return settings


def refuse_unknown_variables() -> None:
    """`InvalidSettings` when the environment holds a `VITRINE_` variable that is not a setting."""
    faults = _unknown_variables(os.environ)
    if faults:
        raise InvalidSettings(faults)


def _unknown_variables(environment: Mapping[str, str]) -> list[FieldError]:
    """A fault for each variable that looks like a setting and is none, with the nearest name."""
    known = {_variable(name) for name in Settings.model_fields}
    return [
        FieldError(name, _hint(name, known))
        for name in sorted(environment)
        if name.startswith(PREFIX) and name not in known and not name.startswith(_TESTS)
    ]


def _hint(name: str, known: set[str]) -> str:
    renamed = _RENAMED.get(name.removeprefix(PREFIX))
    if renamed is not None:
        return f"is called {PREFIX}{renamed} now"
    own_names = sorted(each.removeprefix(PREFIX) for each in known)  # what all share tells nothing
    nearest = difflib.get_close_matches(name.removeprefix(PREFIX), own_names, n=1)
    if nearest:
        return f"is not a setting; did you mean {PREFIX}{nearest[0]}?"
    return "is not a setting; `vitrine settings` lists them all"


def settings_tables() -> str:
    """All settings in Markdown: a heading for each group, under it its own variables."""
    parts = []
    for group in GROUPS:
        rows = [f"## {group.__doc__}", "", "| variable | default | meaning |", "|-|-|-|"]
        rows += [_row(name, group.model_fields[name]) for name in _own_fields(group)]
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def _own_fields(group: type[Any]) -> Iterator[str]:
    return (name for name in group.__annotations__ if name in group.model_fields)


def _row(name: str, field: Any) -> str:
    secret = isinstance(field.default, SecretStr)
    default = field.default.get_secret_value() if secret else str(field.default)
    shown = f"`{default}`" if default else ""
    return f"| `{_variable(name)}` | {shown} | {field.description} |"


def _variable(name: str) -> str:
    return PREFIX + name.upper()
