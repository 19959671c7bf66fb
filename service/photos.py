"""`/v1/pictures`: a shopper's photo is sent once, looked at, and searched with."""

from __future__ import annotations

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from service.access import visible
from service.container import current_vitrine, current_warm_up
from service.models.base import answer
from service.models.photos import (
    ObjectsRequest,
    PhotoAnswer,
    PhotoObjectsAnswer,
    PhotoPath,
    PhotoRequest,
)
from service.pictures import decoded, required_bytes
from service.recognition import DETECTOR_SIDE, box_of
from vitrine.boxes import distinct
from vitrine.filters import MATCH_ALL

__all__ = ["photos"]

photos = APIBlueprint("photos", __name__, abp_tags=[Tag(name="Search")])

_LABELS = 32
"""Kinds of things that are looked for at most, the commonest of the catalogue."""
_ANYTHING = ("product",)
"""What is looked for in a catalogue without categories."""


@photos.post("/v1/pictures", responses={200: PhotoAnswer})
def keep_photo(body: PhotoRequest) -> Response:
    """Keep a photo for a day, for searches by its key; the same bytes have the same key."""
    vitrine = current_vitrine()
    data = required_bytes(body.image, vitrine.settings)
    decoded(data, vitrine.settings, at_least=1)  # only what can be searched with is kept
    photo = vitrine.photos.put(data)
    return answer(PhotoAnswer(key=photo.key, expires=photo.expires, objects=vitrine.has_detector))


@photos.post("/v1/pictures/upload", responses={200: PhotoAnswer})
def keep_photo_upload(body: PhotoRequest) -> Response:
    """Keep a photo that is a file in a form, as `POST /v1/pictures` takes it as well."""
    response: Response = keep_photo(body)
    return response


@photos.post("/v1/pictures/<key>/objects", responses={200: PhotoObjectsAnswer})
def photo_objects(path: PhotoPath, body: ObjectsRequest) -> Response:
    """Find the things in a photo that are of the kinds that the shop sells, as boxes to search."""
    vitrine = current_vitrine()
    data = vitrine.photos.get(path.key)
    picture = decoded(data, vitrine.settings, at_least=DETECTOR_SIDE)
    labels = vitrine.recognition.category_labels(visible(MATCH_ALL, vitrine.engine.schema))
    with current_warm_up().loading_detector():
        detections = vitrine.recognition.detect(
            picture, labels[:_LABELS] or _ANYTHING, threshold=body.threshold
        )
    objects = [
        {"score": detection.score, "box": box_of(detection.box, picture)}
        for detection in distinct(detections)[: body.limit]
    ]
    return answer({"objects": objects})
