// Shapes of the API's answers and of the page's own values, for the type checker alone; no browser loads this file.

export interface Field {
  name: string;
  /** what people call it, where the mapping says so */
  label?: string | null;
  type: "keyword" | "text" | "color" | "path" | "bool" | "number" | "money" | "datetime";
  facet: boolean;
  sortable: boolean;
}

export interface Catalogue {
  version: string;
  fields: Field[];
  products: number;
  max_candidates: number;
}

export type Attribute = string | number | boolean | string[];

export interface Product {
  title: string;
  price: number | null;
  compare_at_price: number | null;
  /** the product's page in the shop */
  url: string | null;
  currency: string | null;
  color: string[];
  colors: string[];
  category: string[];
  description: string | null;
  brand: string | null;
  in_stock: boolean | null;
  group_id: string | null;
  attributes: Record<string, Attribute | null>;
}

export interface StoredProduct {
  id: string;
  product: Product;
  /** of the picture that matched, or the main one */
  image_url: string;
  images: string[];
}

export interface Hit extends StoredProduct {
  score: number | null;
  /** which of the images matched */
  matched_image: number | null;
  /** the products of its style, where one stands for all */
  group?: Group | null;
  /** the signals that made the score, where they were asked for */
  explain?: Record<string, number> | null;
}

export interface Group {
  count: number;
  price: { min: number; max: number } | null;
  colors: string[];
}

export interface FacetValue {
  value: string | boolean;
  count: number;
}

export interface Bucket {
  from: number;
  to: number;
  count: number;
}

export interface RangeFacet {
  min: number | null;
  max: number | null;
  buckets: Bucket[];
}

export type Facet = FacetValue[] | RangeFacet;
export type Facets = Record<string, Facet>;

/** Something to know of an answer. `value` is the word, or the value of `field`, that no product has. */
export interface Note {
  code: "unknown_word" | "unknown_value" | "words_not_learned" | "words_not_kept";
  field?: string;
  value?: string;
  nearest?: string;
}

/** What the service made of the words of a query. */
export interface Understanding {
  words: string;
  applied: { text: string; kind: string; effect: "filter" | "negative" | "ignored" }[];
  corrected: { from: string; to: string }[];
}

export interface SearchAnswer {
  hits: Hit[];
  total: number;
  facets: Facets;
  facets_cut: string[];
  /** how many products under the filter are not close to the query */
  beyond: number;
  understanding: Understanding | null;
  notes: Note[];
  next_cursor: string | null;
  plan: { search: string; matching: number; truncated_text: boolean };
}

/** The first page of a search, with the counts and hits of the requests made beside it. */
export interface FirstPage extends SearchAnswer {
  others: Hit[];
}

/** A text that completes what was typed; `value` is that of a category or a brand. */
export interface Suggestion {
  text: string;
  kind: "words" | "brand" | "category" | "title";
  count: number;
  value?: string;
}

export interface FieldError {
  field: string;
  message: string;
}

export interface ProblemBody {
  status: number;
  title: string;
  detail: string;
  /** the end of the problem's type; empty where the problem is the page's own */
  code?: string;
  /** what is wrong with a picture */
  reason?: string;
  requestId?: string;
  errors?: FieldError[];
  jobId?: string | null;
  /** after how many seconds to try again, where the service says so */
  retryAfter?: number | null;
}

/** A filter on a field: `values` (any of them), or a range whose ends may be null. */
export type Filter =
  | { values: string[]; min?: undefined; max?: undefined }
  | { values?: undefined; min: Bound; max: Bound };
export type Bound = number | string | null;

/** What is being searched for. */
export interface State {
  text: string;
  /** key of an uploaded picture */
  picture: string | null;
  /** the part of the picture that is searched for, in its pixels */
  box: Readonly<Box> | null;
  like: readonly string[];
  unlike: readonly string[];
  /** parts of the text that are to be taken as they stand */
  literal: readonly string[];
  /** whether products that are not close are shown too */
  far: boolean;
  /** from -1, the picture decides, to 1, the words do */
  balance: number;
  sort: string;
  /** one product of each style */
  styles: boolean;
  /** whether each product tells how well it matches */
  explain: boolean;
  /** id of the product that is open */
  show: string | null;
  filters: Readonly<Record<string, Filter>>;
}

export type Go = (next: State) => void;

/** What a field's control can do: set its filter, choose a currency, and find values that the answer did not list. */
export interface ControlActions {
  change(filter: Filter | null): void;
  chooseCurrency(currency: string): void;
  find(text: string): Promise<Map<string, number>>;
}

/** What an answer says of a facet beside its counts: the currency of its amounts, null where they have several, those currencies, and whether the facet has more values. */
export interface FacetContext {
  currency: string | null;
  currencies: FacetValue[];
  cut: boolean;
}

/** What a field's filter is made of. */
export interface Control {
  element: HTMLElement;
  /** the control carries its own name */
  bare?: boolean;
  /** Show counts and the filter; tells whether the field is worth showing. */
  update(facet: Facet | undefined, filter: Filter | null, context: FacetContext): boolean;
}

export interface CardActions {
  open(id: string): void;
  moreLike(id: string): void;
  lessLike: ((id: string) => void) | null;
}

export interface Version {
  name: string;
  state: string;
  backend: string;
  model: string;
  fingerprint: string;
  count: number;
  created: string;
}

/** How far a job has come with its source, in rows. */
export interface SourceReport {
  done: number;
  unchanged: number;
  failed: number;
  left_out: number;
  removed: number;
  /** from 0 to 1, where rows are not counted */
  share: number | null;
  refused: boolean;
  nodes: Record<string, number>;
}

export interface Job {
  id: string;
  kind: string;
  state: string;
  source: string | null;
  report: SourceReport | null;
  done: number;
  total: number | null;
  failed_items: number;
  rate: number | null;
  eta_s: number | null;
  version: string | null;
  error: string | null;
  created: string;
  updated: string;
}

/** What came of a scheduled run; `exit_status` as `vitrine ingest` ends. */
export interface ScheduledRun {
  job_id: string;
  began: string;
  seconds: number;
  exit_status: number;
  done: number;
  unchanged: number;
  failed: number;
  left_out: number;
  removed: number;
  message: string | null;
}

export interface Schedule {
  name: string;
  source: string;
  mode: "update" | "sync" | "replace";
  allow_shrink: boolean;
  times: string[];
  zone: string;
  due: string;
  job_id: string | null;
  runs: ScheduledRun[];
}

export interface Failure {
  id: string;
  stage: string;
  reason: string;
  message: string;
  /** what to do about failures of this reason */
  remedy: string;
  source: string;
  /** where an employee finds it, such as "row 7" */
  place: string;
  at: string;
}

/** Something that was taken but looks odd; `id` and `place` are those of the first of `count`. */
export interface CatalogueWarning {
  reason: string;
  message: string;
  source: string;
  id: string;
  place: string;
  count: number;
  at: string;
}

export interface PreviewRow {
  place: string;
  product: Product | null;
  pictures: string[];
  problems: FieldError[];
}

/** A catalogue that was sent, and what its first rows become. */
export interface Preview {
  source: string;
  mapping: object;
  notes: string[];
  rows: PreviewRow[];
  failed: number;
  left_out: Record<string, number>;
}

export interface Failures {
  failures: Failure[];
  total: number;
  warnings: CatalogueWarning[];
}

export interface Box {
  xmin: number;
  ymin: number;
  xmax: number;
  ymax: number;
}

export interface DetectedObject {
  label: string;
  score: number;
  box: Box;
}
