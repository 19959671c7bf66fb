"""Clients that search a shop without pause, check every answer, and remember when each one came."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.fakes import FakeEmbedder
from tests.shop import Shop, picture, product
from vitrine.queries import SearchQuery, Sort, WeightedText
from vitrine.results import Page

__all__ = ["Answer", "Searchers", "SlowAtFirst", "around"]

PATIENCE_S = 400.0


@dataclass(frozen=True)
class Answer:
    """One search: who asked, from when to when, the model of the version that answered, and the
    CPU seconds of the client's own thread."""

    client: int
    began: float
    ended: float
    model: str
    worked: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class Searchers:
    """Clients that search until told to stop and check every answer against the version that gave
    it.

    `understands` gives the models by name, apart from the shop's own; `shown` the numbers of every
    picture that a product has or had; the products of `untouched` are written by nobody, so what a
    search must find of them is known.
    """

    def __init__(
        self,
        shop: Shop,
        understands: Shop,
        shown: Mapping[str, Iterable[int]],
        *,
        untouched: range,
        clients: int,
        seed: int = 0,
    ) -> None:
        self._shop, self._understands, self._shown, self._untouched = (
            shop,
            understands,
            shown,
            untouched,
        )
        self.stop = threading.Event()
        self.faults: list[str] = []
        self.answers: list[Answer] = []
        self.clients = range(clients)
        self._threads = [
            threading.Thread(target=self._search, args=(n, random.Random(seed + n)))
            for n in self.clients
        ]

    def __enter__(self) -> Searchers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def served(self) -> Counter[str]:
        """How many searches each model answered."""
        return Counter(answer.model for answer in list(self.answers))

    def wait_for_answers(self, each: int, model: str | None = None) -> None:
        """Return when every client has been answered so many times from now on, by that model.

        A fault when that does not happen.
        """
        seen, counts = len(self.answers), dict.fromkeys(self.clients, 0)
        deadline = time.monotonic() + PATIENCE_S
        while min(counts.values()) < each:
            if time.monotonic() > deadline:
                self.faults.append(
                    f"clients were answered {counts} times within {PATIENCE_S} s: some wait"
                )
                return
            time.sleep(0.002)
            new = self.answers[seen:]
            seen += len(new)
            for answer in new:
                counts[answer.client] += model in (None, answer.model)

    def _search(self, client: int, chance: random.Random) -> None:
        while not self.stop.is_set():
            try:
                began, idle = time.perf_counter(), time.thread_time()
                page, check = self._one(chance)
                ended, worked = time.perf_counter(), time.thread_time() - idle
                self.answers.append(Answer(client, began, ended, page.model, worked))
                self._expect(
                    page.model in page.version,
                    f"{page.version} answered with the model {page.model}",
                )
                check(page)
            except Exception as error:
                self.faults.append(f"{type(error).__name__}: {error}")

    def _one(self, chance: random.Random) -> tuple[Page, Callable[[Page], None]]:
        search = self._shop.vitrine.engine.search
        match chance.randrange(3):
            case 0:
                # by cosine alone, which is what `_check_scores` computes
                query = SearchQuery(texts=(WeightedText("red"),), limit=5, ranking="vector")
                return search(query), self._check_scores
            case 1:
                wanted = product(chance.choice(self._untouched)).id
                query = SearchQuery(
                    like=(wanted,), include_examples=True, limit=3, ranking="vector"
                )
                return search(query), lambda page: self._expect(
                    page.hits[0].product.id == wanted,
                    f"{wanted} does not find itself in {page.version}",
                )
            case _:
                return search(
                    SearchQuery(sort=Sort("price", descending=True), limit=3)
                ), lambda page: self._expect(
                    len(page.hits) == 3, f"browsing {page.version} gives {len(page.hits)} products"
                )

    def _check_scores(self, page: Page) -> None:
        """Query and products of one model, or the scores would not be those of the model that
        the page names."""
        query = self._understands.models(page.model).embed_texts(["red"])[0]
        self._expect(len(page.hits) == 5, f"{page.version} gives {len(page.hits)} products")
        for hit in page.hits:
            # A picture that is replaced at this moment may be told with the score of the one
            # before.
            shown = [
                self._understands.embed(page.model, picture(n))
                for n in list(self._shown[hit.product.id])
            ]
            fits = any(abs(float(query @ vector) - (hit.score or 0)) < 1e-4 for vector in shown)
            self._expect(fits, f"{hit.product.id} has the score of another model in {page.version}")

    def _expect(self, holds: bool, fault: str) -> None:
        if not holds:
            self.faults.append(fault)


class SlowAtFirst(FakeEmbedder):
    """A model that is held wherever a real one is slow at first: while it is loaded, and when
    each of its sides first runs."""

    def __init__(self, name: str, hold: Callable[[], None]) -> None:
        super().__init__(name=name)
        self._hold = hold
        self._run: set[str] = set()
        hold()

    def embed_texts(self, texts):
        self._first("texts")
        return super().embed_texts(texts)

    def embed_images(self, images):
        self._first("images")
        return super().embed_images(images)

    def _first(self, side: str) -> None:
        if side not in self._run:
            self._run.add(side)
            self._hold()


def around(
    answers: Iterable[Answer], moment: float, *, until: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds of the searches that ended before a moment, and of those under way at some time
    from then to `until`."""
    answers = list(answers)
    usual = [a.seconds for a in answers if a.ended < moment]
    within = [a.seconds for a in answers if a.ended >= moment and a.began <= until]
    return np.array(usual), np.array(within)
