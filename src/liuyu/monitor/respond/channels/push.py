"""Web push (RFC 8030) to browsers that subscribed: encrypted for each (RFC 8291), in our name (VAPID, RFC 8292).

What is sent is short: subject, address of the paper, key. A subscription that the push service says is gone is dropped.
Needs the extra `push` (pywebpush).
"""

from __future__ import annotations

import os
import stat
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from liuyu.basin.errors import BadInput
from liuyu.monitor.respond.channels.channel import NobodyThere, NotSent, Place
from liuyu.monitor.respond.channels.channel import Settings as Common
from liuyu.monitor.respond.channels.message import Message
from liuyu.monitor.respond.channels.webhook import AGAIN, post
from liuyu.store.interface import Store

STATE = "push/subscriptions"
MOST = 1000
HOSTS = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "web.push.apple.com",
    "notify.windows.com",
)
"""The services of the browsers; a subscription elsewhere would have the twin call any address that a user names."""
_GONE = {404, 410}


class Settings(Common, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers for it (mailto: or https:), the private key's file, made where there is none, and other hosts."""

    contact: str
    key_file: str = ""
    hosts: tuple[str, ...] = ()
    lasts_h: int = 24
    timeout: float = 10.0

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """What the types do not tell."""
        if not self.contact.startswith(("mailto:", "https://")):
            yield "contact", "is neither mailto: nor https:", "write it as mailto:duty@office.example"
        if not 1 <= self.lasts_h <= 672:
            yield "lasts_h", "is out of range", "give 1 to 672 hours"


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that wants to hear: of which user, for which recipient, and what its push service gave it."""

    endpoint: str
    p256dh: str
    auth: str
    user: str
    recipient: str


class Push:
    """The channel."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self._settings, self._store = settings, place.store
        self._vapid = _key(place.folder / settings.key_file if settings.key_file else place.home / "push.pem")
        self.patience = settings.timeout * 5

    @property
    def public_key(self) -> str:
        """What a page needs to subscribe: the uncompressed point, base64url."""
        return urlsafe_b64encode(_point(self._vapid)).rstrip(b"=").decode()

    def admits(self, endpoint: str) -> bool:
        """Whether an endpoint is one of a known push service."""
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        own = parts.netloc in self._settings.hosts
        known = any(host == each or host.endswith(f".{each}") for each in HOSTS)
        return own or (known and parts.scheme == "https")

    def send(self, message: Message) -> None:
        """Tell every browser of the recipient. Raises NotSent where none was told."""
        wanted = [each for each in subscriptions(self._store) if each.recipient == message.recipient]
        if not wanted:
            raise NobodyThere(f"没有浏览器订阅 / no browser has subscribed for {message.recipient}")
        told, faults = 0, list[NotSent]()
        for each in wanted:
            try:
                self._tell(each, message)
                told += 1
            except NotSent as fault:
                faults.append(fault)
        if not told:
            raise NotSent(
                str(faults[0]), doubt=any(each.doubt for each in faults), final=all(each.final for each in faults)
            )

    def _tell(self, subscription: Subscription, message: Message) -> None:
        webpush = import_module("pywebpush")
        keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
        parts = urlsplit(subscription.endpoint)
        try:
            data = webpush.WebPusher({"endpoint": subscription.endpoint, "keys": keys}).encode(
                notice(message), "aes128gcm"
            )
        except (webpush.WebPushException, ValueError) as error:
            raise NotSent(f"a subscription of {subscription.user} has no sound key ({error})", final=True) from error
        claims = {
            "sub": self._settings.contact,
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": message.at + 12 * 3600,
        }
        headers: dict[str, str] = {
            **self._vapid.sign(claims),
            "TTL": str(self._settings.lasts_h * 3600),
            "Urgency": "high",
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
        }
        status = post(subscription.endpoint, data["body"], headers, self._settings.timeout)
        if status in _GONE:
            forget(self._store, subscription.endpoint)
        if not 200 <= status < 300:
            final = status < 500 and status not in AGAIN
            raise NotSent(f"{parts.netloc} answered {status}", final=final)


def open_channel(settings: Settings, place: Place) -> Push:
    """The channel. Raises BadInput where pywebpush is not installed, or the key cannot be read."""
    return Push(settings, place)


def notice(message: Message) -> bytes:
    """What the browser's service worker is given."""
    told: Mapping[str, Any] = {
        "key": message.key,
        "tag": message.dispatch,
        "title": {language: message.subject(language) for language in ("zh", "en")},
        "dispatch": message.dispatch,
        "occasion": message.occasion,
        "link": message.link,
        "duplicate": message.duplicate,
        "exercise": message.exercise,
    }
    return msgspec.json.encode(told)


def subscriptions(store: Store) -> list[Subscription]:
    """Everyone who subscribed."""
    blob = store.load_state(STATE)
    return msgspec.json.decode(blob, type=list[Subscription]) if blob else []


def subscribe(store: Store, subscription: Subscription) -> None:
    """Keep a subscription; one of the same endpoint is replaced. Raises BadInput where there are too many."""
    with store.transaction():
        others = [each for each in subscriptions(store) if each.endpoint != subscription.endpoint]
        if len(others) >= MOST:
            raise BadInput(f"{MOST} browsers have subscribed already; have some unsubscribe")
        store.save_state(STATE, msgspec.json.encode([*others, subscription]))


def forget(store: Store, endpoint: str) -> bool:
    """Drop a subscription; returns whether there was one."""
    with store.transaction():
        every = subscriptions(store)
        others = [each for each in every if each.endpoint != endpoint]
        if len(others) < len(every):
            store.save_state(STATE, msgspec.json.encode(others))
    return len(others) < len(every)


def _key(file: Path) -> Any:
    try:
        vapid = import_module("py_vapid")
        import_module("pywebpush")
    except ModuleNotFoundError as fault:
        raise BadInput(f"web push needs {fault.name}; install it with: pip install 'liuyu[push]'") from None
    try:
        if file.exists():
            return vapid.Vapid02.from_pem(file.read_bytes())
        made = vapid.Vapid02()
        made.generate_keys()
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
        with os.fdopen(handle, "wb") as stream:
            stream.write(made.private_pem())
    except (OSError, ValueError, vapid.VapidException) as error:
        raise BadInput(f"the key of web push in {file} cannot be used ({error}); name another key_file") from None
    return made


def _point(vapid: Any) -> bytes:
    forms = import_module("cryptography.hazmat.primitives.serialization")
    point: bytes = vapid.public_key.public_bytes(forms.Encoding.X962, forms.PublicFormat.UncompressedPoint)
    return point
