"""Elements of Teltonika records by their AVL number (Teltonika's parameter lists of FMB and FMC devices)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tracker.ingest.dialects._fields import as_number, extras, known, number, storable, truth, whole
from tracker.ingest.dialects._network import cell

Record = Mapping[str, Any]
Read = Callable[[float], float]

_VIN = re.compile(r"[A-Za-z0-9]{5,17}", re.ASCII)


def _thousandth(value: float) -> float:
    return round(value / 1000, 6)


def _hundredth(value: float) -> float:
    return round(value / 100, 6)


def _tenth(value: float) -> float:
    return round(value / 10, 6)


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


def _signed_16(value: float) -> float:
    # Converters write the two's complement of a negative one as a positive number.
    return _plain(value - 2**16 if 2**15 <= value < 2**16 else value)


_NAMED: Mapping[str, tuple[str, Read]] = {
    "66": ("external_voltage_v", _thousandth),
    "67": ("battery_voltage_v", _thousandth),
    "68": ("battery_current_a", _thousandth),
    "21": ("gsm_signal", _plain),
    "181": ("pdop", _tenth),
    "199": ("trip_odometer_m", _plain),
    "80": ("data_mode", _plain),
    "200": ("sleep_mode", _plain),
    "237": ("network_type", _plain),
    "250": ("trip", _plain),
    "252": ("unplugged", _plain),
    "246": ("towing", _plain),
    "247": ("crash", _plain),
    "253": ("green_driving", _plain),
    "255": ("overspeed", _plain),
    "236": ("alarm", _plain),
    "175": ("auto_geofence", _plain),
    "449": ("ignition_on_s", _plain),
    "17": ("axis_x_mg", _signed_16),
    "18": ("axis_y_mg", _signed_16),
    "19": ("axis_z_mg", _signed_16),
    "12": ("fuel_used_l", _thousandth),
    "13": ("fuel_rate_l_per_100km", _hundredth),
    "30": ("dtc_count", _plain),
    "31": ("engine_load_pct", _plain),
    "32": ("coolant_c", _plain),
    "36": ("engine_rpm", _plain),
}
EVENTS: Mapping[str, str] = {
    "252": "unplugged",
    "246": "towing",
    "247": "crash",
    "253": "green_driving",
    "255": "overspeed",
    "236": "alarm",
}
"""What happens once and matters, if such an element both caused the record and is not 0."""
# With a column of their own or in the network; 387 is the place once more, often garbled.
_TAKEN = frozenset(
    (
        *("ts", "latlng", "alt", "ang", "sat", "sp", "evt", "command_response"),
        *("16", "24", "69", "113", "182", "205", "206", "239", "240", "241", "303", "387", "636"),
        *("11", "14", "256"),
    )
)


def state(record: Record) -> dict[str, Any]:
    """Return battery_pct, ignition, motion and odometer_m, as far as the record tells them."""
    motion = truth(record.get("240"))
    return known(
        battery_pct=number(record, "113", low=0, high=100, strings=True),
        ignition=truth(record.get("239")),
        motion=truth(record.get("303")) if motion is None else motion,
        odometer_m=number(record, "16", low=0, high=1e12, strings=True),
    )


def hdop(record: Record) -> float | None:
    """Return the horizontal dilution of precision, which is sent tenfold."""
    value = number(record, "182", low=0, high=10_000, strings=True)
    return None if value is None else _tenth(value)


def network(record: Record) -> dict[str, Any]:
    """Return mcc, mnc, lac and cid; of two cell numbers that of LTE, unless it is 0."""
    operator = _digits(record.get("241"))
    if operator is not None and not 5 <= len(operator) <= 6:
        operator = None
    lte, gsm = record.get("636"), record.get("205")
    found = cell(
        int(operator[:3]) if operator else None,
        int(operator[3:]) if operator else None,
        record.get("206"),
        lte if as_number(lte, strings=True) else gsm,
    )
    return found if any(found.values()) else {}


def attrs(record: Record) -> dict[str, Any]:
    """Return what has no column: what is named here in units, then the other elements by number."""
    named = {name: _in_unit(record, key, read) for key, (name, read) in _NAMED.items()}
    front, rear = _digits(record.get("11")), _digits(record.get("14"))
    vin = record.get("256")
    texts = known(
        evt=whole(record, "evt", low=0, high=2**16, strings=True),
        # The card's number in two halves; the second one has ten digits.
        iccid=front + rear.rjust(10, "0") if front and rear else None,
        vin=storable(vin) if isinstance(vin, str) and _VIN.fullmatch(vin) else None,
    )
    others = {key: each for key, each in record.items() if key not in _TAKEN and key not in _NAMED}
    return extras({**known(**named), **texts, **others})


def _in_unit(record: Record, key: str, read: Read) -> float | None:
    value = as_number(record.get(key), strings=True)
    return None if value is None else read(value)


def _digits(value: Any) -> str | None:
    told = as_number(value, strings=True)
    return str(int(told)) if told is not None and 0 < told < 1e15 else None
