"""The words that the harness and a load pod exchange: see load/beside.py for the other end.

A stream that broke is opened again at the next question: a cluster in trouble breaks streams, and
that alone loses no worker.
"""

from __future__ import annotations

import base64
import contextlib
import json
import time
import zlib
from dataclasses import dataclass, field
from typing import Any

from harness.core.clock_bounds import RoundTrip
from harness.core.clock_pace import SLEWED_MAX_PPM, Pace, slewed_ppm
from harness.errors import PlatformError
from harness.json_text import parsed
from harness.platforms.load_pods import LoadPod, LoadPods, Talk

ANSWER_S = 10.0


class AnsweredNo(PlatformError):
    """The pod was reached, and has said that it cannot: asking again changes nothing."""


@dataclass
class Beside:
    """One pod, asked by one thread at a time."""

    pods: LoadPods
    pod: LoadPod
    slewed: str = field(default="", init=False)  # a clock that ran too fast to be bounded
    _talk: Talk | None = field(default=None, init=False)
    _paces: dict[str, Pace] = field(default_factory=dict, init=False)  # as they were seen last

    def clock(self) -> RoundTrip:
        """Its clock now, and its lease renewed."""
        line = _line("clock")
        if self._talk is None:  # not while its clock is asked: that would widen the answer
            self._talk = self.pods.talk(self.pod)
        sent_ns = time.monotonic_ns()
        raw = self._asked(line)
        received_ns = time.monotonic_ns()
        told = self._read(raw)
        self._look_at("its clock", _pace_in(told))
        self._look_at("this machine's clock", _own_pace())
        return RoundTrip(self.pod.role.number, sent_ns, _integer(told, "ns"), received_ns)

    def put(self, name: str, data: bytes) -> None:
        self._answer("put", name=name, data=base64.b64encode(data).decode())

    def put_secret(self, name: str, data: bytes) -> None:
        self._answer("secret", name=name, data=base64.b64encode(data).decode())

    def slots(self, seq: int) -> tuple[bytes, bytes]:
        """(header, slots from `seq` on) as they stand now; b"" where there is nothing yet."""
        told = self._answer("slots", worker=self.pod.role.number, seq=seq)
        return base64.b64decode(_text(told, "header")), _unpacked(_text(told, "slots"))

    def part_of(self, name: str, at: int) -> tuple[bytes, int]:
        """A part of a file from `at` on, and how long the whole is. Raises where there is none."""
        told = self._answer("file", name=name, at=at)
        return _unpacked(_text(told, "data")), _integer(told, "bytes")

    def ended(self) -> dict[str, Any] | None:
        """How its Locust ended, as it was then; None while it trades."""
        ended = self._answer("state").get("ended")
        return ended if isinstance(ended, dict) else None

    def is_ready(self) -> bool:
        """Only its plan is missing."""
        return self._answer("state").get("ready") is True

    def file(self, name: str) -> bytes:
        """A small file whole."""
        return self.part_of(name, 0)[0]

    def close(self) -> None:
        talk, self._talk = self._talk, None
        if talk is not None:
            with contextlib.suppress(PlatformError, OSError):
                talk.close()

    def _look_at(self, whose: str, now: Pace) -> None:
        before, self._paces[whose] = self._paces.get(whose, now), now
        if ppm := slewed_ppm(before, now):
            told = f"{whose} was slewed by {ppm:,} ppm, and {SLEWED_MAX_PPM} can be allowed for"
            self.slewed = self.slewed or told

    def _answer(self, ask: str, **more: object) -> dict[str, Any]:
        return self._read(self._asked(_line(ask, **more)))

    def _asked(self, line: bytes) -> bytes:
        if self._talk is None:
            self._talk = self.pods.talk(self.pod)
        try:
            return self._talk.ask(line, within_s=ANSWER_S)
        except BaseException:  # half an answer may still come: the stream is of no more use
            self.close()
            raise

    def _read(self, raw: bytes) -> dict[str, Any]:
        try:
            told = parsed(raw)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            self.close()
            raise PlatformError(f"{self.pod.name} answered in words that cannot be read")
        if "error" in told:
            raise AnsweredNo(f"{self.pod.name}: {str(told['error'])[:200]}")
        return told


def _line(ask: str, **more: object) -> bytes:
    return json.dumps({"ask": ask, **more}).encode()


def _own_pace() -> Pace:
    """The closest pair of a few."""
    found = []
    for _ in range(3):
        at_ns = time.monotonic_ns()
        raw_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        found.append(Pace(at_ns, raw_ns, time.monotonic_ns() - at_ns))
    return min(found, key=lambda pace: pace.within_ns)


def _pace_in(told: dict[str, Any]) -> Pace:
    match told.get("pace"):
        case [int(at_ns), int(raw_ns), int(within_ns)]:
            return Pace(at_ns, raw_ns, within_ns)
        case _:
            raise PlatformError(
                "a load pod's answer does not say whether its clock keeps pace",
                next_step="bring the stack up again: its image is of an older peakdrill",
            )


def _text(told: dict[str, Any], key: str) -> str:
    return str(told.get(key, ""))


def _integer(told: dict[str, Any], key: str) -> int:
    value = told.get(key)
    if not isinstance(value, int):
        raise PlatformError(f"a load pod's answer has no number {key!r}")
    return value


def _unpacked(text: str) -> bytes:
    try:
        return zlib.decompress(base64.b64decode(text)) if text else b""
    except (ValueError, zlib.error) as error:
        raise PlatformError(f"a load pod's answer cannot be unpacked: {error}") from error
