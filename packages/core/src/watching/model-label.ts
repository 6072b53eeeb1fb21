/** A model as a label of metrics: labels need few values, and clients may call their models anything. */
import { builtInCards } from '../ladder/built-in-cards.ts'
import { isSameModel } from '../ladder/model-card.ts'

/** The name of a model that lastgood knows, else `other`. */
export const modelLabel = (model: string): string =>
  builtInCards.find(({ id }) => isSameModel(id, model))?.id ?? 'other'
