import { useEffect, useState } from "react";
import { api } from "../state/api";
import { useDocument } from "../state/document";
import { report } from "../state/ui";
import { t } from "../text/text";
import { agoText, momentText, timeText } from "./times";

/** The earlier versions of a graph. Going back to one is an edit like any other: it can be undone. */
export function Versions({ name }: { name: string }) {
  const [versions, setVersions] = useState<string[] | null>(null);
  useEffect(() => {
    api.versions(name).then(setVersions, report);
  }, [name]);
  const restore = async (version: string) => {
    try {
      const document = await api.version(name, version);
      if (useDocument.getState().name !== name) await useDocument.getState().open(name);
      useDocument.getState().edit("edit.version", () => document);
    } catch (error) {
      report(error);
    }
  };
  if (versions === null) return <p className="panel-note">{t("app.loading")}</p>;
  if (versions.length === 0) return <p className="panel-note">{t("graphs.noVersions")}</p>;
  return (
    <ul className="versions" aria-label={t("graphs.versionsOf", { name })}>
      {versions.map((version) => (
        <li key={version}>
          <VersionTime version={version} />
          <button type="button" className="link-button" onClick={() => void restore(version)}>
            {t("graphs.goBack")}
          </button>
        </li>
      ))}
    </ul>
  );
}

function VersionTime({ version }: { version: string }) {
  const then = timeOf(version);
  if (then === null) return <span>{version}</span>;
  return (
    <span title={timeText(then)}>
      {momentText(then)} · {agoText(then)}
    </span>
  );
}

/** A version's name begins with its time, as in 20260131T120000.000000Z-0123abcd. */
function timeOf(version: string): number | null {
  const read = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/.exec(version);
  if (read === null) return null;
  const [, year, month, day, hour, minute, second] = read;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000;
}
