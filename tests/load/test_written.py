"""Arguments that are written down once: the same JSON as if each call had made its own."""

from __future__ import annotations

import json

from breaking_server import well
from hypothesis import given, settings
from hypothesis import strategies as st

from load.odoo import Written


def test_what_was_written_before_is_sent_as_it_would_be_otherwise(serve, client):
    server = serve(well)
    odoo = client(server.port)
    order = {"client_order_ref": "pd-r-0-0", "note": 'Łukasz "q"'}
    written = Written.around(lambda key: [order | {"client_order_ref": key}])
    odoo.call("sale.order", "create", [order])
    odoo.call("sale.order", "create", written("pd-r-0-0"))
    one, other = (json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests)
    assert one == other | {"id": 1}


@settings(deadline=None)
@given(key=st.text(max_size=30))
def test_any_key_is_escaped_where_it_is_put_in(key):
    written = Written.around(lambda k: [{"ref": k, "x": "}"}, 7])
    assert json.loads(written(key).text) == [{"ref": key, "x": "}"}, 7]
