"""A form that is cut, or whose boundary is another, is refused.

It is never taken for an empty one.
"""

from __future__ import annotations

import random

import pytest

from tests.unit.service.conftest import Shop, picture

BOUNDARY = "a-boundary"
FORM = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
    "Content-Type: image/png\r\n\r\n".encode()
    + picture("red")
    + f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="request"\r\n\r\n'.encode()
    + b'{"limit": 3}'
    + f"\r\n--{BOUNDARY}--\r\n".encode()
)


def post(shop: Shop, form: bytes, boundary: str | None = BOUNDARY):
    kind = "multipart/form-data" + ("" if boundary is None else f"; boundary={boundary}")
    return shop.client.post("/v1/search", data=form, content_type=kind)


def test_a_whole_form_is_a_search(unchanged: Shop):
    assert len(post(unchanged, FORM).get_json()["hits"]) == 3


def test_a_form_cut_anywhere_is_refused(unchanged: Shop):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for at in {
        0,
        1,
        len(FORM) // 2,
        len(FORM) - 6,
        *(rng.randrange(len(FORM) - 6) for _ in range(30)),
    }:
        response = post(unchanged, FORM[:at])
        assert (at, response.status_code) == (at, 400)


@pytest.mark.parametrize("boundary", ["another", "a-boundary-", "", None])
def test_another_boundary_or_none_is_refused(unchanged: Shop, boundary: str | None):
    assert post(unchanged, FORM, boundary).status_code == 400
