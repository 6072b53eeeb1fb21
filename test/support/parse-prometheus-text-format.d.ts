declare module 'parse-prometheus-text-format' {
  interface Metric {
    value?: string
    count?: string
    labels?: Record<string, string>
  }
  export default function parse(page: string): { name: string; type: string; metrics: Metric[] }[]
}
