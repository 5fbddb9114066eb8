# SPDX-License-Identifier: Apache-2.0

"""Findings: what deviates, and what could not be shown. The two are different things and are never added up.

In:  an evaluation, the controls, the sources, and which items had which outcome.
Out: gaps with stable ids, and a gap report as JSON, CSV, HTML or PDF.
"""
