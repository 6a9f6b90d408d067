"""Random graphs of the real catalogue: links fit by the engine's own relation, values are such as their ports take."""

from hypothesis import strategies as st

from engine.types import (
    ANYTHING,
    Bindings,
    KindName,
    ListOf,
    Named,
    OneOf,
    Var,
    fits,
    kinds_clash,
    members_of,
    substitute,
    type_of,
)

LEFT_OUT = {"Note": "gives nothing"}
"""Node types that no wiring uses, with why."""

OFTEN = (
    *("EncodeText", "VAEEncode", "Sample", "SampleSteps", "VAEDecode", "MixLatents", "LatentArithmetic", "Scheduler"),
    *("ApplyControl", "ApplyLora"),
)
"""Node types that are placed more often than others: the ones that run on models."""

MAKERS = {
    "Conditioning": ("EncodeText",),
    "Latent": ("VAEEncode", "Sample"),
    "BlankLatent": ("EmptyLatent",),
    "Image": ("LoadImage", "ResizeImage", "ResizeImage"),
    "Mask": ("MaskFromImage",),
    "LatentDistribution": ("VAEEncode",),
    "Direction": ("LearnDirection",),
    "Sigmas": ("Sigmas",),
    "Guider": ("Guider",),
    "ControlNet": ("LoadControlNet",),
}
"""The node types that make a value of a class where none is there yet."""

FAR = 2
"""How many makers may stand behind a node before each value is made in the first way."""

KIND = Var("K", kind=True)
"""What all node types of the catalogue call the family that their ports share."""

SIDES = st.sampled_from([8, 16, 32, 40, 48, 64, 96])
MODEST = {
    "steps": st.integers(1, 5),
    "first": st.integers(0, 6),
    "last": st.none() | st.integers(1, 6),
    "width": SIDES,
    "height": SIDES,
    "left": st.integers(0, 40),
    "top": st.integers(0, 40),
    "batch": st.integers(1, 3),
    "count": st.integers(1, 3),
    "times": st.integers(0, 3),
    "input": st.sampled_from(["", "", "", "value", "other"]),
    "output": st.sampled_from(["", "", "", "value", "other"]),
    "frames": st.sampled_from([1, 2, 3, 5, 9]),
    "factor": st.sampled_from([0.1, 0.5, 1.0, 1.5, 2.0]),
    "grow": st.integers(-8, 8),
    "blur": st.floats(0, 8),
    "text": st.sampled_from(["", "a red fox", "a fox, (red:1.2)", "snow " * 100]),
    "file": st.just("sailboat.png"),
    "name": st.text("abc", min_size=1, max_size=4),
    "denoise": st.sampled_from([1.0, 1.0, 0.5]) | st.floats(0, 1, exclude_min=True),
    "config": st.none(),
    "values": st.lists(st.floats(0, 15), min_size=2, max_size=5).map(lambda found: sorted(found, reverse=True)),
}
"""Legal values of ports whose whole range would take hours, or whose texts mean something."""

OPTIONS = {
    "EncodeText": [{"clip_skip": 1}, {"max_sequence_length": 16}, {"max_sequence_length": 600}, {"clip_skip": 40}],
    "Sample": [{"true_cfg_scale": 2.0}, {"guidance_rescale": 0.5}, {"eta": 0.5}, {"eta": "much"}, {"clip_skip": 1}],
    "Scheduler": [{"solver_order": 3}, {"shift": 2.0}, {"prediction_type": "v_prediction"}, {"steps_offset": 0}],
}
OPTIONS["SampleSteps"] = OPTIONS["Sample"]


