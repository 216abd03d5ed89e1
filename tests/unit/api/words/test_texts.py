"""What a model reads of a request."""

from __future__ import annotations

from typing import Any

import pytest

from guard.api.words.texts import prompt_of

WORD = "needle"


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "user", "content": WORD}]},
        {"messages": [{"role": "user", "name": WORD, "content": "Hi"}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": WORD}}]}]},
        {"input": WORD},
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": WORD}]}]},
        {"input": [{"type": "function_call_output", "call_id": "c", "output": WORD}]},
        {"instructions": WORD},
        {"prompt": ["a", WORD]},
        {"suffix": WORD},
        {"prediction": {"type": "content", "content": WORD}},
        {"tools": [{"type": "function", "function": {"name": WORD}}]},
        {"tools": [{"type": "function", "function": {"name": "f", "description": WORD}}]},
        {"tools": [{"function": {"parameters": {"properties": {WORD: {"type": "string"}}}}}]},
        {"tools": [{"function": {"parameters": {"properties": {"type": {"description": WORD}}}}}]},
        {"tools": [{"function": {"parameters": {"properties": {"image": {"enum": ["a", WORD]}}}}}]},
        {"tools": [{"type": "custom", "custom": {"format": {"grammar": {"definition": WORD}}}}]},
        {"functions": [{"name": "f", "description": WORD}]},
        {"response_format": {"json_schema": {"name": "x", "schema": {"description": WORD}}}},
        {"response_format": {"json_schema": {"schema": {"$defs": {WORD: {"type": "object"}}}}}},
        {"text": {"format": {"type": "json_schema", "schema": {"title": WORD}}}},
    ],
)
def test_it_is_found_wherever_it_stands(body: dict[str, Any]) -> None:
    assert WORD in prompt_of({"model": "tiny", **body}).splitlines()


@pytest.mark.parametrize(
    "body",
    [
        {"model": WORD},
        {"user": WORD, "metadata": {"a": WORD}},
        {"messages": [{"role": "tool", "tool_call_id": WORD}]},
        {"messages": [{"content": [{"type": "image_url", "image_url": {"url": f"data:{WORD}"}}]}]},
        {"messages": [{"content": [{"type": "input_audio", "input_audio": {"data": WORD}}]}]},
        {"input": [{"content": [{"type": "input_file", "file_data": WORD}]}]},
    ],
)
def test_names_of_things_and_media_are_no_text(body: dict[str, Any]) -> None:
    assert WORD not in prompt_of(body)


def test_one_message_is_the_whole_prompt() -> None:
    assert prompt_of({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}) == "Hi"
