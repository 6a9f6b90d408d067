import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { follow, type ServerEvent, unpack } from "./events";
import { FakeSocket } from "./fakeServer";

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.install();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function start(query?: { run?: string; after?: number }) {
  const heard: ServerEvent[] = [];
  const told: string[] = [];
  const stop = follow(
    { hear: (event) => heard.push(event), open: () => told.push("open"), lost: () => told.push("lost") },
    query,
  );
  return { heard, told, stop };
}

test("it begins now, and after a break with what it has missed", async () => {
  const { heard, told, stop } = start();
  expect(FakeSocket.last.url).toMatch(/^ws:.*\/api\/events$/);
  FakeSocket.last.open();
  FakeSocket.last.say({ sequence: 41, run: "1", event: "run_queued" });
  FakeSocket.last.break();
  await vi.advanceTimersByTimeAsync(500);
  expect(FakeSocket.last.url).toMatch(/\/api\/events\?after=41$/);
  FakeSocket.last.open();
  FakeSocket.last.say({ sequence: 42, run: "1", event: "run_started" });
  expect(heard.map(({ sequence }) => sequence)).toEqual([41, 42]);
  expect(told).toEqual(["open", "lost", "open"]);
  stop();
});

test("it waits longer after each failure, and not at all once the network is back", async () => {
  const { stop } = start();
  const pauses: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    const { count } = FakeSocket;
    FakeSocket.last.break();
    let waited = 0;
    while (FakeSocket.count === count) {
      await vi.advanceTimersByTimeAsync(50);
      waited += 50;
    }
    pauses.push(waited);
  }
  expect(pauses[0]).toBeLessThan(500);
  expect(pauses[3]).toBeGreaterThan(pauses[0] ?? 0);
  expect(Math.max(...pauses)).toBeLessThan(13_000);
  FakeSocket.last.break();
  const { count } = FakeSocket;
  window.dispatchEvent(new Event("online"));
  expect(FakeSocket.count).toBe(count + 1);
  stop();
});

test("a run can be heard from its beginning", () => {
  const { stop } = start({ run: "7", after: 0 });
  expect(FakeSocket.last.url).toMatch(/\?after=0&run=7$/);
  stop();
});

test("after the end nothing is heard and nothing connects", async () => {
  const { heard, stop } = start();
  const socket = FakeSocket.last;
  stop();
  socket.say({ sequence: 1, run: null, event: "queue_paused" });
  socket.break();
  const { count } = FakeSocket;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(heard).toEqual([]);
  expect(FakeSocket.count).toBe(count);
});

test("what is no event is passed over", () => {
  const { heard, stop } = start();
  FakeSocket.last.say("{broken");
  FakeSocket.last.say('{"sequence": 1}');
  FakeSocket.last.say(new ArrayBuffer(3));
  expect(heard).toEqual([]);
  stop();
});

test("a preview's frame holds the event and the picture", async () => {
  const text = new TextEncoder().encode('{"sequence":5,"run":"7","event":"node_preview","node":"狐"}');
  const frame = new Uint8Array(8 + text.length + 3);
  new DataView(frame.buffer).setUint32(0, text.length);
  new DataView(frame.buffer).setUint32(4, 3);
  frame.set(text, 8);
  frame.set([1, 2, 3], 8 + text.length);
  const { event, preview } = unpack(frame.buffer);
  expect(event?.node).toBe("狐");
  expect(preview?.type).toBe("image/jpeg");
  expect([...new Uint8Array((await preview?.arrayBuffer()) ?? new ArrayBuffer(0))]).toEqual([1, 2, 3]);
});
