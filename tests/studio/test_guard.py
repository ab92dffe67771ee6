"""Requests of other sites, and of other names of this machine, are refused by the studio's page."""

from __future__ import annotations

import pytest

from tfgan_app.studio.guard import is_own


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"host": "127.0.0.1:7860"}, True),
        ({"host": "localhost:7860", "origin": "http://localhost:7860"}, True),
        ({"host": "[::1]:7860"}, True),
        ({}, False),
        ({"host": "evil.example"}, False),
        ({"host": "127.0.0.1.evil.example:7860"}, False),
        ({"host": "user@127.0.0.1:7860", "origin": "http://evil.example"}, False),
        ({"host": "127.0.0.1:7860", "origin": "http://evil.example"}, False),
        ({"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:9000"}, False),
        ({"host": "127.0.0.1:7860", "origin": "https://127.0.0.1:7860"}, False),
        ({"host": "127.0.0.1:7860", "origin": "null"}, False),
        ({"host": "[bad"}, False),
    ],
)
def test_own_requests(headers, expected):
    assert is_own([(name.encode(), value.encode()) for name, value in headers.items()]) is expected


def test_a_second_host_is_refused():
    assert not is_own([(b"host", b"127.0.0.1"), (b"host", b"evil.example")])
