"""The inbox as a process: where it listens, how it ends, and what a killed one has kept."""

from __future__ import annotations

import json
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from adapters import textbox
from adapters.letters import Letter
from adapters.mailbox import Mailbox
from adapters.messages import Envelope, compose
from adapters.smtp import Server
from cli.audit.mail import read_again
from cli.post import sandbox_key
from config.secrets import Secrets

NOTICE = str(uuid.UUID(int=7))


class Process:
    """The inbox as `vacancy inbox` runs it."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self._announced = data / "run" / "inbox.json"
        self._announced.unlink(missing_ok=True)
        command = [sys.executable, "-m", "cli.main", "inbox", "--data", str(data), *arguments]
        self.popen = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.communicate()

    @property
    def said(self) -> dict[str, str]:
        """Its addresses: `url` and `smtp`."""
        while not self._announced.exists():
            assert self.popen.poll() is None, "it ended"
            time.sleep(0.02)
        said = dict(json.loads(self._announced.read_text()))
        assert said.pop("pid") == self.popen.pid
        return said

    def end(self, how: signal.Signals) -> int:
        self.popen.send_signal(how)
        return self.popen.wait(10)


def message() -> EmailMessage:
    sent = Envelope(notice_id=NOTICE, sender="a@example.com", to="b@example.com", at=datetime(2026, 12, 1, tzinfo=UTC))
    return compose(Letter("News", "Hello"), sent)


def connected(smtp: str) -> smtplib.SMTP:
    server = Server.of(smtp)
    return smtplib.SMTP(server.host, server.port, timeout=10)


def text(url: str, key: str) -> str:
    body = json.dumps({"to": "+4915112345678", "text": "Hi", "reference": "n1"}).encode()
    request = urllib.request.Request(f"{url}/sms", body, {"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["id"])


def test_killed_between_taking_a_mail_and_saying_so_it_has_the_mail_and_takes_it_again(tmp_path: Path) -> None:
    with Process(tmp_path) as first:
        said = first.said
        server = connected(said["smtp"])
        server.ehlo()
        server.mail("a@example.com")
        server.rcpt("b@example.com")
        server.docmd("DATA")
        # Everything is sent, the answer is never read: to us it is as if it had been killed before it gave one.
        server.send(message().as_bytes() + b"\r\n.\r\n")
        mailbox = Mailbox(tmp_path / "mail")
        while not mailbox.newest(1):
            time.sleep(0.01)
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
        server.close()
    with Process(tmp_path) as second:
        assert second.said == said
        with connected(said["smtp"]) as server:
            server.send_message(message())
        assert second.end(signal.SIGTERM) == 0
    (kept,) = mailbox.newest(10)
    assert kept.message_id == f"<{NOTICE}@vacancy>"
    assert read_again(tmp_path) == {(NOTICE, f"<{NOTICE}@vacancy>"): 1}
    assert not (tmp_path / "run" / "inbox.json").exists()


def test_a_text_message_outlives_it_and_is_one(tmp_path: Path) -> None:
    key, ids = sandbox_key(Secrets.load_or_create(tmp_path)), set()
    for _ in range(2):
        with Process(tmp_path) as inbox:
            ids.add(text(inbox.said["url"], key))
            assert inbox.end(signal.SIGKILL) == -signal.SIGKILL
    assert len(ids) == 1
    (kept,) = textbox.newest(tmp_path / textbox.FOLDER, 10)
    assert (kept.reference, kept.times) == ("n1", 2)


def test_a_mail_that_is_too_large_is_refused_and_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with Process(tmp_path, "--smtp-port", str(taken.getsockname()[1])) as refused:
            _, said = refused.popen.communicate(timeout=30)
            assert refused.popen.returncode == 1
            assert b"--smtp-port" in said
    with Process(tmp_path) as inbox, connected(inbox.said["smtp"]) as server:
        with pytest.raises(smtplib.SMTPResponseException) as refusal:
            server.sendmail("a@example.com", ["b@example.com"], b"Subject: x\r\n\r\n" + b"x" * 2**21)
        assert refusal.value.smtp_code == 552
