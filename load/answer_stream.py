"""One HTTP answer as it comes in, by geventhttpclient's parser, with few call-backs.

What counts is the status, the body, whether it is whole, and whether the connection may be used
again. Headers are the parser's business: it holds the length and the encoding to what was sent.
"""

from __future__ import annotations

from geventhttpclient._parser import HTTPParseError, HTTPResponseParser

LAST_INTERIM = 199  # 1xx are followed by the answer itself


class AnswerStream(HTTPResponseParser):
    """Fed block by block; an empty block is the end of the connection. Raises HTTPParseError."""

    def __init__(self) -> None:
        super().__init__()
        self.headed = self.whole = self.reusable = False
        self._blocks: list[bytes] = []

    @property
    def body(self) -> bytes:
        return b"".join(self._blocks)

    def _on_message_begin(self) -> None:
        if self.whole:
            raise HTTPParseError("more than one answer to one request")
        self.headed = False
        self._blocks.clear()

    def _on_headers_complete(self) -> bool:
        self.headed = self.get_code() > LAST_INTERIM
        return False  # a body may follow: only HEAD has none

    def _on_body(self, block: bytes) -> None:
        self._blocks.append(block)

    def _on_message_complete(self) -> None:
        if self.headed:
            self.whole, self.reusable = True, self.should_keep_alive()

    # Asked for each header, and of no interest: C asks C whether a text can be called, and the
    # False that comes back is the parser's "go on".
    _on_status = _on_header_field = _on_header_value = callable
