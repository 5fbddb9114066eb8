# SPDX-License-Identifier: Apache-2.0

"""What can be wrong with a session, its commands, its recording, and the use of the emergency path."""

from tests.bites.in_order import DAY, HOUR, MINUTE, START, InOrder
from tests.bites.registry import Deviation, bite


@bite("SES-01")
def it_outlived_its_grant_by_an_hour(it: InOrder) -> Deviation:
    access = it.some_access()
    ended = access.grant.record.expires_at + HOUR
    access.grant.change(ended_at=None, removed_at=access.grant.record.expires_at, state="active")
    access.session.change(ended_at=ended)
    access.recording.change(ends_at=ended, registered_at=ended + MINUTE)
    return access.session


@bite("SES-02")
def a_login_around_the_broker(it: InOrder) -> Deviation:
    access = it.some_access()
    return it.login("L-direct", access.target, access.session.record.run_as, access.ends + 5 * HOUR)


@bite("SES-03")
def idle_for_half_an_hour(it: InOrder) -> Deviation:
    access = it.some_access()
    access.session.change(max_idle_ms=30 * MINUTE)
    return access.session


@bite("SES-04")
def nobody_answers_for_the_system_it_was_on(it: InOrder) -> Deviation:
    it.desk.change(workflow_id="forgotten")
    return it.desk_access.session


@bite("SES-04")
def nothing_tells_what_was_done(it: InOrder) -> Deviation:
    """Then no command was captured either. Where a recording is asked for, REC-01 would fail as well."""
    access = it.desk_access
    access.recording.drop()
    for event in access.events:
        event.drop()
    return [access.session, ("SES-05", access.session)]


@bite("SES-05")
def that_somebody_joined_is_all_that_was_captured(it: InOrder) -> Deviation:
    access = it.desk_access
    access.recording.drop()
    access.events[0].change(kind="join", text=None)
    return access.session


@bite("REC-01")
def the_recording_begins_ten_minutes_late(it: InOrder) -> Deviation:
    access = it.some_access()
    access.recording.change(starts_at=access.starts + 10 * MINUTE)
    return access.session


@bite("REC-01")
def there_is_no_recording(it: InOrder) -> Deviation:
    """What was done is still told by its commands, so SES-04 holds."""
    access = it.some_access()
    access.recording.drop()
    return access.session


@bite("REC-03")
def who_paused_the_recorder_took_the_alarm(it: InOrder) -> Deviation:
    it.pause_alert.change(acknowledged_by=it.operator.record.email)
    return it.pause


@bite("REC-03")
def no_ticket_explains_the_pause(it: InOrder) -> Deviation:
    it.pause.change(ticket_keys=())
    return it.pause


@bite("BRG-01")
def the_alarm_was_last_tested_a_year_ago(it: InOrder) -> Deviation:
    it.emergency.change(last_tested_at=START - 280 * DAY)
    return it.emergency


@bite("BRG-02")
def the_emergency_was_reviewed_after_five_days(it: InOrder) -> Deviation:
    access = it.emergency_access
    access.review.change(completed_at=access.ends + 5 * DAY)
    return access.session


@bite("BRG-02")
def the_secret_was_not_changed_after_the_emergency(it: InOrder) -> Deviation:
    it.emergency.change(rotated_at=START - 20 * DAY)
    return it.emergency_access.session


@bite("BRG-03")
def the_emergency_was_of_low_priority(it: InOrder) -> Deviation:
    it.emergency_access.ticket.change(priority="P4")
    return it.emergency_access.session


@bite("REC-02")
def the_recording_is_not_the_one_that_was_made(it: InOrder) -> Deviation:
    recording = it.some_access().recording
    return recording.change(verified_sha256="f" * 64)


@bite("REC-02")
def a_recording_in_a_store_that_anybody_may_change(it: InOrder) -> Deviation:
    recording = it.some_access().recording
    return recording.change(immutable=False, chained=False)


@bite("RSK-01")
def a_tunnel_that_was_looked_at_after_six_days(it: InOrder) -> Deviation:
    it.tunnel.review.change(completed_at=it.tunnel.ends + 6 * DAY)
    return it.tunnel.events[0]


@bite("RSK-02")
def customer_data_exported_under_a_right_that_does_not_allow_it(it: InOrder) -> Deviation:
    it.export.grant.change(data_access_approved=False)
    return it.export.events[0]


@bite("RSK-03")
def a_log_switched_off_without_an_incident(it: InOrder) -> Deviation:
    it.incident.drop()
    return it.tampering.events[0]


@bite("RSK-04")
def a_mistake_that_nobody_handled(it: InOrder) -> Deviation:
    it.mistake_incident.drop()
    return it.mistake.events[0]


@bite("RSK-05")
def hidden_code_that_nobody_could_explain(it: InOrder) -> Deviation:
    for review in (it.hidden.review, it.hidden_review):
        review.change(outcome="policy_violation")
    return it.hidden.events[0]


@bite("RSK-06")
def data_taken_on_a_sunday_without_an_incident_or_a_change(it: InOrder) -> Deviation:
    it.night_export.ticket.change(kind="request")
    return it.night_export.events[0]


@bite("REV-01")
def a_risky_session_that_was_reviewed_after_eight_days(it: InOrder) -> Deviation:
    it.hidden.review.change(completed_at=it.hidden.ends + 8 * DAY)
    return it.hidden.session


@bite("REV-01")
def a_risky_session_that_its_user_reviewed(it: InOrder) -> Deviation:
    it.hidden.review.change(reviewer=it.hidden.person.record.email)
    return it.hidden.session
