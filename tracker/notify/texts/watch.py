"""The words of what is watched besides places."""

from types import MappingProxyType

from tracker.notify.texts._text import EventText, EventTexts

TEXTS = EventTexts(
    name="watch",
    words=MappingProxyType(
        {
            "sos": {
                "ru": EventText(title="Зовёт на помощь", body="SOS! {subject} зовёт на помощь {when}"),
                "en": EventText(title="Call for help", body="SOS! {subject} calls for help {when}"),
            },
            "battery_low": {
                "ru": EventText(title="Батарея садится", body="{subject}: осталось {battery_pct} заряда"),
                "en": EventText(title="Battery low", body="{subject}: {battery_pct} of the battery is left"),
            },
            "silent": {
                "ru": EventText(title="Нет связи", body="{subject}: нет связи уже {silent_s}"),
                "en": EventText(title="Nothing heard", body="Nothing heard of {subject} for {silent_s}"),
            },
            "heard_again": {
                "ru": EventText(title="Снова на связи", body="{subject} снова на связи {when}"),
                "en": EventText(title="Heard again", body="{subject} is heard again {when}"),
            },
            "ignition_on": {
                "ru": EventText(title="Зажигание включено", body="{subject}: зажигание включено {when}"),
                "en": EventText(title="Ignition on", body="{subject}: ignition on {when}"),
            },
            "ignition_off": {
                "ru": EventText(title="Зажигание выключено", body="{subject}: зажигание выключено {when}"),
                "en": EventText(title="Ignition off", body="{subject}: ignition off {when}"),
            },
            "speeding": {
                "ru": EventText(
                    title="Превышена скорость", body="{subject}: {speed_mps} при {limit_mps}, {when}"
                ),
                "en": EventText(title="Too fast", body="{subject}: {speed_mps}, limit {limit_mps}, {when}"),
            },
            "harsh_braking": {
                "ru": EventText(title="Резкое торможение", body="{subject}: резкое торможение {when}"),
                "en": EventText(title="Harsh braking", body="{subject}: harsh braking {when}"),
            },
            "harsh_acceleration": {
                "ru": EventText(title="Резкий разгон", body="{subject}: резкий разгон {when}"),
                "en": EventText(title="Harsh acceleration", body="{subject}: harsh acceleration {when}"),
            },
            "maintenance_due": {
                "ru": EventText(title="Пора на обслуживание", body="{subject}: {odometer_km}, пора на ТО"),
                "en": EventText(title="Service due", body="{subject}: {odometer_km} driven, service is due"),
            },
            "long_stop": {
                "ru": EventText(title="Долгая остановка", body="{subject} стоит на месте уже {stop_s}"),
                "en": EventText(title="Long stop", body="{subject} has stayed in one place for {stop_s}"),
            },
            "moved_without_owner": {
                "ru": EventText(
                    title="Движется без хозяина", body="{subject} движется без хозяина: до него {owner_m}"
                ),
                "en": EventText(
                    title="Moves without its owner", body="{subject} moves; its owner is {owner_m} away"
                ),
            },
            "sim_changed": {
                "ru": EventText(title="Другая SIM-карта", body="{subject}: в устройстве другая SIM {when}"),
                "en": EventText(title="SIM card changed", body="{subject}: another SIM card {when}"),
            },
            "travelling_along": {
                "ru": EventText(
                    title="Чужая метка рядом", body="С {subject} уже {seen_s} движется чужая метка"
                ),
                "en": EventText(
                    title="Unknown tracker along",
                    body="An unknown tracker has been with {subject} for {seen_s}",
                ),
            },
        }
    ),
)
