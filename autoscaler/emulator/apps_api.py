"""Endpoints of apps, tokens, and the organization's lists."""

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from autoscaler.emulator import errors, lifecycle, listing, volumes
from autoscaler.emulator.config import TokenScope
from autoscaler.emulator.gateway import Call, Gateway, Reach
from autoscaler.emulator.machines_api import asked_filter
from autoscaler.emulator.record import Json
from autoscaler.emulator.timestamps import parse, rfc3339_ms
from autoscaler.emulator.tokens import scopes_of
from autoscaler.emulator.view import app_json, org_machine_json, volume_json


def routes(gateway: Gateway) -> list[Route]:
    """All of them."""
    route = gateway.route
    return [
        route("GET", "/v1/apps", "apps_list", list_apps, Reach.ORG),
        route("POST", "/v1/apps", "app_create", create_app, Reach.ORG),
        route("GET", "/v1/apps/{app}", "app_get", get_app),
        route("DELETE", "/v1/apps/{app}", "app_delete", delete_app),
        route("POST", "/v1/apps/{app}/deploy_token", "deploy_token", deploy_token),
        route("GET", "/v1/tokens/current", "token_current", current_token, Reach.CALLER),
        route("GET", "/v1/orgs/{org}/machines", "org_machines", org_machines, Reach.ORG),
        route("GET", "/v1/orgs/{org}/volumes", "org_volumes", org_volumes, Reach.ORG),
    ]


def list_apps(call: Call) -> Json:
    """The apps of an organization. Without `org_slug` the platform does not know the path."""
    org = call.param("org_slug")
    if not org:
        raise errors.ApiError(404, "404 page not found")
    found = [app_json(call.world, app) for app in call.world.apps.values() if app.org == org]
    return {"total_apps": len(found), "apps": found}


def create_app(call: Call) -> Response:
    """A new app, without Machines. ApiError 400 without a name, 422 for a name in use."""
    name = call.fields.get("name") or call.fields.get("app_name")
    if not isinstance(name, str) or not name:
        raise errors.invalid("app name is required")
    if name in call.world.apps:
        raise errors.refusal(422, "Validation failed: Name has already been taken", code="name_taken")
    org = str(call.fields.get("org_slug") or call.world.config.org)
    app = call.world.add_app(name, org=org, network=str(call.fields.get("network") or "default"))
    return JSONResponse({"id": app.id, "created_at": round(call.world.now * 1000)}, status_code=201)


def get_app(call: Call) -> Json:
    """One app."""
    return app_json(call.world, call.world.app(call.app))


def delete_app(call: Call) -> Response:
    """The app goes, and its Machines with it."""
    for machine in list(call.world.of_app(call.app)):
        if machine.live:
            lifecycle.destroyed(call.world, machine)
    del call.world.apps[call.app]
    return Response(status_code=202)


def deploy_token(call: Call) -> Json:
    """A new token for this app alone."""
    token = f"fm2_{call.world.ids.app()}"
    if call.world.tokens:
        call.world.tokens[token] = TokenScope(kind="deploy", app=call.app)
    return {"token": f"FlyV1 {token}"}


def current_token(call: Call) -> Json:
    """What the caller's tokens are."""
    scopes = scopes_of(call.request.headers.get("authorization", ""), call.world.tokens)
    org = call.world.config.org
    return {
        "tokens": [
            {
                "token_id": f"{call.owner.partition('@')[0]}",
                "organization": org.title(),
                "org_slug": org,
                "apps": [scope.app] if scope.app else [],
            }
            for scope in scopes
        ]
    }


def org_machines(call: Call) -> Json:
    """A page of all Machines of the organization, oldest change first."""
    org = _org(call)
    after = call.param("updated_after")
    page = listing.org_page(
        call.world,
        org,
        asked_filter(call),
        updated_after=_moment(after) if after else None,
        cursor=call.param("cursor"),
        limit=_limit(call),
    )
    summary = call.flag("summary")
    last = page.machines[-1] if page.machines else None
    return {
        "machines": [org_machine_json(machine, summary=summary) for machine in page.machines],
        "next_cursor": page.next_cursor,
        "last_machine_id": last.id if last else "",
        "last_updated_at": rfc3339_ms(last.updated_at) if last else "",
        "error_regions": page.error_regions,
    }


def org_volumes(call: Call) -> Json:
    """All volumes of the organization, oldest first, in one page."""
    org = _org(call)
    found = [
        volume
        for app in call.world.apps.values()
        if app.org == org
        for volume in volumes.of_app(call.world, app.name)
        if call.param("region") in ("", volume.region)
    ]
    newest = max((volume.created_at for volume in found), default=None)
    return {
        "volumes": [volume_json(call.world, volume) | {"app_name": volume.app} for volume in found],
        "next_cursor": "",
        "last_volume_id": found[-1].id if found else "",
        "last_updated_at": "" if newest is None else rfc3339_ms(newest),
    }


def _org(call: Call) -> str:
    org = str(call.request.path_params["org"])
    if org not in {app.org for app in call.world.apps.values()} | {call.world.config.org}:
        raise errors.refusal(404, "organization not found")
    return org


def _limit(call: Call) -> int:
    text = call.param("limit", str(listing.PAGE))
    if not text.isdecimal() or int(text) < 1:
        raise errors.invalid("limit must be a positive number")
    return min(int(text), listing.PAGE)


def _moment(text: str) -> float:
    try:
        return parse(text)
    except ValueError as error:
        raise errors.invalid("updated_after must be RFC 3339") from error
