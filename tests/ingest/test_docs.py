"""docs/devices.md says what the code does."""

from pathlib import Path

import msgspec
import pytest

from tracker.domain.errors import Reason
from tracker.ingest.dialects.native import DIALECT, POSITIONS, Wire
from tracker.ingest.provision import access_file

PAGE = (Path(__file__).parents[2] / "docs" / "devices.md").read_text()


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_explained(reason: Reason) -> None:
    assert f"`{reason.value}`" in PAGE


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(Wire)])
def test_every_member_of_a_position_is_explained(field: str) -> None:
    assert f"`{field}`" in PAGE


@pytest.mark.parametrize("topic_filter", DIALECT.topics)
def test_every_topic_is_explained_and_may_be_published(topic_filter: str) -> None:
    assert f"`{topic_filter.replace('+/+', '{s}/{device_id}')}`" in PAGE
    assert f"pattern write {topic_filter.replace('+/+', '+/%u')}\n" in access_file([])


def test_the_number_of_positions_is_the_codes() -> None:
    assert f"{POSITIONS:,} positions" in PAGE
