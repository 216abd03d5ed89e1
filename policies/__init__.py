"""May it leave? Rules in YAML with CEL conditions, judged into a `Decision`."""

from __future__ import annotations

from policies.base import Action, Decision, Facts, Fired, Mode, Requirements, StreamMode
from policies.policy import Policy, Rule, default, load, loads
from policies.redact import redact

__all__ = [
    "Action",
    "Decision",
    "Facts",
    "Fired",
    "Mode",
    "Policy",
    "Requirements",
    "Rule",
    "StreamMode",
    "default",
    "load",
    "loads",
    "redact",
]
