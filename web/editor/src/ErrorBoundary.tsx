import { Component, type ErrorInfo, type ReactNode } from "react";
import { useDocument } from "./state/document";
import { useUi } from "./state/ui";
import { t } from "./text/text";

interface Props {
  children: ReactNode;
  /** A change of it is a reason to try again, such as another graph. */
  about?: string | null;
}

interface State {
  error: Error | null;
  about: string | null | undefined;
}

/**
 * Keeps a failure in one part of the page from taking the rest: says what to do, and that the graph is kept (edits
 * live in the stores, not in what is drawn).
 */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null, about: this.props.about };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  static getDerivedStateFromProps({ about }: Props, state: State): Partial<State> | null {
    return about === state.about ? null : { error: null, about };
  }

  override componentDidCatch(error: unknown, { componentStack }: ErrorInfo): void {
    console.error(error, componentStack);
  }

  override render(): ReactNode {
    const { error } = this.state;
    return error === null ? (
      this.props.children
    ) : (
      <Failure error={error} again={() => this.setState({ error: null })} />
    );
  }
}

function Failure({ error, again }: { error: Error; again: () => void }) {
  const copy = async () => {
    await navigator.clipboard.writeText(JSON.stringify(useDocument.getState().document, null, 2));
    useUi.getState().toast("app.failed.copied", {}, "ok");
  };
  return (
    <div className="failure" role="alert">
      <h2>{t("app.failed.title")}</h2>
      <p>{t("app.failed.what")}</p>
      <p>{t("app.failed.fix")}</p>
      <div className="failure-actions">
        <button type="button" onClick={again}>
          {t("app.failed.again")}
        </button>
        <button type="button" onClick={() => location.reload()}>
          {t("app.failed.reload")}
        </button>
        <button type="button" onClick={() => void copy()}>
          {t("app.failed.copy")}
        </button>
      </div>
      <pre className="failure-error">{error.stack ?? String(error)}</pre>
    </div>
  );
}
