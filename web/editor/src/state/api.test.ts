import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError, api, artifactUrl, inputUrl, isAbort } from "./api";
import { documentOf, FakeServer } from "./fakeServer";
import { report, textOf, useUi } from "./ui";

let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
  useUi.setState({ toasts: [] });
});

afterEach(() => vi.unstubAllGlobals());

test("what changes something is sent as JSON, which no foreign page can do", async () => {
  for (const path of ["POST /api/queue/pause", "POST /api/runs/7/retry"]) {
    server.answers.set(path, {});
  }
  await api.pause();
  await api.retry("7");
  expect(server.requests("POST").map(({ headers }) => headers["content-type"])).toEqual([
    "application/json",
    "application/json",
  ]);
});

test("a picture is sent as what it is", async () => {
  server.answers.set("POST /api/uploads", { name: "x.png" });
  await api.upload(new Blob(["x"], { type: "image/png" }));
  await api.upload(new Blob(["x"], { type: "" }));
  expect(server.requests("POST").map(({ headers }) => headers["content-type"])).toEqual([
    "image/png",
    "application/octet-stream",
  ]);
});

test("a graph that has not changed is not read again", async () => {
  const etag = server.put("fox", documentOf("a"));
  expect(await api.graph("fox")).toEqual({ document: documentOf("a"), etag });
  expect(await api.graph("fox", etag)).toBeNull();
});

test("a refusal carries every problem, and the first one is its sentence", async () => {
  server.fail("POST", 422);
  const error = await api.pause().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 422, message: "Refused with 422.", problems: [{ code: "refused" }] });
});

test("an answer that is no problem document is one by its status", async () => {
  vi.stubGlobal("fetch", async () => new Response("<html>Bad gateway</html>", { status: 502 }));
  await expect(api.models()).rejects.toMatchObject({ status: 502, message: /^The server answered 502\./ });
});

test("silence and an answer that breaks off are no answer", async () => {
  server.fail("GET", "unreachable");
  await expect(api.models()).rejects.toMatchObject({ status: 0 });
  vi.stubGlobal("fetch", async () => new Response('{"models": ['));
  await expect(api.models()).rejects.toMatchObject({ status: 0 });
});

test("a question that nobody asks any more is no problem", async () => {
  const stop = new AbortController();
  vi.stubGlobal("fetch", async () => {
    throw new DOMException("stopped", "AbortError");
  });
  const error: unknown = await api.check(documentOf("a"), stop.signal).catch((reason: unknown) => reason);
  expect(isAbort(error)).toBe(true);
  report(error);
  expect(useUi.getState().toasts).toEqual([]);
});

test("errors are told in words that people understand, once for as long as they stand", () => {
  const silent = new ApiError(0, []);
  report(silent);
  report(silent);
  report(new ApiError(422, [{ code: "x", at: "a", what: "It is wrong.", fix: "Mend it." }]));
  expect(useUi.getState().toasts.map(({ text }) => text)).toEqual([
    "The server does not answer.",
    "It is wrong. Mend it.",
  ]);
  expect(textOf("plain")).toBe("plain");
});

test("addresses of pictures", () => {
  expect(artifactUrl({ digest: "abc" })).toBe("/api/artifacts/abc");
  expect(artifactUrl({ digest: "abc" }, 255.6)).toBe("/api/artifacts/abc?width=256");
  expect(inputUrl("a/b c.png", 64)).toBe("/api/inputs/a%2Fb%20c.png?width=64");
});
