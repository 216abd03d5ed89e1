"""Reading in other processes: the same answers, whatever a file does to its reader."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from guard.errors import ConfigurationError, CredentialError
from guard.media import Artifact, Modality
from guard.provenance import sandbox as module
from guard.provenance.crjson import crjson
from guard.provenance.read import read
from guard.provenance.sandbox import Sandbox, SandboxLimits
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import NOBODY, Trust
from tests.unit.provenance.media import image, make, text
from tests.unit.provenance.test_read import Maker

HANG = "import time, guard.provenance.read as r\nr.read = lambda *a, **k: time.sleep(60)\n"
SWELL = "import guard.provenance.read as r\nr.read = lambda *a, **k: bytes(1 << 31)\n"
CRASH = "import os, guard.provenance.read as r\nr.read = lambda *a, **k: os.kill(os.getpid(), 11)\n"
ABORT = "import os, guard.provenance.read as r\nr.read = lambda *a, **k: os.abort()\n"
SPIN = "import guard.provenance.read as r\ndef f(*a, **k):\n    while True: pass\nr.read = f\n"
BABBLE = "import guard.provenance.read as r\nr.read = lambda *a, **k: (_ for _ in ()).throw(KeyError('x'))\n"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    made = Sandbox()
    yield made
    made.close()


@pytest.fixture
def signed(claim: Maker, signer: Signer) -> Artifact:
    return sign(image(), claim(), signer).artifact


@pytest.fixture
def bad_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Makes a sandbox whose workers run some code first, in place of a file that does the like to them."""
    boxes: list[Sandbox] = []

    def start(code: str, **limits: float) -> Sandbox:
        wrapper = tmp_path / "bad_worker.py"
        run = "import runpy\nrunpy.run_module('guard.provenance.sandbox_worker', run_name='__main__')\n"
        wrapper.write_text(code + run)
        monkeypatch.setattr(module, "_MODULE", "bad_worker")
        monkeypatch.syspath_prepend(str(tmp_path))
        boxes.append(Sandbox(replace(SandboxLimits(), **limits)))  # type: ignore[arg-type]
        return boxes[-1]

    yield start
    for box in boxes:
        box.close()


class TestAnswers:
    def test_they_are_those_of_reading_in_this_process(
        self, box: Sandbox, signed: Artifact, trust: Trust, claim: Maker, signer: Signer
    ) -> None:
        words = sign(text("The hill is green.\n"), claim(), signer).artifact
        bent = replace(signed, data=signed.data[:-9] + b"x" + signed.data[-8:])
        for artifact in (
            signed,
            words,
            bent,
            image(),
            make("audio/wav"),
            Artifact(Modality.IMAGE, "image/png", b""),
        ):
            for whom in (trust, NOBODY):
                assert box.read(artifact, trust=whom) == read(artifact, trust=whom)

    def test_with_a_manifest_beside_the_file(
        self, box: Sandbox, trust: Trust, claim: Maker, signer: Signer
    ) -> None:
        made = sign(make("audio/ogg"), claim(), signer)
        assert box.read(made.artifact, trust=trust, manifest=made.manifest).state == "trusted"
        assert box.read(made.artifact, trust=trust, manifest=b"").state in {"unreadable", "absent"}

    def test_crjson_is_the_same(self, box: Sandbox, signed: Artifact, trust: Trust) -> None:
        found, expected = (each(signed, trust=trust)["manifests"] for each in (box.crjson, crjson))
        assert [each["label"] for each in found] == [each["label"] for each in expected]
        assert found[0]["validationResults"]["success"] == expected[0]["validationResults"]["success"]
        assert box.crjson(image(), trust=trust) == {}
        with pytest.raises(CredentialError, match="No crJSON comes of"):
            box.crjson(image(), trust=trust, manifest=b"junk")

    def test_unusable_lists_are_the_caller_s_error(self, box: Sandbox) -> None:
        with pytest.raises(ConfigurationError):
            box.read(image(), trust=Trust.of("nonsense"))

    def test_hostile_published_files(self, box: Sandbox, shared_data: Path) -> None:
        bomb = (shared_data / "c2pa/rs__riff_bomb_1000.wav").read_bytes()
        assert box.read(Artifact(Modality.AUDIO, "audio/wav", bomb), trust=NOBODY).state == "absent"


