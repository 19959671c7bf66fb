"""`/v1/similarity`, `/v1/classify`, `/v1/detect`: what the models can tell of one picture."""

from __future__ import annotations

import io
from typing import Any

from flask import Response, g, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from PIL.Image import Image

from service.access import visible
from service.container import current_vitrine, current_warm_up
from service.models.base import answer
from service.models.recognition import (
    ClassifyAnswer,
    ClassifyRequest,
    DetectAnswer,
    DetectRequest,
    LabelAnswer,
    SimilarityAnswer,
    SimilarityRequest,
    TextSimilarity,
)
from service.pictures import required_picture
from vitrine.answers import search_answer
from vitrine.boxes import distinct, draw_boxes
from vitrine.errors import InvalidQuery
from vitrine.filters import MATCH_ALL, parse_filter
from vitrine.images.decoded import scale_of
from vitrine.queries import SearchQuery
from vitrine.recognition import ShoppedObject

__all__ = ["DETECTOR_SIDE", "box_of", "recognition"]

recognition = APIBlueprint("recognition", __name__, abp_tags=[Tag(name="What the models can tell")])

DETECTOR_SIDE = 768
"""Pixels that OWL-ViT's detectors see; a larger photo need not be decoded in full."""

_PNG = "image/png"
"""What a client accepts that wants the picture with the boxes drawn."""


@recognition.post("/v1/similarity", responses={200: SimilarityAnswer})
def similarity(body: SimilarityRequest) -> Response:
    """Compare a picture with texts: one cosine each, in their order."""
    vitrine = current_vitrine()
    picture = required_picture(
        body.image, vitrine.settings, at_least=vitrine.embedder.info.image_size
    )
    cosines = vitrine.recognition.similarity(picture, body.texts)
    return answer(
        SimilarityAnswer(
            similarities=[TextSimilarity(text=s.text, cosine=s.cosine) for s in cosines]
        )
    )


@recognition.post("/v1/similarity/upload", responses={200: SimilarityAnswer})
def similarity_upload(body: SimilarityRequest) -> Response:
    """Compare a picture that is a file in a form, as `POST /v1/similarity` takes it as well."""
    response: Response = similarity(body)
    return response


@recognition.post("/v1/classify", responses={200: ClassifyAnswer})
def classify(body: ClassifyRequest) -> Response:
    """Give each label its probability (softmax at the model's own logit scale)."""
    vitrine = current_vitrine()
    picture = required_picture(
        body.image, vitrine.settings, at_least=vitrine.embedder.info.image_size
    )
    templates = [body.template] if isinstance(body.template, str) else body.template
    classified = vitrine.recognition.classify(picture, body.labels, templates)
    return answer(
        ClassifyAnswer(
            labels=[LabelAnswer(label=c.label, probability=c.probability) for c in classified]
        )
    )


@recognition.post("/v1/classify/upload", responses={200: ClassifyAnswer})
def classify_upload(body: ClassifyRequest) -> Response:
    """Classify a picture that is a file in a form, as `POST /v1/classify` takes it as well."""
    response: Response = classify(body)
    return response


@recognition.post("/v1/detect", responses={200: DetectAnswer})
def detect(body: DetectRequest) -> Response:
    """Find objects of those labels; with `search`, also the products that look like each."""
    vitrine = current_vitrine()
    drawn = request.accept_mimetypes.best_match(["application/json", _PNG]) == _PNG
    if drawn and body.search:
        raise InvalidQuery.of("search", "is available as JSON only; send Accept: application/json")
    if body.limit > vitrine.settings.max_limit:
        raise InvalidQuery.of("limit", f"must be from 1 to {vitrine.settings.max_limit}")
    query = _products_query(body) if body.search else None
    if body.filter and query is None:
        raise InvalidQuery.of("filter", "needs search: true")
    labels = body.labels
    if labels is None:
        labels = vitrine.recognition.category_labels(visible(MATCH_ALL, vitrine.engine.schema))
        if not labels:
            raise InvalidQuery.of("labels", "is missing, and the catalogue has no categories")
    picture = required_picture(body.image, vitrine.settings, at_least=DETECTOR_SIDE)
    with current_warm_up().loading_detector():
        objects = vitrine.recognition.detect(picture, labels, threshold=body.threshold)
    if body.distinct:
        objects = distinct(objects)
    if drawn:
        return _png(draw_boxes(picture, objects))
    detected = (
        vitrine.recognition.shop(picture, objects, query)
        if query and objects
        else [ShoppedObject(detection) for detection in objects]
    )
    return answer({"objects": [_object(each, picture) for each in detected]})


@recognition.post("/v1/detect/upload", responses={200: DetectAnswer})
def detect_upload(body: DetectRequest) -> Response:
    """Find objects in a picture that is a file in a form, as `POST /v1/detect` takes it as well."""
    response: Response = detect(body)
    return response


def _products_query(body: DetectRequest) -> SearchQuery:
    schema = current_vitrine().engine.schema
    return SearchQuery(filter=visible(parse_filter(body.filter, schema), schema), limit=body.limit)


def _enlargement(picture: Image) -> tuple[float, float]:
    """How much wider and higher the upload is than the picture that the model saw."""
    scale = scale_of(picture)
    width, height = scale.original
    return width / scale.covered[0], height / scale.covered[1]


def box_of(edges: tuple[float, float, float, float], picture: Image) -> dict[str, float]:
    """A box of the picture that the model saw, in pixels of the upload."""
    width, height = _enlargement(picture)
    left, top, right, bottom = edges
    return {
        "xmin": left * width,
        "ymin": top * height,
        "xmax": right * width,
        "ymax": bottom * height,
    }


def _object(detected: ShoppedObject, picture: Image) -> dict[str, Any]:
    detection = detected.object
    box = box_of(detection.box, picture)
    fields = {"label": detection.label, "score": detection.score, "box": box}
    if detected.products is None:
        return fields
    return {**fields, "products": search_answer(detected.products, g.base)}


def _png(picture: Image) -> Response:
    written = io.BytesIO()
    picture.save(written, "PNG")
    return Response(written.getvalue(), content_type=_PNG)
