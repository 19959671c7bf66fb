"""HTML of shops becomes plain text, and what only looks like it stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrine.fields.markup import plain_text


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("plain", "plain"),
        (
            "<p>Soft tee.<br>100% cotton &amp; pre-shrunk.</p>",
            "Soft tee.\n100% cotton & pre-shrunk.",
        ),
        ("Cocona&reg; Tee &amp; Short", "Cocona® Tee & Short"),
        ("&amp;amp;lt;b&amp;amp;gt;", "<b>"),
        ("&lt;p&gt;escaped&lt;/p&gt;", "escaped"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("<style>p {}</style><b>x</b><script>alert(1)</script>", "x"),
        ('<a href="x">link</a> <img src="y"> end', "link  end"),
        ("a < b and c > d", "a < b and c > d"),
        ("I <3 you", "I <3 you"),
        ("<size> M", "<size> M"),
        ("A&B, R&D", "A&B, R&D"),
        ("<p>unclosed", "unclosed"),
        ("text <br", "text <br"),
    ],
)
def test_markup_becomes_plain_text(written: str, plain: str) -> None:
    assert plain_text(written) == plain


@settings(deadline=None)
@given(st.text(alphabet="<>&;apb/ \"'=!-x1", max_size=60))
def test_any_text_comes_through(text: str) -> None:
    plain_text(text)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="<&\\"), max_size=60))
def test_text_without_markup_stays_as_it_is(text: str) -> None:
    assert plain_text(text) == text
