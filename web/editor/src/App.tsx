import { lazy, Suspense } from "react";
import { ErrorBoundary } from "./ErrorBoundary";
import { Loading } from "./Loading";
import { ConflictDialog } from "./panels/ConflictDialog";
import { Lightbox } from "./panels/Lightbox";
import { Toasts } from "./panels/Toasts";
import { useSession } from "./state/session";
import { useLanguage } from "./text/text";

// A form on a phone does not load the canvas, nor a canvas the form.
const Workbench = lazy(async () => ({ default: (await import("./Workbench")).Workbench }));
const FormView = lazy(async () => ({ default: (await import("./form/FormView")).FormView }));

/** The whole page. Another language draws it anew, so that texts need no subscription of their own. */
export function App() {
  const language = useLanguage();
  const view = useSession((state) => state.route.view);
  return (
    <div key={language} className="app">
      <ErrorBoundary>
        <Suspense fallback={<Loading />}>{view === "form" ? <FormView /> : <Workbench />}</Suspense>
      </ErrorBoundary>
      <ErrorBoundary>
        <ConflictDialog />
        <Lightbox />
        <Toasts />
      </ErrorBoundary>
    </div>
  );
}
