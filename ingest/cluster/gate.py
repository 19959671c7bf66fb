"""One gate before the hosts for a whole cluster: `HostPlaces` as an actor."""

from __future__ import annotations

from typing import Any

__all__ = ["ClusterGate"]

_PATIENCE_S = 60.0


class ClusterGate:
    """A `HostGate` that asks the actor which keeps the places; it may travel to any node."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def enter(self, host: str, place: str) -> float:
        """Take a place: 0.0, or the seconds after which to ask again."""
        return float(self._ask("enter", host, place))

    def leave(self, host: str, place: str) -> None:
        """Give a place back."""
        self._ask("leave", host, place)

    def pause(self, host: str, seconds: float) -> None:
        """Give nobody a place at the host for that many seconds."""
        self._ask("pause", host, seconds)

    def tell(self, host: str, *, answered: bool) -> None:
        """Note how asking the host ended."""
        self._ask("tell", host, answered=answered)

    def attempts(self, host: str, most: int) -> int:
        """How often to try the host."""
        return int(self._ask("attempts", host, most))

    def _ask(self, question: str, *arguments: object, **named: object) -> Any:
        import ray

        answer = getattr(self._actor, question).remote(*arguments, **named)
        return ray.get(answer, timeout=_PATIENCE_S)
