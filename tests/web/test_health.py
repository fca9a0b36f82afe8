"""Whether it lives, whether it can serve, what it counts."""

import socket

from tests.web.callers import Caller, Household
from tracker.domain.errors import Reason
from tracker.store import quarantine
from tracker.web.context import Services


def test_it_lives(stranger: Caller) -> None:
    assert stranger.get("/healthz").json == {"status": "ok"}


def test_it_is_ready_when_the_broker_takes_connections(stranger: Caller, services: Services) -> None:
    refused = stranger.get("/readyz")
    assert refused.status_code == 503
    assert refused.content_type == "application/problem+json"
    with socket.create_server(services.settings.mqtt_address):
        assert stranger.get("/readyz").status_code == 200


def test_metrics_count_requests_by_route_and_quarantine_by_reason(
    stranger: Caller, home: Household, services: Services
) -> None:
    with services.database.begin() as session:
        quarantine.put(
            session,
            services.sealer,
            account_id=home.account_id,
            device_id=None,
            reason=Reason.NULL_ISLAND,
            detail="lat",
            topic="tracker/0/0/position",
            payload=b"secret",
            received_at=services.clock(),
        )
    home.bearer.get("/api/v1/subjects/0123456789abcdef")
    text = stranger.get("/metrics").get_data(as_text=True)
    assert 'tracker_quarantine_messages{reason="null_island"}' in text
    assert 'route="/api/v1/subjects/<id:subject_id>",status="404"' in text
    assert "0123456789abcdef" not in text


def test_metrics_are_for_this_machine_only(stranger: Caller) -> None:
    for environ, headers in (
        ({"REMOTE_ADDR": "203.0.113.9"}, {}),
        ({"REMOTE_ADDR": "127.0.0.1"}, {"X-Forwarded-For": "203.0.113.9"}),
    ):
        answer = stranger.client.get("/metrics", environ_base=environ, headers=headers)
        assert answer.status_code == 403
        assert answer.content_type == "application/problem+json"
