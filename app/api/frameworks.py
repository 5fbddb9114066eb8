# SPDX-License-Identifier: Apache-2.0

"""``/frameworks``, ``/controls``, ``/tests``: what can be tested."""

import msgspec
from fastapi import APIRouter

from app.api.deps import Reader, ServicesDep
from app.api.problem import RESPONSES
from app.api.schemas import ControlOut, FrameworkOut, TestOut

router = APIRouter(tags=["controls"], responses=RESPONSES)


@router.get("/frameworks")
def list_frameworks(services: ServicesDep, _caller: Reader) -> list[FrameworkOut]:
    """List the frameworks and how many of their controls are tested."""
    controls = services.controls
    return [
        FrameworkOut(
            id=catalog.id,
            title=catalog.title,
            edition=catalog.edition,
            short_names=list(catalog.short_names),
            controls=len(catalog.controls),
            tested_controls=sum(bool(controls.tests_of(catalog.id, control.id)) for control in catalog.controls),
        )
        for catalog in controls.catalogs.values()
    ]


@router.get("/controls")
def list_controls(framework: str, services: ServicesDep, _caller: Reader) -> list[ControlOut]:
    """List the controls of a framework with the tests mapped to each."""
    catalog = services.controls.resolve_framework(framework)
    return [
        ControlOut(
            framework=catalog.id,
            id=control.id,
            label=control.label,
            summary=control.summary,
            text=control.text,
            tests=tests,
            not_tested_because=None if tests else control.not_tested_because,
        )
        for control in catalog.controls
        for tests in [[test.id for test in services.controls.tests_of(catalog.id, control.id)]]
    ]


@router.get("/tests")
def list_tests(services: ServicesDep, _caller: Reader) -> list[TestOut]:
    """List the control tests."""
    return [
        TestOut(
            id=test.id,
            title=test.title,
            intent=test.intent,
            population=test.population,
            applies_when=test.applies_when,
            assertion=test.assertion,
            severity=test.severity,
            parameters=msgspec.to_builtins(test.parameters),
            remediation=test.remediation,
        )
        for test in services.controls.tests.values()
    ]
