# SPDX-License-Identifier: Apache-2.0

"""Durable background jobs. APScheduler says when to look; the table says what to do, once, with progress."""
