"""The dual encoder and the detector."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from vitrine.settings.groups.checks import HOST_RULE, HeaderSecret, is_address
from vitrine.settings.groups.data import DataSettings
from vitrine.unix_sockets import LONGEST_PATH, UNIX, is_socket_path

__all__ = ["ModelSettings"]

_SOCKET_RULE = f"{UNIX} and a socket's whole path of at most {LONGEST_PATH} bytes"


class ModelSettings(DataSettings):
    """The dual encoder and the detector."""

    model: str = Field(
        "openai/clip-vit-base-patch32",
        description="hub name or folder of the dual encoder; bundled is the demo's small CLIP",
    )
    dimension: int = Field(
        0,
        ge=0,
        le=65_536,
        description="leading components of each vector that are kept, where the checkpoint says"
        " that it may be cut (Matryoshka); 0: all",
    )
    detector: str = Field(
        "google/owlvit-base-patch32",
        description="hub name or folder of the detector (OWL-ViT, OWLv2 or Grounding DINO);"
        " bundled is the demo's",
    )
    runtime: Literal["auto", "torch", "onnx"] = Field(
        "auto", description="auto: ONNX Runtime on CPU, torch on CUDA and MPS"
    )
    precision: Literal["auto", "fp32", "int8", "bf16"] = Field(
        "auto",
        description="arithmetic of the model; auto: fp32, but bf16 to embed on a GPU that has it;"
        " int8 needs onnx, bf16 torch",
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:N or mps")
    cuda_graphs: Literal["auto", "off"] = Field(
        "auto",
        description="auto: on CUDA, texts are embedded as CUDA graphs, where these prove to give"
        " the same vectors; off: they are not",
    )
    model_threads: int = Field(
        0, ge=0, le=1024, description="threads of the forward pass; 0: one per core"
    )
    embedder_url: str = Field(
        "",
        description="address of a `vitrine embedder` that has the model, such as"
        " http://10.0.0.5:8001 or unix:/run/vitrine/embedder.sock; empty: the model is loaded here",
    )
    embedder_token: HeaderSecret = Field(
        SecretStr(""), description="bearer token of the embedder, the same on both sides"
    )
    query_timeout_s: float = Field(
        30, gt=0, le=3600, description="seconds a query waits for the model before it gets 503"
    )
    embedding_cache: int = Field(
        10_000, ge=0, description="query embeddings kept in memory; 0 keeps none"
    )

    @field_validator("embedder_url")
    @classmethod
    def _known_embedder(cls, url: str) -> str:
        if url.startswith(UNIX):
            path = re.sub("^//(?=/)", "", url.removeprefix(UNIX))  # unix:///path is unix:/path
            if not is_socket_path(path):
                raise ValueError(f"must be {_SOCKET_RULE}")
            return UNIX + path
        if url and not is_address(url):
            raise ValueError(f"{HOST_RULE}, or {_SOCKET_RULE}")
        if "@" in urlsplit(url).netloc:
            raise ValueError("must not name a user; VITRINE_EMBEDDER_TOKEN is what is sent")
        return url.rstrip("/")
