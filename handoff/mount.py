"""What the app mounts to open the staff's side."""

from __future__ import annotations

from sanic import Blueprint

from handoff.live import staff_live
from handoff.pages import staff_pages
from handoff.routes import staff_api
from handoff.staff_side import StaffSide


def staff_blueprints(side: StaffSide) -> tuple[Blueprint, ...]:
    """The staff API, the live socket and the console pages, each to be given to ``app.blueprint``."""
    return staff_api(side), staff_live(side), staff_pages(side.dist)
