"""The words of what happens at places."""

from types import MappingProxyType

from tracker.notify.texts._text import EventText, EventTexts

TEXTS = EventTexts(
    name="places",
    words=MappingProxyType(
        {
            "arrived": {
                "ru": EventText(title="На месте", body="{subject} прибывает: «{place}» {when}"),
                "en": EventText(title="Arrived", body="{subject} arrived at {place} {when}"),
            },
            "left": {
                "ru": EventText(title="Покидает место", body="{subject} покидает «{place}» {when}"),
                "en": EventText(title="Left", body="{subject} left {place} {when}"),
            },
            "dwelt": {
                "ru": EventText(
                    title="Долго на месте", body="{subject} на месте «{place}» уже {dwell_s}, с {since_at}"
                ),
                "en": EventText(
                    title="There for long",
                    body="{subject} has been at {place} for {dwell_s}, since {since_at}",
                ),
            },
            "not_arrived": {
                "ru": EventText(
                    title="Не на месте вовремя",
                    body="{subject} не на месте «{place}» к {by}, устройство на связи",
                ),
                "en": EventText(
                    title="Not there in time",
                    body="{subject} is not at {place} by {by}; the device is in touch",
                ),
            },
            "not_arrived_silent": {
                "ru": EventText(
                    title="Не на месте, места не знаем",
                    body="Неизвестно, где {subject} («{place}» к {by}). Последняя связь: {heard_at}",
                ),
                "en": EventText(
                    title="Not there, whereabouts unknown",
                    body="No word where {subject} is ({place} by {by}). Last heard: {heard_at}",
                ),
            },
            "arrived_late": {
                "ru": EventText(
                    title="Теперь на месте", body="Теперь {subject} на месте «{place}»: {when}, ждали к {by}"
                ),
                "en": EventText(
                    title="There now", body="{subject} reached {place} after all, {when}; expected by {by}"
                ),
            },
            "left_early": {
                "ru": EventText(
                    title="Уход раньше времени", body="{subject} покидает «{place}» {when}, раньше {until}"
                ),
                "en": EventText(title="Left too early", body="{subject} left {place} {when}, before {until}"),
            },
            "crossed": {
                "ru": EventText(title="Граница места", body="{subject} пересекает границу «{place}» {when}"),
                "en": EventText(title="Edge crossed", body="{subject} crossed the edge of {place} {when}"),
            },
            "escaped": {
                "ru": EventText(title="Побег", body="Побег! {subject} вне зоны «{place}» {when}"),
                "en": EventText(title="Escape", body="Escape! {subject} is out of {place} {when}"),
            },
            "caught": {
                "ru": EventText(
                    title="Снова в зоне", body="{subject} снова в зоне «{place}» {when}, спустя {away_s}"
                ),
                "en": EventText(
                    title="Back in the zone", body="{subject} is back in {place} {when}, after {away_s}"
                ),
            },
            "moved_while_parked": {
                "ru": EventText(
                    title="Сдвинут со стоянки", body="{subject} уже в {away_m} от места стоянки, {when}"
                ),
                "en": EventText(
                    title="Moved while parked", body="{subject} is {away_m} from where it was parked, {when}"
                ),
            },
        }
    ),
)
