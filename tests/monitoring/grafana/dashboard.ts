// What a dashboard of ours may have: Grafana's own types, closed. Grafana's leave open what a kind
// of panel brings with it, so that a misspelt field there would pass; JSON has text and numbers where
// they have enums.
import type * as grafana from "@grafana/schema";
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen.d.ts";
import type * as table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen.d.ts";
import type * as timeseries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen.d.ts";

type Json<T> =
  T extends string ? `${T}`
  : T extends number ? (`${T}` extends `${infer Value extends number}` ? Value : T)
  : T extends object ? { [Key in keyof T]: Json<T[Key]> }
  : T;

// Grafana fills in what is missing of a panel's options.
type Panel<Type extends string, Options, Custom> =
  Json<Omit<grafana.Panel, "type" | "options" | "fieldConfig" | "targets" | "transformations">>
  & {
    type: Type;
    title: string;
    options: Json<Partial<Options>>;
    fieldConfig: {
      defaults: Json<Omit<grafana.FieldConfig, "custom">> & { custom?: Json<Partial<Custom>> };
      overrides: [];
    };
    targets: Query[];
    transformations?: { id: "filterFieldsByName"; options: { include: { names: string[] } } }[];
  };

// Of Grafana's plugin for Prometheus, whose types are in no package of theirs that stands alone.
interface Query extends Omit<grafana.DataQuery, "datasource"> {
  datasource: grafana.DataSourceRef;
  editorMode: "code";
  expr: string;
  format?: "table";
  instant: boolean;
  legendFormat: string;
  range: boolean;
}
type Annotation = Json<Omit<grafana.AnnotationQuery, "target">>
  & { expr: string; step: string; titleFormat: string; useValueForTime?: "on" };
type Variable = Json<grafana.VariableModel> & { definition?: string };

export type Dashboard =
  Json<Omit<grafana.Dashboard, "panels" | "annotations" | "templating">>
  & {
    annotations: { list: Annotation[] };
    templating: { list: Variable[] };
    panels: (
      | Json<grafana.RowPanel>
      | Panel<"stat", stat.Options, never>
      | Panel<"table", table.Options, table.FieldConfig>
      | Panel<"timeseries", timeseries.Options, timeseries.FieldConfig>
    )[];
  };
