/** English texts of this area, by key. */
export const form = {
  "form.inputs": "Inputs",
  "form.outputs": "Results",
  "form.tools": "Page",
  "form.edit": "Open in the editor",
  "form.noInputs": "This graph shows no inputs. In the editor, a node's panel can show them here.",
  "form.noOutputs": "This graph shows no outputs. In the editor, a node's panel can show them here.",
  "form.reset": "Reset {name} to the graph's value",
  "form.resetAll": "Reset all",
  "form.waiting": "{count} {count:run is|runs are} ahead",
  "form.preview": "The picture as it comes about",
  "form.coming": "On its way…",
  "form.empty": "What the graph makes is shown here.",
  "form.openPicture": "Show {picture} large",
  "form.history": "Made before",
} as const;
