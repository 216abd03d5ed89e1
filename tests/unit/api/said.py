"""Responses as an upstream writes them, whole and as events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["Events", "call", "drawn", "message", "reasoning", "response"]


def response(*items: Mapping[str, Any], **extra: Any) -> dict[str, Any]:
    """A finished response object."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "tiny-2024",
        "instructions": "Be brief.",
        "output": list(items),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "metadata": {},
        "error": None,
        "usage": {
            "input_tokens": 1,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 3,
        },
        **extra,
    }


def message(*texts: str, **extra: Any) -> dict[str, Any]:
    parts = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []} for text in texts]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": parts,
        **extra,
    }


def call(arguments: str) -> dict[str, Any]:
    return {
        "id": "fc_1",
        "type": "function_call",
        "call_id": "call_1",
        "name": "search",
        "arguments": arguments,
        "status": "completed",
    }


def reasoning(summary: str, thought: str) -> dict[str, Any]:
    return {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": summary}],
        "content": [{"type": "reasoning_text", "text": thought}],
        "encrypted_content": "gAAAA",
    }


def drawn(b64: str, **extra: Any) -> dict[str, Any]:
    return {
        "id": "ig_1",
        "type": "image_generation_call",
        "status": "completed",
        "action": "generate",
        "output_format": "png",
        "result": b64,
        **extra,
    }


class Events:
    """A stream as it is being written: each method adds the events of one item, and `done` the end."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        for kind in ("created", "in_progress"):
            self.add(kind, response=response(status="in_progress", usage=None))

    def add(self, kind: str, **fields: Any) -> Events:
        self.sent.append({"type": f"response.{kind}", "sequence_number": len(self.sent), **fields})
        return self

    def message(self, *pieces: str, refusal: bool = False, logprobs: bool = False) -> Events:
        name, field = ("refusal", "refusal") if refusal else ("output_text", "text")
        item = message("".join(pieces))
        if refusal:
            item["content"] = [{"type": "refusal", "refusal": "".join(pieces)}]
        at = self._opened(item, content=[])
        empty = {**item["content"][0], field: ""}
        self.add("content_part.added", **at, content_index=0, part=empty)
        for piece in pieces:
            tokens = {"logprobs": [{"token": piece, "logprob": -1.0, "top_logprobs": []}]} if logprobs else {}
            extra = tokens or ({"logprobs": []} if name == "output_text" else {})
            self.add(f"{name}.delta", **at, content_index=0, delta=piece, obfuscation="xYz", **extra)
        if logprobs:
            item["content"][0]["logprobs"] = [
                {"token": piece, "logprob": -1.0, "top_logprobs": []} for piece in pieces
            ]
        whole = item["content"][0]
        self.add(
            f"{name}.done",
            **at,
            content_index=0,
            **{field: whole[field]},
            **({} if refusal else {"logprobs": whole["logprobs"]}),
        )
        self.add("content_part.done", **at, content_index=0, part=dict(whole))
        return self._closed(item)

    def call(self, *pieces: str) -> Events:
        item = call("".join(pieces))
        at = self._opened(item, arguments="", status="in_progress")
        for piece in pieces:
            self.add("function_call_arguments.delta", **at, delta=piece)
        self.add("function_call_arguments.done", **at, name="search", arguments=item["arguments"])
        return self._closed(item)

    def reasoning(self, summary: Iterable[str], thought: Iterable[str]) -> Events:
        item = reasoning("".join(summary), "".join(thought))
        item["summary"] = item["summary"] if summary else []
        at = self._opened(item, summary=[], content=[])
        if item["summary"]:
            self._summary(at, summary, item["summary"][0])
        for piece in thought:
            self.add("reasoning_text.delta", **at, content_index=0, delta=piece)
        self.add("reasoning_text.done", **at, content_index=0, text=item["content"][0]["text"])
        return self._closed(item)

    def _summary(self, at: Mapping[str, Any], pieces: Iterable[str], part: dict[str, Any]) -> None:
        self.add("reasoning_summary_part.added", **at, summary_index=0, part={**part, "text": ""})
        for piece in pieces:
            self.add("reasoning_summary_text.delta", **at, summary_index=0, delta=piece)
        self.add("reasoning_summary_text.done", **at, summary_index=0, text=part["text"])
        self.add("reasoning_summary_part.done", **at, summary_index=0, part=dict(part))

    def drawn(self, b64: str, partial: str = "cGFydGlhbA==") -> Events:
        item = drawn(b64)
        at = self._opened(item, result=None, status="in_progress")
        self.add("image_generation_call.in_progress", **at)
        self.add("image_generation_call.generating", **at)
        self.add(
            "image_generation_call.partial_image", **at, partial_image_index=0, partial_image_b64=partial
        )
        self.add("image_generation_call.completed", **at)
        return self._closed(item)

    def done(self, kind: str = "completed", **extra: Any) -> list[dict[str, Any]]:
        """All events, the last one with the whole response in it."""
        self.add(kind, response=response(*self.items, status=kind, **extra))
        return self.sent

    def _opened(self, item: Mapping[str, Any], **before: Any) -> dict[str, Any]:
        number = len(self.items)
        self.add("output_item.added", output_index=number, item={**item, **before})
        return {"item_id": item["id"], "output_index": number}

    def _closed(self, item: dict[str, Any]) -> Events:
        item["id"] = f"{item['id']}{len(self.items)}"
        for event in self.sent:
            if event.get("output_index") == len(self.items):
                if "item" in event:
                    event["item"]["id"] = item["id"]
                else:
                    event["item_id"] = item["id"]
        self.add("output_item.done", output_index=len(self.items), item=dict(item))
        self.items.append(item)
        return self
