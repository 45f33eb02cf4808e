"""Mails to clients: the link that confirms an address, and word that an account was disabled."""

import smtplib
import ssl
import time
from email.message import EmailMessage
from urllib.parse import quote

import structlog

from omkt_api.notify import DeliveryResult
from omkt_pipeline.db.engine import Database
from omkt_pipeline.queue.outbox import DueMessage
from omkt_pipeline.queue.wire.clients import TOKEN_SECONDS, VALIDATE, WireClient, client_by_account, new_token
from omkt_pipeline.settings import WireSettings

log = structlog.get_logger(__name__)

_SECONDS = 20.0
_VALIDATE = """An account of the transcoder {base} was asked for with this e-mail address, for the site

    {url}

Follow this link to confirm it; it works once, and for {days} days:

    {link}

If you know nothing of this, do nothing: the account will not work.
"""
_DISABLED = """The account of this e-mail address at the transcoder {base} was disabled, because the site

    {url}

has neither called nor answered for a long time. Its operator can enable it again.
"""


class Mailer:
    """Sends mails by the operator's server; without one, writes to the log what it would have sent."""

    def __init__(self, database: Database, settings: WireSettings, base: str) -> None:
        self._database, self._settings, self._base = database, settings, base

    def send(self, message: DueMessage) -> DeliveryResult:
        """Send one. Never raises for what the mail server does."""
        account_id = int(message.body["account"])
        mail = self._validation(account_id) if message.topic == VALIDATE else self._farewell(account_id)
        if mail is None:
            return DeliveryResult(ok=False, status=None, seconds=0.0, error="It is of no use any more.", gone=True)
        begun = time.monotonic()
        try:
            self._hand_over(mail)
        except (OSError, smtplib.SMTPException) as error:
            seconds = time.monotonic() - begun
            return DeliveryResult(ok=False, status=_status(error), seconds=seconds, error=str(error)[:200])
        return DeliveryResult(ok=True, status=250, seconds=time.monotonic() - begun)

    def _validation(self, account_id: int) -> EmailMessage | None:
        found = new_token(self._database, account_id)
        if found is None:
            return None
        token, client = found
        link = f"{self._base}/users/validate/{quote(token)}"
        if self._settings.smtp_host is None:
            log.info("mail", event_code="mail", to=client.email, about="validation", link=link)
        text = _VALIDATE.format(base=self._base, url=client.url, link=link, days=round(TOKEN_SECONDS / 86400))
        return self._mail(client, "Confirm your transcoder account", text)

    def _farewell(self, account_id: int) -> EmailMessage | None:
        client = client_by_account(self._database, account_id)
        if client is None or client.enabled:
            return None
        if self._settings.smtp_host is None:
            log.info("mail", event_code="mail", to=client.email, about="disabled")
        text = _DISABLED.format(base=self._base, url=client.url)
        return self._mail(client, "Your transcoder account was disabled", text)

    def _mail(self, client: WireClient, subject: str, text: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._settings.mail_from, client.email, subject
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        return mail

    def _hand_over(self, mail: EmailMessage) -> None:
        settings = self._settings
        if settings.smtp_host is None:
            return
        secure = ssl.create_default_context()
        with (
            smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=_SECONDS, context=secure)
            if settings.smtp_security == "tls"
            else smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_SECONDS)
        ) as server:
            if settings.smtp_security == "starttls":
                server.starttls(context=secure)
            if settings.smtp_user is not None:
                password = settings.smtp_password
                server.login(settings.smtp_user, password.get_secret_value() if password else "")
            server.send_message(mail)


def _status(error: Exception) -> int | None:
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None
