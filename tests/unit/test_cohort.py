"""Queries on their way to the same scan: who is there, who turns back, who is waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from vitrine.cohort import Cohort, arrive, is_searching, searching, set_out


def in_thread(call: Callable[[], object]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def test_a_cohort_is_complete_when_each_has_arrived() -> None:
    cohort = Cohort(3)
    for number in range(3):
        assert not cohort.complete, number

        def come() -> None:
            set_out(cohort)
            assert arrive() is cohort
            assert arrive() is None  # each counts once

        in_thread(come)
    assert cohort.complete
    cohort.wait(60)


def test_who_sets_out_again_is_waited_for_no_longer() -> None:
    first, second = Cohort(1), Cohort(1)
    set_out(first)
    set_out(second)
    assert first.complete
    assert not second.complete
    set_out(None)
    assert second.complete
    assert arrive() is None


def test_a_query_that_ends_is_waited_for_no_longer() -> None:
    cohort = Cohort(1)

    @searching()
    def fail() -> None:
        assert is_searching()
        set_out(cohort)
        raise ZeroDivisionError

    assert not is_searching()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert cohort.complete
    assert not is_searching()


def test_waiting_for_one_that_does_not_come_ends() -> None:
    cohort = Cohort(1)
    cohort.wait(0.001)
    assert not cohort.complete
