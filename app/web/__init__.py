# SPDX-License-Identifier: Apache-2.0

"""Pages for people: sign in, see control statuses, download packs. Server-rendered; no script is needed or allowed."""
