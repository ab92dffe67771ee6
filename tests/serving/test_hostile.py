"""Hostile requests of every kind: none is a fault of the server, and it answers afterwards as before.

`tests/benchmarks/serve_malformed.py` sends thousands.
"""

from __future__ import annotations

import numpy as np
import pytest
from hostile_requests import CONNECTIONS, GRPC_BODIES, REST_BODIES, Attacker
from live_server import live_server, random_image


@pytest.mark.large
def test_no_hostile_request_is_a_fault_of_the_server(few_models, caplog):
    limits = {"max_body_bytes": 4 * 2**20, "max_pixels": 1_000_000}
    with live_server(few_models, body_seconds=3.0, head_seconds=3.0, idle_seconds=5.0, **limits) as live:
        attacker = Attacker(live.server.rest_port, live.server.grpc_port)
        attacker.send(6 * len([*REST_BODIES, *GRPC_BODIES, *CONNECTIONS]))
        attacker.close()
        live.wait_until(lambda: not live.server._connections.open)
        assert attacker.faults == []
        assert {answer for _, answer in attacker.outcomes} >= {"400", "413", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}
        image = random_image(9, 9)[None]
        np.testing.assert_array_equal(live.predict("negative", "tensor", images=image)["outputs"], 255 - image)
        assert live.post("plain:predict", {"instances": [1.0]}) == (200, {"predictions": [2.5]})
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
