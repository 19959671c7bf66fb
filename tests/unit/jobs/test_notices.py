"""A trouble that lasts is told once, not at every try."""

from __future__ import annotations

import logging

import pytest

import ingest.notices
from ingest.notices import Notices


def test_the_same_message_is_told_again_only_after_a_while(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    clock = iter((100.0, 101.0, 129.0, 130.0, 131.0))
    monkeypatch.setattr(ingest.notices.time, "monotonic", lambda: next(clock))
    notices = Notices(logging.getLogger("test"))
    for _ in range(4):
        notices.tell("no Redis")
    notices.tell("no index")
    assert [record.message for record in caplog.records] == ["no Redis", "no Redis", "no index"]
