"""E-mail by SMTP (RFC 5321), one message to one recipient.

A server that says no, or cannot be reached, has not got the message; one that falls silent after the text was sent may
have. Of a permanent no (5xx) to the recipient or the message nothing is tried again.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path
from typing import Literal

from liuyu.monitor.respond.channels.channel import NotSent, Place, secret
from liuyu.monitor.respond.channels.channel import Settings as Common
from liuyu.monitor.respond.channels.message import Message


class Settings(Common, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server and who sends. The password comes out of an environment variable or a file, never from here."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str
    user: str = ""
    password_env: str = ""
    password_file: str = ""
    timeout: float = 15.0

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """What the types do not tell."""
        if "@" not in self.sender or any(each in self.sender for each in "\r\n"):
            yield "sender", "is no address", "write it as name@host"
        if self.user and not (self.password_env or self.password_file):
            yield "user", "has no password", "name password_env, or password_file"
        if self.user and self.security == "none":
            yield "security", "would send the password in the clear", 'use "starttls" or "tls"'
        if not 1 <= self.timeout <= 60:
            yield "timeout", "is out of range", "give 1 to 60 seconds"


class Mail:
    """The channel."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._password = secret(settings.password_env, settings.password_file, folder)
        self.patience = 4 * settings.timeout

    def send(self, message: Message) -> None:
        """Hand a message to the server. Raises NotSent."""
        if "@" not in message.address:
            raise NotSent(f"{message.recipient} has no e-mail address; add it to recipients.toml", final=True)
        try:
            server = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"{self._settings.host}:{self._settings.port} does not serve ({_said(error)})") from error
        try:
            server.send_message(letter(message, self._settings.sender))
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise NotSent(f"{message.address} was refused ({code} {_text(said)})", final=code >= 500) from error
        except smtplib.SMTPResponseException as error:
            final = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPSenderRefused)
            raise NotSent(f"the server said {error.smtp_code} {_text(error.smtp_error)}", final=final) from error
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"the server fell silent ({_said(error)})", doubt=True) from error
        finally:
            server.close()  # a farewell could wait for an answer, and the message is taken already

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=settings.timeout, context=context
            )
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)
        try:
            if settings.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.user:
                server.login(settings.user, self._password)
        except BaseException:
            server.close()
            raise
        return server


def open_channel(settings: Settings, place: Place) -> Mail:
    """The channel. Raises BadInput where the password is not to be had."""
    return Mail(settings, place.folder)


def letter(message: Message, sender: str) -> EmailMessage:
    """The message as e-mail; the same key gives the same Message-ID."""
    mail = EmailMessage(policy=SMTP)
    domain = sender.rpartition("@")[2]
    mail["From"], mail["To"] = sender, message.address
    mail["Subject"] = " / ".join(_line(message.subject(language)) for language in ("zh", "en"))
    mail["Date"] = formatdate(message.at)
    mail["Message-ID"] = f"<{hashlib.sha256(message.key.encode()).hexdigest()[:40]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Idempotency-Key"] = message.key
    mail["X-Liuyu-Attempt"] = str(message.attempt)
    if message.duplicate:
        mail["X-Liuyu-Duplicate"] = "true"
    mail.set_content(message.letter(), cte="base64")
    return mail


def _line(text: str) -> str:
    """A header holds one line."""
    return " ".join(text.split())


def _said(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _text(said: bytes | str) -> str:
    return (said.decode("utf-8", "replace") if isinstance(said, bytes) else said).replace("\n", " ")[:200]
