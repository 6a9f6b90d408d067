import { Icon } from "../widgets/Icon";

interface SearchProps {
  query: string;
  setQuery: (query: string) => void;
  label: string;
}

/** A field that narrows the list below it. */
export function Search({ query, setQuery, label }: SearchProps) {
  return (
    <div className="search">
      <Icon name="search" size={14} />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || query === "") return;
          setQuery("");
          event.preventDefault();
          event.stopPropagation();
        }}
      />
    </div>
  );
}
