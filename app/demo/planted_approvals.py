# SPDX-License-Identifier: Apache-2.0

"""Planted: approvals that are late, missing, one's own, not entitled, automatic or narrower than the grant; tickets."""

from app.demo.model import Decision, Story
from app.demo.planting import Planted, changed, clean_access, on_grant, on_session, with_ticket
from app.demo.story import ticket
from app.demo.times import DAY, HOUR, MINUTE


def planted_approvals() -> tuple[Planted, ...]:
    """Return the deviations of approvals and reasons."""
    return (
        _late(), _none(), _own(), _second_login(), _not_entitled(), _automatic(), _widened(), _no_ticket(),
        _closed_ticket(),
    )  # fmt: skip


def _late() -> Planted:
    access = clean_access(
        "late-approval", "tomas.riva", "integration-01", "2026-07-11 09:10", approver="amara.okafor", number=9001
    )
    decided = access.starts + 50 * MINUTE
    access = changed(access, decisions=(Decision(at=decided, approver="amara.okafor"),))
    return Planted(
        id="P01",
        what="The approval came fifty minutes after the access began",
        background="The message interface stood still on a Saturday. The right was given at once; the approver clicked "
        "when everything ran again.",
        trips=(on_grant(access, "APR-01"), on_session(access, "SES-01"), on_session(access, "SES-04")),
        story=with_ticket(access),
    )


def _none() -> Planted:
    access = changed(
        clean_access(
            "no-approval", "sena.yildiz", "integration-01", "2026-07-25 10:05", approver="amara.okafor", number=9002
        ),
        decisions=(),
    )
    return Planted(
        id="P02",
        what="A root grant in the request desk's register has no approval at all",
        background="The on-call engineer entered the request and nobody was asked; the desk's rule for weekends had "
        "been left open.",
        trips=(on_grant(access, "APR-01"), on_grant(access, "APR-06"), on_session(access, "SES-04")),
        story=with_ticket(access),
    )


def _own() -> Planted:
    access = clean_access(
        "own-approval", "dunja.brandt", "patient-db", "2026-07-16 17:40", approver="dunja.brandt", number=9003
    )
    return Planted(
        id="P03",
        what="An administrator of hoop approved her own request",
        background="hoop refuses self-approval to owners, but not to administrators. Dunja Brandt is on the list of "
        "approvers, so nothing else looks wrong.",
        trips=(on_grant(access, "APR-02"),),
        story=with_ticket(access),
    )


def _second_login() -> Planted:
    access = clean_access(
        "second-login", "emeka.nwosu", "claims-db", "2026-08-05 17:20", approver="emeka.nwosu", number=9004
    )
    decision = Decision(at=access.starts, approver="emeka.nwosu", login="adm-nwosu@larkfield.example")
    access = changed(access, decisions=(decision,))
    return Planted(
        id="P04",
        what="A request was approved by the requester's second account",
        background="Emeka Nwosu has an ordinary login and adm-nwosu. hoop sees two users; HR's export knows that they "
        "are one person. He is not on the list of approvers either.",
        trips=(on_grant(access, "APR-02"), on_grant(access, "APR-03")),
        story=with_ticket(access),
    )


def _not_entitled() -> Planted:
    access = clean_access(
        "not-entitled", "sena.yildiz", "app-02", "2026-07-22 17:30", approver="jonas.weller", number=9005
    )
    return Planted(
        id="P05",
        what="The approver is not on the workflow's list of approvers",
        background="Teleport's role let every platform engineer review; the workflow names three people, and Jonas "
        "Weller is none of them.",
        trips=(on_grant(access, "APR-03"),),
        story=with_ticket(access),
    )


def _automatic() -> Planted:
    access = clean_access(
        "automatic-approval", "noor.haddad", "analytics-dw", "2026-08-12 17:15", approver="ingrid.solheim", number=9006
    )
    decision = Decision(at=access.starts, approver="ingrid.solheim", policy="dw-anyone-any-time")
    access = changed(access, decisions=(decision,))
    return Planted(
        id="P06",
        what="A rule that the workflow does not list approved a request automatically",
        background="The analytics workflow allows one rule, dw-read-office-hours. Somebody had added a second, wider "
        "one to Teleport, and its bot approved the request.",
        trips=(on_grant(access, "APR-04"), on_grant(access, "APR-01")),
        story=with_ticket(access),
    )


def _widened() -> Planted:
    access = clean_access(
        "widened-window", "tomas.riva", "integration-01", "2026-08-29 09:00", approver="rashid.karimov", number=9007,
        hours=6,
    )  # fmt: skip
    access = changed(access, approved_until=access.starts + 2 * HOUR)
    return Planted(
        id="P07",
        what="Two hours were approved and six were granted",
        background="The end time was changed in the register after the click. The session itself stayed within the "
        "first two hours.",
        trips=(on_grant(access, "APR-04"),),
        story=with_ticket(access),
    )


def _no_ticket() -> Planted:
    access = clean_access(
        "no-ticket", "lucia.ferreira", "app-01", "2026-08-19 17:10", approver="rashid.karimov", number=9008
    )
    access = changed(access, ticket=None, purpose="quick look at the worker, will file later")
    return Planted(
        id="P08",
        what="A grant names no ticket",
        background="The reason field says that the ticket will follow. It never did.",
        trips=(on_grant(access, "APR-05"),),
        story=with_ticket(access),
    )


def _closed_ticket() -> Planted:
    access = clean_access(
        "closed-ticket", "magnus.eide", "kube-prod", "2026-09-02 17:25", approver="tobias.lindqvist", number=9009
    )
    old = ticket("OPS-9009", opened=access.requested - 9 * DAY, closed=access.requested - 6 * DAY, kind="change")
    return Planted(
        id="P09",
        what="The ticket had been closed six days before the access",
        background="Magnus Eide used the number of a finished change again, because a new one would have needed the "
        "change board.",
        trips=(on_grant(access, "APR-05"), on_grant(access, "TKT-01")),
        story=Story(accesses=(access,), told=(old,)),
    )
