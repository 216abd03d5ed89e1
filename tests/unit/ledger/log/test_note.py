"""Signed notes, as others write and read them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import InputError, KeyStoreError, LedgerError
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.note import COSIGNATURE, Note, NoteSigner, Signature, VerifierKey, cosign, new_key

# From the documentation of golang.org/x/mod/sumdb/note.
SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = (
    f"{TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_of_another_implementation_is_made_and_read() -> None:
    signer = NoteSigner(SIGNER)
    assert str(signer.verifier) == VERIFIER
    assert signer.sign(TEXT) == NOTE
    key = VerifierKey.parse(VERIFIER)
    assert Note.parse(NOTE).signers([key]) == [key]
    assert str(Note.parse(NOTE)) == NOTE


def test_the_vector_of_the_specification() -> None:
    """Of c2sp.org/signed-note."""
    key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    note = Note.parse(
        "This is an example message.\n\n— example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    assert note.signers([key]) == [key]


def test_another_text_or_key_does_not_pass() -> None:
    key = VerifierKey.parse(VERIFIER)
    with pytest.raises(LedgerError, match="does not fit"):
        Note.parse(NOTE.replace("answer", "question")).signers([key])
    assert Note.parse(NOTE).signers([NoteSigner(new_key("PeterNeumann")).verifier]) == []


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        TEXT,
        NOTE[:-1],
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("— ", "- "),
        NOTE + "\n",
        NOTE.replace("If", "\x1b[2J"),
        NOTE.replace("nAM=", "n@M="),
        f"{TEXT}\n— PeterNeumann AAAA\n",
        f"{TEXT}\n— PeterNeumann A\n",
        f"{TEXT}\n" + NOTE.split("\n\n")[1] * 65,
    ],
)
def test_what_is_no_note_is_refused(damaged: str) -> None:
    with pytest.raises(InputError):
        Note.parse(damaged)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        VERIFIER[:-4],
        VERIFIER.replace("c74f20a3", "c74f20a4"),
        VERIFIER.replace("Peter", "Peter "),
        VERIFIER.replace("+ARpc", "+AhpC"),
        "PeterNeumann+c74f20a3+ÄÖ",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        VerifierKey.parse(text)


@pytest.mark.parametrize("damage", [("c74f20a3", "c74f20a4"), ("PRIVATE", "SECRET"), ("+AYEK", "+AoEK")])
def test_a_damaged_signing_key_is_refused(damage: tuple[str, str]) -> None:
    with pytest.raises(KeyStoreError, match="damaged"):
        NoteSigner(SIGNER.replace(*damage))


@pytest.mark.parametrize("name", ["", "two words", "a+b", "tab\there"])
def test_nobody_has_such_a_name(name: str) -> None:
    with pytest.raises(InputError, match="cannot name a log"):
        new_key(name)


def test_a_fresh_key_signs() -> None:
    signer = NoteSigner(new_key("example.com/log"))
    assert VerifierKey.parse(str(signer.verifier)) == signer.verifier
    note = Note.parse(signer.sign("a\n"))
    assert note.signers([signer.verifier]) == [signer.verifier]


class TestCosignatures:
    SECRET = Ed25519PrivateKey.from_private_bytes(bytes(32))
    WITNESS = VerifierKey("witness.example/w1", COSIGNATURE, SECRET.public_key().public_bytes_raw())

    def cosigned(self, at: int | None = 1_679_315_147) -> Note:
        signed = Note.parse(
            NoteSigner(SIGNER).sign("PeterNeumann\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
        )
        mine = cosign(signed, self.WITNESS.name, self.SECRET, at)
        return Note(signed.text, (*signed.signatures, mine))

    def test_a_witness_is_recognised_beside_the_log(self) -> None:
        keys = [VerifierKey.parse(VERIFIER), self.WITNESS]
        note = Note.parse(str(self.cosigned()))
        assert note.signers(keys) == keys
        assert note.signatures[1].time == 1_679_315_147

    def test_one_of_the_real_world(self) -> None:
        """A certificate log's checkpoint, and what a public witness said of it."""
        witness = VerifierKey.parse("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2")
        note = Note.parse(
            "arche2025h1.staging.ct.transparency.dev\n1432088532\n"
            "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n— remora.n621.de "
            "2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n"
        )
        assert note.signers([witness]) == [witness]
        assert Checkpoint.parse(note.text).size == 1_432_088_532

    def test_the_message_is_that_of_the_specification(self) -> None:
        """Header line, time line, note text: checked with the bare primitive."""
        note = self.cosigned()
        message = f"cosignature/v1\ntime 1679315147\n{note.text}".encode()
        self.SECRET.public_key().verify(note.signatures[1].proof[8:], message)
        assert len(note.signatures[1].proof) == 8 + 64

    def test_the_time_is_signed(self) -> None:
        note = self.cosigned()
        late = Signature(self.WITNESS.name, self.WITNESS.id, bytes(8) + note.signatures[1].proof[8:])
        with pytest.raises(LedgerError, match="does not fit"):
            Note(note.text, (late,)).signers([self.WITNESS])

    def test_the_time_is_now_unless_given(self) -> None:
        assert self.cosigned(None).signatures[1].time > 1_700_000_000

    def test_a_witness_does_not_count_as_the_log(self) -> None:
        with pytest.raises(LedgerError, match="No key that counts"):
            Checkpoint.opened(str(self.cosigned()), [self.WITNESS])


class TestCheckpoints:
    # The example of c2sp.org/tlog-checkpoint.
    TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

    def test_the_example_of_the_specification(self) -> None:
        checkpoint = Checkpoint.parse(self.TEXT)
        assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
        assert checkpoint.root.hex().startswith("0ac5186a91863e8e")
        assert str(checkpoint) == self.TEXT

    def test_lines_that_extend_it_are_passed_over(self) -> None:
        assert Checkpoint.parse(self.TEXT + "more\n") == Checkpoint.parse(self.TEXT)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "a\n1\n",
            TEXT.replace("20852163", "020852163"),
            TEXT.replace("20852163", "-1"),
            TEXT.replace("20852163", "many"),
            TEXT.replace("q2I=", "q2I"),
            TEXT.replace("CsUY", ""),
            "\n" + TEXT.split("\n", 1)[1],
        ],
    )
    def test_what_is_no_checkpoint_is_refused(self, text: str) -> None:
        with pytest.raises(InputError, match="no checkpoint"):
            Checkpoint.parse(text)

    def test_it_is_opened_with_its_own_key(self) -> None:
        signer = NoteSigner(new_key("example.com/behind-the-sofa"))
        note = signer.sign(self.TEXT)
        assert Checkpoint.opened(note, [signer.verifier]) == Checkpoint.parse(self.TEXT)

    def test_another_logs_key_does_not_count(self) -> None:
        signer = NoteSigner(new_key("example.com/other"))
        with pytest.raises(LedgerError, match="No key that counts"):
            Checkpoint.opened(signer.sign(self.TEXT), [signer.verifier])
