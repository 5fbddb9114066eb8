# SPDX-License-Identifier: Apache-2.0

"""hoop.dev: sessions with their reviews, from the REST interface's JSON."""
