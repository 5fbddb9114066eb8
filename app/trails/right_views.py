# SPDX-License-Identifier: Apache-2.0

"""Views of people and of what they may do: identities, accounts, targets, workflows, rights, decisions, secrets, holds.

In:  folded records. Out: views, with logins, people and targets resolved.
Where a row needs a yes or no and the record says neither, the answer is the one that gets the item tested: access is
privileged, a workflow is active and wants recordings. An account is shared or break-glass only where a record says so.
"""

import msgspec

from app.records.folding import FoldedRecord
from app.records.model import Account, Approval, Credential, Grant, Identity, LegalHold, Target, Workflow
from app.trails.grants import ends_at
from app.trails.identities import status_at
from app.trails.model import Basis
from app.trails.populations import (
    AccountView,
    ApprovalView,
    CredentialView,
    GrantView,
    IdentityView,
    LegalHoldView,
    TargetView,
    WorkflowView,
)
from app.trails.view_maker import UNKNOWN, ViewMaker, kind_of, person_id


class Use(msgspec.Struct, frozen=True, order=True):
    """When an account or a right was used, and the ledger entries that say so."""

    at: int
    ledger: tuple[int, ...]


class RightViews(ViewMaker):
    """Makes the views of people and rights."""

    def identity(self, identity: FoldedRecord[Identity]) -> IdentityView:
        """Return an identity with its owner and sponsor, as of the row's instant."""
        self._read(identity)
        said = identity.record
        owner = self._responsible(identity.source, said.owner)
        sponsor = self._responsible(identity.source, said.sponsor)
        return IdentityView(
            id=self._identities.key(identity),
            display=said.display or said.email or said.id,
            kind=said.kind or UNKNOWN,
            person_id=said.person_id,
            status=status_at(said, self._at),
            employment_end_at=said.employment_end_at,
            manager_person_id=said.manager_person_id,
            owner_id=self._id(owner, said.owner),
            owner_status=self._status(owner, self._at),
            owner_kind=kind_of(owner),
            purpose=said.purpose,
            privileged=said.privileged,
            workflow_id=said.workflow_id,
            employer=said.employer,
            sponsor_id=self._id(sponsor, said.sponsor),
            sponsor_status=self._status(sponsor, self._at),
            sponsor_kind=kind_of(sponsor),
            contract_ref=said.contract_ref,
            evidence_clause=said.evidence_clause,
        )

    def account(self, account: FoldedRecord[Account], first_use: Use | None) -> AccountView:
        """Return an account; the people named for it are ids where known, else the inventory's spelling."""
        self._read(account)
        self.used.update(() if first_use is None else first_use.ledger)
        said, source = account.record, account.source
        holder = self.login(source, said.subject)
        return AccountView(
            id=said.id,
            name=said.name or said.id,
            target_id=self._targets.id(source, said.target),
            identity_id=self._id(holder, None),
            identity_status=self._status(holder, self._at),
            shared=bool(said.shared),
            privileged=said.privileged is not False,
            enabled=said.enabled,
            break_glass=bool(said.break_glass),
            created_at=said.created_at,
            last_login_at=said.last_login_at,
            rotated_at=said.rotated_at,
            service_owner_id=self.responsible_id(source, said.service_owner),
            owner_id=self.responsible_id(source, said.owner),
            reviewer_id=self.responsible_id(source, said.reviewer),
            owner_assigned_at=said.owner_assigned_at,
            first_use_in_period=None if first_use is None else first_use.at,
            alert_configured=said.alert_configured,
            last_tested_at=said.last_tested_at,
        )

    def target(self, target: FoldedRecord[Target]) -> TargetView:
        """Return a target."""
        self._read(target)
        said = target.record
        return TargetView(
            id=self._targets.id(target.source, said.id) or said.id,
            name=said.name or said.id,
            env=said.env,
            brokered=said.brokered,
            data_classes=None if said.data_classes is None else sorted(said.data_classes),
        )

    def workflow(self, workflow: FoldedRecord[Workflow]) -> WorkflowView:
        """Return a workflow; approvers nobody is known for keep their spelling, which no approver's id can equal."""
        self._read(workflow)
        said, source = workflow.record, workflow.source
        owner = self._responsible(source, said.business_owner)
        operator = self._responsible(source, said.technical_operator)
        return WorkflowView(
            id=said.id,
            name=said.name or said.id,
            active=said.active is not False,
            business_owner_id=self._id(owner, said.business_owner),
            owner_status=self._status(owner, self._at),
            owner_kind=kind_of(owner),
            technical_operator_id=self._id(operator, said.technical_operator),
            owner_confirmed_at=said.owner_confirmed_at,
            approver_ids=None if said.approvers is None else self._approver_ids(source, said.approvers),
            auto_policies=sorted(said.auto_policies or ()),
            recording_required=said.recording_required is not False,
            accepted_recording_kinds=sorted(said.accepted_recording_kinds or ()),
            allowed_shared_accounts=sorted(said.allowed_shared_accounts or ()),
            allowed_broad_roles=sorted(said.allowed_broad_roles or ()),
            retention_documented=said.retention_documented,
        )

    def grant(self, grant: FoldedRecord[Grant], basis: Basis, last_use: Use | None = None) -> GrantView:
        """Return a grant with the person it is for and the person who asked; ``last_use`` is by a session, if any."""
        self._read(grant)
        said, source = grant.record, grant.source
        return GrantView(
            id=said.id,
            subject=said.subject,
            person_id=self._person(source, said.subject),
            requester=said.requester,
            requester_person_id=self._person(source, said.requester),
            role=said.role,
            target_ids=sorted({self._targets.id(source, each) or each for each in said.targets or ()}),
            basis=said.basis or UNKNOWN,
            privileged=said.privileged is not False,
            requested_at=said.requested_at,
            starts_at=said.starts_at,
            expires_at=said.expires_at,
            ends_at=ends_at(said),
            removed_at=said.removed_at,
            purpose=said.purpose,
            scope_level=said.scope_level,
            wildcard=said.wildcard,
            scope_digest=said.scope_digest,
            required_approvals=said.required_approvals,
            last_used_at=self._last_used(said.last_used_at, last_use),
            data_access_approved=said.data_access_approved,
            link_basis=basis,
        )

    def approval(self, approval: FoldedRecord[Approval], basis: Basis) -> ApprovalView:
        """Return a decision; the approver's status is told as of the decision."""
        self._read(approval)
        said = approval.record
        approver = self.login(approval.source, said.approver)
        return ApprovalView(
            id=said.id,
            decision=said.decision or UNKNOWN,
            mode=said.mode or UNKNOWN,
            requested_at=said.requested_at,
            decided_at=said.decided_at,
            approver=said.approver,
            approver_id=self._id(approver, None),
            approver_person_id=person_id(approver),
            approver_status=self._status(approver, said.decided_at),
            approver_kind=kind_of(approver),
            scope_digest=said.scope_digest,
            approved_until=said.approved_until,
            policy_id=said.policy_id,
            link_basis=basis,
        )

    def credential(self, credential: FoldedRecord[Credential]) -> CredentialView:
        """Return a secret or certificate."""
        self._read(credential)
        said = credential.record
        return CredentialView(
            id=said.id,
            kind=said.kind,
            privileged=said.privileged is not False,
            issued_at=said.issued_at,
            expires_at=said.expires_at,
            rotated_at=said.rotated_at,
            last_used_at=said.last_used_at,
        )

    def legal_hold(self, hold: FoldedRecord[LegalHold]) -> LegalHoldView:
        """Return a legal hold with its custodian and who placed it."""
        self._read(hold)
        said = hold.record
        custodian = self._responsible(hold.source, said.custodian)
        return LegalHoldView(
            id=said.id,
            matter_ref=said.matter_ref,
            custodian_id=self._id(custodian, said.custodian),
            custodian_status=self._status(custodian, self._at),
            placed_by_id=self.responsible_id(hold.source, said.placed_by),
            placed_at=said.placed_at,
            lifted_at=said.lifted_at,
            matched_count=said.matched_count,
            present_count=said.present_count,
            changed_count=said.changed_count,
        )

    def _last_used(self, stated: int | None, last_use: Use | None) -> int | None:
        """Return the later of the two; a use that decides it is noted."""
        if last_use is None or (stated is not None and stated >= last_use.at):
            return stated
        self.used.update(last_use.ledger)
        return last_use.at

    def _approver_ids(self, source: str, approvers: tuple[str, ...]) -> list[str]:
        return sorted({self._id(self._responsible(source, each), each) or each for each in approvers})
