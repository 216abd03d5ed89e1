"""What the card of the toxicity detector says in words; the figures are in weights/report.json."""

from __future__ import annotations

from typing import Any

__all__ = ["CARD", "UNKNOWN"]

UNKNOWN = ("sexual", "self_harm")
"""Signals that the detector always abstains on: no licensed data were there to learn or measure them."""

CARD: dict[str, Any] = {
    "description": "Toxicity, identity attacks, insults and threats in English text, by a small network.",
    "licence": "Apache-2.0; made from all-MiniLM-L6-v2 (Apache-2.0), see weights/NOTICE",
    "data": "tweets of Davidson et al. (MIT), ToxiGen's statements with human scores (MIT), implicit hate as "
    "in SafeNLP (that folder: MIT and CDLA-Permissive-2.0; the tweets' own licence is not restated there), "
    "two identity templates of unintended-ml-bias-analysis (Apache-2.0), HolisticBias and BOLD (CC BY-SA "
    "4.0), WinoBias (MIT), and sentences grown from families written for it. Insults and threats are learnt "
    "from those almost alone.",
    "calibration": "Platt, for insults and threats isotonic, both classes weighing the same: a probability "
    "at even odds",
    "calibration_set": "up to 600 held-out rows of each data set, and sentences of a functional test that "
    "training was steered by",
    "abstains": "texts without words, or mostly in a script other than Latin; texts above 65,536 characters "
    "with nothing found in those; sexual content and self-harm always, for want of licensed data",
    "measured_error": "by source, control, identity and family of sentences in the report",
    "limits": "English. Reads up to 64 word pieces at once, so what only a whole conversation shows is "
    "missed, and a long text has more chances to be flagged than a short one. Hate without hateful words is "
    "its weakest side. Insults and threats in natural texts are measured on 213 tweets only.",
}
