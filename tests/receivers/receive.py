"""Takes requests as receivers in Python take them: step by step as the documentation of the systems that Tidegate stands
in for tells their users to, and by PyPI's standardwebhooks. receive.mjs says what goes in and out."""

import base64
import hashlib
import hmac
import json
import sys
from datetime import datetime

from standardwebhooks import webhooks


class StoppedDatetime(datetime):
    """What the library sees as the time: a request's `at`, so that a slow machine changes no verdict."""

    stopped = None

    @classmethod
    def now(cls, tz=None):
        return super().now(tz) if cls.stopped is None else cls.fromtimestamp(cls.stopped, tz)


webhooks.datetime = StoppedDatetime


def hex_of(secret, message):
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def header(headers, name):
    """The first of that name, as Flask shows it: case does not matter."""
    for other, value in headers:
        if other.lower() == name:
            return value
    return None


def collecta(secret, headers, body):
    is_valid = hmac.compare_digest(header(headers, "x-webhook-signature"), "sha256=" + hex_of(secret, body))
    return is_valid, "event"


def auction_excellence(secret, headers, body):
    provided = header(headers, "x-webhook-signature").replace("sha256=", "")
    return hmac.compare_digest(hex_of(secret, body), provided), "event"


def standard_webhooks(secret, headers, body):
    webhooks.Webhook(secret).verify(body, dict(headers))
    return True, "type"


# Each answers whether the signature is right, and where its handler finds the event's type.
RECEIVERS = {
    "collecta": collecta,
    "auction-excellence": auction_excellence,
    "standard-webhooks": standard_webhooks,
}


def judge(receiver, request):
    body = base64.b64decode(request["bodyBase64"])
    try:
        is_valid, member = receiver(request["secret"], request["headers"], body)
        if not is_valid:
            return {"ok": False, "why": "the signature is another"}
        return {"ok": True, "event": json.loads(body).get(member)}
    except Exception as error:  # a handler that fails answers 500
        return {"ok": False, "why": f"{type(error).__name__}: {error}"}


def answer(line):
    request = json.loads(line)
    receiver = RECEIVERS.get(request["scheme"])
    if receiver is None:
        return {"error": f"nobody receives {request['scheme']} in Python"}
    StoppedDatetime.stopped = request.get("at")
    return judge(receiver, request)


for line in sys.stdin:
    print(json.dumps(answer(line)), flush=True)
