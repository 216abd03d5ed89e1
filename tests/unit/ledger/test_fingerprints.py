"""Codes, the buckets that they are filed in, and the releases that are found near them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from guard.ledger import Ledger, Status
from guard.ledger.fingerprint import (
    KEY_BITS,
    NEAR,
    Algorithm,
    Coder,
    Fingerprint,
    algorithm,
    bucket,
    distances,
    fingerprints,
    probes,
)
from guard.ledger.migrate import downgrade, upgrade
from tests.unit.ledger.test_store import entry


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


def code(seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(32)


def flipped(of: bytes, bits: list[int]) -> bytes:
    values = np.unpackbits(np.frombuffer(of, np.uint8))
    values[bits] ^= 1
    return bytes(np.packbits(values))


def part(of: bytes, *, weak: tuple[int, ...] = ()) -> Fingerprint:
    return Fingerprint(Algorithm.PART, of, None, weak)


class TestCodes:
    PATCHES = np.random.default_rng(0).normal(size=(20, 32, 32)).astype(np.float32)

    def test_half_of_the_bits_are_set_and_a_brighter_patch_has_the_same_code(self) -> None:
        coder = Coder(32, 32)
        codes, weak = coder.codes(coder.coefficients(self.PATCHES))
        assert codes.shape == (20, 32)
        assert weak.shape == (20, KEY_BITS)
        assert (np.bitwise_count(codes).sum(axis=1) == 128).all()
        brighter, _ = coder.codes(coder.coefficients(3 * self.PATCHES + 40))
        assert np.bitwise_count(brighter ^ codes).sum(axis=1).max() <= 2

    def test_the_bits_that_a_small_change_turns_are_the_weak_ones(self) -> None:
        coder = Coder(32, 32)
        codes, weak = coder.codes(coder.coefficients(self.PATCHES))
        noise = np.random.default_rng(1).normal(0, 0.15, self.PATCHES.shape).astype(np.float32)
        noisy, _ = coder.codes(coder.coefficients(self.PATCHES + noise))
        turned = np.unpackbits(codes ^ noisy, axis=1)[:, :KEY_BITS]
        first, last = (
            np.take_along_axis(turned, some, axis=1).mean() for some in (weak[:, :6], weak[:, 12:])
        )
        assert first > 10 * last

    def test_the_frequencies_that_are_named_come_first(self) -> None:
        wave = np.cos(np.pi / 64 * 7 * (2 * np.arange(32) + 1))
        patch = np.outer(wave, wave).astype(np.float32)[None]
        coder = Coder(32, 32, [(7, 7)])
        codes, _ = coder.codes(coder.coefficients(patch))
        assert codes[0, 0] & 0x80

    def test_distances_count_bits(self) -> None:
        ours = np.frombuffer(code(1), np.uint8)[None]
        theirs = np.frombuffer(code(1) + flipped(code(1), [0, 9, 255]), np.uint8).reshape(2, 32)
        assert distances(ours, theirs).tolist() == [[0, 3]]


class TestBuckets:
    def test_the_algorithm_and_the_first_bits_make_the_bucket(self) -> None:
        for alg in Algorithm:
            place = bucket(Fingerprint(alg, b"\xff\x00\xff" + bytes(29)))
            assert place & (1 << KEY_BITS) - 1 == 0xFF00FF
            assert algorithm(place) is alg

    def test_the_weak_bits_are_turned_in_every_way(self) -> None:
        places = probes(part(bytes(32), weak=(0, 23, 5)))
        assert len(set(places)) == 8
        assert bucket(part(flipped(bytes(32), [0, 5]))) in places
        assert bucket(part(flipped(bytes(32), [23]))) in places
        assert bucket(part(flipped(bytes(32), [1]))) not in places

    def test_codes_become_fingerprints_and_questions(self) -> None:
        codes = np.frombuffer(code(1) + code(2), np.uint8).reshape(2, 32)
        assert fingerprints(Algorithm.SOUND, codes, at=2.5)[1] == Fingerprint(Algorithm.SOUND, code(2), 2.5)
        weak = np.array([[4, 2, 9], [1, 0, 8]])
        assert [each.weak for each in fingerprints(Algorithm.SOUND, codes, weak, 2)] == [(4, 2), (1, 0)]


class TestLedger:
    def record(self, ledger: Ledger, number: int, *codes: bytes, **changes: object) -> str:
        made = entry(number, fingerprints=tuple(map(part, codes)), **changes)
        ledger.record([made])
        return made.id

    def test_a_code_leads_to_its_release_also_with_bits_turned(self, ledger: Ledger) -> None:
        home = self.record(ledger, 1, code(1), code(2))
        self.record(ledger, 2, code(3))
        asked = part(flipped(code(2), [3, 40, 99, 200]), weak=(7, 3))
        assert [found.id for found in ledger.nearest([asked])] == [home]
        assert ledger.nearest([part(flipped(code(2), [3]))]) == []
        assert ledger.nearest([part(code(9))]) == []
        assert ledger.nearest([]) == []

    def test_codes_in_the_same_bucket_that_are_not_near_count_for_nothing(self, ledger: Ledger) -> None:
        self.record(ledger, 1, code(1))
        far = flipped(code(1), list(range(KEY_BITS, KEY_BITS + NEAR + 1)))
        assert ledger.nearest([part(far)]) == []
        assert len(ledger.nearest([part(flipped(far, [100]))])) == 0
        assert len(ledger.nearest([part(flipped(far, [KEY_BITS]))])) == 1

    def test_codes_of_another_kind_are_not_compared(self, ledger: Ledger) -> None:
        self.record(ledger, 1, code(1))
        assert ledger.nearest([Fingerprint(Algorithm.SOUND, code(1))]) == []

    def test_who_shares_more_codes_comes_first_and_no_more_come_than_wanted(self, ledger: Ledger) -> None:
        one = self.record(ledger, 1, code(1))
        both = self.record(ledger, 2, flipped(code(1), [50]), code(2))
        asked = [part(code(1)), part(code(1), weak=(1,)), part(code(2))]
        assert [found.id for found in ledger.nearest(asked)] == [both, one]
        assert [found.id for found in ledger.nearest(asked, limit=1)] == [both]

    def test_what_a_release_is_filed_under_can_be_told(self, ledger: Ledger) -> None:
        kept = (part(code(1)), Fingerprint(Algorithm.SOUND, code(2), 1.25))
        ledger.record([replace(entry(1), fingerprints=kept)])
        assert ledger.fingerprints(f"{1:016x}") == list(kept)
        assert ledger.fingerprints(f"{2:016x}") == []

    def test_only_what_left_is_found_and_a_stream_once_it_ended(self, ledger: Ledger) -> None:
        self.record(ledger, 1, code(1), status=Status.BLOCKED)
        assert ledger.nearest([part(code(1))]) == []
        self.record(ledger, 2, code(2), status=Status.STREAMING)
        assert ledger.nearest([part(code(2))]) == []
        self.record(ledger, 2, code(2), status=Status.RELEASED)
        assert len(ledger.nearest([part(code(2))])) == 1

    def test_a_bucket_takes_only_so_many(self, ledger: Ledger) -> None:
        """Thousands of pictures with one logo neither make look-ups slow nor hide the rest of any."""
        crowd = [
            replace(entry(n + 100), fingerprints=(part(code(1)), part(code(n + 100)))) for n in range(150)
        ]
        for start in range(0, 150, 10):
            ledger.record(crowd[start : start + 10])
        assert len(ledger.nearest([part(code(1))], limit=1000)) == 130  # full within the thirteenth commit
        assert [found.id for found in ledger.nearest([part(code(249))])] == [crowd[149].id]

    def test_many_questions_are_asked_at_once(self, ledger: Ledger) -> None:
        home = self.record(ledger, 1, code(1))
        asked = [part(code(n), weak=tuple(range(12))) for n in range(1, 12)]
        assert [found.id for found in ledger.nearest(asked)] == [home]

    def test_a_long_sound_is_filed_in_one_go(self, ledger: Ledger) -> None:
        kept = tuple(Fingerprint(Algorithm.SOUND, code(n), n / 2) for n in range(4096))
        ledger.record([replace(entry(3), modality="audio", fingerprints=kept)])
        assert ledger.nearest([Fingerprint(Algorithm.SOUND, code(4000))])[0].id == f"{3:016x}"

    @pytest.mark.parametrize("to", ["0003"])
    def test_the_table_goes_and_comes_back(self, ledger: Ledger, to: str) -> None:
        self.record(ledger, 1, code(1))
        downgrade(ledger.engine, to)
        upgrade(ledger.engine)
        assert ledger.nearest([part(code(1))]) == []
        self.record(ledger, 2, code(1))
        assert len(ledger.nearest([part(code(1))])) == 1
