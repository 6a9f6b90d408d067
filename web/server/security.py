"""Who may speak to the server: the right host name, our own pages, and whoever has the token.

Three guards stand before every handler, in this order. The Host header must be a name of this server, so that a site
which points its own name at this machine (DNS rebinding) gets nothing. A browser must say that the request comes from
our own page, so that another site's page cannot use the server (it needs no answer to do harm). The token must be
known: a page is opened once with `?token=`, which is swapped for a cookie; programs send `Authorization: Bearer`.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from aiohttp import web

from engine import Code, PatchbayError, ServerError

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

OPEN = frozenset({"/health", "/ready"})
"""What whoever watches over the server may ask without a token."""

API = ("/api/", "/metrics")
"""Where programs go: an address that starts so takes no token in itself, because addresses end up in logs."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
"""What any site's form can send here without asking first."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
        "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer, errors and handshakes included, where the handler did not say otherwise."""


@dataclass(frozen=True)
class Access:
    """The names the server goes by and the token that opens it.

    `hosts` are further names, such as that of a proxy in front, with a port where it is not `port`. Raises
    `PatchbayError` (`bad_value`) when anybody in the network could use the server.
    """

    token: str | None = field(repr=False)
    host: str
    port: int
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.token and not _is_loopback(self.host):
            what = f"Without a token, anybody who reaches {self.host} could run graphs and read pictures."
            raise PatchbayError(Code.BAD_VALUE, "host", what, "Leave out --no-token, or listen on 127.0.0.1.")
        if self.token is not None and not (self.token.isascii() and self.token.isprintable() and self.token.strip()):
            what = "The token has characters that no header can carry."
            raise PatchbayError(Code.BAD_VALUE, "token", what, "Use letters and digits.")

    @property
    def cookie(self) -> str:
        """The cookie's name, which has the port in it: a browser shows a host's cookies to all its ports."""
        return f"patchbay-{self.port}"

    @cached_property
    def pass_(self) -> str:
        """The cookie's value: made from the token, which stays out of the browser's files."""
        return hmac.new((self.token or "").encode(), self.cookie.encode(), hashlib.sha256).hexdigest()

    @cached_property
    def names(self) -> frozenset[str]:
        """The values of the Host header that mean this server."""
        known = {*LOOPBACK, _bracketed(self.host), *self.hosts}
        with_port = {f"{name}:{self.port}" for name in known}
        return frozenset(name.lower() for name in {*with_port, *self.hosts, *(known if self.port == 80 else ())})  # noqa: PLR2004  # HTTP's own port is left out of Host

    def is_host(self, name: str) -> bool:
        """Whether a Host header names this server.

        Where it listens on every address, any plain address will do: no foreign name can stand for one.
        """
        if name.lower() in self.names:
            return True
        host, _, port = name.rpartition(":")
        return _is_any(self.host) and port == str(self.port) and _address(host.strip("[]")) is not None

    def allows(self, request: web.Request) -> bool:
        """Whether the request has the token, or the cookie it was swapped for."""
        if self.token is None:
            return True
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _equal(given.strip(), self.token):
            return True
        return _equal(request.cookies.get(self.cookie, ""), self.pass_)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host.strip("[]"))
    return host.lower() == "localhost" if address is None else address.is_loopback


def _is_any(host: str) -> bool:
    address = _address(host.strip("[]"))
    return address is not None and address.is_unspecified


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _equal(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def protect(app: web.Application, access: Access) -> None:
    """Put the guards before every handler of `app`, and the headers on every answer.

    `problems_middleware` must stand before them: they refuse by raising `ServerError`.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        _check_host(request, access)
        _check_origin(request)
        _check_form(request)
        if access.token is not None and request.path not in OPEN:
            swapped = _swap_token(request, access)
            if swapped is not None:
                return swapped
            if not access.allows(request):
                raise _unauthorized()
        return await handler(request)

    app.middlewares.append(guard)
    app.on_response_prepare.append(_add_headers)


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "Patchbay"
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _check_host(request: web.Request, access: Access) -> None:
    names = request.headers.getall("Host", [])
    if len(names) != 1 or not access.is_host(names[0]):
        what = f"This server does not go by the name {', '.join(names) or '(none)'!r}."
        fix = f"Use http://localhost:{access.port}, or add the name to `hosts` of the configuration."
        raise ServerError(Code.WRONG_HOST, "", what, fix)


def _check_origin(request: web.Request) -> None:
    """A page may speak to us when it is ours: same host and port, and the browser does not call it foreign."""
    origin = request.headers.get("Origin")
    ours = {f"{scheme}://{request.host}".lower() for scheme in ("http", "https")}
    if origin is not None and origin.lower() not in ours:
        raise _foreign(origin)
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site not in {"none", "same-origin"} and not _opens_a_page(request):
        raise _foreign(site)


def _opens_a_page(request: web.Request) -> bool:
    """Whether somebody followed a link to us, which shows our page and gives the other one nothing."""
    headers = request.headers
    document = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
    return document and request.method in SAFE


def _foreign(origin: str) -> ServerError:
    what = f'The browser says that the request comes from another place: "{origin}".'
    return ServerError(Code.WRONG_ORIGIN, "", what, "Other sites cannot use this server; open its own page.")


def _check_form(request: web.Request) -> None:
    if request.method not in SAFE and "Content-Type" in request.headers and request.content_type in FORMS:
        what = f'A body of the type "{request.content_type}" is not taken: any site could send it.'
        raise ServerError(Code.WRONG_MEDIA_TYPE, "", what, "Send Content-Type: application/json.")


def _swap_token(request: web.Request, access: Access) -> web.Response | None:
    """The answer to a page's address with the right token in it: the same address without, and a cookie."""
    given = request.query.get("token")
    is_page = request.method == "GET" and not request.path.startswith(API)
    if given is None or not is_page or access.token is None:
        return None
    if not _equal(given, access.token):
        raise _unauthorized()
    address = request.rel_url.without_query_params("token")
    local = "/" + str(address).lstrip("/")  # two slashes would begin with another host's name
    answer = web.Response(status=303, headers={"Location": local})
    answer.set_cookie(access.cookie, access.pass_, path="/", httponly=True, samesite="Strict", secure=request.secure)
    return answer


def _unauthorized() -> ServerError:
    what = "The request has no token, or not the one of this server; each start makes a new one."
    fix = "Open the address that `patchbay serve` printed, or send `Authorization: Bearer TOKEN`."
    return ServerError(Code.UNAUTHORIZED, "", what, fix)
