"""Whatever JSON comes in, the service never fails on it."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.service.conftest import TOKEN, Shop, base64_of, picture

pytestmark = pytest.mark.slow

FIELDS = [
    "text",
    "image",
    "base64",
    "url",
    "like",
    "unlike",
    "weights",
    "weight",
    "filter",
    "facets",
    "sort",
    "limit",
    "cursor",
]
FIELDS += [
    "candidates",
    "min_score",
    "collapse",
    "explain",
    "texts",
    "labels",
    "template",
    "threshold",
    "search",
    "verify",
    "model",
]
FIELDS += [
    "id",
    "title",
    "price",
    "color",
    "category",
    "in_stock",
    "added",
    "gte",
    "lt",
    "in",
    "match",
    "exists",
    "not",
    "or",
]
WORDS = [
    "red",
    "",
    "price",
    "-price",
    "relevance",
    "a\0b",
    "{}",
    "2026-01-31",
    "group_id",
    base64_of(picture("red", (8, 8))),
]
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
)
JSON = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5) | JSON


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/search"),
        ("POST", "/v1/similarity"),
        ("POST", "/v1/classify"),
        ("POST", "/v1/detect"),
        ("PUT", "/v1/admin/products"),
        ("PATCH", "/v1/admin/products/p1"),
        ("POST", "/v1/admin/reindex"),
    ],
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=BODIES)
def test_any_json_is_answered_or_refused(shop: Shop, method: str, path: str, body: object):
    data = json.dumps(body)
    response = shop.client.open(
        path,
        method=method,
        data=data,
        content_type="application/json",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    assert response.status_code in (200, 202, 400, 409, 422), data


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    pairs=st.lists(
        st.tuples(
            st.sampled_from([*FIELDS, "q", "price_min", "price_max", "added_min"]),
            st.text(max_size=6) | st.sampled_from(WORDS),
        )
    )
)
def test_any_address_is_answered_or_refused(shop: Shop, pairs: list[tuple[str, str]]):
    for path in ("/v1/search", "/v1/products/mugs/7/similar", "/v1/products/mugs/7/image"):
        assert shop.client.get(path, query_string=dict(pairs)).status_code in (200, 422), pairs
