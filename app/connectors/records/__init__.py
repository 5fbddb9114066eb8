# SPDX-License-Identifier: Apache-2.0

"""Proofroom's own normalized records, for every source without a connector."""
