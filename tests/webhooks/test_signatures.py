"""Signatures: what is proven, what is refused, and that nothing but `Unverified` comes out."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.signatures import Unverified, identity, key, sign, signed_headers, verify

NOW = 1_790_000_000
BODY = b'{"project": "group/name"}'
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def headers(**changes: str | None) -> dict[str, str]:
    signed = signed_headers(secret=SECRET, delivery="d-1", timestamp=NOW, body=BODY)
    signed |= {name.replace("_", "-"): value for name, value in changes.items() if value is not None}
    return {
        name: value for name, value in signed.items() if changes.get(name.replace("-", "_"), "") is not None
    }


def test_the_algorithm_is_the_published_one():
    digest = hmac.new(bytes(range(32)), b"d-1.1790000000." + BODY, hashlib.sha256).digest()
    assert headers()["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_a_known_vector():
    # The example of the Standard Webhooks specification's reference libraries.
    signed = sign(
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        delivery="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


GOOD = headers()["webhook-signature"]


@pytest.mark.parametrize(
    ("changes", "secrets"),
    [
        ({}, [SECRET]),
        ({}, ["other", SECRET]),
        ({}, ["", "whsec_***", SECRET]),
        ({"webhook_signature": f"v1,AAAA {GOOD}"}, [SECRET]),
        ({"webhook_signature": f"v1a,xyz  {GOOD} "}, [SECRET]),
        ({"webhook_signature": f"v1,\xe9\ud800 {GOOD}"}, [SECRET]),
    ],
)
def test_proven(changes: dict[str, str], secrets: list[str]):
    verify(headers(**changes), BODY, secrets=secrets, now=NOW)


@pytest.mark.parametrize("drift", [-300.0, -1.5, 0.0, 299.9, 300.0])
def test_a_clock_that_is_a_little_off(drift: float):
    verify(headers(), BODY, secrets=[SECRET], now=NOW + drift)


def test_header_names_in_any_case():
    verify({name.title(): value for name, value in headers().items()}, BODY, secrets=[SECRET], now=NOW)


def test_a_plain_text_secret():
    signed = signed_headers(secret="geheim-ß", delivery="x", timestamp=NOW, body=b"")
    verify(signed, b"", secrets=["geheim-ß"], now=NOW)


@pytest.mark.parametrize(
    ("changes", "secrets", "drift", "reason"),
    [
        ({}, [], 0, "no webhook secret is configured"),
        ({}, [""], 0, "no webhook secret is configured"),
        ({}, ["whsec_"], 0, "no webhook secret is configured"),
        ({}, ["other"], 0, "no signature"),
        ({}, [SECRET], 301, "+301 s off"),
        ({}, [SECRET], -301, "-301 s off"),
        ({"webhook_id": None}, [SECRET], 0, "must all be there"),
        ({"webhook_timestamp": None}, [SECRET], 0, "must all be there"),
        ({"webhook_signature": None}, [SECRET], 0, "must all be there"),
        ({"webhook_id": "d-2"}, [SECRET], 0, "no signature"),
        ({"webhook_id": ""}, [SECRET], 0, "webhook-id"),
        ({"webhook_id": "d.1"}, [SECRET], 0, "webhook-id"),
        ({"webhook_id": "d-é"}, [SECRET], 0, "webhook-id"),
        ({"webhook_id": "d" * 201}, [SECRET], 0, "webhook-id"),
        ({"webhook_timestamp": str(NOW + 1)}, [SECRET], 0, "no signature"),
        ({"webhook_timestamp": f"{NOW}.0"}, [SECRET], 0, "not a number"),
        ({"webhook_timestamp": f" {NOW}"}, [SECRET], 0, "not a number"),
        ({"webhook_timestamp": "-1"}, [SECRET], 0, "not a number"),
        ({"webhook_timestamp": "1e9"}, [SECRET], 0, "not a number"),
        ({"webhook_timestamp": "9" * 5000}, [SECRET], 0, "not a number"),
        ({"webhook_timestamp": "١٧٩٠٠٠٠٠٠٠"}, [SECRET], 0, "not a number"),
        ({"webhook_signature": ""}, [SECRET], 0, "no signature"),
        ({"webhook_signature": GOOD.removeprefix("v1,")}, [SECRET], 0, "no signature"),
        ({"webhook_signature": GOOD.replace("v1,", "v2,")}, [SECRET], 0, "no signature"),
        ({"webhook_signature": GOOD[:-1]}, [SECRET], 0, "no signature"),
        ({"webhook_signature": GOOD + "A"}, [SECRET], 0, "no signature"),
        ({"webhook_signature": "v1,é\U0001f600\ud800"}, [SECRET], 0, "no signature"),
        ({"webhook_signature": f"{'v1,A ' * 16}{GOOD}"}, [SECRET], 0, "more than 16"),
    ],
)
def test_refused(changes: dict[str, str | None], secrets: list[str], drift: float, reason: str):
    with pytest.raises(Unverified) as refusal:
        verify(headers(**changes), BODY, secrets=secrets, now=NOW + drift)
    assert reason in refusal.value.reason
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY[1:], BODY.upper()])
def test_another_body_is_refused(body: bytes):
    with pytest.raises(Unverified, match="no signature"):
        verify(headers(), body, secrets=[SECRET], now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_###", "whsec_AAA", "whsec_é"])
def test_secrets_that_cannot_be_used(secret: str):
    with pytest.raises(ValueError, match="webhook secret"):
        key(secret)


@given(
    received=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "Webhook-Id", "x"]),
        st.text(),
    ),
    body=st.binary(),
    secrets=st.lists(st.text(), max_size=3),
)
def test_nothing_but_unverified_comes_out(received: dict[str, str], body: bytes, secrets: list[str]):
    with pytest.raises(Unverified):
        verify(received, body, secrets=secrets, now=NOW)
    identity(received)


@given(
    body=st.binary(),
    delivery=st.from_regex(r"[A-Za-z0-9_-]{1,50}", fullmatch=True),
    secret=st.text(min_size=1),
)
def test_what_was_signed_is_proven(body: bytes, delivery: str, secret: str):
    try:
        signed = signed_headers(secret=secret, delivery=delivery, timestamp=NOW, body=body)
    except ValueError:
        return
    verify(signed, body, secrets=[secret], now=NOW)
    assert identity(signed) == delivery
