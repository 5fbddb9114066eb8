# SPDX-License-Identifier: Apache-2.0

"""What can be wrong with how access is governed, and with the evidence itself."""

from app.connectors.base import Window
from tests.bites.in_order import AS_OF, DAY, HOUR, QUIET_DAY, START, InOrder
from tests.bites.registry import Deviation, bite


@bite("GOV-01")
def the_operator_owns_the_workflow(it: InOrder) -> Deviation:
    it.workflow.change(business_owner=it.operator.record.email)
    return it.workflow


@bite("GOV-01")
def the_owner_last_confirmed_it_two_years_ago(it: InOrder) -> Deviation:
    it.workflow.change(owner_confirmed_at=START - 700 * DAY)
    return it.workflow


@bite("GOV-04")
def a_waiver_for_two_years(it: InOrder) -> Deviation:
    it.waiver.change(expires_at=START + 700 * DAY)
    return it.waiver


@bite("DAT-01")
def a_record_that_could_not_be_read(it: InOrder) -> Deviation:
    return it.collected("hr", {"rejected": 1, "received": 100, "accepted": 99})


@bite("DAT-01")
def a_hole_in_the_numbering_of_a_source(it: InOrder) -> Deviation:
    return it.collected("desk", {"source_count": 100, "received": 99, "accepted": 99})


@bite("DAT-02")
def a_sunday_that_nobody_collected(it: InOrder) -> Deviation:
    return it.collected(
        "native",
        {"covered": Window(start=START - 60 * DAY, end=QUIET_DAY)},
        {"covered": Window(start=QUIET_DAY + 12 * HOUR, end=AS_OF)},
    )


@bite("DAT-03")
def a_command_an_hour_after_the_end(it: InOrder) -> Deviation:
    access = it.some_access()
    access.events[-1].change(at=access.ends + HOUR)
    return access.session


@bite("GOV-02")
def a_recording_destroyed_before_its_time(it: InOrder) -> Deviation:
    access = it.some_access()
    return access.recording.change(disposed_at=access.ends + 30 * DAY)


@bite("GOV-02")
def a_recording_that_cannot_be_read_any_more(it: InOrder) -> Deviation:
    return it.some_access().recording.change(retrievable=False)


@bite("GOV-03")
def something_under_legal_hold_is_gone(it: InOrder) -> Deviation:
    return it.hold.change(present_count=11)


@bite("GOV-03")
def a_legal_hold_that_nobody_keeps(it: InOrder) -> Deviation:
    return it.hold.change(custodian=None)


@bite("REC-04")
def a_gap_in_recording_for_four_months(it: InOrder) -> Deviation:
    return it.recording_waiver.change(expires_at=it.recording_waiver.record.approved_at + 120 * DAY)


@bite("REV-02")
def the_access_review_was_a_week_late(it: InOrder) -> Deviation:
    return it.campaign.change(completed_at=it.campaign.record.due_at + 7 * DAY)


@bite("REV-02")
def somebody_reviewed_their_own_right(it: InOrder) -> Deviation:
    it.removed.change(reviewer=it.operator.record.email)
    return it.campaign


@bite("REV-02")
def a_right_that_was_to_be_removed_is_still_there(it: InOrder) -> Deviation:
    it.removed.change(verified_removed=False)
    return it.campaign


@bite("REV-02")
def the_access_review_left_a_right_out(it: InOrder) -> Deviation:
    it.campaign.change(snapshot_count=3)
    return it.campaign
