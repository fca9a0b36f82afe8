"""Phone numbers: one way to write each, and which of them get codes."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from tracker.domain.errors import Invalid

_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_LONGEST = 40


def normal(phone: str, region: str | None) -> str:
    """Return a number as E.164. Without a country code it is read as one of `region` ("RU", "RU-MOW").

    Raises:
        Invalid: ("phone", ...) it cannot be a phone number.
    """
    try:
        if len(phone) > _LONGEST:
            raise Invalid(("phone", "This is not a phone number."))
        number = phonenumbers.parse(phone, _country(region))
    except NumberParseException:
        raise Invalid(("phone", "This is not a phone number.")) from None
    if not phonenumbers.is_possible_number(number):
        raise Invalid(("phone", "This is not a phone number."))
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def may_get_codes(phone: str, regions: frozenset[str]) -> bool:
    """Tell whether `phone` (E.164) is a mobile number of one of `regions`; "*" is every region.

    Premium, short, landline and unassigned numbers never get codes: pumping traffic to them is a business.
    """
    number = phonenumbers.parse(phone, None)
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in _MOBILE:
        return False
    return "*" in regions or phonenumbers.region_code_for_number(number) in regions


def _country(region: str | None) -> str | None:
    country = (region or "").partition("-")[0].upper()
    return country if country in phonenumbers.SUPPORTED_REGIONS else None
