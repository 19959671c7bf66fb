"""What pictures may take while they are decoded, one alone and all at once."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import threading

import pytest
from PIL import Image

from vitrine.errors import DecoderBusy, InvalidImage
from vitrine.images.budget import BudgetAmongProcesses, DecodingBudget, decoding_cost
from vitrine.images.decode import LARGE, ImageLimits, decode
from vitrine.images.decoded import scale_of

pytestmark = pytest.mark.slow

LIMITS = ImageLimits(max_bytes=20_000_000, max_pixels=64_000_000)
PATIENCE_S = 20


def file(size: tuple[int, int], form: str, mode: str = "RGB") -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, 7).save(written, form, lossless=True)
    return written.getvalue()


@pytest.mark.parametrize(
    ("size", "form"),
    [((7900, 7900), "WEBP"), ((1, 16_383), "WEBP"), ((1, 64_000), "PNG"), ((64_000, 1), "PNG")],
)
@pytest.mark.parametrize("at_least", [None, 224])
def test_what_would_take_too_much_is_refused_from_its_header(size, form, at_least):
    limits = ImageLimits(LIMITS.max_bytes, LIMITS.max_pixels, max_side=16_000)
    with pytest.raises(InvalidImage) as caught:
        decode(file(size, form), limits, at_least=at_least)
    assert caught.value.reason == "too_many_pixels"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "LA"])
@pytest.mark.parametrize("size", [(3000, 4000), (300, 20_000)])
def test_of_a_large_picture_few_pixels_remain_when_few_are_looked_at(mode, size):
    image = decode(file(size, "PNG", mode), LIMITS, at_least=224)
    assert image.width * image.height <= LARGE
    assert scale_of(image).original == size
    assert image.height / image.width == pytest.approx(size[1] / size[0], rel=0.05)
    assert decode(file(size, "PNG", mode), LIMITS).size == size


def test_a_large_jpeg_is_decoded_though_it_would_take_too_much_whole():
    data = file((7000, 7000), "JPEG")
    assert decode(data, LIMITS, at_least=224).size == (875, 875)
    with pytest.raises(InvalidImage):
        decode(data, LIMITS)


def test_a_progressive_jpeg_costs_what_its_decoder_keeps_of_all_its_pixels():
    plain = decoding_cost("JPEG", pixels=100, original_pixels=6400)
    assert decoding_cost("JPEG", pixels=100, original_pixels=6400, progressive=True) > 10 * plain


def test_who_comes_when_all_is_taken_waits_until_it_is_given_back():
    budget, taken, inside = DecodingBudget(), threading.Event(), threading.Event()
    second: list[int] = []

    def wait() -> None:
        taken.wait(PATIENCE_S)
        with budget.hold(60, total=100, wait_s=PATIENCE_S):
            second.append(budget.in_use)

    thread = threading.Thread(target=wait)
    thread.start()
    with budget.hold(60, total=100, wait_s=0):
        taken.set()
        inside.wait(0.05)
        assert second == []
    thread.join(PATIENCE_S)
    assert second == [60]
    assert budget.in_use == 0


def test_who_has_waited_long_enough_is_told_to_come_again():
    budget = DecodingBudget()
    with budget.hold(60, total=100, wait_s=0):
        with pytest.raises(DecoderBusy), budget.hold(60, total=100, wait_s=0.01):
            pass
        with budget.hold(40, total=100, wait_s=0):
            assert budget.in_use == 100
    assert budget.in_use == 0


def test_what_a_broken_picture_took_is_given_back():
    from vitrine.images import decode as module

    for _ in range(3):
        with pytest.raises(InvalidImage):
            decode(file((2000, 2000), "PNG")[:2000], LIMITS)
    assert module._BUDGET.in_use == 0


def test_of_several_processes_one_at_a_time_decodes_a_large_picture() -> None:
    """The lock goes with the process that holds it, even when that is killed."""
    holder = (
        "import fcntl, sys; fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX); "
        "print('held', flush=True); sys.stdin.read()"
    )
    with tempfile.TemporaryFile() as file:
        budget = BudgetAmongProcesses(file.fileno(), processes=4)
        command = [sys.executable, "-c", holder, str(file.fileno())]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, stdin=pipe, stdout=pipe, pass_fds=[file.fileno()]
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            with budget.hold(25, total=100, wait_s=0.0):
                pass  # an equal share needs no lock
            with (
                pytest.raises(DecoderBusy, match="large pictures"),
                budget.hold(26, total=100, wait_s=0.02),
            ):
                pass
            process.kill()
        with budget.hold(26, total=100, wait_s=PATIENCE_S):
            pass
