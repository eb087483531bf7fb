"""What an exec asks of one replica of the application: whom does it let in?

    python3 -m harness.platforms.reference.inside asked

{"question": "lets-in", "word": "..."} by stdin, {"answer": true|false|null|"..."} on stdout. From
outside a replica cannot be chosen: the ingress does that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.errors import PlatformError
from harness.platforms.embedded import admission, web
from harness.platforms.embedded.ingress import HEALTH
from harness.platforms.reference.inside.application import PORT
from harness.platforms.reference.inside.settings import Settings

Answer = bool | str | None


def _serves(port: int, _word: str) -> bool:
    answer = web.ask(port, HEALTH, timeout_s=2.0)
    return answer is not None and answer.status == 200


QUESTIONS: Mapping[str, Callable[[int, str], Answer]] = {
    "serves": _serves,
    "lets-in": admission.lets_in,
    "lets-in-by-key": admission.lets_in_by_key,
    "log-in": admission.log_in,
    "has-ended-session": admission.has_ended_session,
}


def asked(
    _settings: Settings, words: Sequence[str], told: Mapping[str, object], *, port: int = PORT
) -> dict[str, object]:
    """Names nothing of what was sent where it is refused: that may be a secret."""
    question = QUESTIONS.get(str(told.get("question")))
    if words or question is None:
        raise PlatformError(f"wanted from stdin: a question of {', '.join(QUESTIONS)}; and a word")
    return {"answer": question(port, str(told.get("word", "")))}
