# SPDX-License-Identifier: Apache-2.0

"""OpenBao: the chain from request over approval to lease, and what its HMACs allow to be said."""

import json

import pytest

from app.errors import RecordRejected
from app.records.folding import fold
from app.records.model import Approval, Credential, Grant, Observation
from app.records.times import parse_instant
from tests.connectors.reading import DATA, FIXTURES, all_stated, of, records_of, stated_by

FIXTURE = DATA / FIXTURES["openbao"]


def entry(path, *, response=None, auth=None, mount="system", **members):
    return {
        "time": "2026-08-03T09:00:00.5Z",
        "type": "response",
        "auth": {"accessor": "hmac-sha256:a", "display_name": "userpass-bo", "entity_id": "e-bo"} | (auth or {}),
        "request": {"id": "q-1", "path": path, "mount_type": mount, "remote_address": "192.0.2.1"}
        | members.pop("request", {}),
        "response": response or {},
        **members,
    }


def folded():
    """Fold what the fixture states, as the collection would."""
    observations = [
        Observation(source="bao", ledger_index=index, observed_at=record.occurred_at or 0, record=each)
        for index, record in enumerate(records_of("openbao", FIXTURE))
        for each in stated_by("openbao", json.loads(record.raw), record.kind)
    ]
    return {(type(each.record), each.record.id): each.record for each in fold(observations)}


def test_request_approval_and_lease_become_one_chain_by_exact_ids():
    known = folded()
    grant, approval = known[Grant, "q-1"], known[Approval, "hmac-sha256:w1"]
    assert grant == Grant(
        id="q-1",
        subject="userpass-ana",
        requester="userpass-ana",
        role="billing-ro",
        targets=("database/creds/billing-ro",),
        basis="lease",
        requested_at=parse_instant("2026-08-03T09:00:00Z"),
        starts_at=parse_instant("2026-08-03T09:03:00Z"),
        state="active",
        scope_level="resource",
        scope_digest=grant.scope_digest,
        credential_ref="hmac-sha256:u1",
    )
    assert approval == Approval(
        id="hmac-sha256:w1",
        grant_id="q-1",
        decision="approved",
        requested_at=parse_instant("2026-08-03T09:00:00Z"),
        decided_at=parse_instant("2026-08-03T09:02:00Z"),
        approver="userpass-bo",
        mode="human",
        scope_digest=grant.scope_digest,
        policy_id="approver",
    )


def test_two_responses_with_one_request_id_are_two_records():
    keys = [record.key for record in records_of("openbao", FIXTURE) if record.key.startswith("q-1/")]
    assert len(set(keys)) == len(keys) == 2


def test_a_refused_authorization_approves_nothing():
    refused = entry(
        "sys/control-group/authorize",
        request={"data": {"accessor": "hmac-sha256:w"}},
        response={"data": {"error": "hmac-sha256:no"}},
        auth={"policy_results": {"allowed": False}},
        error="1 error occurred:\n\t* permission denied\n\n",
    )
    assert stated_by("openbao", refused) == ()


def test_the_authorizations_of_a_group_that_needs_two_stay_apart():
    first = entry(
        "sys/control-group/authorize",
        request={"data": {"accessor": "hmac-sha256:w"}},
        response={"data": {"approved": False}},
    )
    last = first | {"response": {"data": {"approved": True}}, "auth": first["auth"] | {"display_name": "userpass-cy"}}
    one, other = of(Approval, stated_by("openbao", first)), of(Approval, stated_by("openbao", last))
    assert (one.id, one.grant_id, one.approver) == ("hmac-sha256:w/userpass-bo", "hmac-sha256:w", "userpass-bo")
    assert (other.id, other.grant_id, other.approver) == ("hmac-sha256:w", None, "userpass-cy")


