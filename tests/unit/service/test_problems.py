"""Errors leave by one table; a 500 tells its cause to the log alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from service.errors import TABLE
from tests.unit.service.conftest import TOKEN, Shop
from vitrine import errors

SECRET = "secret-of-the-disk"


@pytest.fixture
def shop(unchanged: Shop) -> Iterator[Shop]:
    """One shop for the whole file; what a test broke is whole again after it."""
    yield unchanged
    unchanged.versions.broken = None


def raised(shop: Shop, error: Exception):
    shop.versions.broken = error
    return shop.client.get("/v1/search?q=red")


def ours() -> list[type[errors.VitrineError]]:
    return [
        getattr(errors, name)
        for name in errors.__all__
        if name not in ("FieldError", "VitrineError")
    ]


def made(kind: type[errors.VitrineError]) -> errors.VitrineError:
    if kind is errors.InvalidImage:
        return errors.InvalidImage("truncated", "it ends early")
    return (
        kind.of("here", "it is wrong")
        if issubclass(kind, errors.InvalidInput)
        else kind("it cannot be")
    )


@pytest.mark.parametrize("kind", ours(), ids=lambda kind: kind.__name__)
def test_every_error_of_ours_has_its_own_status_and_tells_what_is_wrong(
    shop: Shop, kind: type[errors.VitrineError]
):
    response = raised(shop, made(kind))
    assert 400 <= response.status_code < 600
    assert response.status_code != 500
    assert response.get_json()["type"].startswith("urn:vitrine:problem:")
    assert "it " in response.get_json()["detail"]


def test_no_row_of_the_table_hides_a_later_one():
    for number, row in enumerate(TABLE):
        hidden = [
            later.raised.__name__
            for later in TABLE[number + 1 :]
            if issubclass(later.raised, row.raised)
        ]
        assert hidden == [], f"{row.raised.__name__} comes before {hidden}"


@pytest.mark.parametrize(
    "error",
    [RuntimeError(SECRET), KeyError(SECRET), errors.VitrineError(SECRET), MemoryError(SECRET)],
    ids=repr,
)
def test_an_unknown_error_is_a_500_that_never_shows_its_cause(
    shop: Shop, error: Exception, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.ERROR):
        response = raised(shop, error)
    assert response.status_code == 500
    assert SECRET not in response.get_data(as_text=True) + str(response.headers)
    assert SECRET in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    "kind",
    [
        errors.IndexUnavailable,
        errors.NoLiveVersion,
        errors.ModelUnavailable,
        errors.StorageUnavailable,
    ],
)
def test_a_503_says_when_to_try_again(shop: Shop, kind: type[errors.VitrineError]):
    response = raised(shop, kind("not now"))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0


def test_a_conflict_names_the_job_in_the_way(shop: Shop):
    response = raised(shop, errors.Conflict("a reindex runs", job_id="job-7"))
    assert (response.status_code, response.get_json()["job_id"]) == (409, "job-7")


def test_a_sound_request_id_is_echoed(shop: Shop):
    assert (
        shop.client.get("/health/live", headers={"X-Request-ID": "shop-42.a:b"}).headers[
            "X-Request-ID"
        ]
        == "shop-42.a:b"
    )


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "ü", '"><script>', "a\tb"])
def test_an_unsound_request_id_is_replaced(shop: Shop, given: str):
    answered = shop.client.get("/health/live", headers={"X-Request-ID": given}).headers[
        "X-Request-ID"
    ]
    assert answered != given
    assert len(answered) == 32


def test_every_answer_forbids_scripts_of_others_and_guessing_of_types(shop: Shop):
    for address in ("/v1/search", "/v1/nothing", "/docs"):
        headers = shop.client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


PLACES = {
    "the image store /srv/shop/images cannot answer": "the image store images cannot answer",
    "thumbnails are kept in /srv/a/b: No space left": "thumbnails are kept in b: No space left",
    "[Errno 28] No space: '/srv/my shop/x.part'; sorry": "[Errno 28] No space: 'x.part'; sorry",
    "/var/lib/vitrine/secret.key, cannot be read": "secret.key, cannot be read",
    "the store file:///srv/shop/images is away": "the store file://images is away",
    "Qdrant at http://qdrant:6333/a/b is away": "Qdrant at http://qdrant:6333/a/b is away",
    "s3://bucket/pictures/a is away": "s3://bucket/pictures/a is away",
    "ask for 5 and/or 6, see /docs": "ask for 5 and/or 6, see /docs",
}


@pytest.mark.parametrize("text", PLACES)
def test_where_something_lies_on_this_machine_is_told_to_the_operator_alone(
    shop: Shop, text: str, caplog: pytest.LogCaptureFixture
):
    shop.versions.broken = errors.StorageUnavailable(text)
    assert shop.client.get("/v1/search").get_json()["detail"] == PLACES[text]
    assert text in caplog.text
    admin = {"Authorization": f"Bearer {TOKEN}"}
    refused = shop.client.patch("/v1/admin/products/a", json={"price": 1}, headers=admin)
    assert refused.get_json()["detail"] == text


def test_where_something_lies_is_not_told_in_the_fault_of_a_setting_either(shop: Shop):
    place = "/srv/shop/secret.key is damaged"
    shop.versions.broken = errors.InvalidSettings.of("VITRINE_DATA_DIR", place)
    refused = shop.client.get("/v1/search")
    assert refused.status_code == 503
    assert "/srv" not in refused.get_data(as_text=True)
    assert refused.get_json()["errors"][0]["message"] == "secret.key is damaged"