GRAPHS = {
    "same": {
        "nodes": {"it": {"type": "Reroute", "inputs": {"value": 1}}},
        "interface": {"inputs": {"value": "it.value"}, "outputs": {"value": "it.value"}},
    },
    "smaller": {
        "nodes": {"it": {"type": "ResizeImage", "inputs": {"image": {"link": "file.image"}, "width": 16, "height": 8}}},
        "interface": {"inputs": {"value": "it.image"}, "outputs": {"value": "it.image"}},
    },
    "paler": {
        "nodes": {"it": {"type": "EditChannels", "inputs": {"scale": [0.5, 0.5, 0.5, 0.5]}}},
        "interface": {"inputs": {"value": "it.latent"}, "outputs": {"value": "it.latent"}},
    },
}
"""Graphs that ForEach and Repeat run."""


class Wiring:
    """A graph while it is drawn: its nodes, and the type of each output that a link can start from."""

    def __init__(self, draw, catalog, kinds, files):
        self.nodes = {}
        self._draw, self._types, self._kinds, self._files = draw, catalog.types, kinds, files
        self._outputs = {}

    def load(self, model):
        """Place a LoadModel."""
        self._place("LoadModel", {"model": model}, {}, KindName(self._kinds[model]))

    def add(self, id_, depth=0, kind=None):
        """Place a node of a type, of a `kind` if that matters, and before it what it cannot do without."""
        bindings = Bindings()
        if kind is not None:
            bindings.unify(KIND, kind)
        inputs, mapped = {}, {}
        for port in self._types[id_].inputs.values():
            given = self._given(id_, port, bindings, depth)
            if given is None:
                continue
            inputs[port.name], mapped[port.name] = given
        return self._place(id_, inputs, mapped, bindings)

    def document(self):
        """The graph as a document whose outputs are every output of every node."""
        outputs = {path.replace(".", "-"): path for path in self._outputs}
        return {"version": 1, "nodes": self.nodes, "interface": {"outputs": outputs}}

    def _place(self, id_, inputs, mapped, bound):
        name = f"{id_.lower()}_{len(self.nodes)}"
        self.nodes[name] = {"type": id_, "inputs": inputs}
        for port in self._types[id_].outputs:
            given = substitute(port.type, lambda var: _meant(var, bound))
            self._outputs[f"{name}.{port.name}"] = ListOf(given) if any(mapped.values()) else given
        return name

    def _given(self, id_, port, bindings, depth):
        """What the port gets (a link, a list of links or a value) and whether it maps; None for its default."""
        wanted = set() if port.type == ANYTHING else set(map(type, members_of(port.type)))
        takes_links = bool(wanted & {Named, Var}) or isinstance(port.type, ListOf)
        is_value = not takes_links or (
            OneOf is type(port.type) and port.json_schema() and not self._draw(st.booleans())
        )
        if not port.required and port.name not in MODEST and not self._draw(st.booleans()):
            return None
        if is_value and port.json_schema() is not None and wanted != {Var}:
            return self._value(id_, port, bindings)
        found = self._link(port, bindings, depth)
        return self._value(id_, port, bindings) if found is None and port.json_schema() is not None else found

    def _link(self, port, bindings, depth):
        if self._draw(st.integers(0, 31)) == 1:
            strangers = [path for path, given in self._outputs.items() if kinds_clash(given, port.type)]
            if strangers:
                return {"link": self._draw(st.sampled_from(strangers))}, False
        fitting = self._fitting(port.type, bindings)
        makers = self._makers(port.type, depth)
        if not fitting and makers and depth <= len(MAKERS):
            kind = bindings.find(KIND)
            self.add(self._draw(st.sampled_from(makers)), depth + 1, None if isinstance(kind, Var) else kind)
            fitting = self._fitting(port.type, bindings)
        if not fitting:
            return None
        chosen = self._draw(st.sampled_from(fitting))
        how = fits(self._outputs[chosen], port.type, bindings)
        if isinstance(port.type, ListOf) and how == "wrap" and self._draw(st.booleans()):
            more = self._draw(st.lists(st.sampled_from(self._fitting(port.type, bindings)), max_size=2))
            links = [{"link": each} for each in (chosen, *more) if not isinstance(self._outputs[each], ListOf)]
            return links, False
        return {"link": chosen}, how == "map"

    def _fitting(self, wanted, bindings):
        """The outputs that may be linked to an input of this type, as far as the node's other inputs allow."""
        found = []
        for path, given in self._outputs.items():
            mark = bindings.mark()
            if fits(given, wanted, bindings) is not None:
                found.append(path)
            bindings.undo(mark)
        return found

    def _makers(self, wanted, depth):
        names = [part.name for part in members_of(wanted) if isinstance(part, Named)]
        names += [
            part.item.name for part in members_of(wanted) if isinstance(part, ListOf) and hasattr(part.item, "name")
        ]
        makers = [maker for name in names for maker in MAKERS.get(name, ())]
        return makers[:1] if depth > FAR else makers

    def _value(self, id_, port, bindings):
        if (id_, port.name) in self._files:
            return self._file(self._files[id_, port.name], bindings), False
        if port.name == "options":
            return self._draw(st.sampled_from([{}] * 4 + OPTIONS.get(id_, []))), False
        own = (
            None if port.name == "name" and isinstance(port.json_schema().get("enum"), list) else MODEST.get(port.name)
        )
        if port.name == "frames" and port.json_schema().get("minimum", 0) > 1:
            own = st.integers(2, 3)
        value = self._draw(own if own is not None else of_schema(port.json_schema()))
        if port.generic and value is not None:
            fits(type_of(value), port.type, bindings)
        return value, False

    def _file(self, files, bindings):
        """One of some files, mostly of the kind that is wanted; the others go by it."""
        kind = bindings.find(KIND)
        fitting = sorted(name for name, own in files.items() if own == kind or isinstance(kind, Var))
        strangers = self._draw(st.integers(0, 7)) == 1 or not fitting
        name = self._draw(st.sampled_from(sorted(files) if strangers else fitting))
        if files[name] is not None:
            bindings.unify(KIND, files[name])
        return name


