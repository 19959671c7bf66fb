"""The search engine: every request is answered by one index version, from its filter to its
page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from PIL.Image import Image

from vitrine.cohort import searching
from vitrine.cursors import version_of
from vitrine.errors import InvalidCursor, InvalidInput, NotFound, VersionGone
from vitrine.fields.schema import Schema
from vitrine.lexicon import Lexicons
from vitrine.products import Record
from vitrine.queries import SearchQuery
from vitrine.results import Page
from vitrine.serving import LiveIndex, Serving
from vitrine.settings import LimitSettings
from vitrine.signing import Signer
from vitrine.version_search import VersionSearch

__all__ = ["SearchEngine"]

Answer = TypeVar("Answer")


class SearchEngine:
    """Answers queries from the live version; safe to call from several threads."""

    def __init__(
        self, live: LiveIndex, settings: LimitSettings, signer: Signer | None = None
    ) -> None:
        """`signer` signs the cursors; without one they hold for this engine alone."""
        self._live = live
        self._settings = settings
        self._signer = signer or Signer.random()
        self._lexicons = Lexicons()

    def answer(
        self, request: Callable[[VersionSearch], Answer], *, cursor: str | None = None
    ) -> Answer:
        """What `request` makes of one opened version: the cursor's, or else the one that is live.

        All that a request needs (schema, search, products) comes from that version. Should it be
        removed meanwhile, which a process may learn late, the request runs once more on the version
        that is live by then; a cursor's request cannot and raises `InvalidCursor`.
        Raises `NoLiveVersion`, `IndexUnavailable`, `ModelUnavailable` or `ModelMismatch` when no
        version can answer now.
        """
        with searching():
            return self._answered(request, cursor)

    def _answered(self, request: Callable[[VersionSearch], Answer], cursor: str | None) -> Answer:
        if cursor:
            try:
                return request(self._opened(self._cursor_version(cursor)))
            except VersionGone:
                raise _expired() from None
        try:
            return request(self._opened(self._live.current()))
        except VersionGone:
            return request(self._opened(self._live.current()))

    @property
    def schema(self) -> Schema:
        """The fields of the live catalogue."""
        return self._live.current().index.info.schema

    def search(self, query: SearchQuery) -> Page:
        """One page of what the query asks for (`VersionSearch.search`)."""
        return self.answer(lambda version: version.search(query), cursor=query.cursor)

    def search_images(self, images: Sequence[Image], query: SearchQuery) -> list[Page]:
        """For each image the products that look like it (`VersionSearch.search_images`)."""
        return self.answer(lambda version: version.search_images(images, query))

    def similar(self, product_id: str, query: SearchQuery) -> Page:
        """The products that look like one product (`VersionSearch.similar`)."""
        return self.answer(lambda version: version.similar(product_id, query), cursor=query.cursor)

    def product(self, product_id: str) -> Record:
        """The record of one product of the live version; `NotFound` for an unknown id."""
        return self.answer(lambda version: version.product(product_id))

    def _opened(self, serving: Serving) -> VersionSearch:
        return VersionSearch(serving, self._settings, self._signer, self._lexicons)

    def _cursor_version(self, cursor: str) -> Serving:
        try:
            return self._live.of(version_of(cursor, self._signer))
        except NotFound:
            raise _expired() from None


def _expired() -> InvalidInput:
    return InvalidCursor.of(
        "cursor", "has expired because the index was rebuilt; leave it out for the first page"
    )
