"""How many refused messages are kept: enough to find the cause, too few to fill the disk. Pure."""

from datetime import datetime

KEPT_AN_HOUR = 100
STRANGERS_AN_HOUR = 1_000
"""Of all the unknown devices of one gateway or source, whatever names it invents."""


class Allowance:
    """Lets 100 refused messages a device and hour be kept; every one is counted all the same."""

    def __init__(self) -> None:
        self._hour: datetime | None = None
        self._kept: dict[str | None, int] = {}

    def take(self, device_id: str | None, now: datetime, most: int = KEPT_AN_HOUR) -> bool:
        """Tell whether one more message of the device may be kept; None stands for all without a device."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour, self._kept = hour, {}
        kept = self._kept.get(device_id, 0)
        if kept >= most:
            return False
        self._kept[device_id] = kept + 1
        return True
