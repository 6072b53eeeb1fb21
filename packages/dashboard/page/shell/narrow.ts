/** Whether the page is as narrow as a phone; rows are then taller. The style sheets use the same width. */
import { signal } from '@preact/signals'

const query = matchMedia('(max-width: 719px)')
export const isNarrow = signal(query.matches)
query.addEventListener('change', ({ matches }) => (isNarrow.value = matches))
