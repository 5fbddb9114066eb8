# SPDX-License-Identifier: Apache-2.0

"""Redaction: what is masked, what is left alone, and that hostile text cannot make it slow."""

import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.redaction import MASK, redact, sha256_text

SECRET = "hunter2Xy"

MASKED = [
    f"PGPASSWORD={SECRET} psql -h db",
    f"export DB_PASS={SECRET}",
    f"AWS_SECRET_ACCESS_KEY={SECRET}/a+b aws s3 ls",
    f"MYSQL_PWD={SECRET} mysql",
    f"mysql -uroot -p{SECRET} shop",
    f"mysql --password={SECRET} shop",
    f"deploy --token {SECRET} --dry-run",
    f"deploy --api-key '{SECRET} with space'",
    f"sshpass -p {SECRET} ssh host",
    f"curl -u bob:{SECRET} https://x",
    f"curl --user bob:{SECRET} https://x",
    f"curl -H 'Authorization: Bearer {SECRET}' https://x",
    f'curl -H "authorization: Basic {SECRET}=="',
    f"curl -H 'X-Vault-Token: {SECRET}'",
    f"curl -H 'Cookie: session={SECRET}; a=b'",
    f"psql postgres://app:{SECRET}@db/shop",
    f"psql postgres://app:p@{SECRET}@db/shop",
    f"psql 'host=db password={SECRET} dbname=x'",
    f"Server=x;Uid=sa;Pwd={SECRET};Database=y",
    f"CREATE ROLE a LOGIN PASSWORD '{SECRET}'",
    f"CREATE ROLE a LOGIN PASSWORD 'it''s {SECRET}'",
    f"ALTER ROLE a ENCRYPTED PASSWORD $x${SECRET}$x$",
    f"CREATE USER a IDENTIFIED BY '{SECRET}'",
    f"CREATE USER a IDENTIFIED WITH caching_sha2_password BY '{SECRET}'",
    f"psql -c 'alter role a password '\"'\"'{SECRET}'\"'\"''",
    f"deploy --token 'a'\"{SECRET}\"b",
    f"SET PASSWORD FOR a = PASSWORD('{SECRET}')",
    f'{{"password": "{SECRET}", "user": "x"}}',
    f'{{"password": "a\\"{SECRET}", "user": "x"}}',
    f'{{\\"password\\": \\"{SECRET}\\"}}',
    f"client_secret: {SECRET}",
    f'token = "{SECRET}',
    f"-----BEGIN EC PRIVATE KEY-----\n{SECRET}\n-----END EC PRIVATE KEY-----",
    f"echo '-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}",
    f"Bearer {SECRET}.abc",
    f"hvs.{SECRET}{SECRET}",
    f"ghp_{SECRET}{SECRET}{SECRET}",
    f"eyJhbGciOi.{SECRET}.sig",
]


@pytest.mark.parametrize("text", MASKED)
def test_masks(text):
    masked = redact(text)
    assert SECRET not in masked
    assert MASK in masked


def test_masks_an_aws_key_id():
    assert redact("id AKIAIOSFODNN7EXAMPLE used") == f"id {MASK} used"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ls -la /etc",
        "ssh -p22 host",
        "mkdir -p/tmp/x",
        "select password from users",
        "select * from tokens join keys using (id)",
        "PWD=/root",
        "passwd --stdin root",
        "mysqldump -p --all-databases",
        "git clone https://github.com/x/y",
        "kubectl get secret -n x",
        "vault token lookup",
    ],
)
def test_leaves_other_text_alone(text):
    assert redact(text) == text


def test_keeps_the_rest_of_the_command():
    assert redact(f"deploy --token {SECRET} --dry-run") == f"deploy --token {MASK} --dry-run"


@pytest.mark.parametrize("text", MASKED)
def test_masking_again_changes_nothing(text):
    assert redact(redact(text)) == redact(text)


@given(st.text(), st.sampled_from(MASKED), st.text())
def test_takes_any_text(before, middle, after):
    assert isinstance(redact(before + middle + after), str)


@given(st.text(alphabet="abcdefgh \n"), st.text(alphabet="abcdefgh \n"))
def test_a_secret_is_masked_wherever_it_stands(before, after):
    masked = redact(f"{before}\npassword={SECRET} {after}")
    assert masked == f"{before}\npassword={MASK} {after}"


@pytest.mark.parametrize(
    "piece",
    [
        "password=", 'password="', "://a:", "://", "eyJ", "authorization: ", "-----BEGIN PRIVATE KEY-----",
        "identified by ", "--password ", "a", "-u a", "bearer ", "pass", "token", "--", "' ", "\\", "password $",
        "$a$ password $", "cookie:", "sk-", "password\t\t", "mysql -p", "--a-password-", " ", "-",
    ],
)  # fmt: skip
@pytest.mark.parametrize("prefix", ["", "mysql ", "password='", "password $a$", "://"])
def test_is_linear_on_hostile_text(piece, prefix):
    """Text ten times as long takes nothing like a hundred times as long."""

    def seconds(length: int) -> float:
        text = prefix + piece * (length // len(piece))
        begin = time.process_time()
        redact(text)
        return time.process_time() - begin

    short = min(seconds(5_000) for _ in range(3))
    long = min(seconds(50_000) for _ in range(2))
    assert long < 40 * short + 0.02


def test_digest_is_of_utf_8_and_takes_any_text():
    assert sha256_text("é") == hashlib.sha256("é".encode()).hexdigest()
    assert len(sha256_text("\ud800")) == 64
