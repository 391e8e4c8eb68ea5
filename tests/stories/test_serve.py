"""A server in a process of its own, asked by AWS's own clients."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, NamedTuple

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
    log: IO[str]

    def logged(self) -> str:
        """Everything on the standard error of a server that has ended."""
        self.log.seek(0)
        return self.log.read()

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
    asked = started()
    yield asked
    asked.process.terminate()
    asked.process.wait(30)


def started(*options: str, folder: Path | None = None) -> Server:
    """A server on a free port, started in the folder."""
    command = [sys.executable, "-m", "policy_guard", "serve", "--port", "0", "--workers", "2", *options]
    log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # it lives as long as the server; a pipe that is full stops it
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder)
    assert process.stdout
    line = process.stdout.readline()
    server = Server(process, line.split()[-1] if line else "", log)
    assert line.startswith("listening on http://127.0.0.1:"), server.logged()
    return server


def test_no_module_of_the_folder_at_hand_is_run(tmp_path: Path) -> None:
    for name in ("multiprocessing", "json"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')\n")
    asked = started(folder=tmp_path)
    try:
        client = asked.client()
        client.check_no_new_access(newPolicyDocument=NEW, existingPolicyDocument=OLD, policyType="IDENTITY_POLICY")
    finally:
        asked.process.terminate()
        asked.process.wait(30)
    assert not (tmp_path / "ran").exists()


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
    server = started("--seconds", "1")
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
    server = started()
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


_NEW_ACCESS = "The modified permissions grant new access compared to your existing policy."
_GRANTED = "The policy document grants access to perform one or more of the listed actions."
_PUBLIC = "The resource policy grants public access for the given resource type."


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            "check-no-new-access --policy-type IDENTITY_POLICY "
            "--existing-policy-document file://old.json --new-policy-document file://new.json",
            (_NEW_ACCESS, "New access in the statement with sid: Read.", "New access in the statement with index: 1."),
        ),
        (
            "check-access-not-granted --policy-type IDENTITY_POLICY --policy-document file://new.json "
            "--access actions=s3:DeleteBucket",
            (_GRANTED, "One or more of the listed actions in the statement with sid: Read."),
        ),
        (
            "check-no-public-access --resource-type AWS::S3::Bucket --policy-document file://public.json",
            (_PUBLIC, "Public access granted in the following statement with index: 0."),
        ),
        (
            "validate-policy --policy-type IDENTITY_POLICY --policy-document file://public.json --max-items 1",
            ("UNSUPPORTED_PRINCIPAL", "learnMoreLink"),
        ),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) else "",
)
def test_the_command_of_aws_shows_the_answers(
    server: Server, tmp_path: Path, arguments: str, expected: tuple[str, ...]
) -> None:
    (tmp_path / "old.json").write_text(OLD)
    (tmp_path / "new.json").write_text(json.dumps(document({"Sid": "Read", **allow("s3:*")}, allow("sqs:*"))))
    (tmp_path / "public.json").write_text(json.dumps(_OPEN))
    run = _run_client(server, tmp_path, "aws", "accessanalyzer", *arguments.split())
    assert (run.returncode, run.stderr) == (0, "")
    for words in expected:
        assert words in run.stdout


_CFN, _TF = ("cfn-policy-validator", "template.yaml"), ("tf-policy-validator", "plan.json")
_NO_NEW_ACCESS = ("check-no-new-access", "--reference-policy", "old.json", "--reference-policy-type", "identity")


@pytest.mark.parametrize(
    ("client", "template", "check", "expected"),
    [
        (*_TF, ("validate",), "INVALID_ACTION"),
        *((*client, _NO_NEW_ACCESS, _NEW_ACCESS) for client in (_CFN, _TF)),
        *((*client, ("check-access-not-granted", "--actions", "s3:DeleteBucket"), _GRANTED) for client in (_CFN, _TF)),
        *((*client, ("check-no-public-access",), _PUBLIC) for client in (_CFN, _TF)),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else value if "validator" in value else "",
)
def test_the_validators_of_aws_take_the_answers(
    server: Server, tmp_path: Path, client: str, template: str, check: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "old.json").write_text(OLD)
    (tmp_path / "template.yaml").write_text(json.dumps(_TEMPLATE))
    (tmp_path / "plan.json").write_text(json.dumps(_PLAN))
    command = [*check, "--region", "us-east-1", "--template-path", template]
    if client == "tf-policy-validator":
        command += ["--config", str(_validator() / "config" / "default.yaml")]
    run = _run_client(server, tmp_path, client, *command)
    blocking = json.loads(run.stdout)["BlockingFindings"]
    assert run.returncode == 2, run.stderr
    assert expected in [finding[key] for finding in blocking for key in ("code", "message")]


def test_a_validator_that_asks_for_previews_ends_with_an_error(server: Server, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(json.dumps(_TEMPLATE))
    command = ("validate", "--region", "us-east-1", "--template-path", "template.yaml")
    run = _run_client(server, tmp_path, "cfn-policy-validator", *command)
    assert (run.returncode, run.stdout) == (1, "")
    assert "ListAnalyzers" in run.stderr


@pytest.mark.slow
def test_the_tests_of_the_validator_for_terraform_pass(server: Server, tmp_path: Path) -> None:
    """What they expect was recorded from the service, words and indexes included."""
    folder = tmp_path / "iam_check"
    shutil.copytree(_validator(), folder)
    run = _run_client(
        server, folder, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test/test_accessAnalyzer.py"
    )
    assert re.search(r"\b[1-9][0-9]* passed in", run.stdout), run.stdout + run.stderr
    assert run.returncode == 0, run.stdout


def _run_client(server: Server, folder: Path, client: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    executable = shutil.which(client, path=str(CLIENTS))
    if not executable:
        pytest.skip(f"{client} is not installed in {CLIENTS}")
    return subprocess.run(
        [executable, *arguments],
        cwd=folder,
        env=server.environ(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _validator() -> Path:
    """The folder of the package of AWS's validator for Terraform, its tests among the rest."""
    folders = CLIENTS.parent.glob("lib/python3*/site-packages/iam_check")
    if not (folder := next(folders, None)):
        pytest.skip(f"tf-policy-validator is not installed in {CLIENTS}")
    return folder


