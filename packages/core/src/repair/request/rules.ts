/**
 * The demands on a request as a whole that can be checked before it leaves: settings, tools, cache markers, images.
 *
 * 1. A valid request is not touched: every rule gives undefined.
 * 2. The order matters: a thinking budget is measured against `max_tokens` as it will be sent.
 */
import { cacheMarkers, cacheTtl } from './cache-markers.ts'
import { extraFields } from './extra-fields.ts'
import { images } from './image-rule.ts'
import { maxTokensRule, sampling, thinkingConfig, toolChoiceRule } from './setting-rules.ts'
import { toolNames } from './tool-names.ts'

export const requestRules = [
  extraFields,
  toolNames,
  toolChoiceRule,
  maxTokensRule,
  thinkingConfig,
  sampling,
  cacheMarkers,
  cacheTtl,
  images,
] as const
