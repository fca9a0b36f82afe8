"""Messages a second that each dialect decodes, beside the standard library's json.loads of the same payloads.

The messages are the recorded ones (tests/corpus) that say something: those in JSON, or all of a dialect that
has none, which then has no floor. One thread, no broker, no database.
"""

import json
import time
from collections.abc import Sequence

from benchmarks._mutants import recorded
from benchmarks._result import Options, Result, median
from tracker import registry
from tracker.domain.errors import Malformed
from tracker.ingest.dialects._message import Dialect, Message

MESSAGES = 5_000
"""How often a round decodes, a dialect."""


class DecodeBenchmark:
    """`tracker bench decode`."""

    name = "decode"

    def run(self, options: Options) -> Result:
        """Measure every dialect; `size` is messages a dialect and round."""
        dialects = registry.load("tracker.ingest.dialects", "DIALECT")
        size = options.size or MESSAGES
        figures: dict[str, float] = {}
        floors: dict[str, float] = {}
        ratios: dict[str, float] = {}
        for name, dialect in dialects.items():
            messages = _taken(dialect)
            floor = _is_json(messages[0])
            rounds = [_round(dialect, messages, size, floor=floor) for _ in range(options.rounds)]
            figures[f"{name}_per_s"] = median([decoded for decoded, _ in rounds])
            if floor:
                floors[f"{name}_json_loads_per_s"] = median([read for _, read in rounds])
                ratios[f"{name}_to_json_loads"] = median([decoded / read for decoded, read in rounds])
        return Result(name=self.name, figures=figures, floors=floors, ratios=ratios)


BENCHMARK = DecodeBenchmark()


def _taken(dialect: Dialect) -> list[Message]:
    """Return the recorded messages of a dialect that say something, in JSON if there are such."""
    found = []
    for name, message in recorded():
        if name == dialect.name:
            try:
                decoded = dialect.decode(message)
            except Malformed:
                continue
            if decoded.reports or decoded.parts:
                found.append(message)
    return [message for message in found if _is_json(message)] or found


def _is_json(message: Message) -> bool:
    try:
        json.loads(message.payload)
    except ValueError:
        return False
    return True


def _round(dialect: Dialect, messages: Sequence[Message], size: int, *, floor: bool) -> tuple[float, float]:
    """Return how many messages a second the dialect decodes and json.loads reads (0 if not asked for)."""
    times = -(-size // len(messages))
    done = times * len(messages)
    began_s = time.perf_counter()
    for _ in range(times):
        for message in messages:
            dialect.decode(message)
    decoded = done / (time.perf_counter() - began_s)
    if not floor:
        return decoded, 0.0
    began_s = time.perf_counter()
    for _ in range(times):
        for message in messages:
            json.loads(message.payload)
    return decoded, done / (time.perf_counter() - began_s)
