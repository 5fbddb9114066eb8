# SPDX-License-Identifier: Apache-2.0

"""What the evaluation's tests share: a way to write a control test in a line."""

from typing import Any

import pytest

from app.controls.model import ControlTest, Meaning, Requires


@pytest.fixture
def control_test():
    """Return a builder of control tests; what is not given is neutral."""

    def build(test_id: str, assertion: str, *, population: str = "session", **fields: Any) -> ControlTest:
        requires = Requires(
            records=fields.pop("records", ()), fields=fields.pop("fields", ()), complete=fields.pop("complete", ())
        )
        return ControlTest(
            id=test_id,
            title=f"Title of {test_id}",
            intent="",
            population=population,
            assertion=assertion,
            requires=requires,
            severity="high",
            meaning=Meaning(fails="", no_evidence="", not_applicable=""),
            columns=("item_id",),
            cause="",
            effect="",
            remediation="",
            examples=(),
            **fields,
        )

    return build
