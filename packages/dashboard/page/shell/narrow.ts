/** Whether the page has the width of a telephone; rows are then taller. The style sheets have the same width. */
import { signal } from '@preact/signals'

const query = matchMedia('(max-width: 719px)')
export const isNarrow = signal(query.matches)
query.addEventListener('change', ({ matches }) => (isNarrow.value = matches))
