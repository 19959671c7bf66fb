"""Similarity, classification and detection over HTTP."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from tests.unit.service.checking import CheckingClient
from tests.unit.service.conftest import Shop, base64_of, picture

RED = {"base64": base64_of(picture("red"))}


def test_similarities_come_in_the_order_of_the_texts(client: CheckingClient):
    found = client.post("/v1/similarity", json={"image": RED, "texts": ["blue", "red"]}).get_json()[
        "similarities"
    ]
    assert [s["text"] for s in found] == ["blue", "red"]
    assert found[1]["cosine"] > 0.8 > found[0]["cosine"]


def test_probabilities_add_up_to_one_and_the_best_label_comes_first(client: CheckingClient):
    found = client.post("/v1/classify", json={"image": RED, "labels": ["blue", "red"]}).get_json()[
        "labels"
    ]
    assert found[0]["label"] == "red"
    assert sum(label["probability"] for label in found) == pytest.approx(1)


def test_one_template_or_several_are_accepted(client: CheckingClient):
    body = {"image": RED, "labels": ["blue", "red"]}
    one = client.post("/v1/classify", json={**body, "template": "{}"}).get_json()
    several = client.post("/v1/classify", json={**body, "template": ["{}", "{}"]}).get_json()
    assert [x["label"] for x in one["labels"]] == [x["label"] for x in several["labels"]]


def test_the_picture_may_be_a_file_in_a_form(client: CheckingClient):
    form = {
        "image": (io.BytesIO(picture("red")), "red.png"),
        "request": json.dumps({"labels": ["blue", "red"]}),
    }
    assert client.post("/v1/classify", data=form).get_json()["labels"][0]["label"] == "red"


def test_boxes_are_in_pixels_of_the_picture(client: CheckingClient):
    found = client.post("/v1/detect", json={"image": RED, "labels": ["mug"]}).get_json()["objects"]
    assert found == [
        {
            "label": "mug",
            "score": 0.5,
            "box": {"xmin": 0.0, "ymin": 0.0, "xmax": 30.0, "ymax": 40.0},
        }
    ]


def test_without_labels_the_categories_of_the_catalogue_are_looked_for(shop: Shop):
    sent = []
    detector = shop.vitrine.detector
    detect = detector.detect

    def noted(image, labels, *, threshold):
        sent.append([*labels])
        return detect(image, labels, threshold=threshold)

    detector.detect = noted  # type: ignore[method-assign]
    assert shop.client.post("/v1/detect", json={"image": RED}).status_code == 200
    key = shop.client.post("/v1/pictures", json={"image": RED}).get_json()["key"]
    assert shop.client.post(f"/v1/pictures/{key}/objects", json={}).status_code == 200
    listed = shop.client.get("/v1/facets/category?limit=1000").get_json()["values"]
    paths = [value["value"] for value in listed]
    leaves = [path for path in paths if not any(p.startswith(f"{path}/") for p in paths)]
    assert sent == [[path.rpartition("/")[2] for path in leaves]] * 2
    assert leaves


@pytest.mark.parametrize(("distinct", "told"), [(False, ["mug", "cup"]), (True, ["mug"])])
def test_of_boxes_that_cover_each_other_only_the_best_is_told_where_that_is_asked(
    client: CheckingClient, distinct: bool, told: list[str]
):
    body = {"image": RED, "labels": ["mug", "cup"], "distinct": distinct}
    objects = client.post("/v1/detect", json=body).get_json()["objects"]
    assert [each["label"] for each in objects] == told


def test_nothing_above_the_threshold_is_an_empty_list(client: CheckingClient):
    for search in (False, True):
        body = {"image": RED, "labels": ["mug"], "threshold": 0.9, "search": search}
        assert client.post("/v1/detect", json=body).get_json() == {"objects": []}


def test_the_picture_with_the_boxes_is_drawn_for_who_accepts_png(client: CheckingClient):
    response = client.post(
        "/v1/detect", json={"image": RED, "labels": ["mug"]}, headers={"Accept": "image/png"}
    )
    drawn = Image.open(io.BytesIO(response.get_data()))
    assert (response.content_type, drawn.size) == ("image/png", (60, 40))
    assert drawn.getpixel((0, 30)) != drawn.getpixel((50, 30))


@pytest.mark.parametrize("accept", ["*/*", "application/json, image/png", "application/json", ""])
def test_json_is_the_answer_unless_png_is_preferred(client: CheckingClient, accept: str):
    response = client.post(
        "/v1/detect", json={"image": RED, "labels": ["mug"]}, headers={"Accept": accept}
    )
    assert response.content_type == "application/json"


def test_for_each_box_the_products_that_look_like_it_are_added(client: CheckingClient):
    body = {
        "image": RED,
        "labels": ["mug", "dress"],
        "search": True,
        "filter": {"category": "Kitchen"},
        "limit": 2,
    }
    found = client.post("/v1/detect", json=body).get_json()["objects"]
    for one in found:
        assert one["products"]["hits"][0]["id"] == "mugs/6"
        assert len(one["products"]["hits"]) == 2
        assert one["products"]["total"] == 6


@pytest.mark.parametrize(
    ("address", "body", "field"),
    [
        ("similarity", {"texts": ["a"]}, "image"),
        ("similarity", {"image": RED}, "texts"),
        ("similarity", {"image": RED, "texts": []}, "texts"),
        ("similarity", {"image": RED, "texts": "red"}, "texts"),
        ("classify", {"image": RED, "labels": []}, "labels"),
        ("classify", {"image": RED, "labels": ["a"] * 1001}, "labels"),
        ("classify", {"image": RED, "labels": ["a" * 10_001]}, "labels"),
        ("classify", {"image": RED, "labels": ["a\0"]}, "labels[0]"),
        ("classify", {"image": RED, "labels": ["a", 5]}, "labels[1]"),
        ("classify", {"image": RED, "labels": ["a"], "template": "a photo"}, "template"),
        ("classify", {"image": RED, "labels": ["a"], "template": []}, "template"),
        ("classify", {"image": RED, "labels": ["a"], "template": 5}, "template"),
        ("detect", {"image": RED, "labels": ["a"], "threshold": 2}, "threshold"),
        (
            "detect",
            {
                "image": RED,
                "labels": ["a"],
                "search": True,
                "filter": {"colour": "red"},  # codespell:ignore
            },  # codespell:ignore
            "colour",  # codespell:ignore
        ),
        ("detect", {"image": RED, "labels": []}, "labels"),
        ("detect", {"image": RED, "labels": ["a"], "search": True, "limit": 10**9}, "limit"),
        ("detect", {"image": RED, "labels": ["a"], "limit": 201}, "limit"),
        ("detect", {"image": RED, "labels": ["a"], "filter": {"color": "red"}}, "filter"),
    ],
)
def test_what_cannot_be_answered_is_named(
    client: CheckingClient, address: str, body: dict, field: str
):
    response = client.post(f"/v1/{address}", json=body)
    assert response.status_code == 422
    assert field in [fault["field"] for fault in response.get_json()["errors"]]


@pytest.mark.parametrize(
    "labels",
    [
        ["red"],
        ["red", "red"],
        [f"label {n}" for n in range(1000)],
        ["x" * 10_000],
        ["красный", "赤い", "أحمر"],
    ],
)
def test_one_label_many_equal_long_and_foreign_labels_are_answered(
    client: CheckingClient, labels: list[str]
):
    found = client.post("/v1/classify", json={"image": RED, "labels": labels}).get_json()["labels"]
    assert sorted(label["label"] for label in found) == sorted(labels)


def test_recognition_answers_without_any_catalogue(shop: Shop):
    shop.versions.live_name = None
    assert (
        shop.client.post("/v1/classify", json={"image": RED, "labels": ["red"]}).status_code == 200
    )
    assert shop.client.post("/v1/detect", json={"image": RED, "labels": ["red"]}).status_code == 200
