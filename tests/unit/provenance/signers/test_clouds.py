"""Keys in the services of clouds: AWS against moto, Google over its own protocol, Azure over its own JSON."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from guard.errors import CredentialError, MissingExtraError, SigningOutageError
from guard.provenance.certificates import to_pem
from guard.provenance.claim import Claim
from guard.provenance.read import read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.signers import aws, azure, gcp
from guard.provenance.signers.aws import AwsKey
from guard.provenance.signers.azure import AzureKey
from guard.provenance.signers.gcp import GcpKey
from guard.provenance.signers.pkcs11 import Pkcs11Key
from guard.provenance.trust import Trust
from tests.unit.provenance.certifying import Authority, key_of
from tests.unit.provenance.media import make

Maker = Callable[..., Claim]
AUTHORITY = Authority()
NAME = "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
VAULT = "https://guard.vault.azure.net"
_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


def trusted(signer: Signer, claim: Maker) -> bool:
    signed = sign(make("image/png"), claim(), signer)
    return read(signed.artifact, trust=Trust.of(AUTHORITY.pem)).state == "trusted"


def sign_digest(key: Any, name: str, digest: bytes) -> bytes:
    """What a service does: DER for ECDSA."""
    ready = Prehashed(_HASHES[name])
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(digest, ec.ECDSA(ready))
    return key.sign(digest, padding.PSS(padding.MGF1(_HASHES[name]), _HASHES[name].digest_size), ready)


class TestAws:
    @pytest.fixture(autouse=True)
    def cloud(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        moto = pytest.importorskip("moto", reason="moto is not installed")
        for name, value in (
            ("ACCESS_KEY_ID", "x"),
            ("SECRET_ACCESS_KEY", "y"),
            ("DEFAULT_REGION", "eu-west-1"),
        ):
            monkeypatch.setenv(f"AWS_{name}", value)
        with moto.mock_aws():
            client = aws._client
            client.cache_clear()
            yield
        client.cache_clear()

    def signer(self, spec: str, alg: str) -> Signer:
        client = aws._client(None, None)
        key = client.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        client.create_alias(AliasName=f"alias/{alg}", TargetKeyId=key["KeyId"])
        public = load_der_public_key(client.get_public_key(KeyId=key["KeyId"])["PublicKey"])

        class Elsewhere:
            def public_key(self) -> Any:
                return public

        return Signer.of(to_pem(AUTHORITY.issue(Elsewhere())), AwsKey(f"alias/{alg}", alg))

    @pytest.mark.parametrize(
        ("spec", "alg"), [("ECC_NIST_P256", "es256"), ("ECC_NIST_P384", "es384"), ("ECC_NIST_P521", "es512")]
    )
    def test_signs(self, spec: str, alg: str, claim: Maker) -> None:
        assert trusted(self.signer(spec, alg), claim)

    def test_asks_for_pss_by_its_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = self.stub(monkeypatch)
        AwsKey("alias/guard", "ps256")(b"a claim")
        assert asked[0] == {
            "KeyId": "alias/guard",
            "Message": b"a claim",
            "MessageType": "RAW",
            "SigningAlgorithm": "RSASSA_PSS_SHA_256",
        }

    def test_long_claims_are_hashed_here_but_for_ed25519(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = self.stub(monkeypatch)
        AwsKey("alias/guard", "ps256")(b"x" * 4097)
        assert (asked[0]["MessageType"], len(asked[0]["Message"])) == ("DIGEST", 32)
        with pytest.raises(CredentialError, match="at most 4096 bytes"):
            AwsKey("alias/guard", "ed25519")(b"x" * 4097)
        assert AwsKey("alias/guard", "ed25519")(b"x") == b"signature"

    def stub(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []

        class Client:
            def sign(self, **request: Any) -> dict[str, bytes]:
                asked.append(request)
                return {"Signature": b"signature"}

        monkeypatch.setattr(aws, "_client", lambda *_: Client())
        return asked

    def test_an_absent_key_is_an_outage(self) -> None:
        with pytest.raises(SigningOutageError, match=r"alias/none \(NotFoundException\)") as caught:
            AwsKey("alias/none", "es256")(b"a claim")
        assert "kms:Sign" in caught.value.remedy

    def test_a_region_stands_in_an_arn(self) -> None:
        assert aws._region("arn:aws:kms:eu-north-1:1:key/2") == "eu-north-1"
        assert aws._region("alias/guard") is None


class TestGoogle:
    """A server that speaks the service's gRPC protocol on this machine."""

    @pytest.fixture
    def service(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
        grpc = pytest.importorskip("grpc", reason="google-cloud-kms (the extra [kms]) is not installed")
        from google.cloud.kms import KeyManagementServiceClient
        from google.cloud.kms_v1.services.key_management_service.transports import (
            KeyManagementServiceGrpcTransport,
        )
        from google.cloud.kms_v1.types import AsymmetricSignRequest, AsymmetricSignResponse

        state: dict[str, Any] = {"key": key_of("p256"), "refuse": None}

        def answer(request: AsymmetricSignRequest, call: Any) -> AsymmetricSignResponse:
            if state["refuse"]:
                call.abort(state["refuse"], "refused")
            state["asked"] = request
            if request.data:
                return AsymmetricSignResponse(name=request.name, signature=state["key"].sign(request.data))
            name = AsymmetricSignRequest.pb(request).digest.WhichOneof("digest")
            signature = sign_digest(state["key"], name, getattr(request.digest, name))
            return AsymmetricSignResponse(name=request.name, signature=signature)

        handler = grpc.unary_unary_rpc_method_handler(
            answer, AsymmetricSignRequest.deserialize, AsymmetricSignResponse.serialize
        )
        service = "google.cloud.kms.v1.KeyManagementService"
        server = grpc.server(ThreadPoolExecutor(2))
        methods = {"AsymmetricSign": handler}
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, methods)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            client = KeyManagementServiceClient(transport=KeyManagementServiceGrpcTransport(channel=channel))
            monkeypatch.setattr(gcp, "_client", lambda: client)
            yield state
        server.stop(None).wait()

    @pytest.mark.parametrize(
        ("kind", "alg"), [("p256", "es256"), ("p384", "es384"), ("rsa", "ps256"), ("ed25519", "ed25519")]
    )
    def test_signs(self, kind: str, alg: str, service: dict[str, Any], claim: Maker) -> None:
        service["key"] = key_of(kind)
        signer = Signer.of(to_pem(AUTHORITY.issue(service["key"])), GcpKey(NAME, alg))
        assert trusted(signer, claim)
        assert service["asked"].name == NAME

    @pytest.mark.parametrize(
        "status", ["PERMISSION_DENIED", "NOT_FOUND", "FAILED_PRECONDITION", "UNAVAILABLE"]
    )
    def test_a_refusal_is_an_outage(
        self, status: str, service: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import grpc

        monkeypatch.setattr(gcp, "_SECONDS", 0.2)
        service["refuse"] = grpc.StatusCode[status]
        with pytest.raises(SigningOutageError, match="does not sign with projects/p") as caught:
            GcpKey(NAME, "es256")(b"a claim")
        assert "may use it to sign" in caught.value.remedy

    def test_without_an_account_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("google.cloud.kms")
        from google.auth.exceptions import DefaultCredentialsError

        def nobody() -> Any:
            raise DefaultCredentialsError("none")

        monkeypatch.setattr(gcp, "_client", nobody)
        with pytest.raises(SigningOutageError, match="DefaultCredentialsError"):
            GcpKey(NAME, "es256")(b"a claim")

    def test_there_is_no_p521(self) -> None:
        pytest.importorskip("google.cloud.kms")
        with pytest.raises(CredentialError, match="no P-521"):
            GcpKey(NAME, "es512")(b"a claim")


class TestAzure:
    """The service's JSON over HTTP, answered where the client's own transport would leave the machine."""

    @pytest.fixture
    def vault(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        responses = pytest.importorskip("responses", reason="responses, which comes with moto, is missing")
        pytest.importorskip("azure.keyvault.keys", reason="azure-keyvault-keys ([kms]) is not installed")
        from azure.core.credentials import AccessToken

        class Account:
            def get_token(self, *_: str, **__: Any) -> AccessToken:
                return AccessToken("token", 1 << 40)

        monkeypatch.setattr(azure, "_credential", Account)
        azure._client.cache_clear()
        with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
            yield web
        azure._client.cache_clear()

    def serve(self, web: Any, key: Any) -> list[dict[str, Any]]:
        """The key 'guard' in its version 7f, which only signs; what was asked of it."""
        asked: list[dict[str, Any]] = []
        where = (
            'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"'
        )
        public = {"key": {"kid": f"{VAULT}/keys/guard/7f", "key_ops": ["sign"], **self.web_key(key)}}

        def answer(request: Any) -> tuple[int, dict[str, str], str]:
            if "Authorization" not in request.headers:
                return 401, {"WWW-Authenticate": where}, ""
            if request.method == "GET":
                return 200, {}, json.dumps(public)
            body = json.loads(request.body)
            asked.append(body)
            digest = base64.urlsafe_b64decode(body["value"] + "==")
            raw = self.raw(key, body["alg"], digest)
            value = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
            return 200, {}, json.dumps({"kid": f"{VAULT}/keys/guard/7f", "value": value})

        for version in ("", "/7f"):
            web.add_callback("GET", f"{VAULT}/keys/guard{version or '/'}", answer)
            web.add_callback("POST", f"{VAULT}/keys/guard{version}/sign", answer)
        return asked

    def web_key(self, key: Any) -> dict[str, str]:
        """The public half as JSON Web Key."""

        def number(value: int) -> str:
            return (
                base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()
            )

        numbers = key.public_key().public_numbers()
        if isinstance(key, ec.EllipticCurvePrivateKey):
            curve = {256: "P-256", 384: "P-384", 521: "P-521"}[key.key_size]
            return {"kty": "EC", "crv": curve, "x": number(numbers.x), "y": number(numbers.y)}
        return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}

    def raw(self, key: Any, alg: str, digest: bytes) -> bytes:
        from guard.provenance.signer import raw_ecdsa

        signature = sign_digest(key, f"sha{alg[2:]}", digest)
        return raw_ecdsa(signature, alg.lower()) if alg.startswith("ES") else signature

    @pytest.mark.parametrize(
        ("kind", "alg"), [("p256", "es256"), ("p384", "es384"), ("p521", "es512"), ("rsa", "ps256")]
    )
    def test_signs(self, kind: str, alg: str, vault: Any, claim: Maker) -> None:
        key = key_of(kind)
        asked = self.serve(vault, key)
        signer = Signer.of(to_pem(AUTHORITY.issue(key)), AzureKey(VAULT, "guard", alg, "7f"))
        assert trusted(signer, claim)
        assert asked[0]["alg"] == alg.upper()

    @pytest.mark.parametrize("status", [403, 404, 503])
    def test_a_refusal_is_an_outage(self, status: int, vault: Any) -> None:
        vault.add(
            "GET", f"{VAULT}/keys/guard/7f", status=status, json={"error": {"code": "x", "message": "y"}}
        )
        vault.add("POST", f"{VAULT}/keys/guard/7f/sign", status=status, json={"error": {"code": "x"}})
        with pytest.raises(SigningOutageError, match="does not sign with guard") as caught:
            AzureKey(VAULT, "guard", "es256", "7f")(b"a claim")
        assert "may use it to sign" in caught.value.remedy

    def test_there_is_no_ed25519(self) -> None:
        pytest.importorskip("azure.keyvault.keys")
        with pytest.raises(CredentialError, match="no Ed25519"):
            AzureKey(VAULT, "guard", "ed25519")(b"a claim")


@pytest.mark.parametrize(
    ("key", "package"),
    [
        (AwsKey("alias/guard", "es256"), "boto3"),
        (GcpKey(NAME, "es256"), "google.cloud"),
        (AzureKey(VAULT, "guard", "es256"), "azure.identity"),
        (Pkcs11Key("/lib/x.so", "guard", "guard", "es256"), "pkcs11"),
    ],
)
def test_a_missing_package_is_told_with_its_extra(
    key: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"\[(kms|hsm)\]"):
        key(b"a claim")
