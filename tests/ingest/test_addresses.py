"""Which address of a source's host may be called."""

import pytest

from tracker.ingest.addresses import Forbidden, chosen


def test_one_private_address_among_public_ones_forbids_the_host() -> None:
    with pytest.raises(Forbidden):
        chosen(["8.8.8.8", "10.0.0.1"], private_allowed=False)
    assert chosen(["8.8.8.8", "10.0.0.1"], private_allowed=True) == ("8.8.8.8", "10.0.0.1")


def test_public_addresses_are_tried_in_the_order_they_were_found_each_once() -> None:
    found = ["2a00:1450::1", "8.8.8.8", "8.8.8.8"]
    assert chosen(found, private_allowed=False) == ("2a00:1450::1", "8.8.8.8")
