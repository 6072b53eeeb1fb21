/**
 * Whether an incident is about a model. The page has no component for each model: an incident names the model only in
 * its title, written by a person ("Elevated errors on Claude Opus 5").
 *
 * The match is loose, and says how loose. A shorter version than the model's may mean the whole family or the one model
 * of that version: "Opus 5" is `family` for `claude-opus-5-5` and `model` for `claude-opus-5`.
 */

export type IncidentMatch =
  /** Names this very model: "Opus 5.5" for `claude-opus-5-5`. */
  | 'model'
  /** Names its family, or a version that may include it. */
  | 'family'
  /** Names no model. */
  | 'any'
  /** Names other models only. */
  | 'others'

/** The families of https://platform.claude.com/docs/en/about-claude/models/overview, present and past. */
const families = ['opus', 'sonnet', 'haiku', 'fable', 'mythos']
const version = String.raw`\d{1,2}(?:\.\d{1,2})?(?![\d.]*\d)`
/** "Sonnet", "Opus 5.5", "Opus 4.5, 4.1 and 4". */
const mention = new RegExp(
  String.raw`\b(${families.join('|')})s?\b(?:\s+(${version}(?:\s*(?:,\s*and|,\s*or|,|and|or|&|/)\s*${version})*))?`,
  'gi',
)

/** How the name of an incident relates to the model with this id, of any provider. */
export function incidentMatch(name: string, modelId: string): IncidentMatch {
  const mentions = [...name.matchAll(mention)].map(([, family = '', versions = '']) => ({
    family: family.toLowerCase(),
    versions: [...versions.matchAll(/\d+(?:\.\d+)?/g)].map(([shown]) => shown),
  }))
  if (mentions.length === 0) return 'any'
  const model = familyAndVersion(modelId)
  // An id of an unknown kind may be any of them.
  if (!model) return 'family'
  const own = mentions.filter(({ family }) => family === model.family)
  if (own.length === 0) return 'others'
  if (own.some(({ versions }) => versions.includes(model.version))) return 'model'
  const mayMean = ({ versions }: { versions: readonly string[] }) =>
    versions.length === 0 || versions.some((shown) => model.version.startsWith(`${shown}.`))
  return own.some(mayMean) ? 'family' : 'others'
}

/** `claude-opus-5-5`, `claude-3-5-sonnet-20241022`, `us.anthropic.claude-haiku-4-5-20251001-v1:0`. */
function familyAndVersion(modelId: string): { family: string; version: string } | undefined {
  const id = modelId.toLowerCase()
  const family = families.find((one) => id.includes(one))
  const [, major, minor] =
    (family !== undefined &&
      (new RegExp(String.raw`${family}-(\d{1,2})(?!\d)(?:-(\d{1,2})(?!\d))?`).exec(id) ??
        new RegExp(String.raw`claude-(\d{1,2})(?:-(\d{1,2}))?-${family}`).exec(id))) ||
    []
  if (family === undefined || major === undefined) return undefined
  return { family, version: minor === undefined ? major : `${major}.${minor}` }
}
