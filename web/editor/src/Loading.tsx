import { t } from "./text/text";

/** What is seen until a part has come. */
export function Loading() {
  return (
    <div className="app-loading" role="status">
      {t("app.loading")}
    </div>
  );
}
