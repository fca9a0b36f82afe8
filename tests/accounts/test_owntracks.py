"""The link that sets OwnTracks up."""

import base64
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from tracker.accounts.owntracks import config_url, configuration
from tracker.domain.device import MqttAccess

DEVICE = "a1b2c3d4e5f60718"


def access(host: str = "mqtt.example") -> MqttAccess:
    return MqttAccess(
        host=host,
        port=8883,
        tls=True,
        username=DEVICE,
        password="0123456789abcdef0123456789abcdef",
        client_id=DEVICE,
        topics=(f"owntracks/a/{DEVICE}",),
    )


def test_the_app_gets_the_broker_its_credentials_and_its_own_topic() -> None:
    made = configuration(access(), DEVICE, "Телефон мамы")
    assert made["_type"] == "configuration"
    assert made["mode"] == 0
    assert (made["host"], made["port"], made["tls"]) == ("mqtt.example", 8883, True)
    assert (made["username"], made["clientId"], made["deviceId"]) == (DEVICE, DEVICE, DEVICE)
    assert made["pubTopicBase"] == f"owntracks/a/{DEVICE}"
    assert made["subTopic"] == f"owntracks/a/{DEVICE}/cmd"
    assert made["tid"] == "Те"


def test_a_strange_name_still_gives_two_characters() -> None:
    assert configuration(access(), DEVICE, "…")["tid"] == "a1"


@given(st.text(max_size=80), st.text(alphabet="?>~abc.-", min_size=1, max_size=30))
def test_the_link_reads_the_same_with_and_without_url_decoding(name: str, host: str) -> None:
    url = config_url(access(host), DEVICE, name)
    inline = url.removeprefix("owntracks:///config?inline=")
    assert re.fullmatch(r"[A-Za-z0-9]+", inline)
    assert json.loads(base64.b64decode(inline, validate=True)) == configuration(access(host), DEVICE, name)
