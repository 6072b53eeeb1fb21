/**
 * Images and documents that the API refused, or that make the request too large.
 *
 * 1. Those that the API named go; else those that cannot be read; else the older half, and next time half of the rest.
 * 2. The name of the repair carries the places, so that the same repair can be applied again, and another one beside it.
 */
import type { Block } from '../../journal/journal.ts'
import type { Outgoing, Repaired } from '../outgoing.ts'
import { count, isAt, pathOf, placedBlocks, type Placed } from '../blocks.ts'
import { maxSide, whyRefused } from '../request/image-rule.ts'
import { dataOf, isImage, isLinked, isMedium, mediumLeftOut } from '../request/media.ts'
import { replacedBy, refusalRule, type RefusalRule } from './refusal-rule.ts'

/** A link that has expired, or that the API may not follow; it names none. The older ones expire first. */
const notFetched = /download the file|robots\.txt/i

export const removeImages = refusalRule({
  name: 'remove-images',
  row: 32,
  does: 'Replaces images with text: those that the API named, those that it cannot read, or the older half.',
  reach: 'messages',
  repair(outgoing, { fault }, argument) {
    const message = fault?.message ?? ''
    const withDocuments = /pdf|document/i.test(message)
    const media = placedBlocks(outgoing.messages).filter(({ block }) =>
      notFetched.test(message) ? isMedium(block) && isLinked(block) : (withDocuments ? isMedium : isImage)(block),
    )
    const paths = argument?.split(',') ?? fault?.paths ?? []
    const named = placedBlocks(outgoing.messages).filter(
      ({ block, place }) => isMedium(block) && paths.some((path) => isAt(place, path)),
    )
    const broken = media.filter(({ block }) => isImage(block) && whyRefused(block, maxSide) !== undefined)
    const chosen =
      argument !== undefined || named.length > 0
        ? named
        : broken.length > 0
          ? broken
          : media.slice(0, Math.ceil(media.length / 2))
    return leaveOut(this, outgoing, chosen)
  },
})

export const shrinkImages = refusalRule({
  name: 'shrink-images',
  row: 36,
  does: 'Replaces the older half of the images and documents with text.',
  reach: 'messages',
  repair(outgoing, _context, argument) {
    const media = placedBlocks(outgoing.messages).filter(({ block }) => isMedium(block) && dataOf(block) !== undefined)
    const places = argument?.split(',')
    const chosen = places
      ? media.filter(({ place }) => places.includes(pathOf(place)))
      : media.slice(0, Math.ceil(media.length / 2))
    return leaveOut(this, outgoing, chosen)
  },
})

function leaveOut(rule: RefusalRule, outgoing: Outgoing, chosen: readonly Placed[]): Repaired | undefined {
  const standIn = (block: Block) => mediumLeftOut(block, 'the API refused it')
  const what = `left out ${count(chosen.length, 'image or document')}`
  const argument = chosen.map(({ place }) => pathOf(place)).join(',')
  return replacedBy(rule, outgoing, chosen, standIn, what, { argument })
}
