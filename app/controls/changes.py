# SPDX-License-Identifier: Apache-2.0

"""The shapes of parameter bundles and overlays: what an organisation lays over the tests.

Nothing here changes what a test asks; only the values it asks with, from a day on, for some items, with a reason.
"""

import datetime

import msgspec

from app.controls.model import ParameterValue


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _Decision(_Part, frozen=True, kw_only=True):
    """When, where and on whose word values change.

    Attributes:
        from_: first day on which they are in force, UTC. until: last day; absent = until further notice.
        where: CEL over the row of the test's population; the items they are for.
        reason, requested_by, approved_by, approved_on: all four are needed if a value is looser than the test's own.
    """

    from_: datetime.date = msgspec.field(name="from")
    until: datetime.date | None = None
    where: str = "true"
    reason: str | None = None
    requested_by: str | None = None
    approved_by: str | None = None
    approved_on: datetime.date | None = None


class ParameterChange(_Decision, frozen=True, kw_only=True):
    """Other values for parameters of one test."""

    test: str
    parameters: dict[str, ParameterValue]


class BundleUse(_Decision, frozen=True, kw_only=True):
    """All values of a bundle."""

    bundle: str


class Overlay(_Part, frozen=True, kw_only=True, tag_field="kind", tag="Overlay"):
    """What an organisation changes; every overlay that is loaded is in force.

    Attributes:
        extends: ids of overlays that come before this one and whose values it may replace.
        use: bundles, in order; they come before ``changes``, which may replace their values.
    """

    id: str
    title: str
    extends: tuple[str, ...] = ()
    use: tuple[BundleUse, ...] = ()
    changes: tuple[ParameterChange, ...] = ()


class ParameterBundle(_Part, frozen=True, kw_only=True, tag_field="kind", tag="ParameterBundle"):
    """Values that belong together, such as those of a standard. It changes nothing until an overlay uses it.

    Attributes:
        source: where the values come from, such as ``PCI DSS 4.0.1, 8.2.8``.
        proposed: the source is a proposal and not in force.
        values: test id to parameter to value.
    """

    id: str
    title: str
    source: str
    proposed: bool = False
    values: dict[str, dict[str, ParameterValue]]
