# SPDX-License-Identifier: Apache-2.0

"""sudo: the event log of sudo_logsrvd."""