def _meant(var, bound):
    """What a variable of an output stands for once the inputs are linked."""
    if isinstance(bound, KindName):
        return bound
    found = bound.resolve(var)
    return ANYTHING if isinstance(found, Var) else found


def of_schema(schema):
    """Values that a JSON schema allows, its ends among them."""
    if "anyOf" in schema:
        return st.one_of([of_schema(each) for each in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    match schema.get("type"):
        case "integer":
            top = high if high is not None else schema.get("exclusiveMaximum", 2**31) - 1
            return st.integers(-(2**31) if low is None else low, top)
        case "number":
            bounds = {"min_value": -1e6 if low is None else low, "max_value": 1e6 if high is None else high}
            return st.floats(**bounds, exclude_min="exclusiveMinimum" in schema, allow_nan=False, width=32)
        case "boolean":
            return st.booleans()
        case "string":
            return st.sampled_from(["", "a", "a longer label"])
        case "array":
            items = of_schema(schema["items"]) if schema["items"] else st.integers(0, 3)
            return st.lists(items, min_size=schema.get("minItems", 0), max_size=max(4, schema.get("minItems", 0)))
        case "null":
            return st.none()
    return st.integers(0, 3) | st.booleans() | st.sampled_from(["", "a"])


@st.composite
def wirings(draw, catalog, kinds, files):
    """Documents of one to three models, and nodes on and around them.

    `kinds` are the models' kinds by name; `files` are the files that a port of a node type can name, by both: name of
    the file -> kind of the models that it is for, None where it is for any.
    """
    wiring = Wiring(draw, catalog, kinds, files)
    for model in draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=3)):
        wiring.load(model)
    known = [id_ for id_ in sorted(catalog.types) if id_ not in {*LEFT_OUT, "LoadModel"}]
    for id_ in draw(st.lists(st.sampled_from([*known, *OFTEN * 3]), min_size=1, max_size=10)):
        wiring.add(id_)
    return wiring.document()
