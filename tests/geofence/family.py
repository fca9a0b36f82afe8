"""Rows for the tests of fences and rules."""

from typing import Any

from tests.store.family import NOW, House
from tracker.domain.geofence import Geofence
from tracker.domain.ids import new_id
from tracker.domain.rule import Notify, Rule


def a_rule(house: House, fence: Geofence | None, **given: Any) -> Rule:
    """Return a rule of an account's subject."""
    fields: dict[str, Any] = {
        "account_id": house.viewer.account_id,
        "rule_id": new_id(),
        "kind": "arrived",
        "name": "",
        "subject_ids": (house.subject.subject_id,),
        "all_subjects": False,
        "geofence_id": fence.geofence_id if fence else None,
        "args": {"min_stay_s": 0.0},
        "schedule": None,
        "notify": Notify(),
        "enabled": True,
        "version": 1,
        "active_from": NOW,
        "created_at": NOW,
        **given,
    }
    return Rule(**fields)
