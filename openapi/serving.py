"""Serves the public description; the staff API serves its own to whoever is signed in."""

from __future__ import annotations

from functools import cache

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from openapi.public_api import describe_public_api


def public_description() -> Blueprint:
    """The route ``/api/v1/openapi.json``."""
    blueprint = Blueprint("description")
    document = cache(describe_public_api)

    @blueprint.get("/api/v1/openapi.json", name="public")
    async def public(request: Request) -> HTTPResponse:
        return json(document(), headers={"cache-control": "no-cache", "access-control-allow-origin": "*"})

    return blueprint
