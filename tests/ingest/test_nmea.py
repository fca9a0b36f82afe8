import functools
import operator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.domain.device import DeviceSettings, SpeedUnit
from tracker.domain.errors import Malformed, Reason
from tracker.domain.position import Position
from tracker.ingest.dialects._message import NOTHING, Decoded, Message
from tracker.ingest.dialects.nmea import DIALECT

NOW = datetime(2024, 5, 1, 18, 43, 55, tzinfo=UTC)
AT = "4650.51565,N,01246.10596,E"


def summed(told: str) -> str:
    return f"${told}*{functools.reduce(operator.xor, told.encode(), 0):02X}"


def rmc(clock: str = "184353.07", day: str = "010524", rest: str = "9.72,271.31", tail: str = ",,A,V") -> str:
    return summed(f"GNRMC,{clock},A,{AT},{rest},{day}{tail}")


def gga(clock: str = "184353.07", quality: int = 1) -> str:
    return summed(f"GNGGA,{clock},{AT},{quality},12,0.84,740.729,M,44.804,M,,")


def decode(
    payload: str | bytes, topic: str = "nmea/boat1", *, at: datetime = NOW, retained: bool = False
) -> Decoded:
    raw = payload if isinstance(payload, bytes) else payload.encode()
    return DIALECT.decode(Message(topic=topic, payload=raw, received_at=at, retained=retained))


def position(payload: str, at: datetime = NOW) -> Position:
    (report,) = decode(payload, at=at).reports
    assert report.position is not None
    return report.position


def refusal(payload: str | bytes, topic: str = "nmea/boat1") -> Reason:
    with pytest.raises(Malformed) as refused:
        decode(payload, topic)
    return refused.value.reason


def test_sentences_of_one_time_make_one_position() -> None:
    found = position(f"{rmc()}\r\n{gga()}\r\n{summed('GPGSA,A,3,04')}\r\n")
    assert found.recorded_at == datetime(2024, 5, 1, 18, 43, 53, 70_000, UTC)
    assert (found.at.lat, found.at.lon) == pytest.approx((46.8419275, 12.7684327), abs=1e-7)
    assert found.speed_mps == pytest.approx(9.72 * 1852 / 3600)
    assert (found.course_deg, found.altitude_m, found.satellites, found.hdop) == (271.31, 740.729, 12, 0.84)


def test_sentences_of_two_times_make_two_positions() -> None:
    found = decode(f"{rmc('184352')}\n{rmc('184353')}\n{gga('184353.000')}").reports
    assert [each.position.recorded_at.second for each in found if each.position] == [52, 53]


def test_a_vtg_belongs_to_the_time_before_it() -> None:
    found = position(f"{gga()}\n{summed('GPVTG,054.7,T,034.4,M,005.5,N,010.2,K')}")
    assert (found.course_deg, found.speed_mps) == pytest.approx((54.7, 5.5 * 1852 / 3600))


@pytest.mark.parametrize(
    ("clock", "received", "day"),
    [
        ("184353", NOW, (2024, 5, 1)),
        ("235959", datetime(2024, 5, 2, 0, 0, 3, tzinfo=UTC), (2024, 5, 1)),
        ("000001", datetime(2024, 5, 1, 23, 59, 58, tzinfo=UTC), (2024, 5, 2)),
    ],
)
def test_a_sentence_without_a_date_is_of_the_nearest_day(
    clock: str, received: datetime, day: tuple[int, int, int]
) -> None:
    found = position(gga(clock), received).recorded_at
    assert (found.year, found.month, found.day) == day


def test_a_date_of_the_same_message_counts_more_than_the_day_of_receipt() -> None:
    found = decode(f"{rmc('235959', '140424')}\n{gga('000001')}").reports
    moments = [each.position.recorded_at for each in found if each.position]
    assert moments[1] - moments[0] == timedelta(seconds=2)


def test_zda_tells_the_date() -> None:
    assert position(f"{summed('GPZDA,184353,14,04,2024,00,00')}\n{gga('184353')}").recorded_at.day == 14


def test_a_receiver_whose_weeks_ran_over_is_put_right() -> None:
    back = NOW - timedelta(weeks=1024)
    assert position(rmc("184353.07", f"{back:%d%m%y}")).recorded_at.date() == NOW.date()


@pytest.mark.parametrize(("day", "year"), [("191194", 1994), ("010500", 2000), ("010680", 1980)])
def test_two_digit_years_from_80_on_are_of_the_last_century(day: str, year: int) -> None:
    assert position(rmc(day=day)).recorded_at.year == year


def test_a_day_before_gps_and_one_to_come_are_refused() -> None:
    assert refusal(rmc(day="010180")) is Reason.TIME_BEFORE_2000
    assert refusal(rmc(day="020524")) is Reason.TIME_IN_FUTURE


@pytest.mark.parametrize(
    "payload",
    [
        summed(f"GPRMC,184353,V,{AT},0.0,0.0,010524,,,N"),
        rmc(tail=",,,N"),
        summed("GPRMC,,V,,,,,,,,,,N"),
        gga(quality=0),
        "$GPGGA,184353,,,,,0,00,,,M,,M,,*66",
        summed(f"GPGLL,{AT},184353,V"),
        summed(f"GNGNS,184353,{AT},NNN,0,,,,,,"),
        f"{rmc()}\n{gga(quality=0)}",
        summed("GPRMC,184353,A,0000.000,N,00000.000,E,,,010524,,"),
        summed("GPGSV,1,1,03,02,40,100,38"),
        summed("PGRMC,A,218.8,100,6378137.000,298.257223563,0.0"),
        "$IMEI=355797031609284",
        "$GPFID,ID123456ABC",
        "IMEI 351467108700000",
        "086415031C20",
        "!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*23",
        "",
        "\r\n",
    ],
)
def test_without_a_fix_it_says_nothing(payload: str) -> None:
    assert decode(payload) is NOTHING


