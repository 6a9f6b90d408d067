import { type Preferences, usePreferences } from "../state/preferences";
import { t } from "../text/text";
import { Icon, type IconName } from "../widgets/Icon";
import { Panel } from "./Panel";

const THEMES = [
  ["system", "screen"],
  ["light", "sun"],
  ["dark", "moon"],
] as const satisfies readonly (readonly [Preferences["theme"], IconName])[];
const LANGUAGES = ["system", "en", "zh"] as const;
const SWITCHES = ["snap", "minimap"] as const;

/** What a person has chosen for this browser. */
export function SettingsPanel() {
  const { theme, language, set, ...preferences } = usePreferences();
  return (
    <Panel title={t("panel.settings")}>
      <fieldset className="setting">
        <legend>{t("settings.theme")}</legend>
        <div className="segments">
          {THEMES.map(([item, icon]) => (
            <button
              key={item}
              type="button"
              className="segment"
              aria-pressed={theme === item}
              onClick={() => set({ theme: item })}
            >
              <Icon name={icon} size={14} /> {t(`settings.theme.${item}`)}
            </button>
          ))}
        </div>
      </fieldset>
      <fieldset className="setting">
        <legend>{t("settings.language")}</legend>
        <div className="segments">
          {LANGUAGES.map((item) => (
            <button
              key={item}
              type="button"
              className="segment"
              lang={item === "zh" ? "zh-CN" : undefined}
              aria-pressed={language === item}
              onClick={() => set({ language: item })}
            >
              {t(`settings.language.${item}`)}
            </button>
          ))}
        </div>
      </fieldset>
      {SWITCHES.map((item) => (
        <div key={item} className="setting-line">
          <label htmlFor={`setting-${item}`}>
            {t(`settings.${item}`)}
            <span>{t(`settings.${item}What`)}</span>
          </label>
          <button
            type="button"
            id={`setting-${item}`}
            role="switch"
            className="toggle"
            aria-checked={preferences[item]}
            onClick={() => set({ [item]: !preferences[item] })}
          >
            <span className="toggle-track" aria-hidden="true">
              <span className="toggle-knob" />
            </span>
          </button>
        </div>
      ))}
      <p className="panel-note">{t("settings.note")}</p>
    </Panel>
  );
}
