"""Cutting a text into records gives the same however it arrives."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.sources.raw.cutting import cut
from crm.sources.raw.records import Shape, first_records

SHAPE = Shape(b",", b'"', 3)


def in_pieces(text: bytes, size: int) -> tuple[list[list[str]], list[str]]:
    """Records of three fields, and the content of all else, of a text that arrives in pieces of so many bytes."""
    records, broken, rest = b"", [], b""
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    for piece in [*pieces, None]:
        done = cut(rest + (piece or b""), SHAPE, last=piece is None)
        records, rest = records + done.records, done.rest
        broken += [one.text for one in done.broken]
    assert rest == b""
    found = [fields for fields, _ in first_records(records, SHAPE)]
    broken += [",".join(fields) for fields in found if len(fields) != SHAPE.width]
    content = sorted(re.sub(r'["\r\n]', "", one) for one in broken)
    return [fields for fields in found if len(fields) == SHAPE.width], content


class TestPieces:
    @settings(max_examples=400, deadline=None)
    @given(text=st.text(alphabet='ab,,""\n\n\r\0é', max_size=50), size=st.integers(1, 20))
    def test_any_text_is_cut_alike_at_once_and_in_pieces(self, text: str, size: int) -> None:
        data = text.encode()
        assert in_pieces(data, size) == in_pieces(data, len(data) + 1)

    @settings(max_examples=200, deadline=None)
    @given(
        rows=st.lists(
            st.sampled_from(["1,2,3", '1,"a\nb",3', '1,"a ""b""",3', '1,5" pipe,3', '1,"open,3']), max_size=12
        ),
        size=st.integers(1, 40),
    )
    def test_a_quote_never_closed_breaks_its_own_line_alone(self, rows: list[str], size: int) -> None:
        text = "".join(f"{row}\n" for row in rows).encode()
        records, broken = in_pieces(text, size)
        assert len(records) == sum("open" not in row for row in rows)
        assert set(broken) == {"1,open,3"} if '1,"open,3' in rows else not broken


@pytest.mark.parametrize(
    ("text", "records"),
    [
        (b"1,2,3\n4,5", b"1,2,3\n"),
        (b'1,"a\nb', b""),
        (b'1,2,3\n1,"a\nb', b"1,2,3\n"),
        (b'1,2,3\n1,"a"', b"1,2,3\n"),
        (b"1,2,3\r", b"1,2,3\r"),
    ],
)
def test_what_may_go_on_waits_for_the_next_piece(text: bytes, records: bytes) -> None:
    done = cut(text, SHAPE, last=False)
    assert (done.records, done.rest, list(done.broken)) == (records, text[len(records) :], [])
