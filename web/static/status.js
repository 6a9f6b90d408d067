// The status page: runs a saved graph and shows the queue live. The token is in a cookie that scripts cannot read.

const find = (id) => document.getElementById(id);
const runs = new Map();
let progress = new Map();
let paused = false;

async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  } else if (method !== "GET") {
    options.headers["Content-Type"] = "application/json";
  }
  const response = await fetch(path, options);
  const data = await response.json();
  if (!response.ok) {
    throw new Error(data.problems.map((problem) => `${problem.at}: ${problem.what} ${problem.fix}`).join("\n"));
  }
  return data;
}

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function draw() {
  const rows = [...runs.values()].sort((a, b) => b.number - a.number).slice(0, 50);
  find("runs").replaceChildren(...rows.map(row));
}

function row(run) {
  const item = make("li", {}, make("strong", { textContent: `#${run.id}` }), make("span", { textContent: `${run.name}: ${run.state}` }));
  const step = progress.get(run.id);
  if (run.state === "queued" || run.state === "running") {
    const cancel = make("button", { type: "button", textContent: "Cancel" });
    cancel.addEventListener("click", () => call("DELETE", `/api/runs/${run.id}`).catch(complain));
    item.append(cancel);
  }
  if (run.state === "running" && step) {
    item.append(make("div", { className: "pictures" }, make("progress", { max: step.total ?? 1, value: step.done }), ` ${step.node}`));
  }
  const pictures = run.files.filter((file) => file.media_type.startsWith("image/"));
  if (pictures.length) {
    item.append(make("div", { className: "pictures" }, ...pictures.map(picture)));
  }
  if (run.error) {
    item.append(make("p", { textContent: `${run.error.at}: ${run.error.what} ${run.error.fix}` }));
  }
  return item;
}

function picture(file) {
  const address = `/api/artifacts/${file.digest}`;
  const image = make("img", { src: `${address}?width=256`, alt: file.file, loading: "lazy" });
  return make("a", { href: address }, image);
}

function complain(error) {
  find("problem").textContent = error.message;
}

async function refresh(id) {
  const run = await call("GET", `/api/runs/${id}`);
  runs.set(run.id, run);
  draw();
}

function hear(event) {
  if (event.event === "queue_paused" || event.event === "queue_resumed") {
    paused = event.event === "queue_paused";
    find("pause").textContent = paused ? "Resume the queue" : "Pause the queue";
  } else if (event.event === "node_progress") {
    progress.set(event.run, event);
    draw();
  } else if (event.run && event.event.startsWith("run_")) {
    progress.delete(event.run);
    refresh(event.run).catch(complain);
  }
}

async function listen() {
  const queue = await call("GET", "/api/queue");
  hear({ event: queue.paused ? "queue_paused" : "queue_resumed" });
  const page = await call("GET", "/api/runs?limit=50");
  for (const run of page.runs) {
    runs.set(run.id, run);
  }
  draw();
  const source = new EventSource("/api/events");
  source.onopen = () => { find("state").textContent = "connected"; };
  source.onerror = () => { find("state").textContent = "the server does not answer; trying again"; };
  source.onmessage = (message) => hear(JSON.parse(message.data));
}

async function choose() {
  const api = await call("GET", "/api/openapi.json");
  const operation = api.paths[`/api/graphs/${find("graph").value}/run`]?.post;
  const inputs = operation?.requestBody.content["application/json"].schema.properties.inputs.properties ?? {};
  find("inputs").replaceChildren(
    ...Object.entries(inputs).map(([name, schema]) => {
      const field = make("input", { name, value: schema.default ?? "" });
      field.dataset.text = schema.type === "string" ? "yes" : "";
      return make("label", {}, make("span", { textContent: name }), field);
    }),
  );
}

function values() {
  const found = {};
  for (const field of find("inputs").querySelectorAll("input")) {
    if (field.value !== "") {
      found[field.name] = field.dataset.text ? field.value : read(field.value);
    }
  }
  return found;
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

find("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  find("problem").textContent = "";
  try {
    await call("POST", `/api/graphs/${find("graph").value}/run`, { inputs: values() });
  } catch (error) {
    complain(error);
  }
});
find("pause").addEventListener("click", () => call("POST", `/api/queue/${paused ? "resume" : "pause"}`).catch(complain));
find("graph").addEventListener("change", () => choose().catch(complain));

const { graphs } = await call("GET", "/api/graphs");
find("graph").replaceChildren(...graphs.map((graph) => make("option", { value: graph.name, textContent: graph.name })));
find("graph").value = graphs.some((graph) => graph.name === "text_to_image") ? "text_to_image" : graphs[0]?.name;
await choose();
await listen();
