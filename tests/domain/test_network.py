"""Addresses of foreign brokers."""

import pytest

from tracker.domain.errors import Invalid
from tracker.domain.network import Endpoint, endpoint_of, is_public, is_surely_private


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("mqtt://broker.example", Endpoint(host="broker.example", port=1883, tls=False)),
        ("mqtts://broker.example/", Endpoint(host="broker.example", port=8883, tls=True)),
        ("MQTTS://Broker.Example:443", Endpoint(host="broker.example", port=443, tls=True)),
        ("mqtts://[2a00:1450::1]:8883", Endpoint(host="2a00:1450::1", port=8883, tls=True)),
        ("mqtts://трекер.рф", Endpoint(host="xn--e1aktfbb.xn--p1ai", port=8883, tls=True)),
    ],
)
def test_a_broker_s_url_is_read_and_written_alike(url: str, endpoint: Endpoint) -> None:
    assert endpoint_of(url).host.count(".") == endpoint.host.count(".")
    assert (endpoint_of(url).port, endpoint_of(url).tls) == (endpoint.port, endpoint.tls)
    assert endpoint_of(endpoint_of(url).url) == endpoint_of(url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "broker.example", "http://broker.example", "mqtt://", "mqtt://:1883", "mqtt://a b"),
        *("mqtt://broker.example:0", "mqtt://broker.example:65536", "mqtt://broker.example:x"),
        *("mqtt://broker.example/topic", "mqtt://broker.example?x", "mqtt://broker.example#x"),
        *("mqtt://user:secret@broker.example", "mqtt://user@broker.example", "mqtt://@broker.example"),
        *("mqtt://[::1", "mqtt://[fe80::1%25eth0]", "mqtt://-broker", f"mqtt://{'a' * 254}", "mqtt://a..b"),
    ],
)
def test_another_url_is_refused_and_never_repeated(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        endpoint_of(url)
    assert refused.value.errors[0][0] == "url"
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",  # noqa: S104 - an address to refuse
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
        ),
        *("169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1"),
        *(
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.88.99.1",
        ),
        *("::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1"),
        *("2002:7f00:1::1", "2001:0:53aa:64c:0:0:8000:1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1"),
        *("fec0::1", "ff02::1", "2001:db8::1", "100::1", "4000::1", "2001:2::1"),
        *("", "localhost", "8.8.8.8.", "0x7f.1", "2130706433"),
    ],
)
def test_an_address_that_is_not_one_public_machine_s_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "99.255.255.255", "100.128.0.1", "172.32.0.1", "2a00:1450::1"]
)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost", "nas.local", "10.0.0.1", "::1"])
def test_some_hosts_are_private_without_asking(host: str) -> None:
    assert is_surely_private(host)


def test_a_name_is_not_judged_before_it_is_resolved() -> None:
    assert not is_surely_private("eu1.cloud.thethings.network")
