# SPDX-License-Identifier: Apache-2.0

"""Mask secrets in command text before anything but the ledger keeps it.

In:  a command line, query or call, written by the person under audit.
Out: the same text with passwords, tokens and keys replaced by ``[redacted]``.
Never grows slower than the text is long: each pattern either starts at a rare fixed word or consumes what it scans, so
that no text makes it scan the same stretch again and again (tests/records/test_redaction.py measures it).

It is a safety net and no guarantee: a secret that looks like any other word cannot be told from one. The packs
therefore hold the digest of the original text, and the original stays in the ledger.
"""

import hashlib
import re

MASK = "[redacted]"

_HINTS = (
    "pass", "pwd", "secret", "token", "key", "auth", "bearer", "credential", "identified", "://", "cookie",
    "akia", "asia", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "xox", "eyj", "hvs.", "hvb.",
    "s.", "sk-", "sk_", "mysql", "mariadb", "curl", "wget", "-u", "hpk_", "xapi-",
)  # fmt: skip
"""Lower-case marks, one of which is in every text that any pattern below can match."""

_QUOTED = r""""(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.|'')*+'?"""
_VALUE = rf"""(?!\[redacted\])(?:\\["'][^"']*+["']?|(?:{_QUOTED}|[^\s"'&;,)}}\]]++)++)"""
_FUNCTION = r"(?:(?:password|old_password|crypt|md5|sha[0-9]{0,3})\s{0,8}\(\s{0,8})?"
_SENSITIVE = (
    r"(?:password|passwd|passphrase|passcode|(?<![a-z])pass(?=[\s=:\"'])|sshpass|pwd(?!=/)|secret|token|credentials?"
    r"|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|encryption[_-]?key|account[_-]?key|auth[_-]?key)"
)

_PATTERNS = (
    # A private key in PEM; one that was cut off is masked to the end.
    re.compile(
        r"(?P<keep>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)"
        r"(?s:.*?)(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
    ),
    # Authorization: Bearer x, and cookies.
    re.compile(
        r"(?i)(?P<keep>\bauthorization[\"']?\s{0,8}[:=]\s{0,8}[\"']?(?:(?:bearer|basic|token|negotiate|digest)\s{1,8})?)"
        r"[^\s\"']++",
    ),
    re.compile(r"(?i)(?P<keep>\bbearer\s{1,8})[a-z0-9._~+/=-]{8,}+"),
    re.compile(r"(?i)(?P<keep>\bcookie:\s{0,8})[^\r\n\"']++"),
    # scheme://user:password@host
    re.compile(r"(?P<keep>://[^\s/@:\"']*+:)[^\s/\"']+(?=@)"),
    # password=x, "password": "x", --token x, PASSWORD 'x', IDENTIFIED [WITH plugin] BY [PASSWORD|VALUES] 'x'
    re.compile(
        rf"(?i)(?P<keep>{_SENSITIVE}[\w-]{{0,40}}\\?[\"']?\s{{0,8}}(?::=|=>|[=:(])\s{{0,8}}{_FUNCTION}){_VALUE}"
    ),
    re.compile(rf"(?i)(?P<keep>(?<![\w-])--?[a-z-]{{0,40}}{_SENSITIVE}[\w-]{{0,40}}\s{{1,8}})(?!-){_VALUE}"),
    re.compile(
        rf"(?i)(?P<keep>\bpassword\s{{1,8}})(?:(?:{_QUOTED})++|\$[a-z_0-9]{{0,40}}\$(?s:.*?)(?:\$[a-z_0-9]{{0,40}}\$|\Z))"
    ),
    re.compile(
        rf"(?i)(?P<keep>\bidentified\s{{1,8}}(?:with\s{{1,8}}[\w\"'`]{{1,64}}\s{{1,8}})?(?:by|as)\s{{1,8}}"
        rf"(?:password\s{{1,8}}|values\s{{1,8}})?){_VALUE}",
    ),
    # sshpass -p x; curl -u user:x
    re.compile(rf"(?i)(?P<keep>\bsshpass\s{{1,8}}-p\s{{0,8}}){_VALUE}"),
    re.compile(r"(?P<keep>(?<!\S)(?:-u|--user|--proxy-user)[\s=]{0,8}[^\s:]++:)\S++"),
    # Forms that are secrets wherever they stand.
    re.compile(
        r"(?<![A-Za-z0-9_])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[posur]_[A-Za-z0-9]{20,}+|github_pat_\w{20,}+"
        r"|glpat-[\w-]{16,}+|xox[a-z]-[A-Za-z0-9-]{10,}+|hv[sb]\.[\w-]{16,}+|s\.[A-Za-z0-9]{24}(?![A-Za-z0-9])"
        r"|sk[-_][\w-]{20,}+|hpk_[\w-]{16,}+|xapi-[\w-]{16,}+)",
    ),
    re.compile(r"(?<![\w-])eyJ[\w-]{5,}+\.[\w-]{5,}+(?:\.[\w-]*+)?"),
)
_MYSQL_PASSWORD = re.compile(r"(?<!\S)(?P<keep>-p)[^\s-]\S*+")


def redact(text: str) -> str:
    """Mask what looks like a secret; the same text without one comes back unchanged.

    Args:
        text: any text, hostile or not.

    Returns:
        The text with each secret's value replaced by ``[redacted]``.
    """
    lowered = text.lower()
    for hint in _HINTS:  # Every command comes by here; a generator would double what it costs.
        if hint in lowered:
            break
    else:
        return text
    for pattern in _PATTERNS:
        text = pattern.sub(_mask, text)
    # In other programs -p means a port or "parents", so a glued -pSECRET is masked for these two only.
    if "mysql" in lowered or "mariadb" in lowered:
        text = _MYSQL_PASSWORD.sub(_mask, text)
    return text


def sha256_text(text: str) -> str:
    """Return the hex SHA-256 of the text in UTF-8; a lone surrogate is hashed as its three bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _mask(match: re.Match[str]) -> str:
    return (match.groupdict().get("keep") or "") + MASK
