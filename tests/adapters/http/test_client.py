"""A client reaches its upstream, is bounded in time and size, and tells every trouble in our own words."""

import logging
from collections.abc import Iterator, Mapping

import httpx
import pytest

from autoscaler.adapters.http.client import FOREIGN_ERRORS, MAX_BODY_BYTES, HttpClient
from autoscaler.adapters.http.exchange import Call, Reply
from autoscaler.domain.errors import GarbledError, RefusedError, UnreachableError
from tests.adapters.http.wire import Answer, answer, drip, hang, hang_up, wire

TOKEN = "fm2_verysecretmacaroon"


def get(path: str = "/thing", timeout_s: float = 2.0) -> Call:
    return Call(operation="thing", method="GET", path=path, timeout_s=timeout_s)


def post(json: object = None, form: Mapping[str, str] | None = None) -> Call:
    return Call(operation="thing", method="POST", path="/thing", json=json, form=form, timeout_s=2.0)


async def test_a_request_carries_path_parameters_body_and_token() -> None:
    async with wire(answer(200, {"a": 1})) as server, HttpClient("x", server.url + "/", token=TOKEN) as http:
        call = Call(
            operation="put", method="POST", path="/v1/a%20b", params={"q": "1 2"}, json={"n": "ä\ud800"}
        )
        reply = await http.send(call)
    assert (reply.status, reply.json()) == (200, {"a": 1})
    seen = server.seen[0]
    assert (seen.method, seen.path) == ("POST", "/v1/a%20b?q=1+2")
    assert seen.headers["authorization"] == f"FlyV1 {TOKEN}"
    assert seen.headers["content-type"] == "application/json"
    assert seen.body == rb'{"n":"\u00e4\ud800"}'


async def test_a_form_is_sent_as_a_form_and_without_a_token_there_is_no_header() -> None:
    async with wire(answer(200)) as server, HttpClient("x", server.url) as http:
        await http.send(post(form={"query": "a+b"}))
    assert server.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert server.seen[0].body == b"query=a%2Bb"
    assert "authorization" not in server.seen[0].headers


async def test_cookies_come_back_on_every_connection() -> None:
    cookie = {"Set-Cookie": "fly_flaps_affinity=node7; Path=/v1/apps/shop"}
    async with wire(answer(200, headers=cookie), answer(200)) as server, HttpClient("x", server.url) as http:
        await http.send(get("/v1/apps/shop/machines"))
        await http.send(get("/v1/apps/shop/machines"))
        await http.send(Call(operation="d", method="DELETE", path="/v1/apps/shop/machines/1"))
        await http.send(get("/v1/apps/other/machines"))
    cookies = [seen.headers.get("cookie") for seen in server.seen]
    assert cookies == [None, "fly_flaps_affinity=node7", "fly_flaps_affinity=node7", None]


async def test_a_delete_never_shares_a_connection() -> None:
    async with wire(answer(200)) as server, HttpClient("x", server.url) as http:
        for method in ("GET", "DELETE", "DELETE", "GET"):
            await http.send(Call(operation="any", method=method, path="/"))
    assert [seen.connection for seen in server.seen] == [1, 2, 3, 1]
    assert [seen.headers["connection"] for seen in server.seen] == [
        "keep-alive",
        "close",
        "close",
        "keep-alive",
    ]


async def test_an_error_answer_is_a_reply_with_its_words_and_code() -> None:
    body = {"error": "could not find a candidate host", "status": "insufficient_capacity"}
    async with wire(answer(422, body, {"Retry-After": "7"})) as server, HttpClient("x", server.url) as http:
        reply = await http.send(post(json={}))
    assert (reply.status, reply.said, reply.code) == (422, body["error"], body["status"])
    assert reply.told == f"422 {body['error']}"
    assert reply.retry_after_s == 7.0
    assert not reply.ok


def test_words_that_begin_with_the_status_are_not_given_it_twice() -> None:
    assert Reply(status=404, said="404 page not found").told == "404 page not found"
    assert Reply(status=404, said="4040 pages").told == "404 4040 pages"
    assert Reply(status=502).told == "502"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"404 page not found\n", "404 page not found"),
        ({"message": "this one", "error": "not this one"}, "this one"),
        ({"message": "", "error": "this one"}, "this one"),
        ({"error": {"nested": 1}}, ""),
        ([1, 2], "[1, 2]"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"x" * 1000, "x" * 297 + "..."),
        (b"", ""),
    ],
)
async def test_the_words_of_an_error_are_found_in_every_shape(body: object, said: str) -> None:
    async with wire(answer(400, body)) as server, HttpClient("x", server.url) as http:
        assert (await http.send(get())).said == said


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
async def test_the_pause_asked_for_is_read_in_both_forms(header: str, seconds: float | None) -> None:
    async with (
        wire(answer(429, headers={"Retry-After": header})) as server,
        HttpClient("x", server.url) as http,
    ):
        assert (await http.send(get())).retry_after_s == seconds