def test_an_ordinary_wrapped_answer_is_no_request_for_approval():
    wrapped = {"wrap_info": {"accessor": "hmac-sha256:w", "ttl": 60}, "data": {"x": "hmac-sha256:y"}}
    assert stated_by("openbao", entry("secret/data/x", mount="kv", response=wrapped)) == ()


def test_a_signed_certificate_is_a_grant_with_its_serial():
    signed = entry("ssh/sign/ops", mount="ssh", response={"data": {"serial_number": "hmac-sha256:s"}})
    grant = of(Grant, stated_by("openbao", signed))
    assert (grant.basis, grant.role, grant.credential_ref, grant.expires_at) == (
        "certificate",
        "ops",
        "hmac-sha256:s",
        None,
    )


def test_a_lease_ends_for_whoever_can_join_its_hash():
    known = folded()
    assert known[Credential, "hmac-sha256:l1"] == Credential(
        id="hmac-sha256:l1",
        kind="lease",
        issued_at=parse_instant("2026-08-03T09:03:00Z"),
        expires_at=parse_instant("2026-08-03T09:04:30Z"),
    )


def test_a_root_token_is_a_break_glass_right_however_often_it_is_used():
    grants = [
        each for each in all_stated("openbao", FIXTURE) if isinstance(each, Grant) and each.basis == "break_glass"
    ]
    assert len(grants) == 2
    assert len(set(grants)) == 1
    assert (grants[0].id, grants[0].privileged, grants[0].wildcard) == ("root-token:hmac-sha256:r1", True, True)
    assert grants[0].starts_at == parse_instant("2026-08-03T07:00:00Z")


def test_a_root_token_counts_also_where_its_use_failed():
    root = {"accessor": "hmac-sha256:r", "display_name": "token", "policies": ["root"], "entity_id": None}
    assert of(Grant, stated_by("openbao", entry("sys/x", auth=root, error="unsupported path"))).basis == "break_glass"


def test_what_the_server_asks_itself_uses_no_root_token():
    root = {"accessor": "hmac-sha256:r", "policies": ["root"], "entity_id": None}
    assert stated_by("openbao", entry("sys/mounts/secret", auth=root, request={"remote_address": None})) == ()


def test_an_entity_with_a_policy_named_root_is_no_root_token():
    assert stated_by("openbao", entry("sys/x", auth={"policies": ["root"]})) == ()


def test_a_kind_names_the_mount_and_never_the_path():
    kinds = {record.kind for record in records_of("openbao", FIXTURE)}
    assert kinds == {
        "request.unmounted", "request.system", "response.database", "response.system", "response.ssh",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"time": None}, "time"),
        ({"time": "now"}, "time"),
        ({"request": {"path": 1, "data": {"lease_id": "x"}}}, "path"),
        ({"response": []}, "response"),
    ],
)
def test_rejects_what_it_cannot_use(members, why):
    with pytest.raises(RecordRejected, match=why):
        stated_by("openbao", entry("sys/leases/revoke") | members)


def test_audited_headers_give_ticket_and_purpose_and_a_hashed_one_gives_nothing():
    held = {"wrap_info": {"accessor": "hmac-sha256:w", "creation_time": "2026-08-03T09:00:00Z", "ttl": 3600}}
    headers = {"x-ticket": ["OPS-7"], "x-purpose": ["rotate password=hunter2"]}
    request = {"id": "q-9", "path": "database/creds/ro", "operation": "read"}
    told = of(
        Grant, stated_by("openbao", entry("database/creds/ro", request=request | {"headers": headers}, response=held))
    )
    assert told.ticket_keys == ("OPS-7",)
    assert told.purpose is not None
    assert "hunter2" not in told.purpose
    hashed = {name: ["hmac-sha256:aa"] for name in headers}
    hidden = of(
        Grant, stated_by("openbao", entry("database/creds/ro", request=request | {"headers": hashed}, response=held))
    )
    assert (hidden.ticket_keys, hidden.purpose) == (None, None)
