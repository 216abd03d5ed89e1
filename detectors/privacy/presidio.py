"""Presidio, set up so that it neither fetches anything nor needs a language model.

Out of the box it downloads a spaCy model, and its recogniser of e-mail addresses asks the network for a list
of domains. Here words come from spaCy's rules alone, and domains from the list that tldextract carries.
Importing this module is cheap; `engine` raises `ImportError` without the extra [privacy].
"""

from __future__ import annotations

from typing import Any

__all__ = ["RECOGNISERS", "engine"]

RECOGNISERS = (
    *("CreditCardRecognizer", "CryptoRecognizer", "IbanRecognizer", "IpRecognizer", "PhoneRecognizer"),
    *("AuMedicareRecognizer", "AuTfnRecognizer", "CaSinRecognizer", "DeTaxIdRecognizer", "EsNieRecognizer"),
    *("EsNifRecognizer", "FiPersonalIdentityCodeRecognizer", "InAadhaarRecognizer", "InPanRecognizer"),
    *("ItFiscalCodeRecognizer", "KrRrnRecognizer", "NhsRecognizer", "PlPeselRecognizer"),
    *("SePersonnummerRecognizer", "SgFinRecognizer", "ThTninRecognizer", "TrNationalIdRecognizer"),
    *("UkNinoRecognizer", "UsItinRecognizer", "UsSsnRecognizer", "ZaIdNumberRecognizer"),
)
"""Presidio's recognisers in use, besides its one of e-mail addresses: those that a check digit, a strict
shape or a word nearby keeps from taking any number for an id."""


def engine() -> Any:
    """An analyser of texts in English. Raises `ImportError`."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, predefined_recognizers

    made = [getattr(predefined_recognizers, name)(supported_language="en") for name in RECOGNISERS]
    registry = RecognizerRegistry([*made, _emails()], supported_languages=["en"])
    return AnalyzerEngine(registry=registry, nlp_engine=_words(), supported_languages=["en"])


def _emails() -> Any:
    from presidio_analyzer.predefined_recognizers import EmailRecognizer
    from tldextract import TLDExtract

    domains = TLDExtract(suffix_list_urls=(), cache_dir=None)

    class Emails(EmailRecognizer):
        """Presidio's own, without its call to the network."""

        def validate_result(self, pattern_text: str) -> bool:
            return bool(domains(pattern_text).fqdn)

    return Emails()


def _words() -> Any:
    import spacy
    from presidio_analyzer.nlp_engine import NlpArtifacts, SpacyNlpEngine

    split = spacy.blank("en")

    class Words(SpacyNlpEngine):
        """Words by spaCy's rules, for the recognisers that look at what stands nearby."""

        def process_text(self, text: str, language: str) -> Any:
            tokens = split(text)
            return NlpArtifacts(
                entities=[],
                tokens=tokens,
                tokens_indices=[token.idx for token in tokens],
                lemmas=[token.lower_ for token in tokens],
                nlp_engine=self,
                language=language,
            )

        def load(self) -> None:
            self.nlp = {"en": split}  # type: ignore[assignment]

    words = Words()
    words.load()
    return words