async def test_a_token_in_an_answer_never_reaches_the_error() -> None:
    body = {"error": f"bad token {TOKEN} in 'Authorization: FlyV1 {TOKEN}', not Bearer abc.def"}
    async with wire(answer(401, body)) as server, HttpClient("x", server.url, token=TOKEN) as http:
        with pytest.raises(RefusedError) as caught:
            await http.read(get())
        assert TOKEN not in repr(http)
    assert "secret" not in repr(caught.value)
    assert "abc.def" not in str(caught.value)
    assert str(caught.value).startswith("401 bad token ***")


async def test_nobody_listening_is_an_error_that_was_never_sent() -> None:
    async with wire(answer(200)) as server:
        url = server.url
    async with HttpClient("x", url) as http:
        with pytest.raises(UnreachableError) as caught:
            await http.send(get())
    assert (caught.value.sent, caught.value.timed_out, caught.value.status) == (False, False, None)


async def test_a_lost_connection_is_an_error_of_unknown_result() -> None:
    async with wire(hang_up) as server, HttpClient("x", server.url) as http:
        with pytest.raises(UnreachableError) as caught:
            await http.send(post(json={}))
    assert (caught.value.sent, caught.value.timed_out) == (True, False)


@pytest.mark.parametrize("silence", [hang, drip])
async def test_the_whole_exchange_is_bounded_in_time(silence: Answer) -> None:
    async with wire(silence) as server, HttpClient("x", server.url) as http:
        with pytest.raises(UnreachableError) as caught:
            await http.send(get(timeout_s=0.1))
    assert (caught.value.sent, caught.value.timed_out) == (True, True)


async def test_a_body_of_16_mb_is_read_and_a_longer_one_is_not() -> None:
    longest = answer(200, b" " * MAX_BODY_BYTES)
    async with (
        wire(longest, answer(200, b" " * (MAX_BODY_BYTES + 1))) as server,
        HttpClient("x", server.url) as http,
    ):
        assert len((await http.send(get())).body) == MAX_BODY_BYTES
        with pytest.raises(GarbledError, match="longer than 16 MB"):
            await http.send(get())


async def test_a_broken_encoding_is_garbled() -> None:
    broken = answer(200, b"not gzip", {"Content-Encoding": "gzip"})
    async with wire(broken) as server, HttpClient("x", server.url) as http:
        with pytest.raises(GarbledError):
            await http.send(get())


async def test_an_answer_that_is_no_http_is_unreachable() -> None:
    async with wire(b"220 mail.example ESMTP\r\n\r\n") as server, HttpClient("x", server.url) as http:
        with pytest.raises(UnreachableError):
            await http.send(get())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"a":',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"NaN",
        b"[Infinity]",
        b"\xff",
        b"1" * 5000,
    ],
)
async def test_a_body_that_is_no_json_is_garbled(body: bytes) -> None:
    async with wire(answer(200, body)) as server, HttpClient("x", server.url) as http:
        reply = await http.read(get())
    with pytest.raises(GarbledError):
        reply.json()


async def test_a_redirect_is_not_followed() -> None:
    there = answer(302, headers={"Location": "/elsewhere"})
    async with wire(there) as server, HttpClient("x", server.url, token=TOKEN) as http:
        with pytest.raises(GarbledError, match="is the address right"):
            await http.read(get())
    assert [seen.path for seen in server.seen] == ["/thing"]


async def test_every_request_is_told_to_the_observer() -> None:
    told: list[tuple[str, str, int | None]] = []
    async with (
        wire(answer(500), answer(200), hang_up) as server,
        HttpClient("x", server.url, observe=lambda *facts: told.append(facts[:3])) as http,
    ):
        await http.read(get())
        with pytest.raises(UnreachableError):
            await http.send(get())
    assert told == [("x", "thing", 500), ("x", "thing", 200), ("x", "thing", None)]


async def test_nothing_is_logged_about_requests_and_their_repetition(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with wire(answer(500), answer(200)) as server:
        url = server.url.replace("http://", "http://user:hunter2@")
        async with HttpClient("x", url, token=TOKEN) as http:
            await http.read(get())
    assert caplog.text == ""


def foreign() -> Iterator[type[Exception]]:
    pending = list(FOREIGN_ERRORS)
    while pending:
        kind = pending.pop()
        yield kind
        pending.extend(kind.__subclasses__())


def test_every_exception_of_the_library_is_known() -> None:
    raised = {kind for kind in vars(httpx).values() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert raised <= set(foreign())


@pytest.mark.parametrize("kind", sorted(foreign(), key=str))
async def test_every_exception_of_the_library_is_translated(kind: type[Exception]) -> None:
    async with HttpClient("x", "http://127.0.0.1", token=TOKEN) as http:
        error = kind.__new__(kind)
        Exception.__init__(error, f"failed with {TOKEN}")
        translated = http.translate(error)
    assert isinstance(translated, UnreachableError | GarbledError)
    assert TOKEN not in translated.detail
    assert translated.detail.startswith("x: ")
    if isinstance(translated, UnreachableError):
        assert translated.timed_out is issubclass(kind, httpx.TimeoutException)
