"""gameday.yaml as it is written. The published JSON Schema is generated from these models.

None stands for "not written"; a key that is written without a value is refused (problems.py).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from harness.inputs.problems import Strict
from harness.inputs.targets_model import Moment, Name, Word

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_PLAIN)]
DayName = Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Person = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f=:]*$"),
    Field(description="A name, as it is written in records."),
]
KeyId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    Field(description="Of the approval key: `peakdrill evidence key` prints it. 64 hex digits."),
]
Clock = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"),
    Field(description="05:00, UTC. In quotes."),
]
WeekDay = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Peak = Annotated[float, Field(gt=0, le=10, description="A multiple of the 1x rates. 1 by default.")]
Absent = Annotated[
    list[Word], Field(max_length=20, description="Roles that nobody can reach meanwhile.")
]


class ScenarioEntry(Strict):
    """One drill of the day."""

    scenario: Annotated[Word, Field(description="A name of `peakdrill list`, or a file.")]
    peak: Peak = 1.0
    absent: Absent = Field(default_factory=list)


class ObjectiveEntry(Strict):
    """What the day is to show, and by which of its scenarios."""

    objective: Sentence
    shown_by: Annotated[
        list[Word], Field(min_length=1, max_length=50, description="Scenarios of this day.")
    ]


class WindowEntry(Strict):
    """Nothing starts outside. Either `begins` and `ends`, or `days`, `from` and `until`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["begins", "ends"], "maxProperties": 2},
                {"required": ["days", "from", "until"], "maxProperties": 3},
            ]
        }
    )

    begins: Moment | None = None
    ends: Annotated[Moment, Field(description="The first instant outside.")] | None = None
    days: Annotated[list[WeekDay], Field(min_length=1, max_length=7)] | None = None
    from_: Annotated[Clock | None, Field(alias="from")] = None
    until: Clock | None = None


class ParticipantEntry(Strict):
    """A person, the role, and the key that an approval by this person is told by."""

    name: Person
    role: Word
    key: KeyId | None = None
    deputy_for: Annotated[
        list[Word], Field(max_length=20, description="Roles that this person fills when absent.")
    ] = Field(default_factory=list)


class CheckEntry(Strict):
    """What must hold before anything begins."""

    check: Annotated[
        Word, Field(description="platform-whole, backups-fresh, or a name for a question.")
    ]
    ask: Annotated[
        Sentence | None, Field(description="The question, to be answered yes or no.")
    ] = None
    role: Annotated[Word | None, Field(description="Who answers it.")] = None
    wanted: Annotated[
        bool, Field(description="The answer that lets the day begin. true by default.")
    ] = True
    within_h: Annotated[
        float, Field(gt=0, le=24 * 366, description="How old the newest backup may be. 26.")
    ] = 26.0


class AbortEntry(Strict):
    """When a drill ends at once, and what becomes of the day then."""

    refused_per_minute_max: Annotated[
        int | None, Field(ge=1, le=10**9, description="Orders refused in any minute.")
    ] = None
    money_max: Annotated[
        float | None,
        Field(gt=0, le=1e9, description="Revenue at risk, in the currency of targets.yaml."),
    ] = None
    alerts: Annotated[
        list[Word], Field(max_length=50, description="Alerts of the platform that end a drill.")
    ] = Field(default_factory=list)
    heartbeat_s: Annotated[
        float, Field(ge=1, le=600, description="Without a beat of the prober for so long. 15.")
    ] = 15.0
    then: Annotated[
        Literal["stop", "next"],
        Field(description="The day stops, or goes on with the next scenario once it is whole."),
    ] = "stop"


class ApprovalsEntry(Strict):
    """Who asks, and which action of targets.yaml's `approvals` is approved."""

    requested_by: Person
    action: Annotated[Name, Field(description="For example: drill-in-staging.")]


class CommunicationEntry(Strict):
    """Somebody is told something, and a person says that it was done."""

    name: Name
    when: Literal["before-day", "before-scenario", "after-scenario", "after-day"]
    whom: Word
    channel: Annotated[Word, Field(description="phone, chat, mail, status page ...")]
    what: Sentence
    by: Annotated[Word, Field(description="The role that tells.")]
    scenario: Annotated[Word, Field(description="Of this scenario alone.")] | None = None


class GameDayModel(Strict):
    """A game day: what is drilled, when, by whom, and what must hold."""

    name: DayName
    season: Annotated[Name, Field(description="Whose targets hold.")] | None = None
    on: Annotated[Literal["embedded"], Field(description="The platform.")] = "embedded"
    platform: Annotated[Word, Field(description="A platform.yaml beside this file.")] | None = None
    targets: Annotated[Word, Field(description="A targets.yaml beside this file.")] | None = None
    release: Word | None = None
    size: Literal["smoke", "full"] = "full"
    objectives: Annotated[list[ObjectiveEntry], Field(min_length=1, max_length=20)]
    scope: Sentence
    not_tested: Annotated[
        list[Sentence], Field(max_length=50, description="What this day leaves out, knowingly.")
    ] = Field(default_factory=list)
    scenarios: Annotated[list[ScenarioEntry], Field(min_length=1, max_length=50)]
    windows: Annotated[list[WindowEntry], Field(min_length=1, max_length=50)]
    participants: Annotated[list[ParticipantEntry], Field(min_length=1, max_length=100)]
    checks: Annotated[list[CheckEntry], Field(max_length=50)] = Field(default_factory=list)
    abort: AbortEntry = Field(default_factory=AbortEntry)
    approvals: Annotated[
        ApprovalsEntry | Literal["none"],
        Field(description="none: on a disposable platform alone."),
    ]
    communications: Annotated[list[CommunicationEntry], Field(max_length=100)] = Field(
        default_factory=list
    )
    absent: Absent = Field(default_factory=list)
