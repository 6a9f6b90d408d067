import type { form as english } from "../en/form";

/** Chinese texts of this area: the same keys. */
export const form: Record<keyof typeof english, string> = {
  "form.inputs": "输入",
  "form.outputs": "结果",
  "form.tools": "页面",
  "form.edit": "在编辑器中打开",
  "form.noInputs": "此图未显示任何输入。可在编辑器的节点面板中设置。",
  "form.noOutputs": "此图未显示任何输出。可在编辑器的节点面板中设置。",
  "form.reset": "将 {name} 恢复为图中的值",
  "form.resetAll": "全部恢复",
  "form.waiting": "前面还有 {count} 个运行",
  "form.preview": "正在生成的图片",
  "form.coming": "正在生成…",
  "form.empty": "生成的内容会显示在这里。",
  "form.openPicture": "放大显示 {picture}",
  "form.history": "以前生成的",
};
