"""`/v1/search`: by words in the address, or by any mix in JSON or a form."""

from __future__ import annotations

from flask import Response, g, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from PIL.Image import Image

from service.container import current_vitrine
from service.models.search import SearchAnswer, SearchParameters, SearchRequest, SimilarParameters
from service.pictures import optional_picture
from service.rendering import answer, page_answer
from vitrine.errors import FieldError, InvalidQuery
from vitrine.fields.schema import Schema
from vitrine.filters import parse_filter, parse_parameters
from vitrine.queries import SearchQuery, Sort, WeightedText
from vitrine.results import Page
from vitrine.serving import Serving

__all__ = ["answering", "page_response", "parameters_query", "search"]

search = APIBlueprint("search", __name__, abp_tags=[Tag(name="Search")])


@search.get("/v1/search", responses={200: SearchAnswer})
def search_by_words(query: SearchParameters) -> Response:
    """Search by words, or browse; further parameters filter: `field=value`, `field_min`, `field_max`."""
    texts = (WeightedText(query.q),) if query.q else ()
    asked = parameters_query(query, answering().index.info.schema, texts)
    return page_response(current_vitrine().engine.search(asked))


@search.post("/v1/search", responses={200: SearchAnswer})
def search_by_anything(body: SearchRequest) -> Response:
    """Search by any mix of texts, a picture and example products, or browse; the picture may be a file in a form."""
    vitrine = current_vitrine()
    serving = answering()
    picture = optional_picture(
        body.image, vitrine.settings, at_least=serving.embedder.card.image_size
    )
    return page_response(vitrine.engine.search(_query(body, picture, serving.index.info.schema)))


def answering() -> Serving:
    """The version that answers now and its model, whose cache is counted with this request."""
    serving = current_vitrine().live.current()
    g.embedder = serving.embedder
    return serving


def page_response(page: Page) -> Response:
    """The page as JSON; its stages go into Server-Timing."""
    g.stages = page.timings_ms
    return answer(page_answer(page))


def parameters_query(
    given: SimilarParameters, schema: Schema, texts: tuple[WeightedText, ...] = ()
) -> SearchQuery:
    """The query that an address asks; what is no known parameter filters on a field."""
    known = type(given).model_fields
    pairs = list(request.args.items(multi=True))
    repeated = sorted(
        {name for name, _ in pairs if name in known and len(request.args.getlist(name)) > 1}
    )
    if repeated:
        raise InvalidQuery([FieldError(name, "is given more than once") for name in repeated])
    return SearchQuery(
        texts=texts,
        filter=parse_parameters(
            [(name, value) for name, value in pairs if name not in known], schema
        ),
        facets=tuple(name for name in given.facets.split(",") if name),
        sort=Sort.parse(given.sort),
        limit=given.limit,
        cursor=given.cursor or None,
        candidates=given.candidates,
        min_score=given.min_score,
        collapse=given.collapse or None,
        explain=given.explain,
    )


def _query(body: SearchRequest, picture: Image | None, schema: Schema) -> SearchQuery:
    return SearchQuery(
        texts=_texts(body),
        image=picture,
        like=tuple(body.like),
        unlike=tuple(body.unlike),
        text_weight=body.weights.text,
        image_weight=body.weights.image,
        filter=parse_filter(body.filter, schema),
        facets=tuple(body.facets),
        sort=Sort.parse(body.sort),
        limit=body.limit,
        cursor=body.cursor,
        candidates=body.candidates,
        min_score=body.min_score,
        collapse=body.collapse,
        explain=body.explain,
    )


def _texts(body: SearchRequest) -> tuple[WeightedText, ...]:
    if body.text is None:
        return ()
    if isinstance(body.text, str):
        return (WeightedText(body.text),)
    return tuple(WeightedText(part.text, part.weight) for part in body.text)
