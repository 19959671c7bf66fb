"""What the benchmark of a card measures is what it says."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from benchmarks import device, device_search, preparing
from benchmarks.report import Report
from tests.fakes import FakeEmbedder
from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.ports import Compute
from vitrine.settings import Settings

RULES = ImagePreprocessor(
    shortest=64,
    resized=None,
    crop=(64, 64),
    resample=Image.Resampling.BICUBIC,
    scale=1 / 255,
    mean=(0.5, 0.5, 0.5),
    deviation=(0.25, 0.25, 0.25),
)


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (280, 280)])
def test_both_ways_of_preparing_a_photograph_show_the_model_the_same(size: tuple[int, int]):
    across, down = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    waves = [127 + 120 * np.sin(across / 23 + tone) * np.cos(down / 31) for tone in range(3)]
    written = io.BytesIO()
    picture = Image.fromarray(np.stack(waves, axis=2).astype(np.uint8))
    picture.save(written, "JPEG", quality=90)
    now = preparing.prepared(written.getvalue(), RULES)
    before = preparing.by_the_rule_before(written.getvalue(), RULES)
    assert now.shape == before.shape == (1, 3, 64, 64)
    assert np.abs(now - before).mean() < 0.03, "a level is 0.016"


@pytest.mark.slow  # torch is loaded
def test_torch_alone_finds_what_the_exact_search_does(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(device_search, "_BEST", (10,))
    monkeypatch.setattr(device_search, "_REPEATS", 1)
    report = Report()
    device_search.measure(report, "cpu", (3000,))
    figures = {figure.name: figure for figure in report.figures}
    assert {figure.case for figure in report.figures} == {"3k x 512 on cpu"}
    assert figures["best 10 by torch alone, recall"].value >= 0.9
    assert all(figure.value > 0 and figure.met is None for figure in report.figures)


def test_a_size_without_room_is_left_out_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(device_search.SearchDevice, "obstacle", None)
    report = Report()
    device_search.measure(report, "cpu", (10**9,))
    assert not report.figures
    assert "1,000,000,000 vectors is left out" in capsys.readouterr().out
    assert "are needed" in device_search._lacking(device_search.SearchDevice("cpu"), 10**9)


@pytest.mark.parametrize("graphs", [True, False])
def test_texts_are_measured_without_cuda_graphs_as_well(
    graphs: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    chosen, plain, report = list[str](), FakeEmbedder(), Report()

    def load(settings: Settings) -> FakeEmbedder:
        chosen.append(settings.cuda_graphs)
        return plain

    monkeypatch.setattr(device, "load_encoder", load)
    embedder = FakeEmbedder()
    embedder.compute = Compute("cuda", "bf16", text_graphs=graphs)
    device._without_graphs(report, Settings(), embedder)
    assert chosen == ["off"]
    cases = [figure.case for figure in report.figures if figure.name.endswith("out CUDA graphs")]
    assert cases == ["1 at once", "16 at once", "64 at once"]
    told = "without CUDA graphs in both rows" in capsys.readouterr().out
    assert told != graphs
    cosines = [figure.value for figure in report.figures if "least cosine" in figure.name]
    assert cosines == (pytest.approx([1.0]) if graphs else [])
