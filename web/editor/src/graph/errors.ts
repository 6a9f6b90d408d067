/** Texts of edits that cannot be made, by key; src/text has the sentences. `{name}` parameters are listed here. */
export type EditKey =
  | "edit.unknownNode" // {node}: there is no such node
  | "edit.unknownPort" // {port}: "node.port" names no port of that node
  | "edit.unknownFrame" // {frame}
  | "edit.unknownType" // {type}: the catalogue has no such node type
  | "edit.badId" // {id}: letters, digits, _ and - only, at most 100
  | "edit.takenId" // {id}: another node has this name
  | "edit.badName" // {name}: a public name may not be empty
  | "edit.takenName" // {name}: the interface has this name already
  | "edit.unknownName" // {name}: the interface has no such name
  | "edit.circle" // {from} {to}: the link would close a circle
  | "edit.refused" // {wanted} {given}: wants one type, is given another
  | "edit.badValue" // {port}: no JSON value, such as an endless number
  | "edit.badPlace" // {id}: a place or a size is no number, or a size is not above 0
  | "edit.notGraph" // the text is neither copied nodes nor a graph
  | "edit.brokenJson" // the text is no JSON
  | "edit.newerVersion" // {version}: the graph was written by a newer Patchbay
  | "picture.damaged" // the picture's bytes are broken
  | "picture.tooLarge"; // the graph in the picture is larger than 64 MiB

/** Texts of values that an input refuses, by key. */
export type ValueKey =
  | "value.missing" // it needs a value or a link
  | "value.linkOnly" // it takes a link, not a value
  | "value.number" // it takes a number
  | "value.integer" // it takes a whole number
  | "value.text" // it takes a text
  | "value.toggle" // it takes true or false
  | "value.list" // it takes a list
  | "value.object" // it takes an object
  | "value.nothing" // it takes nothing (null)
  | "value.choice" // {values}: it takes one of these
  | "value.min" // {min}: at least
  | "value.max" // {max}: at most
  | "value.above" // {min}: above
  | "value.below" // {max}: below
  | "value.step" // {step}: a multiple of
  | "value.short" // {min}: at least so many characters
  | "value.long" // {max}: at most so many characters
  | "value.pattern" // {pattern}
  | "value.fewItems" // {min}
  | "value.manyItems" // {max}
  | "value.unknownKey" // {name}: an object's key that is not known
  | "value.missingKey" // {name}: an object's key that is missing
  | "value.unsafe" // {max}: a whole number too large for a browser to keep exactly
  | "value.none"; // it fits none of the forms that the input takes

/** Parameters of a text. */
export type Params = Record<string, string | number>;

/** An edit that cannot be made; nothing has changed. The text of `key` says why, in the person's language. */
export class EditError extends Error {
  readonly key: EditKey;
  readonly params: Params;

  constructor(key: EditKey, params: Params = {}) {
    super(`${key} ${JSON.stringify(params)}`);
    this.name = "EditError";
    this.key = key;
    this.params = params;
  }
}
