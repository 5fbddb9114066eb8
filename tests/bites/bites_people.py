# SPDX-License-Identifier: Apache-2.0

"""What can be wrong with the people and machines that hold rights, and with their accounts and credentials."""

from tests.bites.in_order import DAY, END, HOUR, InOrder
from tests.bites.registry import Deviation, bite


@bite("IDN-01")
def a_right_that_outlived_the_leaving_by_two_days(it: InOrder) -> Deviation:
    late = it.leaver.record.employment_end_at + 2 * DAY
    it.standing_right(it.leaver, it.lab).change(ended_at=late, removed_at=late, end_reason="revoked", state="ended")
    return it.leaver


@bite("IDN-01")
def a_session_an_hour_after_the_leaving(it: InOrder) -> Deviation:
    it.leaver.change(employment_end_at=it.leavers_access.starts - HOUR)
    return it.leaver


@bite("IDN-02")
def an_account_of_nobody(it: InOrder) -> Deviation:
    return it.account("oracle", it.database())


@bite("IDN-02")
def an_account_of_somebody_who_left(it: InOrder) -> Deviation:
    return it.account("old", it.database(), subject=it.leaver.record.email)


@bite("IDN-03")
def a_shared_account_that_the_workflow_does_not_allow(it: InOrder) -> Deviation:
    access = it.shared_access
    access.session.change(run_as="root")
    access.login.change(account="root")
    return access.session


@bite("IDN-04")
def no_second_factor(it: InOrder) -> Deviation:
    """It came from where the same person used one on other days."""
    access = it.habit[3]
    access.session.change(mfa=False, mfa_at=None, mfa_method=None)
    return access.session


@bite("IDN-04")
def a_second_factor_of_yesterday(it: InOrder) -> Deviation:
    access = it.some_access()
    access.session.change(mfa_at=access.starts - 30 * HOUR)
    return access.session


@bite("IDN-05")
def a_session_from_a_strange_place_without_a_second_factor(it: InOrder) -> Deviation:
    it.emergency_access.session.change(client_address="203.0.113.99")
    return it.busy


@bite("IDN-06")
def a_shared_secret_that_is_still_the_same(it: InOrder) -> Deviation:
    return it.ops.change(rotated_at=it.ops.record.last_login_at - 30 * DAY)


@bite("IDN-07")
def a_key_that_was_used_after_its_end(it: InOrder) -> Deviation:
    return it.old_credential.change(last_used_at=it.old_credential.record.expires_at + DAY)


@bite("SVC-01")
def a_service_that_nobody_answers_for(it: InOrder) -> Deviation:
    it.service.change(owner=None)
    return it.service


@bite("SVC-01")
def a_service_whose_owner_left(it: InOrder) -> Deviation:
    it.service.change(owner=it.leaver.record.email)
    return it.service


@bite("SVC-02")
def a_key_that_was_never_changed_in_four_months(it: InOrder) -> Deviation:
    it.credential.change(issued_at=END - 120 * DAY, rotated_at=None)
    return it.credential


@bite("SVC-03")
def a_person_at_the_keyboard_of_a_service(it: InOrder) -> Deviation:
    it.service_access.session.change(interactive=True)
    return it.service_access.session


@bite("SVC-04")
def a_step_of_an_agent_whose_cause_is_lost(it: InOrder) -> Deviation:
    it.agent_access.events[-1].change(parent_id="a-step-that-nobody-told")
    return it.agent_access.session


@bite("SVC-04")
def a_step_of_an_agent_outside_its_policy(it: InOrder) -> Deviation:
    it.agent_access.events[-1].change(within_policy=False)
    return it.agent_access.session


@bite("SVC-04")
def an_agent_that_nobody_sent(it: InOrder) -> Deviation:
    it.agent_access.session.change(delegator=None)
    return it.agent_access.session


@bite("SVC-05")
def a_service_lent_to_another_workflow(it: InOrder) -> Deviation:
    it.service.change(workflow_id="support")
    return it.service_access.session


@bite("VEN-01")
def an_outsider_whom_nobody_sponsors(it: InOrder) -> Deviation:
    it.vendor.change(sponsor=None)
    return it.vendor_access.session


@bite("VEN-01")
def an_outsider_whose_contract_asks_for_no_evidence(it: InOrder) -> Deviation:
    it.vendor.change(evidence_clause=False)
    return it.vendor_access.session
