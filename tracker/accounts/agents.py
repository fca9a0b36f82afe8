"""What a browser or program calls itself, as a name its owner recognises."""

import re

_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_BROWSERS = (
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)


def agent_name(agent: str) -> str:
    """Return a short name of a User-Agent: "Firefox, Windows", "curl", or "?" if it says nothing.

    The name goes into an SMS: of an unknown program only its first word is taken, no text of a stranger's.
    """
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if browser or system:
        return ", ".join(part for part in (browser, system) if part)
    program = re.match(r"[A-Za-z0-9][\w-]{0,29}", agent, re.ASCII)
    return program.group() if program else "?"