class TestLimits:
    @pytest.mark.parametrize(
        ("code", "limits", "why"),
        [
            (HANG, {"seconds": 1.0}, "longer than the 1 seconds allowed"),
            (SWELL, {}, "more than the 512 MB of memory"),
            (CRASH, {}, "its reader broke down"),
            (ABORT, {}, "more memory than allowed, or is more than"),
            (BABBLE, {}, "its reader broke down"),
        ],
        ids=["hang", "swell", "crash", "abort", "babble"],
    )
    def test_a_file_that_breaks_them_is_unreadable(
        self, bad_box: object, code: str, limits: dict[str, float], why: str
    ) -> None:
        box = bad_box(code, **limits)  # type: ignore[operator]
        for _ in range(2):  # a fresh worker does no better, and is there
            found = box.read(image(), trust=NOBODY)
            assert (found.state, found.codes) == ("unreadable", ("general.error",))
            assert why in found.explanation[0]

    def test_crjson_of_a_file_that_breaks_them_is_an_error(self, bad_box: object) -> None:
        box = bad_box(CRASH.replace("provenance.read as r\nr.read", "provenance.crjson as r\nr.crjson"))  # type: ignore[operator]
        with pytest.raises(CredentialError, match="its reader broke down"):
            box.crjson(image(), trust=NOBODY)

    def test_processor_time_is_limited_too(self) -> None:
        code = (
            "import guard.provenance.sandbox_worker as w\n"
            "w._limit({'memory': 1 << 30, 'seconds': 0.0}, 0)\n"
            "while True: pass\n"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -24

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")
    def test_no_process_is_left_behind_not_even_a_dead_one(self, bad_box: object) -> None:
        children = Path(f"/proc/self/task/{os.getpid()}/children")
        before = set(children.read_text().split())
        bad_box(CRASH).read(image(), trust=NOBODY)  # type: ignore[operator]
        assert set(children.read_text().split()) <= before

    def test_an_answer_of_absurd_size_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_MOST_ANSWER", 10)
        box = Sandbox()
        found = box.read(image(), trust=NOBODY)
        box.close()
        assert (found.state, "broke down" in found.explanation[0]) == ("unreadable", True)

    def test_systems_without_files_in_memory(
        self, monkeypatch: pytest.MonkeyPatch, signed: Artifact, trust: Trust
    ) -> None:
        monkeypatch.delattr(os, "memfd_create", raising=False)
        box = Sandbox()
        assert box.read(signed, trust=trust).state == "trusted"
        box.close()


class TestLife:
    def test_many_threads_at_once(self, box: Sandbox, signed: Artifact, trust: Trust) -> None:
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(lambda _: box.read(signed, trust=trust).state, range(24)))
        assert found == ["trusted"] * 24
        assert len(box._idle) <= box.limits.workers

    def test_a_worker_that_died_idle_is_replaced(self, box: Sandbox, signed: Artifact, trust: Trust) -> None:
        box.read(signed, trust=trust)
        worker = box._idle[-1]
        worker.process.kill()
        worker.process.wait()
        assert box.read(signed, trust=trust).state == "trusted"

    def test_it_can_be_started_ahead(self, signed: Artifact, trust: Trust) -> None:
        box = Sandbox()
        box.warm()
        box.warm()
        assert len(box._idle) == 1
        assert box.read(signed, trust=trust).state == "trusted"
        box.close()
        assert box.read(signed, trust=trust).state == "trusted"
        box.close()

    def test_after_a_fork_both_sides_go_on(self, box: Sandbox, signed: Artifact, trust: Trust) -> None:
        box.read(signed, trust=trust)
        before = box._idle[-1].process.pid
        child = os.fork()
        if child == 0:
            state = box.read(signed, trust=trust).state
            own = box._idle[-1].process.pid
            box.close()
            os._exit(0 if state == "trusted" and own != before else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert box.read(signed, trust=trust).state == "trusted"
        assert box._idle[-1].process.pid == before

    def test_workers_end_with_their_process(self, tmp_path: Path) -> None:
        code = (
            "from guard.provenance.sandbox import Sandbox\n"
            "box = Sandbox()\nbox.warm()\nprint(box._idle[0].process.pid, flush=True)\n"
        )
        for ending in ("", "import os; os._exit(0)\n"):
            done = subprocess.run(
                [sys.executable, "-c", code + ending], capture_output=True, check=True, timeout=60
            )
            worker = Path("/proc") / done.stdout.decode().strip()
            for _ in range(100):
                if not worker.exists():
                    break
                time.sleep(0.1)
            assert not worker.exists()

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has namespaces")
    def test_workers_have_no_network_unless_told(self) -> None:
        box, online = Sandbox(), Sandbox(replace(SandboxLimits(), network=True))
        here = os.readlink("/proc/self/ns/net")
        try:
            for each, same in ((box, False), (online, True)):
                each.read(image(), trust=NOBODY)
                there = os.readlink(f"/proc/{each._idle[0].process.pid}/ns/net")
                if not same and there == here:
                    pytest.skip("this system does not let processes leave the network")
                assert (there == here) is same
        finally:
            box.close()
            online.close()
