"""`/v1/search`: by words in the address, or by any mix in JSON or a form."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints

from flask import Response, g, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import ValidationError

from service.access import visible
from service.container import current_vitrine
from service.errors import refuse
from service.models.base import answer
from service.models.facet_search import FacetParameters, FacetPath, FacetSearchAnswer
from service.models.search_answer import BatchAnswer, SearchAnswer
from service.models.search_request import (
    BatchRequest,
    PageParameters,
    SearchParameters,
    SearchRequest,
    SimilarParameters,
)
from service.models.suggest import SuggestAnswer, SuggestParameters
from service.pictures import query_pictures
from vitrine.answers import search_answer
from vitrine.errors import FieldError, InvalidInput, InvalidQuery
from vitrine.fields.schema import Schema
from vitrine.filters import parse_filter, parse_parameters
from vitrine.queries import SearchQuery, Sort, WeightedImage, WeightedText
from vitrine.results import Page
from vitrine.version_search import VersionSearch

__all__ = ["answered", "query_of_parameters", "search"]

search = APIBlueprint("search", __name__, abp_tags=[Tag(name="Search")])


def _reads_parameters(view: Callable[..., Response]) -> Callable[..., Response]:
    """A view whose argument `query` is read here.

    flask-openapi3 goes through the model's schema with every request, to find lists of values; the
    models have none. `InvalidQuery` says what is wrong.
    """
    model = get_type_hints(view)["query"]

    @wraps(view)
    def reading() -> Response:
        try:
            query = model.model_validate(request.args.to_dict())
        except ValidationError as error:
            refuse(error)
        return view(query=query)

    reading.__delay_validate_request__ = True  # type: ignore[attr-defined]  # of flask-openapi3
    return reading


@search.get("/v1/search", responses={200: SearchAnswer})
@_reads_parameters
def search_by_words(query: SearchParameters) -> Response:
    """Search by words, or browse; other parameters filter: `field=value`, `field_min`, ..."""
    texts = (WeightedText(query.q),) if query.q else ()
    return answered(
        lambda version: version.search(query_of_parameters(query, version.schema, texts)),
        cursor=query.cursor,
    )


@search.post("/v1/search", responses={200: SearchAnswer})
def search_by_anything(body: SearchRequest) -> Response:
    """Search by any mix of texts, a picture (also as a file in a form) and examples, or browse."""

    def search(version: VersionSearch) -> Page:
        side = version.embedder.info.image_size
        pictures = query_pictures(body.image, current_vitrine().settings, at_least=side)
        return version.search(_query(body, pictures, version.schema))

    return answered(search, cursor=body.cursor)


@search.post("/v1/search/upload", responses={200: SearchAnswer})
def search_upload(body: SearchRequest) -> Response:
    """Search by a picture that is a file in a form, as `POST /v1/search` takes it as well."""
    response: Response = search_by_anything(body)
    return response


@search.post("/v1/search/batch", responses={200: BatchAnswer})
def search_batch(body: BatchRequest) -> Response:
    """Search several times at once, as `POST /v1/search` does each; one fault refuses all."""
    limit = current_vitrine().settings.max_batch
    pictures = sum(len(each.image) for each in body.searches if isinstance(each.image, list))
    if pictures > limit:
        raise InvalidQuery.of("searches", f"name {pictures} pictures, at most {limit} are allowed")
    if len(body.searches) > limit:
        raise InvalidQuery.of(
            "searches", f"holds {len(body.searches)}, at most {limit} are allowed"
        )

    def on_version(version: VersionSearch) -> list[Page]:
        side = version.embedder.info.image_size
        queries = []
        for number, one_search in enumerate(body.searches):
            with InvalidInput.within(f"searches[{number}]"):
                pictures = query_pictures(
                    one_search.image, current_vitrine().settings, at_least=side
                )
                queries.append(_query(one_search, pictures, version.schema))
        return version.search_batch(queries)

    pages = current_vitrine().engine.answer(on_version)
    return answer({"answers": [search_answer(page, g.base) for page in pages]})


@search.get("/v1/facets/<field>", responses={200: FacetSearchAnswer})
def search_facet(path: FacetPath, query: FacetParameters) -> Response:
    """List the values of one field that contain a text, with their counts under a filter."""
    pairs = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if name not in FacetParameters.model_fields
    ]
    values, cut = current_vitrine().engine.answer(
        lambda version: version.facet_values(
            path.field,
            query.q,
            visible(
                parse_parameters(pairs, version.schema, besides=[*FacetParameters.model_fields]),
                version.schema,
            ),
            limit=query.limit,
        )
    )
    return answer({"values": [{"value": v.value, "count": v.count} for v in values], "cut": cut})


@search.get("/v1/suggest", responses={200: SuggestAnswer})
def suggest(query: SuggestParameters) -> Response:
    """Complete what is being typed, from the words and names of the live catalogue."""
    suggestions = current_vitrine().engine.answer(
        lambda version: version.suggest(query.q, limit=query.limit)
    )
    rows = [
        {"text": s.text, "kind": s.kind, "count": s.count}
        | ({} if s.value is None else {"value": s.value})
        for s in suggestions
    ]
    return answer({"suggestions": rows})


def answered(request: Callable[[VersionSearch], Page], *, cursor: str | None = None) -> Response:
    """The page that one version makes of the request."""
    return search_response(current_vitrine().engine.answer(request, cursor=cursor))


def search_response(page: Page) -> Response:
    """The page as JSON; its stages go into Server-Timing."""
    g.stages = page.timings_ms
    g.empty = page.total == 0
    return answer(search_answer(page, g.base))


def query_of_parameters(
    parameters: PageParameters, schema: Schema, texts: tuple[WeightedText, ...] = ()
) -> SearchQuery:
    """The query in a URL; a parameter that is not a known one filters on a field."""
    known = type(parameters).model_fields
    pairs = list(request.args.items(multi=True))
    repeated = sorted(
        {name for name, _ in pairs if name in known and len(request.args.getlist(name)) > 1}
    )
    if repeated:
        raise InvalidQuery([FieldError(name, "is given more than once") for name in repeated])
    return SearchQuery(
        texts=texts,
        filter=visible(
            parse_parameters(
                [(name, value) for name, value in pairs if name not in known],
                schema,
                besides=[*known],
            ),
            schema,
        ),
        facets=tuple(dict.fromkeys(_names(parameters.facets))),
        sort=Sort.parse(parameters.sort),
        limit=parameters.limit,
        cursor=parameters.cursor or None,
        candidates=parameters.candidates,
        min_score=parameters.min_score,
        collapse=parameters.collapse or None,
        explain=parameters.explain,
        own_group=isinstance(parameters, SimilarParameters) and parameters.own_group,
        ranking=parameters.ranking,
        cutoff=parameters.cutoff,
        **_reading(parameters),
    )


def _names(text: str) -> list[str]:
    """Names that are separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _reading(parameters: PageParameters) -> dict[str, Any]:
    """How the text is to be read, where there may be one."""
    if not isinstance(parameters, SearchParameters):
        return {}
    literal = tuple(part for part in parameters.literal.split("|") if part)
    return {"understand": parameters.understand, "literal": literal}


def _query(body: SearchRequest, pictures: tuple[WeightedImage, ...], schema: Schema) -> SearchQuery:
    return SearchQuery(
        texts=_texts(body),
        images=pictures,
        like=tuple(body.like),
        unlike=tuple(body.unlike),
        text_weight=body.weights.text,
        image_weight=body.weights.image,
        filter=visible(parse_filter(body.filter, schema), schema),
        facets=tuple(dict.fromkeys(body.facets)),
        sort=Sort.parse(body.sort),
        limit=body.limit,
        cursor=body.cursor,
        candidates=body.candidates,
        min_score=body.min_score,
        collapse=body.collapse or None,
        explain=body.explain,
        include_examples=body.include_examples,
        ranking=body.ranking,
        cutoff=body.cutoff,
        understand=body.understand,
        literal=tuple(body.literal),
    )


def _texts(body: SearchRequest) -> tuple[WeightedText, ...]:
    if body.text is None:
        return ()
    if isinstance(body.text, str):
        return (WeightedText(body.text),)
    return tuple(WeightedText(part.text, part.weight) for part in body.text)
