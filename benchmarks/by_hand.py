# SPDX-License-Identifier: Apache-2.0

"""Five tests of sessions as somebody who knows SQL would write them by hand: what our compiler is measured against.

Each gives the codes of ``ItemOutcome`` for sessions that no waiver covers. The benchmark compares the answers.
"""

_IN = "session.privileged AND session.status <> 'failed_attempt'"
_NORMAL = f"{_IN} AND NOT coalesce(account.break_glass, false) AND coalesce(\"grant\".basis, '') <> 'break_glass'"
_STORED = "r.state IN ('verified', 'stored_claimed')"

BY_HAND = {
    "SES-01": f"""
CASE WHEN NOT ({_NORMAL}) THEN 0
  WHEN NOT (evidence.session AND evidence."grant") THEN 3
  WHEN session.grant_link = 'ambiguous'
    OR ("grant" IS NULL AND (len(grants) > 0 OR session.subject IS NULL OR session.target_id IS NULL
        OR session.started_at IS NULL))
    OR ("grant" IS NOT NULL AND (session.initiator_person_id IS NULL OR session.target_id IS NULL
        OR session.started_at IS NULL OR "grant".person_id IS NULL OR len("grant".target_ids) = 0
        OR ("grant".starts_at IS NULL AND "grant".basis <> 'standing'))) THEN 3
  WHEN "grant" IS NOT NULL AND session.grant_link IN ('exact', 'derived', 'window')
    AND session.initiator_person_id = "grant".person_id AND list_contains("grant".target_ids, session.target_id)
    AND coalesce(session.started_at >= "grant".starts_at - 60000, true)
    AND coalesce(session.started_at <= "grant".ends_at + 60000, true)
    AND coalesce(session.ended_at <= "grant".ends_at + 300000, true) THEN 1
  ELSE 2 END""",
    "SES-03": f"""
CASE WHEN NOT ({_IN} AND coalesce(session.interactive, true)) THEN 0
  WHEN NOT evidence.session OR session.started_at IS NULL OR session.ended_at IS NULL THEN 3
  WHEN session.ended_at - session.started_at <= 28800000 AND coalesce(session.max_idle <= 900000, true) THEN 1
  WHEN session.interactive IS NULL THEN 3 ELSE 2 END""",
    "SES-04": f"""
CASE WHEN NOT ({_NORMAL}) THEN 0
  WHEN NOT (evidence.session AND evidence."grant" AND evidence.approval AND evidence.identity AND evidence.workflow)
    OR session.grant_link = 'ambiguous'
    OR (len(events) < 1 AND len(list_filter(recordings, lambda r: {_STORED})) = 0
      AND (NOT evidence.recording
        OR len(list_filter(recordings, lambda r: r.state IN ('configured', 'unknown'))) > 0)) THEN 3
  WHEN identity IS NOT NULL AND session.initiator_person_id IS NOT NULL
    AND len(list_filter(approvals, lambda a: a.decision = 'approved')) > 0
    AND (len(events) >= 1 OR len(list_filter(recordings, lambda r: {_STORED})) > 0)
    AND workflow.business_owner_id IS NOT NULL THEN 1
  ELSE 2 END""",
    "REC-01": f"""
CASE WHEN NOT ({_IN} AND coalesce(workflow.recording_required, true)) THEN 0
  WHEN NOT (evidence.session AND evidence.recording) THEN 3
  WHEN len(list_filter(recordings, lambda r: {_STORED} AND r.kind IS NOT NULL)) = 0 AND (workflow IS NULL
    OR len(list_filter(recordings, lambda r: r.state IN ('configured', 'unknown', 'verified', 'stored_claimed'))) > 0)
    THEN 3
  WHEN len(list_filter(recordings, lambda r: {_STORED}
    AND CASE WHEN len(workflow.accepted_recording_kinds) > 0
        THEN list_contains(workflow.accepted_recording_kinds, r.kind)
        ELSE r.kind IN ('video', 'pty', 'transcript', 'query_log') END
    AND coalesce(r.coverage >= 0.99, true)
    AND (r.kind NOT IN ('video', 'pty') OR (coalesce(r.starts_at <= session.started_at + 5000, true)
      AND coalesce(r.ends_at >= session.ended_at - 5000, true))))) > 0 THEN 1
  ELSE 2 END""",
    "IDN-04": f"""
CASE WHEN NOT ({_IN} AND coalesce(identity.kind IN ('human', 'vendor', 'unknown'), true)
    AND NOT coalesce(account.break_glass, false)) THEN 0
  WHEN NOT evidence.session OR session.mfa IS NULL OR session.started_at IS NULL
    OR (coalesce(identity.kind, 'unknown') = 'unknown' AND NOT session.mfa) THEN 3
  WHEN session.mfa AND coalesce(session.mfa_at <= session.started_at + 60000, true)
    AND coalesce(session.started_at - session.mfa_at <= 43200000, true)
    AND coalesce(session.mfa_method IN ('webauthn', 'fido2', 'smartcard', 'totp', 'push_number_match', 'device'), true)
    THEN 1
  ELSE 2 END""",
}
