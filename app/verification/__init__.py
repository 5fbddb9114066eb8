# SPDX-License-Identifier: Apache-2.0

"""Check a pack without trusting whoever made it: numbered steps, from the bytes up to re-performing every test.

In:  a pack and, if the reader has one, a trust anchor. Out: a report. No network, no database, no configuration.
"""
