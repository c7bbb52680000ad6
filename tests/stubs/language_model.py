"""A server that speaks OpenAI's chat completions and misbehaves on request.

As documented: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.stubs.server import Asked, Reply, serving

Answer = Callable[[list[dict[str, Any]]], Any]
"""What the model writes about the messages that it was shown: text as it is, anything else as JSON."""


@dataclass
class Model:
    """`faults` are answered first, one per request; `knows` are the forms of answer that it does not refuse."""

    answer: Answer
    url: str = ""
    faults: list[Reply] = field(default_factory=list)
    knows: tuple[str, ...] = ("json_schema", "json_object", "text")
    hangs: bool = False
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)

    def reply(self, asked: Asked) -> Reply:
        request = json.loads(asked.body)
        self.asked.append(request)
        self.keys.append(asked.headers.get("authorization", ""))
        if self.hangs:
            self._end.wait(30)
        if self.faults:
            return self.faults.pop(0)
        if request.get("response_format", {}).get("type", "text") not in self.knows:
            return Reply(500, {"error": {"message": "response_format is not supported"}})
        written = self.answer(json.loads(request["messages"][-1]["content"]))
        content = written if isinstance(written, str) else json.dumps(written, ensure_ascii=False)
        message = {"role": "assistant", "content": content}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return Reply(200, {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})


@contextmanager
def model(answer: Answer) -> Iterator[Model]:
    """Serve a model on loopback."""
    stub = Model(answer)
    with serving(stub.reply) as url:
        stub.url = f"{url}/v1"
        try:
            yield stub
        finally:
            stub._end.set()