_OPEN = document({**allow("s3:GetObject", resource="arn:aws:s3:::open/*"), "Principal": "*"})
_TRUST = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}})
_ROLE_POLICY = document(allow("s3:*", "s3:GetObjct"))
_TEMPLATE = {
    "Resources": {
        "Open": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "open", "PolicyDocument": _OPEN}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": _TRUST,
                "Policies": [{"PolicyName": "p", "PolicyDocument": _ROLE_POLICY}],
            },
        },
    }
}


def _planned(type_: str, name: str, /, **values: Any) -> dict[str, Any]:
    fields = {"address": f"{type_}.{name}", "mode": "managed", "type": type_, "name": name, "values": values}
    return {**fields, "provider_name": "registry.terraform.io/hashicorp/aws", "schema_version": 0}


_PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.9.0",
    "planned_values": {
        "root_module": {
            "resources": [
                _planned("aws_s3_bucket_policy", "open", bucket="open", policy=json.dumps(_OPEN)),
                _planned("aws_iam_role", "role", name="role", assume_role_policy=json.dumps(_TRUST)),
                _planned("aws_iam_role_policy", "p", name="p", role="role", policy=json.dumps(_ROLE_POLICY)),
            ]
        }
    },
    "configuration": {"root_module": {}},
}


def hard_policies() -> tuple[str, str]:
    """A new and an old version that take the solver many seconds: runs of `?` between letters that hold back much."""
    limits = [
        {"Effect": "Deny", "Action": "*", "NotResource": f"*{letter}{'?' * 12}{letter}*"} for letter in "abcdefgh"
    ]
    actions = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")
    new = (*(allow(action, resource="*") for action in actions), *limits)
    old = (allow("s3:GetObject", resource="arn:*"),)
    return json.dumps(document(*new)), json.dumps(document(*old))
