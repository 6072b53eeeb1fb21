/**
 * The models as documented on 2026-10-14, for when the Models API cannot be asked.
 *
 * 1. What the pages do not mention, a card allows: if the API refuses it, the refusal leads to a repair, but what a
 *    card wrongly forbids would be removed from a healthy request.
 *
 * Sources: https://platform.claude.com/docs/en/about-claude/models/overview (windows), and under
 * https://platform.claude.com/docs/en/build-with-claude the pages `thinking`, `effort`, `effort-per-message`,
 * `preserved-thinking` and `mid-conversation-system-messages`.
 */
import { plainModelId, type ModelCard } from './model-card.ts'

const latest: Omit<ModelCard, 'id'> = {
  source: 'built-in',
  maxInputTokens: 1_000_000,
  maxOutputTokens: 128_000,
  thinking: ['adaptive'],
  thinksByDefault: true,
  efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
  defaultEffort: 'high',
  forcedToolChoice: false,
  prefill: false,
  sampling: false,
  systemMessages: true,
  messageEffort: true,
  preservedThinking: true,
  // About 30 % more tokens than before 4.7: https://platform.claude.com/docs/en/about-claude/models/migration-guide
  tokenScale: 1.3,
}

const five: Omit<ModelCard, 'id'> = {
  ...latest,
  thinking: ['adaptive', 'disabled'],
  forcedToolChoice: true,
  preservedThinking: false,
}

const fourSeven: Omit<ModelCard, 'id'> = { ...five, thinksByDefault: false, messageEffort: false }

const fourSix: Omit<ModelCard, 'id'> = {
  ...fourSeven,
  thinking: ['adaptive', 'enabled', 'disabled'],
  efforts: ['low', 'medium', 'high', 'max'],
  sampling: true,
  systemMessages: false,
  tokenScale: 1,
}

const fourFive: Omit<ModelCard, 'id'> = {
  ...fourSix,
  maxInputTokens: 200_000,
  maxOutputTokens: 64_000,
  thinking: ['enabled', 'disabled'],
  efforts: [],
  defaultEffort: undefined,
  prefill: true,
}

const opusFiveFive: ModelCard = {
  ...latest,
  id: 'claude-opus-5-5',
  defaultEffort: 'medium',
  unsupportedTools: ['computer_20251124'],
}

/** Newest first. */
export const builtInCards: readonly ModelCard[] = [
  {
    ...latest,
    id: 'claude-haiku-5-5',
    thinking: ['adaptive', 'disabled'],
    defaultEffort: 'medium',
    forcedToolChoice: true,
  },
  { ...latest, id: 'claude-fable-5-1' },
  { ...latest, id: 'claude-sonnet-5-5', thinking: ['adaptive', 'between_tools'] },
  opusFiveFive,
  { ...five, id: 'claude-opus-5' },
  { ...five, id: 'claude-sonnet-5', systemMessages: false, messageEffort: false },
  { ...fourSeven, id: 'claude-opus-4-8' },
  { ...fourSeven, id: 'claude-opus-4-7', systemMessages: false },
  { ...fourSix, id: 'claude-sonnet-4-6' },
  { ...fourSix, id: 'claude-opus-4-6' },
  { ...fourFive, id: 'claude-opus-4-5', efforts: ['low', 'medium', 'high'], defaultEffort: 'high' },
  { ...fourFive, id: 'claude-haiku-4-5' },
  { ...fourFive, id: 'claude-sonnet-4-5' },
]

/** The built-in card, also for a dated id and for ids of Bedrock and Vertex; else a guess. */
export function cardOf(id: string): ModelCard {
  const plain = plainModelId(id)
  const card = builtInCards.find((one) => one.id === plain)
  return card ? { ...card, id } : { ...opusFiveFive, id, source: 'guess' }
}
