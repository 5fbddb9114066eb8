# SPDX-License-Identifier: Apache-2.0

"""Teleport: audit events as JSON lines."""
