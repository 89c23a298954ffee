import json
from events.shop import *
from setia.problems import Problem

def show(raw):
    try:
        a = arrived(raw)
        print("OK", str(a.event)[:150], a.reference)
    except Problem as p:
        print(p.code, p.detail, [e.model_dump(exclude_none=True) for e in p.errors])
    except Exception as e:
        print("EXC!!!", type(e), str(e)[:200])

def test_a():
    p = purchase("x")
    for raw in [
        {**p, "a/b": 1}, {**p, "type": "nope"}, {**p, "type": "Nope"}, {**p, "external_id": 5}, {**p, "member": {}}, {**p, "member": {"car": 1}},
        {**p, "member": {"card": "1", "phone": "x"}},
        {**p, "lines": [LINE, {**LINE, "amount": "abc"}]}, {**p, "lines": [LINE, {**LINE, "amount": "NaN"}]},
        {**p, "lines": [LINE, {**LINE, "amount": "1e999999999"}]},{**p, "lines": [LINE, {**LINE, "amount": "1e-999999999"}]},
        {**p, "lines": [LINE, {**LINE, "amount": "1.000000000000000000000000000001"}]},
        {**p, "lines": [LINE, {**LINE, "quantity": "1e999999999"}]},{**p, "lines": [LINE, {**LINE, "quantity": "sNaN"}]},
        {**p, "lines": [LINE, {**LINE, "amount": "Infinity"}]},
        {**p, "lines": [LINE, {**LINE, "amount": "-Infinity"}]},
        {**p, "lines": [LINE, {**LINE, "amount": "sNaN"}]},
        {**p, "lines": [LINE, {**LINE, "amount": "-0"}]},
        {**p, "lines": [LINE, {**LINE, "amount": True}]},
        {**p, "lines": [LINE, {**LINE, "amount": None}]},
        {**p, "lines": [LINE, {**LINE, "sku": ""}]},
        {**p, "lines": []}, {**p, "lines": None}, {**p, "lines": [LINE] * 1001},
        {**p, "occurred_at": "2026-01-01T00:00:00"}, {**p, "occurred_at": "1899-12-31T23:59:59Z"}, {**p, "occurred_at": "9999-12-31T23:59:59-01:00"}, {**p, "occurred_at": "0001-01-01T00:00:00+01:00"}, {**p, "occurred_at": 5}, {**p, "occurred_at": "x"},
        {**p, "channel": "a\0"}, {**p, "labels": ["a\0"]}, {**p, "labels": ["\\u0000"]}, {**p, "labels": ["\ud800"]}, {**p, "labels": [""]},
        {"type": "survey", "external_id": "x", "data": {"score": -1}}, {"type": "survey", "external_id": "x", "data": {"score": 1, "a/b~": 2}},{"type": "survey", "external_id": "x"},
        {"type": "survey", "external_id": "x", "data": {"score": 1.0}},
        {"type": "survey", "external_id": "x", "data": {"score": 1, "tips": ["a\0"]}},
        {"type": "survey", "external_id": "x", "data": {"score": 1, "tips": json.loads("[" * 300 + "]" * 300)}},
        {"type": "survey", "external_id": "x", "data": {"score": 1, "tips": json.loads("[" * 900 + "]" * 900)}},
        
        {"type": "member_enrolled", "external_id": "x"}, {"type": "visit", "external_id": "x", "lines": [], "data": {}, "tenders":[{"type":"cash","amount":1}]},
        {**p, "tenders": [{"type": "cash", "amount": "10.01"}]}, {**p, "discount": "11"}, {**p, "shipping_tax": "1"}, {**p, "lines": [{**LINE, "tax": "11"}]}, {**p, "lines": [{**LINE, "tax": "11"}], "tax_included": False},
        {**p, "currency": "USD"}, {**p, "currency": "EURO"}, {**p, "source": ""}, {**p, "external_id": ""}, {**p, "external_id": "x"*201},
    ]:
        print(str(raw)[:110]); show(raw)
    for raw in [b"", b"[]", b"null", b"{", b"\xff", b'{"type":"visit","external_id":"\xff"}', b'{"type":"visit","external_id":"x","labels":["\\ud800"]}', b'{"type":"purchase","type":"visit","external_id":"x"}',
       b'{"type":"visit","external_id":"x","data":NaN}', b"[" * 100000, b'{"type":"survey","external_id":"x","data":' + b'{"a":' * 100000,
       b'{"type":"survey","external_id":"x","data":{"score":1e999999999}}', b'{"type":"survey","external_id":"x","data":{"score":1e400}}',  b'{"type":"survey","external_id":"x","data":{"score":' + b"9" * 5000 + b"}}",
       b'{"type":"purchase","external_id":"x","lines":[{"sku":"a","amount":' + b"9" * 5000 + b"}]}",
       b'{"type":"purchase","external_id":"x","lines":[{"sku":"a","amount":1e999999999}]}',
       b'\xef\xbb\xbf{"type":"visit","external_id":"x"}',
       '{"type":"visit","external_id":"x"}'.encode("utf-16"),
       b'{"type":"visit","external_id":"x"} x',
       b'{"type":"survey","external_id":"x","data":{"score":1,"b":1, "b":2}}',
       b'{"type":"visit","external_id":"x","occurred_at":"2026-02-30T00:00:00Z"}',
       b'{"type":"visit","external_id":"x","occurred_at":"2026-02-20T00:00:60Z"}',
       b'{"type":"visit","external_id":"x","occurred_at":"2026-02-20T00:00:00.123456789Z"}',
       b'{"type":"visit","external_id":"x","occurred_at":"2026-02-20"}',
       ]:
        print(raw[:80]); show(raw)
