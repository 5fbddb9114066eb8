# SPDX-License-Identifier: Apache-2.0

"""Writes hoop.dev's answer to ``GET /api/sessions`` (``openapi.SessionList`` of hoop's OpenAPI document).

In:  accesses through the door ``hoop``. Out: one JSON document, newest session first, as the gateway orders them.
Traps that are kept on purpose: a session with a review starts when it was asked for, not when it was approved;
``revoke_at`` is the expiry; ``access_duration`` is nanoseconds; later sessions of a JIT window carry no review.
"""

import base64
from collections.abc import Iterable
from typing import Any

import orjson

from app.demo.model import Access, Decision, Use
from app.demo.organisation import person, system
from app.demo.times import MINUTE, moment, ragged, stable_int, stable_uuid

_ORG = stable_uuid("hoop", "organisation")
_NANOSECONDS = 1_000_000


def write(accesses: Iterable[Access]) -> bytes:
    """Return the sessions of these accesses as one response document."""
    sessions = [_session(access, use, number) for access in accesses for number, use in enumerate(access.uses)]
    sessions.sort(key=lambda each: (each["start_date"], each["id"]), reverse=True)
    document = {"data": sessions, "total": len(sessions), "total_is_capped": False, "has_next_page": False}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def session_id(use: Use) -> str:
    """Return the id that hoop gave to a session."""
    return stable_uuid("hoop", "session", use.key)


def review_id(access: Access) -> str:
    """Return the id that hoop gave to the review of an access."""
    return stable_uuid("hoop", "review", access.key)


def user_id(key: str) -> str:
    """Return the subject identifier under which hoop knows a person."""
    return f"oidc|{stable_uuid('hoop', 'user', key)}"


def _session(access: Access, use: Use, number: int) -> dict[str, Any]:
    who = person(access.person)
    has_review = number == 0 and use.linked and bool(access.decisions)
    script = "\n".join(use.commands)
    verb = "exec" if access.onetime else "connect"
    return {
        "id": session_id(use),
        "org_id": _ORG,
        "user": who.email,
        "user_id": user_id(who.key),
        "user_name": who.name,
        "identity_type": "machine" if who.kind == "service" else "user",
        "machine_identity_id": stable_uuid("hoop", "machine", who.key) if who.kind == "service" else None,
        "connection": access.target,
        "role_name": access.target,
        "resource_name": access.target,
        "connection_subtype": "postgres",
        "connection_tags": {"environment": system(access.target).env},
        "type": "database",
        "verb": verb,
        "status": "done" if use.ended is not None else "open",
        "start_date": _time(access.requested if has_review else use.started),
        "end_date": None if use.ended is None else _time(use.ended),
        "exit_code": 0 if access.onetime else None,
        "script": {"data": script} if access.onetime else None,
        "script_size": len(script) if access.onetime else 0,
        "event_size": _size(use),
        "event_stream": _stream(use) if use.recording == "on" else None,
        "metrics": {"event_size": _size(use), "data_masking": {"total_redact_count": 0}},
        "integrations_metadata": {"jira_issue_key": access.ticket} if access.ticket else None,
        "correlation_id": None,
        "session_batch_id": None,
        "guardrails_info": None,
        "ai_analysis": None,
        "labels": None,
        "metadata": {"purpose": access.purpose},
        "review": _review(access) if has_review else None,
    }


def _review(access: Access) -> dict[str, Any]:
    last = access.decisions[-1]
    return {
        "id": review_id(access),
        "type": "onetime" if access.onetime else "jit",
        "status": _status(access, last),
        "created_at": _time(access.requested),
        "access_duration": 0 if access.onetime else (access.expires - access.starts) * _NANOSECONDS,
        "access_request_rule_name": last.policy or f"{access.target}-review",
        "force_approval_groups": None,
        "min_approvals": 1,
        "rejection_reason": None,
        "revoke_at": _time(last.at if access.onetime else access.expires),
        "time_window": None,
        "review_groups_data": [_group(access, decision) for decision in access.decisions],
    }


def _status(access: Access, last: Decision) -> str:
    if not last.approved:
        return "REJECTED"
    if access.ended is not None:
        return "REVOKED"
    return "EXECUTED" if access.onetime else "APPROVED"


def _group(access: Access, decision: Decision) -> dict[str, Any]:
    who = person(decision.approver)
    login = decision.login or who.email
    return {
        "id": stable_uuid("hoop", "group", access.key, str(decision.at)),
        "group": f"{system(access.target).workflow}-approvers",
        "status": "APPROVED" if decision.approved else "REJECTED",
        "forced_review": False,
        "review_date": _time(decision.at),
        "reviewed_by": {
            "id": user_id(who.key if decision.login is None else login),
            "email": login,
            "name": who.name,
            "slack_id": "",
        },
    }


def _size(use: Use) -> int:
    return 180 + stable_int("hoop", "size", use.key, below=9_000) if use.recording == "on" else 0


def _stream(use: Use) -> list[list[float | str]]:
    """Return the recorded input as ``[seconds since start, "i", base64]`` triples."""
    step = max((use.ended or use.started + 10 * MINUTE) - use.started, 1) / 1000 / (len(use.commands) + 1)
    return [
        [round(step * (number + 1), 3), "i", base64.b64encode(command.encode()).decode()]
        for number, command in enumerate(use.commands)
    ]


def _time(at: int) -> str:
    """Return the instant with microseconds, as the gateway's database keeps it."""
    return moment(ragged(at)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
