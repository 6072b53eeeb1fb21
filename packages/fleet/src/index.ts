/** Many sessions over many workers: BullMQ carries session ids, core and the store keep the truth. */
export {}
