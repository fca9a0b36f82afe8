import socket

import pytest

from tracker.domain.errors import Misconfigured
from tracker.local.ports import answers, free_port, require_free


def test_a_taken_port_names_the_setting_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured, match=rf"127\.0\.0\.1:{port} .*TRACKER_MQTT"):
            require_free("127.0.0.1", port, "TRACKER_MQTT")
        assert answers("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Misconfigured, match="TRACKER_HTTP"):
        require_free("192.0.2.1", 8000, "TRACKER_HTTP")


def test_a_free_port_is_free_and_does_not_answer() -> None:
    port = free_port()
    require_free("127.0.0.1", port, "TRACKER_HTTP")
    assert not answers("127.0.0.1", port)