@pytest.mark.parametrize(
    "payload",
    [
        rmc().partition("*")[0],
        rmc().replace("*", " * "),
        rmc() + ",11,865733027593268,1,090,086",
        rmc()[:-2] + "00,11,865733027593268,1,090,086",
        rmc(tail=",,,S"),
        gga(quality=8),
        f"990000561287964,{rmc()}",
        f"4711/022789000688081/{rmc()}",
        summed(f"BDRMC,184353.07,A,{AT},9.72,271.31,010524,,"),
        summed(f"GPRMC,184353.07,A,{AT},9.72,271.31,010524,D"),
        summed("GPRMC,184353.07,A,4650.51565,N,1246.10596,E,9.72,271.31,010524,,"),
    ],
)
def test_vendors_write_it_in_many_ways(payload: str) -> None:
    found = position(payload)
    assert (found.at.lat, found.at.lon) == pytest.approx((46.8419275, 12.7684327), abs=1e-7)


def test_what_a_vendor_adds_behind_the_checksum_is_taken() -> None:
    found = position(rmc() + ",11,865733027593268,1,090,086")
    assert (found.satellites, found.ignition) == (11, True)


def test_gll_and_gns_tell_a_place_too() -> None:
    assert position(summed(f"GPGLL,{AT},184353,A,A")).at == position(gga()).at
    assert position(summed(f"GNGNS,184353,{AT},AN,9,0.8,100.5,44,,")).altitude_m == 100.5


def test_south_and_west_are_negative() -> None:
    found = position(summed("GPRMC,184353,A,3352.1292,S,15112.5574,W,,,010524,,"))
    assert (found.at.lat, found.at.lon) == pytest.approx((-33.86882, -151.20929))
    assert (found.speed_mps, found.course_deg) == (None, None)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (rmc()[:-2] + "00", Reason.BAD_CHECKSUM),
        (rmc()[:-3] + "*", Reason.BAD_CHECKSUM),
        ("$GPRMC,10150", Reason.WRONG_SHAPE),
        ("$GPR", Reason.WRONG_SHAPE),
        ("hello world", Reason.WRONG_SHAPE),
        (summed("GPRMC,184353,A,,,,,,,010524,,"), Reason.WRONG_SHAPE),
        (summed("GPRMC,184353,A,4670.0,N,01246.1,E,,,010524,,"), Reason.OUT_OF_RANGE),
        (summed("GPRMC,184353,A,9146.0,N,01246.1,E,,,010524,,"), Reason.OUT_OF_RANGE),
        (summed(f"GPRMC,250000,A,{AT},,,010524,,"), Reason.OUT_OF_RANGE),
        (summed(f"GPRMC,184353,A,{AT},,,320124,,"), Reason.OUT_OF_RANGE),
        (summed(f"GPRMC,,A,{AT},,,010524,,"), Reason.NO_TIME),
        (b"\xff\xfe", Reason.NOT_TEXT),
        (b"\n" * 70_000, Reason.TOO_LARGE),
    ],
)
def test_what_is_spoilt_is_refused(payload: str | bytes, reason: Reason) -> None:
    assert refusal(payload) is reason


def test_a_spoilt_sentence_leaves_the_others_good() -> None:
    found = decode(f"{rmc()[:-2]}00\n{gga()}")
    assert len(found.reports) == 1
    assert [each.reason for each in found.problems] == [Reason.BAD_CHECKSUM]


def test_a_replay_without_a_date_is_no_news() -> None:
    assert decode(gga(), retained=True) is NOTHING
    assert decode(rmc(), retained=True).reports


@pytest.mark.parametrize(
    ("topic", "payload", "device"),
    [
        ("nmea/boat1", rmc(), "boat1"),
        ("nmea/boat1", f"123456789{rmc()}", "boat1"),
        ("", f"123456789{rmc()}", "123456789"),
        ("", f"990000561287964,{rmc()}", "990000561287964"),
        ("", f"4711/022789000688081/{rmc()}", "022789000688081"),
        ("", rmc() + ",11,865733027593268,1,090,086", "865733027593268"),
    ],
)
def test_the_topic_names_the_device_before_the_text_does(topic: str, payload: str, device: str) -> None:
    assert decode(payload, topic).reports[0].external_id == device


def test_a_gateway_must_name_the_device() -> None:
    assert refusal(rmc(), "") is Reason.NO_IDENTITY


def test_a_device_that_speaks_for_itself_need_not_and_may_have_another_unit() -> None:
    settings_ = DeviceSettings(speed_unit=SpeedUnit.KMH)
    message = Message(topic="", payload=rmc().encode(), received_at=NOW, devices={"": settings_})
    (report,) = DIALECT.decode(message).reports
    assert report.position is not None
    assert report.external_id is None
    assert report.position.speed_mps == pytest.approx(2.7)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *["RMC", "GGA", "GLL", "GNS", "VTG", "ZDA", "GP", "$", "\n"],
                ",A,",
                "184353",
                "010524",
                AT,
                "1",
                "N",
                "9999",
                "*7F",
                "é",
            ]
        ),
        max_size=30,
    )
)
def test_any_text_is_decoded_or_refused(parts: list[str]) -> None:
    try:
        found = decode("$GP" + ",".join(parts))
    except Malformed:
        return
    assert all(each.position is not None for each in found.reports)
