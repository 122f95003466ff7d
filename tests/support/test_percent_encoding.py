"""Percent-encoding is urllib's."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from novaact_http._support.percent_encoding import encode


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text(st.characters(max_codepoint=127)))
@example("%25%")
@example("a+b/c==")
@example("".join(map(chr, range(256))))
def test_it_is_urllibs(text: str) -> None:
    assert encode(text) == quote(text, safe="~")


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode("a\ud800")
