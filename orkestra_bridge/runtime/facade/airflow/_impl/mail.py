"""E-mail by SMTP (`airflow/utils/email.py`, `airflow/operators/email.py`)."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterable
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formatdate
from pathlib import Path
from typing import Any, ClassVar

from airflow._impl.configuration import conf
from airflow._impl.exceptions import AirflowException, AirflowNotFoundException
from airflow._impl.operator import BaseOperator


def get_email_address_list(addresses: Any) -> list[str]:
    """Return addresses that are given as a list, or as a text with commas or semicolons between them."""
    if isinstance(addresses, str):
        return [each for each in re.split(r"\s*[,;]\s*", addresses) if each]
    if isinstance(addresses, Iterable) and all(isinstance(each, str) for each in addresses):
        return list(addresses)
    raise TypeError(f"Unexpected argument type: Received '{type(addresses).__name__}'.")


def build_mime_message(  # noqa: PLR0917  # Airflow's signature
    mail_from: str | None,
    to: Any,
    subject: str,
    html_content: str,
    files: Any = None,
    cc: Any = None,
    bcc: Any = None,
    mime_subtype: str = "mixed",
    mime_charset: str = "utf-8",
    custom_headers: Any = None,
) -> tuple[MIMEMultipart, list[str]]:
    """Return the message and everybody who gets it."""
    receivers = get_email_address_list(to)
    message = MIMEMultipart(mime_subtype)
    message["Subject"], message["From"], message["To"] = subject, mail_from or "", ", ".join(receivers)
    recipients = list(receivers)
    if cc:
        copies = get_email_address_list(cc)
        message["CC"] = ", ".join(copies)
        recipients += copies
    if bcc:
        recipients += get_email_address_list(bcc)
    message["Date"] = formatdate(localtime=True)
    message.attach(MIMEText(html_content, "html", mime_charset))
    for name in files or []:
        part = MIMEApplication(Path(name).read_bytes(), Name=Path(name).name)
        part["Content-Disposition"] = f'attachment; filename="{Path(name).name}"'
        part["Content-ID"] = f"<{Path(name).name}>"
        message.attach(part)
    for key, value in (custom_headers or {}).items():
        message[key] = value
    return message, recipients


def send_email(  # noqa: PLR0917  # Airflow's signature
    to: Any,
    subject: str,
    html_content: str,
    files: Any = None,
    dryrun: bool = False,
    cc: Any = None,
    bcc: Any = None,
    mime_subtype: str = "mixed",
    mime_charset: str = "utf-8",
    conn_id: str | None = None,
    custom_headers: Any = None,
    **_kwargs: Any,
) -> None:
    """Send a message through the server of the connection ``smtp_default`` or of ``AIRFLOW__SMTP__...``.

    Raises:
        AirflowException: If no server is configured.
    """
    mail_from = conf.get("smtp", "smtp_mail_from", fallback=None)
    message, recipients = build_mime_message(
        mail_from, to, subject, html_content, files, cc, bcc, mime_subtype, mime_charset, custom_headers
    )
    send_mime_email(mail_from or "", recipients, message, conn_id or "smtp_default", dryrun=dryrun)


send_email_smtp = send_email


def send_mime_email(
    e_from: str, e_to: Any, mime_msg: Any, conn_id: str = "smtp_default", dryrun: bool = False
) -> None:
    """Send a message that is ready; a dry run does not."""
    if dryrun:
        return
    host, port, user, password = _server(conn_id)
    use_ssl = conf.getboolean("smtp", "smtp_ssl", fallback=False)
    timeout = conf.getint("smtp", "smtp_timeout", fallback=30)
    if use_ssl:
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=timeout, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, port, timeout=timeout)
    with server:
        if not use_ssl and conf.getboolean("smtp", "smtp_starttls", fallback=True):
            server.starttls(context=ssl.create_default_context())
        if user and password:
            server.login(user, password)
        server.sendmail(e_from, e_to, mime_msg.as_string())


def _server(conn_id: str) -> tuple[str, int, str | None, str | None]:
    from airflow._impl.connection import Connection

    try:
        connection = Connection.get_connection_from_secrets(conn_id)
    except AirflowNotFoundException:
        host = conf.get("smtp", "smtp_host", fallback=None)
        if host is None:
            raise AirflowException(
                f"no mail server: define the connection {conn_id} or AIRFLOW__SMTP__SMTP_HOST; "
                "on AWS, SES has an SMTP endpoint"
            ) from None
        user, password = (conf.get("smtp", name, fallback=None) for name in ("smtp_user", "smtp_password"))
        return str(host), conf.getint("smtp", "smtp_port", fallback=25), user, password
    return connection.host or "localhost", connection.port or 25, connection.login, connection.password


class EmailOperator(BaseOperator):
    """Sends an e-mail."""

    template_fields: Any = ("to", "subject", "html_content", "files")
    template_fields_renderers: ClassVar[dict[str, str]] = {"html_content": "html"}
    template_ext: Any = (".html",)
    ui_color = "#e6faf9"

    def __init__(
        self,
        *,
        to: Any,
        subject: str,
        html_content: str,
        files: Any = None,
        cc: Any = None,
        bcc: Any = None,
        mime_subtype: str = "mixed",
        mime_charset: str = "utf-8",
        conn_id: str | None = None,
        custom_headers: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.subject = subject
        self.html_content = html_content
        self.files = files or []
        self.cc = cc
        self.bcc = bcc
        self.mime_subtype = mime_subtype
        self.mime_charset = mime_charset
        self.conn_id = conn_id
        self.custom_headers = custom_headers

    def execute(self, context: Any) -> None:
        send_email(
            self.to,
            self.subject,
            self.html_content,
            files=self.files,
            cc=self.cc,
            bcc=self.bcc,
            mime_subtype=self.mime_subtype,
            mime_charset=self.mime_charset,
            conn_id=self.conn_id,
            custom_headers=self.custom_headers,
        )
