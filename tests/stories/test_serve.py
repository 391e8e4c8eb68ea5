"""A server in a process of its own, asked by AWS's own clients."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.repository import allow, document

pytest.importorskip("pebble", reason="serve needs policy-guard[serve]")
boto3 = pytest.importorskip("boto3")

OLD = json.dumps(document(allow("s3:GetObject")))
NEW = json.dumps(document(allow("s3:*")))
CLIENTS = Path(os.environ.get("POLICY_GUARD_CLIENTS", sys.prefix)) / "bin"
"""Where AWS's clients are installed: `aws`, `cfn-policy-validator`, `tf-policy-validator`."""


class Server(NamedTuple):
    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def client(self) -> Any:
        return boto3.client(
            "accessanalyzer",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )

    def environ(self) -> dict[str, str]:
        keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
        return {**os.environ, **keys, "AWS_ENDPOINT_URL": self.url}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = _started()
    yield started
    started.process.terminate()
    started.process.wait(30)


def _started(*options: str) -> Server:
    command = [sys.executable, "-m", "policy_guard", "serve", "--port", "0", "--workers", "2", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("listening on http://127.0.0.1:"), process.stderr and process.stderr.read()
    return Server(process, line.split()[-1])


def test_boto3_gets_the_answers_of_the_service(server: Server) -> None:
    client = server.client()
    answer = client.check_no_new_access(newPolicyDocument=NEW, existingPolicyDocument=OLD, policyType="IDENTITY_POLICY")
    assert (answer["result"], answer["reasons"][0]["statementIndex"]) == ("FAIL", 0)
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.check_no_new_access(newPolicyDocument="{", existingPolicyDocument=OLD, policyType="IDENTITY_POLICY")
    with pytest.raises(client.exceptions.ValidationException) as raised:
        client.check_access_not_granted(
            policyDocument=OLD, access=[{"resources": ["example"]}], policyType="IDENTITY_POLICY"
        )
    assert raised.value.response["reason"] == "fieldValidationFailed"
    pages = client.get_paginator("validate_policy").paginate(
        policyDocument='{"Statement": [{"Sid": ""}]}', policyType="IDENTITY_POLICY", PaginationConfig={"PageSize": 1}
    )
    assert [page["findings"][0]["issueCode"] for page in pages][:2] == ["MISSING_VERSION", "EMPTY_SID_VALUE"]


def test_clients_at_once_get_the_answers_that_are_theirs(server: Server) -> None:
    def ask(number: int) -> bool:
        new, old = (NEW, OLD) if number % 2 else (OLD, NEW)
        answer = server.client().check_no_new_access(
            newPolicyDocument=new, existingPolicyDocument=old, policyType="IDENTITY_POLICY"
        )
        return bool(answer["result"] == ("FAIL" if number % 2 else "PASS"))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(24)))


@pytest.mark.slow
def test_a_request_whose_time_is_up_is_undecided_and_holds_up_nobody() -> None:
    server = _started("--seconds", "1")
    new, old = hard_policies()
    try:
        client = server.client()
        client.check_no_new_access(newPolicyDocument=OLD, existingPolicyDocument=OLD, policyType="IDENTITY_POLICY")
        with ThreadPoolExecutor(2) as pool:
            slow = pool.submit(
                client.check_no_new_access,
                newPolicyDocument=new,
                existingPolicyDocument=old,
                policyType="IDENTITY_POLICY",
            )
            answer = client.check_no_new_access(
                newPolicyDocument=OLD, existingPolicyDocument=OLD, policyType="IDENTITY_POLICY"
            )
            assert answer["result"] == "PASS"
            assert not slow.done()
            with pytest.raises(client.exceptions.UnprocessableEntityException, match="in 1 seconds"):
                slow.result()
    finally:
        server.process.terminate()
        assert server.process.wait(30) == 0


def test_what_is_too_large_or_no_http_is_an_error_of_its_sender(server: Server) -> None:
    assert (
        _raw(server, b"POST /policy/validation HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n")[9:12]
        == b"413"
    )
    assert _raw(server, b"\x16\x03\x01 nothing\r\n\r\n")[9:12] == b"400"
    assert _raw(server, b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")[9:12] == b"403"


def _raw(server: Server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(request)
        return connection.recv(4096)


@pytest.mark.slow
def test_it_ends_when_told_to_and_gives_the_answer_that_it_owes() -> None:
    server = _started()
    client = server.client()
    with ThreadPoolExecutor(1) as pool:
        owed = pool.submit(
            client.check_no_new_access,
            newPolicyDocument=NEW,
            existingPolicyDocument=OLD,
            policyType="IDENTITY_POLICY",
        )
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        assert owed.result()["result"] == "FAIL"
    assert server.process.wait(30) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--port", "99999"], "--port is at most 65535"), (["--seconds", "0"], "--seconds is above zero")],
)
def test_an_option_that_makes_no_sense_is_an_error_in_a_line(options: list[str], words: str) -> None:
    command = [sys.executable, "-m", "policy_guard", "serve", *options]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert words in run.stderr


def test_another_address_needs_a_token(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "policy_guard", "serve", "--host", "0.0.0.0", "--port", "0"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert "Give a secret with --token-file." in run.stderr
    (tmp_path / "token").write_text("short")
    run = subprocess.run(
        [*command, "--token-file", str(tmp_path / "token")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "a token is 16" in run.stderr


@pytest.mark.parametrize(
    ("client", "arguments", "expected"),
    [
        (
            "aws",
            [
                *("accessanalyzer", "check-no-new-access", "--policy-type", "IDENTITY_POLICY"),
                *("--existing-policy-document", OLD, "--new-policy-document", NEW),
            ],
            "The modified permissions grant new access compared to your existing policy.",
        ),
        (
            "cfn-policy-validator",
            ["check-no-public-access", "--region", "us-east-1", "--template-path", "TEMPLATE"],
            "The resource policy grants public access for the given resource type.",
        ),
    ],
)
def test_clients_of_aws_take_the_answers(
    server: Server, tmp_path: Path, client: str, arguments: list[str], expected: str
) -> None:
    if not (executable := shutil.which(client, path=str(CLIENTS))):
        pytest.skip(f"{client} is not installed in {CLIENTS}")
    template = tmp_path / "template.yaml"
    template.write_text(json.dumps(_TEMPLATE))
    arguments = [str(template) if argument == "TEMPLATE" else argument for argument in arguments]
    run = subprocess.run([executable, *arguments], capture_output=True, text=True, check=False, env=server.environ())
    assert expected in run.stdout, run.stderr


_TEMPLATE = {
    "Resources": {
        "Open": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": "open",
                "PolicyDocument": document({**allow("s3:GetObject", resource="arn:aws:s3:::open/*"), "Principal": "*"}),
            },
        }
    }
}


def hard_policies() -> tuple[str, str]:
    """A new and an old version that take the solver many seconds: `?` against `*`, in each of several statements."""
    new = (allow("s3:GetObject", resource=f"arn:aws:s3:::*{letter}{'?' * 25}*b") for letter in "acdefghk")
    old = (allow("s3:GetObject", resource=f"arn:aws:s3:::*{'acdefghk'[n % 8]}{'?' * n}") for n in range(60))
    return json.dumps(document(*new)), json.dumps(document(*old))
