"""Web servers of tests: hundreds of them in one process, each gone without a trace when its test is over."""

from __future__ import annotations

from functools import cache
from types import CodeType
from typing import Any

import sanic_routing.route
import sanic_routing.router
from sanic import Sanic
from sanic.router import Router

# The same few hundred paths are taken apart four times for every desk.
_parts = cache(sanic_routing.router.path_to_parts)
sanic_routing.router.path_to_parts = sanic_routing.route.path_to_parts = _parts


@cache
def _compiled(source: str) -> CodeType:
    return compile(source, "", "exec")


class TestRouter(Router):
    """Sanic's router, which compiles the same table of routes once for a process instead of once for a desk."""

    __test__ = False

    def _render(self, do_compile: bool = True, do_optimize: bool = False) -> None:
        super()._render(False, do_optimize)
        if not do_compile:
            return
        made: dict[str, Any] = {}
        exec(_compiled(self.find_route_src), vars(sanic_routing.router), made)
        self._find_route = made["find_route"]
        self._matchers = made.get("matchers")


def new_app(name: str, **options: Any) -> Sanic:
    """An app that ``forget`` must be called for."""
    return Sanic(name, router=TestRouter(), **options)


def forget(app: Sanic) -> None:
    """Let go of an app; Sanic's caches of what was asked for would keep the whole desk behind it."""
    Sanic.unregister_app(app)
    Router.get.cache_clear()
    Router.find_route_by_view_name.cache_clear()
