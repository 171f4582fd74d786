# SPDX-License-Identifier: GPL-3.0-or-later
"""Entitlements: what a vendor signs and every cluster verifies. PRIVATE.

``keys`` and ``token`` know the signature, ``verify`` is the one verifier of the collection, ``features`` what a grant turns on,
``request`` and ``ledger`` the vendor's side, ``stored`` the Secret in a cluster, ``effect`` and ``server`` what a running WGE makes of
it, ``renewal`` and ``restart`` how WGE gets another one.
"""
