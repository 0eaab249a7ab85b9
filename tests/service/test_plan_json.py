"""`plan --json` has exactly the documented shape."""

import json

from autoscaler.service import plan_json
from tests.service.reports import blind, scaled, steady

DOCUMENT = {
    "at": "2027-01-15T08:00:00.250Z",
    "pools": [
        {
            "pool": "shop",
            "app": "shop-app",
            "group": "app",
            "verdict": "scaled",
            "metrics": [
                {"name": "load", "region": "ord", "value": 61.5, "age_s": 12.0, "absent": None},
                {"name": "load", "region": "ams", "value": None, "age_s": None, "absent": "empty"},
                {"name": "load", "region": "warehouse-7", "value": 3.0, "age_s": 4.0, "absent": None},
            ],
            "regions": [
                {
                    "region": "ams",
                    "min": 0,
                    "max": 5,
                    "started": 1,
                    "arriving": 0,
                    "stopped": 0,
                    "suspended": 1,
                    "demand": None,
                    "desired": 1,
                    "reasons": [{"code": "hold", "detail": ""}],
                },
                {
                    "region": "ord",
                    "min": 0,
                    "max": 5,
                    "started": 2,
                    "arriving": 0,
                    "stopped": 1,
                    "suspended": 0,
                    "demand": 7,
                    "desired": 5,
                    "reasons": [
                        {"code": "rule", "detail": "value=61.5"},
                        {"code": "bound_max", "detail": "max=5"},
                    ],
                },
            ],
            "actions": [
                {
                    "kind": "start",
                    "region": "ord",
                    "machine": "m1",
                    "reason": "demand",
                    "detail": "missing=2",
                },
                {
                    "kind": "create",
                    "region": "ord",
                    "machine": None,
                    "reason": "demand",
                    "detail": "missing=1",
                },
            ],
            "shortfall": [
                {"region": "ord", "missing": 1, "reason": "parked", "detail": "until_s=300"},
            ],
            "warnings": [{"code": "outside_regions", "detail": "machines=2"}],
        }
    ],
}


def test_a_report_becomes_the_documented_document():
    document = plan_json.document([scaled()], at=1_800_000_000.25)
    assert json.loads(json.dumps(document)) == DOCUMENT


def test_a_blind_tick_has_the_same_keys_and_no_regions():
    entry = plan_json.pool(blind())
    assert entry.keys() == plan_json.pool(scaled()).keys()
    assert (entry["verdict"], entry["regions"]) == ("blind", [])


def test_pools_keep_the_order_they_are_given_in():
    document = plan_json.document([steady("b"), steady("a")], at=0)
    assert [entry["pool"] for entry in document["pools"]] == ["b", "a"]
