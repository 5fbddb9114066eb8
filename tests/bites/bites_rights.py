# SPDX-License-Identifier: Apache-2.0

"""What can be wrong with a right: how it was approved, what it is for, and how it ends."""

from tests.bites.in_order import DAY, HOUR, InOrder
from tests.bites.registry import Deviation, bite


@bite("APR-01")
def approved_an_hour_after_it_started(it: InOrder) -> Deviation:
    access = it.some_access()
    access.approval.change(decided_at=access.grant.record.starts_at + HOUR)
    return access.grant


@bite("APR-01")
def approved_by_a_policy_that_the_workflow_does_not_list(it: InOrder) -> Deviation:
    """The approved scope is not vouched for either, and a rule is no person who could be on the approver list."""
    access = it.some_access()
    access.approval.change(mode="automatic", policy_id="allow-all", approver=None)
    return [access.grant, ("APR-04", access.grant)]


@bite("APR-02")
def approved_by_its_user(it: InOrder) -> Deviation:
    access = it.approvers_access
    access.approval.change(approver=access.person.record.email)
    return access.grant


@bite("APR-02")
def asked_for_and_approved_by_one_colleague(it: InOrder) -> Deviation:
    access = it.some_access()
    access.grant.change(requester=access.approval.record.approver)
    return access.grant


@bite("APR-03")
def approved_by_somebody_who_is_not_on_the_list(it: InOrder) -> Deviation:
    access = it.some_access()
    access.approval.change(approver=it.auditor.record.email)
    return access.grant


@bite("APR-04")
def given_for_longer_than_was_approved(it: InOrder) -> Deviation:
    access = it.some_access()
    access.grant.change(expires_at=access.approval.record.approved_until + 2 * HOUR)
    return access.grant


@bite("APR-04")
def given_for_something_else_than_was_approved(it: InOrder) -> Deviation:
    access = it.some_access()
    access.grant.change(scope_digest="another")
    return access.grant


@bite("APR-05")
def no_ticket_behind_it(it: InOrder) -> Deviation:
    access = it.some_access()
    access.grant.change(ticket_keys=())
    access.session.change(ticket_keys=())
    return access.grant


@bite("APR-06")
def two_approvals_asked_for_and_one_given(it: InOrder) -> Deviation:
    access = it.some_access()
    access.grant.change(required_approvals=2)
    return access.grant


@bite("GRT-01")
def valid_for_nine_hours(it: InOrder) -> Deviation:
    access = it.some_access()
    until = access.grant.record.starts_at + 9 * HOUR
    access.grant.change(expires_at=until)
    access.approval.change(approved_until=until)
    return access.grant


@bite("GRT-02")
def standing_on_production(it: InOrder) -> Deviation:
    return it.standing_right(it.worker(), it.database())


@bite("GRT-03")
def removed_from_the_target_a_day_late(it: InOrder) -> Deviation:
    access = it.some_access()
    access.grant.change(removed_at=access.grant.record.ended_at + DAY)
    return access.grant


@bite("GRT-04")
def a_right_over_the_whole_environment(it: InOrder) -> Deviation:
    access = it.some_access()
    access.grant.change(scope_level="environment")
    return access.grant


@bite("GRT-04")
def a_right_with_a_wildcard(it: InOrder) -> Deviation:
    access = it.some_access()
    access.grant.change(wildcard=True)
    return access.grant


@bite("GRT-05")
def a_standing_right_that_nobody_uses(it: InOrder) -> Deviation:
    return it.standing_right(it.auditor, it.lab, last_used_at=None)


@bite("GRT-06")
def rights_over_a_server_and_over_its_recorder(it: InOrder) -> Deviation:
    it.standing_right(it.auditor, it.lab, role="server-admin")
    it.standing_right(it.auditor, it.lab, role="recorder-admin")
    return it.auditor


@bite("TKT-01")
def the_ticket_was_closed_forty_days_later(it: InOrder) -> Deviation:
    access = it.some_access()
    access.ticket.change(closed_at=access.ends + 40 * DAY)
    return access.grant


@bite("TKT-02")
def nobody_asked_why_the_same_right_is_needed_every_day(it: InOrder) -> Deviation:
    it.habit_review.drop()
    return it.busy


@bite("TKT-02")
def who_needs_the_right_every_day_gave_the_answer(it: InOrder) -> Deviation:
    it.habit_review.change(reviewer=it.busy.record.email)
    return it.busy
